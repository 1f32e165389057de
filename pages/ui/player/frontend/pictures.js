// Pictures to take away: what is on screen as PNG, SVG or PDF, or the run as an animation.

import { gifOf, videoOf, videoType } from "./animations.js";
import { BEGINNING } from "./decode.js";
import { askForFilm } from "./film_choices.js";
import { Sheet } from "./sheet.js";
import { SvgContext } from "./svg.js";

const SHARPNESS = 2; // pixels of a PNG to one of the screen
const MOVING = { gif: gifOf, video: videoOf };

/** Saves the player's picture: "png", "svg", "pdf", "gif" or "video". `tell` says how far it is. */
export async function savePicture(player, kind, tell) {
  const sheet = await Sheet.of(player);
  const name = nameOf(sheet, kind);
  if (kind === "pdf") return print(sheet, name, tell);
  if (!(kind in MOVING)) return download(await (kind === "png" ? pngOf : svgOf)(sheet), `${name}.${kind}`);
  const choices = await askForFilm(player.root, kind, sheet, player.picture, player.view.speed);
  const blob = choices && (await MOVING[kind](sheet, player, tell, choices));
  const ending = kind === "video" ? /^video\/(\w+)/.exec(videoType())[1] : kind;
  if (blob) download(blob, `${name}.${ending}`);
}

/** What is shown of what; an animation shows many half-steps. */
function nameOf({ picture, frame }, kind) {
  const phase = picture.phases[frame];
  const step = phase === "start" ? phase : `${phase}-step-${picture.iterations[frame]}`;
  const place = frame === BEGINNING ? "beginning" : step;
  return [picture.file || "em-explorer", ...(kind in MOVING ? [] : [place])].join("-");
}

/** Drawn anew: pixels of the screen would be half as sharp. */
async function pngOf(sheet) {
  const canvas = Object.assign(document.createElement("canvas"), {
    width: sheet.width * SHARPNESS, height: sheet.height * SHARPNESS,
  });
  const context = canvas.getContext("2d");
  context.scale(SHARPNESS, SHARPNESS);
  sheet.paintOn(context, sheet.frame);
  return new Promise((done) => canvas.toBlob(done, "image/png"));
}

/** Shapes and text, nothing else; Plotly's axes are SVG already. */
function drawn(sheet, name) {
  const { width, height } = sheet;
  const context = new SvgContext(name);
  sheet.paint(context, sheet.frame, ({ axes }) => context.parts.push(axes.replace(/^<\?xml[^>]*>/, "")));
  const size = `width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"`;
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size}>${context.text}</svg>`;
}

function svgOf(sheet) {
  return new Blob([drawn(sheet, "emx")], { type: "image/svg+xml" });
}

/**
 * On a page of its own size, alone: what prints it as PDF keeps shapes shapes and letters letters, of
 * whatever script. The browser suggests the page's title as the name of the file.
 */
async function print(sheet, name, tell) {
  const { title, body } = document;
  const paper = Object.assign(document.createElement("div"), { className: "emx-paper", innerHTML: drawn(sheet, "emx-paper") });
  paper.append(Object.assign(document.createElement("style"), {
    textContent: `@page { size: ${sheet.width}px ${sheet.height}px; margin: 0; }`,
  }));
  tell("Choose “Save as PDF” where the browser asks for a printer.");
  await new Promise((done) => setTimeout(done));
  document.querySelectorAll(".emx-paper").forEach((earlier) => earlier.remove());
  body.append(paper);
  document.title = name;
  window.addEventListener("afterprint", () => {
    paper.remove();
    document.title = title;
  }, { once: true });
  window.print();
}

function download(blob, name) {
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
