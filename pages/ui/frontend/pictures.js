// Pictures to take away: what is on screen, as PNG or SVG, or all of it as an animated GIF.

import { frameDuration } from "./controls.js";
import { choosePalette, GifWriter } from "./gif.js";

const CAPTION = 34; // pixels under the panels
const HEADING = 26; // and above them, where they have names
const MOST_FRAMES = 240;
const PALETTE_FRAMES = 8;
const REST = 2000; // ms on the last frame

/** Saves the player's picture: "png", "svg" or "gif". `tell` says how far it is. */
export async function savePicture(player, kind, tell) {
  const stage = await Stage.of(player);
  const makers = { png: pngOf, svg: svgOf, gif: gifOf };
  const blob = await makers[kind](player, stage, tell);
  if (blob) download(blob, `em-explorer.${kind}`);
}

/** The panels where they stand, those of a race with their names, and the axes that Plotly drew. */
class Stage {
  static async of(player) {
    const stage = new Stage();
    const whole = player.root.querySelector(".emx-panels").getBoundingClientRect();
    stage.theme = player.theme;
    stage.width = Math.round(whole.width);
    let bottom = 0;
    const race = Boolean(player.rival.picture);
    const plots = [[player.mixturePlot, race ? "First" : ""], [player.boundPlot, ""]];
    if (race) plots.push([player.rival.plot, "Second"]);
    stage.panels = await Promise.all(
      plots.map(async ([plot, name]) => {
        const box = plot.getBoundingClientRect();
        const [width, height] = [Math.round(box.width), Math.round(box.height)];
        const top = Math.round(box.top - whole.top);
        const options = { format: "svg", width, height };
        const axes = await player.plotly.toImage(plot.querySelector(".emx-axes"), options);
        return { canvas: plot.querySelector("canvas"), left: Math.round(box.left - whole.left), top, width, height, axes, name };
      }),
    );
    const above = Math.min(...stage.panels.map((panel) => panel.top)) - (race ? HEADING : 0);
    for (const panel of stage.panels) {
      panel.top -= above;
      panel.image = await loadImage(panel.axes);
      bottom = Math.max(bottom, panel.top + panel.height);
    }
    stage.height = bottom + CAPTION;
    return stage;
  }

  /** A canvas of this stage's size, and what paints it as it is now. */
  canvas(ratio) {
    const { width, height } = this;
    const canvas = Object.assign(document.createElement("canvas"), {
      width: width * ratio, height: height * ratio,
    });
    const context = canvas.getContext("2d", { willReadFrequently: true });
    const paint = (caption) => {
      context.setTransform(ratio, 0, 0, ratio, 0, 0);
      context.fillStyle = this.theme.background;
      context.fillRect(0, 0, width, height);
      for (const panel of this.panels) {
        context.drawImage(panel.canvas, panel.left, panel.top, panel.width, panel.height);
        context.drawImage(panel.image, panel.left, panel.top, panel.width, panel.height);
      }
      context.fillStyle = this.theme.text;
      context.textBaseline = "middle";
      context.font = `600 14px ${this.theme.font}`;
      for (const { name, left, top } of this.panels) context.fillText(name, left + 8, top - HEADING / 2);
      context.font = `14px ${this.theme.font}`;
      context.fillText(caption, 8, height - CAPTION / 2, width - 16);
    };
    return { canvas, context, paint };
  }
}

async function pngOf(player, stage) {
  const { canvas, paint } = stage.canvas(2);
  paint(captionOf(player));
  return new Promise((done) => canvas.toBlob(done, "image/png"));
}

/** Axes and text as shapes; the points under them, which may be many thousands, as pixels. */
async function svgOf(player, stage) {
  const { width, height, theme } = stage;
  const font = `font-family="sans-serif" font-size="14" fill="${theme.text}"`;
  const parts = stage.panels.map(({ canvas, left, top, width, height, axes, name }) => {
    const place = `x="${left}" y="${top}" width="${width}" height="${height}"`;
    const heading = `<text x="${left + 8}" y="${top - HEADING / 2 + 5}" font-weight="600" ${font}>${name}</text>`;
    return `<image ${place} href="${canvas.toDataURL("image/png")}"/><image ${place} href="${escape(axes)}"/>${heading}`;
  });
  const caption = `<text x="8" y="${height - CAPTION / 2 + 5}" ${font}>${escape(captionOf(player))}</text>`;
  const ground = `<rect width="${width}" height="${height}" fill="${theme.background}"/>`;
  const size = `width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"`;
  const text = `<svg xmlns="http://www.w3.org/2000/svg" ${size}>${ground}${parts.join("")}${caption}</svg>`;
  return new Blob([text], { type: "image/svg+xml" });
}

async function gifOf(player, stage, tell) {
  const here = player.frame;
  const last = player.frames - 1;
  const stride = Math.ceil(player.frames / MOST_FRAMES);
  const frames = [];
  for (let frame = 0; frame < last; frame += stride) frames.push(frame);
  frames.push(last);
  const { canvas, context, paint } = stage.canvas(1);
  const shot = (frame) => {
    player.frame = frame;
    player.paintMixture();
    player.paintBound();
    paint(captionOf(player));
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

function captionOf(player) {
  return player.picture.captions[player.frame];
}

function loadImage(url) {
  return new Promise((done, failed) => {
    const image = new Image();
    image.onload = () => done(image);
    image.onerror = failed;
    image.src = url;
  });
}

function escape(text) {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

function download(blob, name) {
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
