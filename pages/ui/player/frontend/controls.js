// The player's buttons, slider and switches, and the keys that do the same.

const SPEEDS = [0.5, 1, 2, 3];
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
  loop: "M4 11a6 6 0 0 1 6-6h8m-3-3 3 3-3 3M20 13a6 6 0 0 1-6 6H6m3 3-3-3 3-3",
};

function icon(name) {
  const outline = name === "loop" ? ' class="emx-outline"' : "";
  return `<svg viewBox="0 0 24 24" aria-hidden="true"${outline}><path d="${ICONS[name]}"/></svg>`;
}

function button(action, label, keys) {
  return `<button type="button" data-do="${action}" aria-label="${label}" title="${label} (${keys})">${icon(action)}</button>`;
}

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
      <div class="emx-legend" aria-hidden="true"><span class="emx-key-likelihood">log-likelihood</span><span
        class="emx-key-elbo">ELBO</span><span class="emx-key-kl">KL gap</span><span class="emx-key-rival">second run</span></div>
    </div>
    <div class="emx-plot" data-plot="bound" role="img"><canvas></canvas><div class="emx-axes"></div><div class="emx-tip" hidden></div></div>
  </section>
</div>
<div class="emx-transport">
  <div class="emx-buttons" role="group" aria-label="Playback">
    ${button("start", "Start", "Home")}${button("previousIteration", "Previous iteration", "Shift + Left")}${button("previous", "Previous half-step", "Left")}${button("play", "Play", "Space")}${button("next", "Next half-step", "Right")}${button("nextIteration", "Next iteration", "Shift + Right")}${button("end", "End", "End")}
  </div>
  <input type="range" class="emx-scrub" min="0" step="1" aria-label="Half-step">
  <div class="emx-pace">
    <output class="emx-place" aria-hidden="true"></output>
    <select aria-label="Speed" title="Speed">${SPEEDS.map((s) => `<option value="${s}">${s}×</option>`).join("")}</select>
    <select aria-label="Save" title="Save what is on screen, or all of it as an animation" data-save>
      <option value="">Save …</option><option value="png">Picture (PNG)</option><option value="svg">Picture (SVG)</option><option value="gif">Animation (GIF)</option>
    </select>
    <button type="button" data-toggle="loop" aria-label="Loop" title="Loop: start again at the end">${icon("loop")}</button>
  </div>
</div>
<p class="emx-caption" aria-hidden="true"></p>
<p class="emx-flags" hidden></p>
<p class="emx-announce" role="status"></p>
<p class="emx-note" hidden></p>
<p class="emx-making" role="status" hidden></p>
<p class="emx-problem" role="alert" hidden></p>`;

/** Connects every control to `player.act(action)`, `player.seek(frame)` and `player.setView(change)`. */
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
  let clicked = null; // the button that the pointer, not the keyboard, left the focus on
  root.addEventListener("pointerdown", (event) => {
    clicked = event.target.closest("button");
  });
  root.addEventListener("focusout", (event) => {
    if (event.target === clicked) clicked = null;
  });
  root.addEventListener("keydown", (event) => {
    const action = actionForKey(event, clicked);
    if (!action) return;
    event.preventDefault();
    event.stopPropagation();
    player.act(action);
  });
  // Firefox presses a button when the space bar comes up.
  root.addEventListener("keyup", (event) => {
    if (event.key === " " && actionForKey(event, clicked)) event.preventDefault();
  });
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
};

/**
 * Space plays or pauses, also after a click on a button. One reached with the Tab key it presses, as
 * Enter does: so browsers have it, and those who know no other way in need it.
 */
function actionForKey(event, clicked) {
  if (event.altKey || event.ctrlKey || event.metaKey || event.target.tagName === "SELECT") return null;
  if (event.key === " ") {
    const button = event.target.closest("button");
    return button && button !== clicked ? null : "toggle";
  }
  const action = KEYS[event.key] ?? null;
  if (event.shiftKey && (action === "previous" || action === "next")) return `${action}Iteration`;
  return action;
}

/** Makes the controls show the state of the player. */
export function showControls(root, player) {
  const { picture, frame, view, playing } = player;
  const iteration = picture.iterations[frame];
  const phase = picture.phases[frame];
  const name = phase === "start" ? "start" : `${phase}-step ${iteration}`;
  const scrub = root.querySelector(".emx-scrub");
  scrub.max = String(picture.frames - 1);
  scrub.value = String(frame);
  scrub.style.setProperty("--emx-done", `${(100 * frame) / Math.max(1, picture.frames - 1)}%`);
  scrub.setAttribute("aria-valuetext", `${name}, half-step ${frame} of ${picture.frames - 1}`);
  root.querySelector(".emx-place").textContent = `${name} / ${picture.iterations.at(-1)}`;
  const play = root.querySelector('[data-do="play"]');
  if (play.dataset.shows !== String(playing)) {
    play.dataset.shows = String(playing);
    play.innerHTML = icon(playing ? "pause" : "play");
    play.setAttribute("aria-label", playing ? "Pause" : "Play");
    play.title = `${playing ? "Pause" : "Play"} (Space)`;
  }
  const press = (element, on) => element.setAttribute("aria-pressed", String(on));
  for (const b of root.querySelectorAll("[data-colour]")) press(b, b.dataset.colour === view.colour);
  for (const b of root.querySelectorAll("[data-curve]")) press(b, b.dataset.curve === view.curve);
  for (const b of root.querySelectorAll("[data-toggle]")) press(b, view[b.dataset.toggle]);
  const speed = root.querySelector(SPEED);
  const nearest = SPEEDS.reduce((a, b) => (Math.abs(b - view.speed) < Math.abs(a - view.speed) ? b : a));
  speed.value = String(nearest);
}

/** Milliseconds a frame stays: the first half-steps slowly, later ones up to twenty a second. */
export function frameDuration(frame, speed, calm) {
  return calm ? 900 / speed : (50 + 550 * Math.exp(-frame / 7)) / speed;
}
