// Predict, then see: what comes is covered, and a guess is held against it once it is shown.

import { componentAt, nameOfFrame } from "./decode.js";
import { nats, readOff } from "./numbers.js";

const REACH = 16; // px from a mean within which a click means that one, and not a place

export const GUESS_MARKUP = `
<form class="emx-guess" hidden>
  <span class="emx-guess-mean">Where will mean <select aria-label="Mean" data-guess="component"></select> be after
    <select aria-label="After" data-guess="target"><option value="next">the next M-step</option><option value="end">the last half-step</option></select>?
    <span class="emx-guess-how">Click there, or type <span class="emx-guess-fields"></span></span></span>
  <span class="emx-guess-race" role="group" aria-label="Which run ends higher?">Which run ends higher?
    <button type="button" data-winner="0">First</button> <button type="button" data-winner="1">Second</button></span>
  <button type="submit" data-guess="see">See</button>
</form>
<p class="emx-verdict" role="status" hidden></p>`;

export class Guess {
  /** It is asked for while `player.view.hidden`. */
  constructor(player) {
    this.player = player;
    this.made = null;
    this.asked = "";
    const { root } = player;
    this.form = root.querySelector(".emx-guess");
    this.verdict = root.querySelector(".emx-verdict");
    this.mark = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    this.mark.setAttribute("class", "emx-guess-mark");
    player.mixturePlot.append(this.mark);
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.see();
    });
    this.form.addEventListener("click", ({ target }) => {
      const { winner } = target.dataset;
      if (winner !== undefined) this.guessWinner(Number(winner));
    });
    this.form.addEventListener("input", ({ target }) => {
      if (target.type === "number") this.guessTyped();
    });
    this.form.addEventListener("change", ({ target }) => {
      if (target.tagName === "SELECT") this.forget();
    });
  }

  field(name) {
    return this.form.querySelector(`[data-guess="${name}"]`);
  }

  /** What can be guessed here: "race", "mean" or "". */
  get kind() {
    const { picture, rival, view } = this.player;
    if (!picture || !view.hidden || picture.running) return "";
    if (rival.picture) return "race";
    return picture.panels.length && !picture.time && picture.means.length ? "mean" : "";
  }

  /** Which columns can be guessed: those of the panel that was clicked last, or of the first. */
  get panel() {
    const { panels } = this.player.picture;
    return panels.find((panel) => String(panel) === this.panelUsed) ?? panels[0];
  }

  forget() {
    this.made = null;
    for (const input of this.form.querySelectorAll('input[type="number"]')) input.value = "";
    this.player.show();
  }

  /** A click in the picture: of a mean, or of the place where the one chosen will be. True if it was used. */
  take(left, top) {
    if (this.kind !== "mean" || this.player.atEnd) return false;
    const laid = this.laidAt(left, top);
    if (!laid) return false;
    const near = this.meanAt(laid, left, top);
    this.panelUsed = String(laid.panel);
    if (near !== null) {
      this.field("component").value = String(near);
      this.forget();
      return true;
    }
    const at = [laid.x.p2l(left - laid.x._offset), ...(laid.panel.length === 2 ? [laid.y.p2l(top - laid.y._offset)] : [])];
    this.guessMean(laid.panel, at);
    this.showFields();
    laid.panel.forEach((column, i) => {
      this.form.querySelectorAll('input[type="number"]')[i].value = readOff(at[i], this.player.picture.span[column])
        .replaceAll(",", "").replace("−", "-");
    });
    return true;
  }

  laidAt(left, top) {
    const inside = (at, axis) => at >= axis._offset && at <= axis._offset + axis._length;
    return this.player.painter.laid?.find(({ panel, x, y }) => panel && inside(left, x) && inside(top, y));
  }

  meanAt(laid, left, top) {
    const { picture, frame } = this.player;
    const distances = picture.components.map((_, k) => {
      const [across, down] = this.pixels(laid, componentAt(picture, frame, k).mean);
      return Math.hypot(across - left, laid.panel.length === 2 ? down - top : 0);
    });
    const least = Math.min(...distances);
    return least <= REACH ? distances.indexOf(least) : null;
  }

  /** Where values of the columns of a panel are on the plot; `values` of all columns. */
  pixels({ panel, x, y }, values) {
    const down = panel.length === 2 ? y.l2p(values[panel[1]]) : y.l2p(0);
    return [x._offset + x.l2p(values[panel[0]]), y._offset + down];
  }

  guessTyped() {
    const inputs = [...this.form.querySelectorAll('input[type="number"]')];
    const values = inputs.map((input) => (input.value === "" ? NaN : Number(input.value)));
    if (values.every(Number.isFinite)) this.guessMean(this.panel, values);
  }

  guessMean(panel, values) {
    const { frame } = this.player;
    this.made = { kind: "mean", component: Number(this.field("component").value), panel, values, target: this.target(frame) };
    this.player.show();
  }

  guessWinner(winner) {
    this.made = { kind: "race", winner, target: this.player.frames - 1 };
    this.player.show();
  }

  /** The frame that is guessed of. */
  target(frame) {
    const { phases } = this.player.picture;
    const last = this.player.frames - 1;
    if (this.field("target").value === "end") return last;
    const next = phases.findIndex((phase, f) => f > frame && phase === "M");
    return next < 0 ? last : next;
  }

  see() {
    const { player } = this;
    const target = this.made?.target ?? this.target(player.frame);
    if (player.frame >= target) return;
    player.play(target);
  }

  /** Everything as the frame has it. */
  show() {
    const { kind, player } = this;
    if (this.made && this.made.kind !== kind) this.made = null;
    const asks = Boolean(kind) && (!player.atEnd || this.made);
    this.form.hidden = !asks;
    if (asks) {
      this.form.classList.toggle("emx-guess-of-race", kind === "race");
      if (kind === "mean") this.showFields();
      for (const button of this.form.querySelectorAll("[data-winner]")) {
        button.setAttribute("aria-pressed", String(this.made?.winner === Number(button.dataset.winner)));
      }
      this.field("see").disabled = player.playing || player.frame >= (this.made?.target ?? player.frames - 1);
    }
    const said = this.made && player.frame >= this.made.target ? this.outcome() : "";
    this.verdict.hidden = !said;
    player.root.classList.toggle("emx-judged", Boolean(said));
    if (this.verdict.textContent !== said) this.verdict.textContent = said;
  }

  /** The choices and boxes for this picture. */
  showFields() {
    const { picture } = this.player;
    const { panel } = this;
    const asked = JSON.stringify([picture.run, picture.components.length, panel]);
    if (asked === this.asked) return;
    this.asked = asked;
    const chosen = this.field("component");
    const before = chosen.value;
    chosen.replaceChildren(...picture.components.map((name, k) => new Option(`${k + 1}`, String(k))));
    if (Number(before) < picture.components.length && before) chosen.value = before;
    this.form.querySelector(".emx-guess-fields").replaceChildren(...panel.map((column) => {
      const name = picture.columns[column];
      const input = Object.assign(document.createElement("input"), { type: "number", step: "any", placeholder: name, title: name });
      input.setAttribute("aria-label", `Guess: ${name}`);
      return input;
    }));
  }

  /** The guess against what came, in a sentence. */
  outcome() {
    const { picture, rival } = this.player;
    const { kind, winner, component, panel, values, target } = this.made;
    if (kind === "race") {
      const ends = [picture, rival.picture].map(({ log_likelihood }) => log_likelihood.at(-1));
      return outcomeOfRace(ends, winner);
    }
    const { mean } = componentAt(picture, target, component);
    const columns = panel.map((column, i) => {
      return { name: picture.columns[column], span: picture.span[column], guessed: values[i], came: mean[column] };
    });
    return `${nameOfFrame(picture, target)}: ${outcomeOfMean(component, columns)}`;
  }

  /** The mark of the guess, and once it is shown, a line to where the mean is. */
  draw() {
    const { mark, made, player } = this;
    mark.replaceChildren();
    if (made?.kind !== "mean" || this.kind !== "mean") return;
    const laid = player.painter.laid?.find(({ panel }) => String(panel) === String(made.panel));
    if (!laid) return;
    const guessed = [];
    made.panel.forEach((column, i) => (guessed[column] = made.values[i]));
    const [left, top] = this.pixels(laid, guessed);
    if (player.frame >= made.target) {
      const [x, y] = this.pixels(laid, componentAt(player.picture, made.target, made.component).mean);
      mark.append(line(left, top, x, y, "emx-guess-line"));
    }
    const colour = player.theme?.lineColour(made.component) ?? "currentColor";
    for (const [from, to] of [[-8, 8], [8, -8]]) {
      mark.append(line(left - 8, top + from, left + 8, top + to, "emx-guess-halo"));
    }
    for (const [from, to] of [[-8, 8], [8, -8]]) {
      const stroke = line(left - 8, top + from, left + 8, top + to, "emx-guess-cross");
      stroke.style.stroke = colour;
      mark.append(stroke);
    }
  }
}

/** How far off a guess of a mean was, in the units of its columns: `columns` of name, span, guessed, came. */
export function outcomeOfMean(component, columns) {
  const went = columns.map(({ name, span, came }) => `${name} ${readOff(came, span)}`).join(", ");
  const off = columns.map(({ name, span, came, guessed }) => `${readOff(Math.abs(came - guessed), span)} in ${name}`);
  const whole = Math.hypot(...columns.map(({ came, guessed }) => came - guessed));
  const straight = columns.length > 1 ? `, ${readOff(whole, Math.max(...columns.map(({ span }) => span)))} in a straight line` : "";
  return `mean ${component + 1} went to ${went}; the guess was off by ${off.join(" and ")}${straight}.`;
}

/** Whether the run that was to end higher did: the log-likelihoods at the ends, and which was guessed. */
export function outcomeOfRace(ends, winner) {
  const names = ["first", "second"];
  const apart = Math.abs(ends[0] - ends[1]);
  if (apart < 5e-3) return `Both end at ${nats(ends[0])} nats: neither is higher.`;
  const higher = ends[0] > ends[1] ? 0 : 1;
  const verdict = higher === winner ? "as guessed" : `not the ${names[winner]}, as was guessed`;
  return `The ${names[higher]} ends higher, ${verdict}: at ${nats(ends[higher])} nats, ${nats(apart)} above the other.`;
}

function line(x1, y1, x2, y2, name) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", "line");
  for (const [key, value] of Object.entries({ x1, y1, x2, y2, class: name })) element.setAttribute(key, value);
  return element;
}
