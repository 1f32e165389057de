// Pictures to take away: what is on screen, as PNG or SVG, or all of it as an animated GIF or a video.

import { frameDuration } from "./controls.js";
import { BEGINNING } from "./decode.js";
import { choosePalette, GifWriter } from "./gif.js";
import { Sheet } from "./sheet.js";
import { SvgContext } from "./svg.js";

const SHARPNESS = 2; // pixels of a PNG to one of the screen
const MOST_FRAMES = 240;
const PALETTE_FRAMES = 8;
const REST = 2000; // ms on the last frame
const MOVING = new Set(["gif", "video"]);
const FILMED = 30; // pictures of a video in a second
const BITS = 6_000_000; // of it in a second
const VIDEOS = ["video/mp4;codecs=avc1.42E01F", "video/webm;codecs=vp9", "video/webm"];

/** Saves the player's picture: "png", "svg", "gif" or "video". `tell` says how far it is. */
export async function savePicture(player, kind, tell) {
  const sheet = await Sheet.of(player);
  const makers = { png: pngOf, svg: svgOf, gif: gifOf, video: videoOf };
  const blob = await makers[kind](sheet, player, tell);
  const ending = kind === "video" ? /^video\/(\w+)/.exec(videoType())[1] : kind;
  if (blob) download(blob, `${nameOf(sheet, kind)}.${ending}`);
}

/** What is shown of what; an animation shows all half-steps. */
function nameOf({ picture, frame }, kind) {
  const phase = picture.phases[frame];
  const step = phase === "start" ? phase : `${phase}-step-${picture.iterations[frame]}`;
  const place = frame === BEGINNING ? "beginning" : step;
  return [picture.file || "em-explorer", ...(MOVING.has(kind) ? [] : [place])].join("-");
}

function canvasOf({ width, height }, ratio) {
  const canvas = Object.assign(document.createElement("canvas"), {
    width: width * ratio, height: height * ratio,
  });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.scale(ratio, ratio);
  return { canvas, context };
}

/** Drawn anew: pixels of the screen would be half as sharp. */
async function pngOf(sheet) {
  const { canvas, context } = canvasOf(sheet, SHARPNESS);
  sheet.paint(context, sheet.frame, (context, { draw, image, left, top, width, height }) => {
    context.save();
    context.translate(left, top);
    draw(context);
    context.drawImage(image, 0, 0, width, height);
    context.restore();
  });
  return new Promise((done) => canvas.toBlob(done, "image/png"));
}

/** Shapes and text, nothing else; Plotly's axes are SVG already. */
async function svgOf(sheet) {
  const { width, height } = sheet;
  const context = new SvgContext("emx");
  sheet.paint(context, sheet.frame, (context, { draw, axes, left, top }) => {
    context.save();
    context.translate(left, top);
    draw(context);
    context.parts.push(axes.replace(/^<\?xml[^>]*>/, ""));
    context.restore();
  });
  const size = `width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"`;
  const text = `<svg xmlns="http://www.w3.org/2000/svg" ${size}>${context.text}</svg>`;
  return new Blob([text], { type: "image/svg+xml" });
}

/** All half-steps of a run: which are shown, what draws one, and how long it stays, in ms. */
function filmOf(sheet, player) {
  const last = player.frames - 1;
  const { first } = player.picture;
  const stride = Math.ceil(player.frames / MOST_FRAMES);
  const frames = first === BEGINNING ? [first] : [];
  for (let frame = 0; frame < last; frame += stride) frames.push(frame);
  frames.push(last);
  // Of even size, as most videos are.
  const [width, height] = [sheet.width, sheet.height].map((size) => 2 * Math.floor(size / 2));
  const { canvas, context } = canvasOf({ width, height }, 1);
  const show = (frame) => {
    player.frame = frame;
    player.paintMixture();
    player.paintBound();
    sheet.paint(context, frame, (context, { canvas, image, left, top, width, height }) => {
      context.drawImage(canvas, left, top, width, height);
      context.drawImage(image, left, top, width, height);
    });
  };
  const stay = (i) => (frames[i] === last ? REST : frameDuration(i, player.view.speed, false));
  return { canvas, context, frames, show, stay };
}

/** Draws one after the other; `each` is given the number of the picture. False where it was not to end. */
async function roll({ frames, show }, player, tell, each) {
  const here = player.frame;
  for (const [i, frame] of frames.entries()) {
    show(frame);
    player.frame = here;
    tell(`Making the animation: ${i + 1} of ${frames.length} pictures.`);
    await each(i);
    // Somebody went on or left: the animation is no longer asked for.
    if (player.destroyed || player.frame !== here || player.playing) return false;
  }
  return true;
}

async function gifOf(sheet, player, tell) {
  const here = player.frame;
  const film = filmOf(sheet, player);
  const { canvas, context, frames, show, stay } = film;
  const pixels = () => context.getImageData(0, 0, canvas.width, canvas.height);
  player.stop();
  try {
    const some = frames.filter((_, i) => i % Math.ceil(frames.length / PALETTE_FRAMES) === 0);
    const shots = [...some, frames.at(-1)].map((frame) => {
      show(frame);
      return pixels();
    });
    player.frame = here;
    const writer = new GifWriter(canvas.width, canvas.height, choosePalette(shots));
    const ended = await roll(film, player, tell, (i) => {
      writer.add(pixels(), stay(i));
      return rest(0);
    });
    return ended ? writer.finish() : null;
  } finally {
    if (!player.destroyed) player.show();
  }
}

/** Recorded as it plays, in what this browser writes. */
async function videoOf(sheet, player, tell) {
  const here = player.frame;
  const film = filmOf(sheet, player);
  const stream = film.canvas.captureStream(FILMED);
  const recorder = new MediaRecorder(stream, { mimeType: videoType(), videoBitsPerSecond: BITS });
  const parts = [];
  recorder.ondataavailable = ({ data }) => parts.push(data);
  const stopped = new Promise((done) => {
    recorder.onstop = done;
  });
  player.stop();
  try {
    film.show(film.frames[0]);
    player.frame = here;
    recorder.start();
    const ended = await roll(film, player, tell, (i) => rest(film.stay(i)));
    // Drawn once more, the last picture is held until then.
    film.context.drawImage(film.canvas, 0, 0);
    await rest(1000 / FILMED);
    recorder.stop();
    await stopped;
    return ended ? new Blob(parts, { type: recorder.mimeType }) : null;
  } finally {
    stream.getTracks().forEach((track) => track.stop());
    if (!player.destroyed) player.show();
  }
}

/** The kind of video that most programs read, of those that this browser writes. */
export function videoType() {
  return VIDEOS.find((type) => window.MediaRecorder?.isTypeSupported(type));
}

function rest(milliseconds) {
  return new Promise((done) => setTimeout(done, milliseconds));
}

function download(blob, name) {
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
