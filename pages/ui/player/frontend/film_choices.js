// What an animation is to be: how large, which half-steps, how fast. Asked before it is made.

import { BEGINNING } from "./decode.js";
import { number } from "./numbers.js";

export const SPEEDS = [0.5, 1, 2, 3];
const MOST_FRAMES = 240; // of longer ones some half-steps are left out
const REST = 2000; // ms on the last of them
// Pixels across and down: those of a slide hold the sheet, as large as it fits.
const SLIDES = ["1280x720", "1920x1080"];

export const FILM_MARKUP = `
<dialog class="emx-keys emx-film" aria-label="Animation"><form method="dialog"><h2></h2>
  <label>Size <select name="size" aria-label="Size">
    <option value="1"></option><option value="0.5"></option>${SLIDES.map((size) => `<option value="${size}">${size.replace("x", " × ")}</option>`).join("")}</select></label>
  <label>From half-step <input type="number" name="from" required></label>
  <label>to half-step <input type="number" name="to" required></label>
  <label>Speed <select name="speed" aria-label="Speed of the animation">${SPEEDS.map((s) => `<option value="${s}">${s}×</option>`).join("")}</select></label>
  <output></output>
  <div><button value="make">Make it</button><button value="" formnovalidate>Cancel</button></div></form></dialog>`;

export function nearestSpeed(speed) {
  return SPEEDS.reduce((a, b) => (Math.abs(b - speed) < Math.abs(a - speed) ? b : a));
}

/** Milliseconds a frame stays: the first ones slowly, later ones up to twenty a second. */
export function frameDuration(frame, speed, calm) {
  return calm ? 900 / speed : (50 + 550 * Math.exp(-Math.max(frame, 0) / 7)) / speed;
}

/**
 * The frames from one to another, the two and so many between that they are not too many, and for
 * how many milliseconds each of them stays.
 */
export function framesOf({ from, to, speed }) {
  const stride = Math.ceil((to - from + 1) / MOST_FRAMES);
  const frames = [];
  for (let frame = from; frame < to; frame += frame === BEGINNING ? 1 : stride) frames.push(frame);
  frames.push(to);
  return frames.map((frame) => ({ frame, stay: frame === to ? REST : frameDuration(frame, speed, false) }));
}

/**
 * A picture of this size, in CSS pixels, in an animation of the size that was chosen: a share of its
 * own, or pixels across and down. Both sides are even, as those of most videos are.
 */
export function frameSize(choice, { width, height }) {
  const even = (size) => 2 * Math.floor(size / 2);
  const slide = SLIDES.includes(choice) ? choice.split("x").map(Number) : null;
  const [across, down] = slide ?? [even(width * choice), even(height * choice)];
  const scale = slide ? Math.min(across / width, down / height) : Number(choice);
  const margins = slide ? [(across - width * scale) / 2, (down - height * scale) / 2] : [0, 0];
  return { width: across, height: down, scale, left: margins[0], top: margins[1] };
}

/** Asks what "gif" or "video" of a sheet is to be; null where none is wanted after all. */
export function askForFilm(root, kind, sheet, { first, frames }, speed) {
  const dialog = root.querySelector(".emx-film");
  const form = dialog.querySelector("form");
  const { size, from, to } = form.elements;
  const last = frames - 1;
  form.querySelector("h2").textContent = kind === "gif" ? "Animation (GIF)" : "Video";
  const words = (share) => [frameSize(share, sheet)].map(({ width, height }) => `${width} × ${height}`)[0];
  size.options[0].text = `As on screen: ${words(1)}`;
  size.options[1].text = `Half of that: ${words(0.5)}`;
  for (const input of [from, to]) Object.assign(input, { min: first, max: last });
  Object.assign(from, { value: first, title: first === BEGINNING ? `${BEGINNING} is before the first E-step` : "" });
  to.value = last;
  form.elements.speed.value = String(nearestSpeed(speed));
  const chosen = () => {
    return { size: size.value, from: Number(from.value), to: Number(to.value), speed: Number(form.elements.speed.value) };
  };
  const tell = () => {
    const { from: begin, to: end } = chosen();
    to.setCustomValidity(end < begin ? "It ends before it begins." : "");
    form.querySelector("output").textContent = form.checkValidity() ? lengthOf(chosen()) : "";
  };
  form.oninput = tell;
  tell();
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((done) => {
    dialog.onclose = () => done(dialog.returnValue === "make" ? chosen() : null);
  });
}

/** "48 pictures, about 12 seconds." */
export function lengthOf(choices) {
  const frames = framesOf(choices);
  const seconds = frames.reduce((sum, { stay }) => sum + stay, 0) / 1000;
  const count = frames.length === 1 ? "1 picture" : `${number(frames.length)} pictures`;
  return `${count}, about ${number(Math.round(seconds))} seconds.`;
}
