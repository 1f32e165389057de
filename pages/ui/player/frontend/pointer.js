// Clicks and hints over the panels. What lies on a canvas has none of its own.

import { BEGINNING, nameOfFrame, posteriorOf } from "./decode.js";
import { gap, nats, number, percent, readOff } from "./numbers.js";

const CLICK_REACH = 5; // px a pointer may move in a click

/** A place on the screen in the pixels that a plot is drawn in: before a class it is magnified. */
export function placeOn(plot, { clientX, clientY }) {
  const box = plot.getBoundingClientRect();
  const scale = box.width / plot.offsetWidth || 1;
  return [(clientX - box.left) / scale, (clientY - box.top) / scale];
}

/** Plotly covers the page while the mouse is down, so a click is put together from its two ends. */
export function onClick(plot, action) {
  plot.addEventListener("pointerdown", (down) => {
    if (down.button !== 0 || down.target.closest(".modebar")) return;
    const end = (up) => {
      window.removeEventListener("pointercancel", end, true);
      if (up.type === "pointercancel") return window.removeEventListener("pointerup", end, true);
      if (Math.hypot(up.clientX - down.clientX, up.clientY - down.clientY) > CLICK_REACH) return;
      action(...placeOn(plot, down));
    };
    window.addEventListener("pointerup", end, { capture: true, once: true });
    window.addEventListener("pointercancel", end, { capture: true, once: true });
  });
}

export function onHover(plot, describe) {
  const tip = plot.querySelector(".emx-tip");
  const hide = () => {
    tip.hidden = true;
  };
  plot.addEventListener("pointermove", (event) => {
    if (event.buttons) return hide();
    const [x, y] = placeOn(plot, event);
    const lines = describe(x, y);
    if (!lines) return hide();
    tip.replaceChildren(
      ...lines.map((line) => Object.assign(document.createElement("div"), { textContent: line })),
    );
    tip.hidden = false;
    const left = x + 14 + tip.offsetWidth > plot.offsetWidth ? x - 14 - tip.offsetWidth : x + 14;
    tip.style.left = `${Math.max(0, left)}px`;
    tip.style.top = `${Math.min(Math.max(0, y - 10), Math.max(0, plot.offsetHeight - tip.offsetHeight))}px`;
  });
  plot.addEventListener("pointerleave", hide);
}

/** Milliseconds since 1970, to the minute where they span little. */
export function date(value, span) {
  const minute = Math.round(value / 60_000) * 60_000;
  const text = new Date(minute).toISOString().replace("T", " ");
  return span > 60 * 86_400_000 ? text.slice(0, 10) : text.slice(0, 16).replace(" 00:00", "");
}

/** What is known of a point at a frame, a line each. Packed responsibilities are good to a few percent. */
export function describePoint(picture, frame, i) {
  const { first, second, level, known } = posteriorOf(picture, frame);
  const share = level[i] / (picture.levels - 1);
  const row = `row ${number(picture.rows[i])}`;
  const lines = [picture.names[i] ? `${picture.names[i]} (${row})` : row];
  picture.columns.forEach((column, axis) => {
    if (axis === 0 && picture.moments.length) return; // the name says when
    const value = picture.low[axis] + (picture.span[axis] * picture.positions[axis][i]) / 65535;
    const said = picture.dates && axis === 0 ? date(value, picture.span[0]) : readOff(value, picture.span[axis]);
    lines.push(`${column}: ${said}`);
  });
  if (!known) return lines;
  if (second[i] === first[i]) {
    lines.push(`${picture.components[first[i]]}: about ${percent(1)}`);
  } else {
    lines.push(`${picture.components[first[i]]}: about ${percent(share)}`);
    const rest = picture.components.length > 2 ? "most of the rest" : `about ${percent(1 - share)}`;
    lines.push(`${picture.components[second[i]]}: ${rest}`);
  }
  return lines;
}

const MOST_WORDS = 3;

/** Lines about what is under the pointer, and below them what the columns are that they name. */
export function explained(lines, words) {
  if (!lines) return null;
  const text = lines.join("\n");
  const letter = /[\p{L}\p{N}_]/u;
  const isNamed = (name) => {
    for (let at = text.indexOf(name); at >= 0; at = text.indexOf(name, at + 1)) {
      if (!letter.test(text[at - 1] ?? " ") && !letter.test(text[at + name.length] ?? " ")) return true;
    }
    return false;
  };
  const named = Object.entries(words).filter(([name]) => isNamed(name));
  return [...lines, ...named.slice(0, MOST_WORDS).map(([name, told]) => `${name}: ${told}`)];
}

export function describeFrame(picture, frame) {
  const name = nameOfFrame(picture, frame);
  if (frame === BEGINNING) {
    return [name, `log-likelihood: ${nats(picture.log_likelihood[0])}`, "no bound yet: there is no q"];
  }
  const [bound, likelihood] = [picture.elbo[frame], picture.log_likelihood[frame]];
  return [
    name,
    `log-likelihood: ${nats(likelihood)}`,
    `ELBO: ${nats(bound)}`,
    `KL gap: ${gap(bound, likelihood)}`,
  ];
}
