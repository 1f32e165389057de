// Pictures to take away: what is on screen, as PNG or SVG, or all of it as an animated GIF.

import { frameDuration } from "./controls.js";
import { choosePalette, GifWriter } from "./gif.js";
import { Sheet } from "./sheet.js";
import { SvgContext } from "./svg.js";

const SHARPNESS = 2; // pixels of a PNG to one of the screen
const MOST_FRAMES = 240;
const PALETTE_FRAMES = 8;
const REST = 2000; // ms on the last frame

/** Saves the player's picture: "png", "svg" or "gif". `tell` says how far it is. */
export async function savePicture(player, kind, tell) {
  const sheet = await Sheet.of(player);
  const makers = { png: pngOf, svg: svgOf, gif: gifOf };
  const blob = await makers[kind](sheet, player, tell);
  if (blob) download(blob, `${nameOf(sheet, kind)}.${kind}`);
}

/** What is shown of what; an animation shows all half-steps. */
function nameOf({ picture, frame }, kind) {
  const phase = picture.phases[frame];
  const place = phase === "start" ? phase : `${phase}-step-${picture.iterations[frame]}`;
  return [picture.file || "em-explorer", ...(kind === "gif" ? [] : [place])].join("-");
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

async function gifOf(sheet, player, tell) {
  const here = player.frame;
  const last = player.frames - 1;
  const stride = Math.ceil(player.frames / MOST_FRAMES);
  const frames = [];
  for (let frame = 0; frame < last; frame += stride) frames.push(frame);
  frames.push(last);
  const { canvas, context } = canvasOf(sheet, 1);
  const shot = (frame) => {
    player.frame = frame;
    player.paintMixture();
    player.paintBound();
    sheet.paint(context, frame, (context, { canvas, image, left, top, width, height }) => {
      context.drawImage(canvas, left, top, width, height);
      context.drawImage(image, left, top, width, height);
    });
    return context.getImageData(0, 0, canvas.width, canvas.height);
  };
  player.stop();
  try {
    const some = frames.filter((_, i) => i % Math.ceil(frames.length / PALETTE_FRAMES) === 0);
    const writer = new GifWriter(canvas.width, canvas.height, choosePalette([...some, last].map(shot)));
    for (const [i, frame] of frames.entries()) {
      const rest = frame === last ? REST : frameDuration(i, player.view.speed, false);
      writer.add(shot(frame), rest);
      tell(`Making the animation: ${i + 1} of ${frames.length} pictures.`);
      player.frame = here;
      await new Promise((done) => setTimeout(done));
      // Somebody went on or left: the animation is no longer asked for.
      if (player.destroyed || player.frame !== here || player.playing) return null;
    }
    return writer.finish();
  } finally {
    if (!player.destroyed) player.show();
  }
}

function download(blob, name) {
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
