// A run as an animated GIF or as a video, in the size, the range and the speed that were chosen.

import { framesOf, frameSize } from "./film_choices.js";
import { choosePalette, GifWriter } from "./gif.js";

const PALETTE_FRAMES = 8;
const FILMED = 30; // pictures of a video in a second
const BITS = 6_000_000; // of it in a second
const VIDEOS = ["video/mp4;codecs=avc1.42E01F", "video/webm;codecs=vp9", "video/webm"];

/** What is shown for how long, and what draws it on a canvas. */
function filmOf(sheet, choices) {
  const { width, height, scale, left, top } = frameSize(choices.size, sheet);
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.fillStyle = sheet.theme.background;
  context.fillRect(0, 0, width, height);
  context.translate(left, top);
  context.scale(scale, scale);
  return { canvas, context, frames: framesOf(choices), show: (frame) => sheet.paintOn(context, frame) };
}

/** Draws one after the other; `each` is told how long it stays. False where it was not to end. */
async function roll({ frames, show }, player, tell, each) {
  const here = player.frame;
  for (const [i, { frame, stay }] of frames.entries()) {
    show(frame);
    tell(`Making the animation: ${i + 1} of ${frames.length} pictures.`);
    await each(stay);
    // Somebody went on or left: the animation is no longer asked for.
    if (player.destroyed || player.frame !== here || player.playing) return false;
  }
  return true;
}

export async function gifOf(sheet, player, tell, choices) {
  const film = filmOf(sheet, choices);
  const { canvas, context, frames, show } = film;
  const pixels = () => context.getImageData(0, 0, canvas.width, canvas.height);
  player.pause();
  const some = frames.filter((_, i) => i % Math.ceil(frames.length / PALETTE_FRAMES) === 0);
  const shots = [...some, frames.at(-1)].map(({ frame }) => {
    show(frame);
    return pixels();
  });
  const writer = new GifWriter(canvas.width, canvas.height, choosePalette(shots));
  const ended = await roll(film, player, tell, (stay) => {
    writer.add(pixels(), stay);
    return rest(0);
  });
  return ended ? writer.finish() : null;
}

/** Recorded as it plays, in what this browser writes. */
export async function videoOf(sheet, player, tell, choices) {
  const film = filmOf(sheet, choices);
  const stream = film.canvas.captureStream(FILMED);
  const [track] = stream.getVideoTracks();
  const recorder = new MediaRecorder(stream, { mimeType: videoType(), videoBitsPerSecond: BITS });
  const parts = [];
  recorder.ondataavailable = ({ data }) => parts.push(data);
  const stopped = new Promise((done) => {
    recorder.onstop = done;
  });
  player.pause();
  try {
    film.show(film.frames[0].frame);
    recorder.start();
    const ended = await roll(film, player, tell, rest);
    // Taken once more, the last picture is held until then.
    film.show(film.frames.at(-1).frame);
    track.requestFrame();
    await rest(3000 / FILMED);
    recorder.stop();
    await stopped;
    return ended ? new Blob(parts, { type: recorder.mimeType }) : null;
  } finally {
    track.stop();
  }
}

/** The kind of video that most programs read, of those that this browser writes. */
export function videoType() {
  return VIDEOS.find((type) => window.MediaRecorder?.isTypeSupported(type));
}

function rest(milliseconds) {
  return new Promise((done) => setTimeout(done, milliseconds));
}
