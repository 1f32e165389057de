// Clicks and hints over the panels. What lies on a canvas has none of its own.

import { posteriorOf } from "./decode.js";
import { gap, nats, number, percent, readOff } from "./numbers.js";

const CLICK_REACH = 5; // px a pointer may move in a click

/** Plotly covers the page while the mouse is down, so a click is put together from its two ends. */
export function onClick(plot, action) {
  plot.addEventListener("pointerdown", (down) => {
    if (down.button !== 0 || down.target.closest(".modebar")) return;
    const end = (up) => {
      window.removeEventListener("pointercancel", end, true);
      if (up.type === "pointercancel") return window.removeEventListener("pointerup", end, true);
      if (Math.hypot(up.clientX - down.clientX, up.clientY - down.clientY) > CLICK_REACH) return;
      const box = plot.getBoundingClientRect();
      action(down.clientX - box.left, down.clientY - box.top);
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
    const box = plot.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    const lines = describe(x, y);
    if (!lines) return hide();
    tip.replaceChildren(
      ...lines.map((line) => Object.assign(document.createElement("div"), { textContent: line })),
    );
    tip.hidden = false;
    const left = x + 14 + tip.offsetWidth > box.width ? x - 14 - tip.offsetWidth : x + 14;
    tip.style.left = `${Math.max(0, left)}px`;
    tip.style.top = `${Math.min(Math.max(0, y - 10), Math.max(0, box.height - tip.offsetHeight))}px`;
  });
  plot.addEventListener("pointerleave", hide);
}

/** What is known of a point at a frame, a line each. Packed responsibilities are good to a few percent. */
export function describePoint(picture, frame, i) {
  const { first, second, level } = posteriorOf(picture, frame);
  const share = level[i] / (picture.levels - 1);
  const lines = [`row ${number(picture.rows[i])}`];
  picture.columns.forEach((column, axis) => {
    const value = picture.low[axis] + (picture.span[axis] * picture.positions[axis][i]) / 65535;
    lines.push(`${column}: ${readOff(value, picture.span[axis])}`);
  });
  if (second[i] === first[i]) {
    lines.push(`${picture.components[first[i]]}: about ${percent(1)}`);
  } else {
    lines.push(`${picture.components[first[i]]}: about ${percent(share)}`);
    const rest = picture.components.length > 2 ? "most of the rest" : `about ${percent(1 - share)}`;
    lines.push(`${picture.components[second[i]]}: ${rest}`);
  }
  return lines;
}

export function describeFrame(picture, frame) {
  const [bound, likelihood] = [picture.elbo[frame], picture.log_likelihood[frame]];
  const phase = picture.phases[frame];
  return [
    phase === "start" ? "start" : `${phase}-step ${picture.iterations[frame]}`,
    `log-likelihood: ${nats(likelihood)}`,
    `ELBO: ${nats(bound)}`,
    `KL gap: ${gap(bound, likelihood)}`,
  ];
}
