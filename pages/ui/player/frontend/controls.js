// The player's buttons, slider and switches, and the keys that do the same.

import { BEGINNING, nameOfFrame } from "./decode.js";
import { FILM_MARKUP, SPEEDS, nearestSpeed } from "./film_choices.js";
import { GUESS_MARKUP } from "./guess.js";

const SPEED = 'select[aria-label="Speed"]';

const ICONS = {
  start: "M5 5v14M19 5 9 12l10 7z",
  previousIteration: "M12 5 3 12l9 7zM21 5l-9 7 9 7z",
  previous: "M16 5 7 12l9 7z",
  play: "M7 4.5v15l12.5-7.5z",
  pause: "M7 5h3.5v14H7zM13.5 5H17v14h-3.5z",
  next: "M8 5l9 7-9 7z",
  nextIteration: "M12 5l9 7-9 7zM3 5l9 7-9 7z",
  end: "M19 5v14M5 5l10 7-10 7z",
  present: "M3 4h18M4.5 4v11h15V4M12 15v3M8 21l4-3 4 3",
  leave: "M9 4v5H4M15 4v5h5M9 20v-5H4M15 20v-5h5",
  loop: "M4 11a6 6 0 0 1 6-6h8m-3-3 3 3-3 3M20 13a6 6 0 0 1-6 6H6m3 3-3-3 3-3",
};

const OUTLINES = new Set(["loop", "present", "leave"]);

function icon(name) {
  const outline = OUTLINES.has(name) ? ' class="emx-outline"' : "";
  return `<svg viewBox="0 0 24 24" aria-hidden="true"${outline}><path d="${ICONS[name]}"/></svg>`;
}

function button(action, label, keys) {
  return `<button type="button" data-do="${action}" aria-label="${label}" title="${label} (${keys})">${icon(action)}</button>`;
}

const KEYS_TOLD = [
  ["Space", "play or pause"],
  ["→ ←, Page Down, Page Up", "a half-step on, back"],
  ["Shift + → ←, ↑ ↓", "an iteration on, back"],
  ["Home, End", "the start, the end"],
  ["H", "hide what comes, or show it"],
  ["P, Esc", "present, and back"],
  ["F", "full screen"],
  ["?", "these keys"],
];

export const MARKUP = `
<div class="emx-panels">
  <section class="emx-panel">
    <div class="emx-tools">
      <div class="emx-choice" role="group" aria-label="Colour of the points">
        <button type="button" data-colour="blended" title="Mix of the colours of the two most responsible components">Blended</button><button
          type="button" data-colour="certainty" title="Colour of the most responsible component, grey where it is doubtful">Certainty</button>
      </div>
      <button type="button" class="emx-switch" data-toggle="contours" title="Lines of equal density of the mixture">Contours</button>
      <button type="button" class="emx-switch" data-toggle="uncertainty" title="Points grow with 1 − their largest responsibility">Uncertainty</button>
      <button type="button" class="emx-switch" data-do="place" aria-label="Place means" title="Place the means that EM starts from">Means</button>
    </div>
    <div class="emx-plot" data-plot="mixture" role="img"><canvas></canvas><div class="emx-axes"></div><div class="emx-tip" hidden></div></div>
  </section>
  <section class="emx-panel emx-rival" hidden>
    <div class="emx-tools"></div>
    <div class="emx-plot" data-plot="rival" role="img"><canvas></canvas><div class="emx-axes"></div><div class="emx-tip" hidden></div></div>
  </section>
  <section class="emx-panel emx-curves">
    <div class="emx-tools">
      <div class="emx-choice" role="group" aria-label="Scale of the bound">
        <button type="button" data-curve="likelihood" title="ELBO and log-likelihood in nats">Bound</button><button
          type="button" data-curve="gap" title="log10 of the distance to the best log-likelihood: late progress shows">Late progress</button>
      </div>
      <button type="button" class="emx-switch" data-toggle="hidden" title="Cover what comes, guess it, then see (H)">Hide what comes</button>
      <div class="emx-legend" aria-hidden="true"><span class="emx-key-likelihood">log-likelihood</span><span
        class="emx-key-elbo">ELBO</span><span class="emx-key-kl">KL gap</span><span class="emx-key-rival">second run</span></div>
    </div>
    <div class="emx-plot" data-plot="bound" role="img"><canvas></canvas><div class="emx-axes"></div><div class="emx-tip" hidden></div></div>
  </section>
</div>
${GUESS_MARKUP}
<div class="emx-transport">
  <div class="emx-buttons" role="group" aria-label="Playback">
    ${button("start", "Start", "Home")}${button("previousIteration", "Previous iteration", "Shift + Left")}${button("previous", "Previous half-step", "Left")}${button("play", "Play", "Space")}${button("next", "Next half-step", "Right")}${button("nextIteration", "Next iteration", "Shift + Right")}${button("end", "End", "End")}
  </div>
  <input type="range" class="emx-scrub" step="1" aria-label="Half-step">
  <div class="emx-pace">
    <output class="emx-place" aria-hidden="true"></output>
    <select aria-label="Speed" title="Speed">${SPEEDS.map((s) => `<option value="${s}">${s}×</option>`).join("")}</select>
    <select aria-label="Save" title="Save what is on screen, or all of it as an animation" data-save>
      <option value="">Save …</option><option value="png">Picture (PNG)</option><option value="svg">Picture (SVG)</option><option value="pdf">Picture (PDF, by printing)</option><option value="gif">Animation (GIF) …</option><option value="video">Video …</option>
    </select>
    <button type="button" data-toggle="loop" aria-label="Loop" title="Loop: start again at the end">${icon("loop")}</button>
    <button type="button" data-do="keys" class="emx-help" aria-label="Keys" title="Keys (?)">?</button>
    ${button("present", "Present", "P")}
  </div>
</div>
<p class="emx-caption" aria-hidden="true"></p>
<p class="emx-flags" hidden></p>
<p class="emx-announce" role="status"></p>
<p class="emx-note" hidden></p>
<p class="emx-making" role="status" hidden></p>
<p class="emx-problem" role="alert" hidden></p>
<dialog class="emx-keys" aria-label="Keys"><h2>Keys</h2><dl>${KEYS_TOLD.map(([key, deed]) => `<dt>${key}</dt><dd>${deed}</dd>`).join("")}</dl>
  <form method="dialog"><button>Close</button></form></dialog>
${FILM_MARKUP}`;

/** Says which keys there are, or no longer. */
export function showKeys(root) {
  const dialog = root.querySelector(".emx-keys");
  if (dialog.open) dialog.close();
  else dialog.showModal();
}

/**
 * Connects every control to `player.act(action)`, `player.seek(frame)` and `player.setView(change)`.
 * Returns what ends it.
 */
export function connectControls(root, player) {
  root.addEventListener("click", (event) => {
    const target = event.target.closest("button");
    // Plotly's own buttons have attributes of the same names.
    if (!target || target.closest(".js-plotly-plot")) return;
    const { do: action, colour, curve, toggle } = target.dataset;
    if (action) player.act(action === "play" ? "toggle" : action);
    else if (colour) player.setView({ colour });
    else if (curve) player.setView({ curve });
    else if (toggle) player.setView({ [toggle]: !player.view[toggle] });
  });
  const scrub = root.querySelector(".emx-scrub");
  scrub.addEventListener("input", () => player.seek(Number(scrub.value), { settled: false }));
  scrub.addEventListener("change", () => player.seek(Number(scrub.value)));
  const save = root.querySelector("[data-save]");
  save.addEventListener("change", () => {
    player.save(save.value);
    save.value = "";
  });
  const speed = root.querySelector(SPEED);
  speed.addEventListener("change", () => player.setView({ speed: Number(speed.value) }));
  const hear = (event) => {
    // With Ctrl it is the page's, and would press the button all the same.
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) event.preventDefault();
    const action = actionForKey(event, player.view.window);
    if (!action || root.querySelector("dialog[open]")) return;
    event.preventDefault();
    event.stopPropagation();
    player.act(action);
  };
  root.addEventListener("keydown", hear);
  // Firefox presses a button when the space bar comes up.
  root.addEventListener("keyup", (event) => {
    if (event.key === " " && actionForKey(event) && !root.querySelector("dialog[open]")) event.preventDefault();
  });
  // Where nothing has the focus, left and right are the player's; where nothing else is seen, all keys.
  const hearAll = (event) => {
    const free = player.view.window !== "page" || STEPS.has(event.key);
    if (free && event.target === document.body) hear(event);
  };
  document.addEventListener("keydown", hearAll);
  return () => document.removeEventListener("keydown", hearAll);
}

const KEYS = {
  ArrowLeft: "previous",
  ArrowRight: "next",
  ArrowDown: "previousIteration",
  ArrowUp: "nextIteration",
  // As a presenter's remote control sends them: down is on, in steps that leave nothing out.
  PageDown: "next",
  PageUp: "previous",
  Home: "start",
  End: "end",
  " ": "toggle",
  h: "hide",
  p: "present",
  f: "screen",
  "?": "keys",
};
// Keys that do nothing else on a page.
const STEPS = new Set(["ArrowLeft", "ArrowRight"]);
// What a list of choices, or a box for a number, needs for itself.
const OF_A_LIST = new Set(["ArrowLeft", "ArrowRight", "ArrowDown", "ArrowUp", "PageDown", "PageUp", "Home", "End"]);

/** Space plays or pauses wherever the focus is; Enter presses a button, and arrows go through a list. */
function actionForKey(event, window) {
  if (event.altKey || event.ctrlKey || event.metaKey) return null;
  const typed = event.target.matches?.('input[type="number"]');
  if ((typed || event.target.tagName === "SELECT") && OF_A_LIST.has(event.key)) return null;
  if (event.key === "Escape") return window === "class" ? "leave" : null;
  const action = KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key] ?? null;
  if (event.shiftKey && (action === "previous" || action === "next")) return `${action}Iteration`;
  return action;
}

/** Makes the controls show the state of the player. */
export function showControls(root, player) {
  const { picture, frame, view, playing } = player;
  const { first, frames } = picture;
  const name = nameOfFrame(picture, frame);
  const scrub = root.querySelector(".emx-scrub");
  scrub.min = String(first);
  scrub.max = String(frames - 1);
  scrub.value = String(frame);
  scrub.style.setProperty("--emx-done", `${(100 * (frame - first)) / Math.max(1, frames - 1 - first)}%`);
  // The beginning is no half-step, and not counted.
  const counted = frame === BEGINNING ? name : `${name}, half-step ${frame} of ${frames - 1}`;
  scrub.setAttribute("aria-valuetext", counted);
  const place = frame === BEGINNING ? "beginning" : name;
  root.querySelector(".emx-place").textContent = `${place} / ${picture.iterations.at(-1)}`;
  root.classList.toggle("emx-inviting", frame === BEGINNING && !playing);
  const play = root.querySelector('[data-do="play"]');
  if (play.dataset.shows !== String(playing)) {
    play.dataset.shows = String(playing);
    play.innerHTML = icon(playing ? "pause" : "play");
    play.setAttribute("aria-label", playing ? "Pause" : "Play");
    play.title = `${playing ? "Pause" : "Play"} (Space)`;
  }
  const present = root.querySelector('[data-do="present"]');
  const large = view.window === "class";
  present.innerHTML = icon(large ? "leave" : "present");
  present.setAttribute("aria-label", large ? "Leave the presentation" : "Present");
  present.title = large ? "Leave the presentation (Esc)" : "Present: fill the screen (P)";
  const placing = root.querySelector('[data-do="place"]');
  placing.hidden = !player.hands.possible;
  placing.setAttribute("aria-pressed", String(player.hands.active));
  const press = (element, on) => element.setAttribute("aria-pressed", String(on));
  for (const b of root.querySelectorAll("[data-colour]")) press(b, b.dataset.colour === view.colour);
  for (const b of root.querySelectorAll("[data-curve]")) {
    press(b, b.dataset.curve === player.curve);
    b.disabled = view.hidden && b.dataset.curve === "gap";
  }
  for (const b of root.querySelectorAll("[data-toggle]")) press(b, view[b.dataset.toggle]);
  const speed = root.querySelector(SPEED);
  speed.value = String(nearestSpeed(view.speed));
}

/** Where the control that had the focus is gone or can't be used any more, the keys stay the player's. */
export function keepFocus(root, focused) {
  if (!root.contains(focused) || !(focused.disabled || focused.closest("[hidden]"))) return;
  root.querySelector('[data-do="play"]').focus({ preventScroll: true });
}
