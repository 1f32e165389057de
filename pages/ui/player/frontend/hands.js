// Means placed by hand: dragged in the picture, added by a click, removed by a click on one.

import { BEGINNING, componentAt, parametersAt } from "./decode.js";
import { placeOn } from "./pointer.js";

const REACH = { mouse: 16, pen: 16, touch: 28 }; // px from a mean at which it is taken hold of
const STILL = 5; // px that a pointer may move in a click

export class Hands {
  /** `player.placed(deed)` hears of what is done. */
  constructor(player) {
    this.player = player;
    this.active = false;
    const plot = player.mixturePlot;
    plot.addEventListener("pointerdown", (event) => this.take(event), true);
    // Plotly would zoom.
    for (const kind of ["mousedown", "touchstart", "click", "dblclick"]) {
      plot.addEventListener(kind, (event) => this.active && stop(event), { capture: true, passive: false });
    }
  }

  /** A start can be placed where the picture shows columns as they are, and who hears of it. */
  get possible() {
    const { picture, component } = this.player;
    return Boolean(picture?.movable && !picture.running && component.parentElement.isConnected && !component.alone);
  }

  toggle(on = !this.active) {
    this.active = on && this.possible;
    this.player.root.classList.toggle("emx-placing", this.active);
  }

  /** The axes of the one panel that has means in it. */
  get laid() {
    return this.player.painter.laid?.find(({ panel }) => panel);
  }

  take(event) {
    if (!this.active || event.button !== 0) return;
    stop(event);
    const { player } = this;
    const plot = player.mixturePlot;
    const from = placeOn(plot, event);
    const held = this.nearest(from, REACH[event.pointerType] ?? REACH.mouse);
    let at = from;
    const move = (moved) => {
      at = placeOn(plot, moved);
      if (held !== null) this.show(held, at);
    };
    const end = (up) => {
      plot.removeEventListener("pointermove", move);
      plot.removeEventListener("pointerup", end);
      plot.removeEventListener("pointercancel", end);
      const still = Math.hypot(at[0] - from[0], at[1] - from[1]) <= STILL;
      if (up.type === "pointerup") this.done(held, at, still);
      else if (held !== null) this.show(held, from);
    };
    plot.setPointerCapture(event.pointerId);
    plot.addEventListener("pointermove", move);
    plot.addEventListener("pointerup", end);
    plot.addEventListener("pointercancel", end);
  }

  done(held, at, still) {
    const { picture } = this.player;
    const place = this.valuesAt(at);
    if (held === null && still && place) this.player.placed({ kind: "add", index: 0, place });
    else if (held !== null && !still && place) this.player.placed({ kind: "move", index: held, place });
    else if (held !== null && still && picture.components.length > 1) {
      this.player.placed({ kind: "remove", index: held, place: [] });
    }
  }

  /** The component whose mean is nearest to a place on the plot, within reach, or null. */
  nearest([left, top], reach) {
    const { x, y, panel } = this.laid;
    const { picture } = this.player;
    const distances = picture.components.map((_, k) => {
      const { mean } = componentAt(picture, BEGINNING, k);
      const down = panel.length === 2 ? y._offset + y.l2p(mean[panel[1]]) - top : 0;
      return Math.hypot(x._offset + x.l2p(mean[panel[0]]) - left, down);
    });
    const least = Math.min(...distances);
    return least <= reach ? distances.indexOf(least) : null;
  }

  /** The values at a place on the plot, to a thousandth of what the data span; null outside the axes. */
  valuesAt([left, top]) {
    const { x, y, panel } = this.laid;
    const { span } = this.player.picture;
    const inside = (at, axis) => at >= axis._offset && at <= axis._offset + axis._length;
    if (!inside(left, x) || (panel.length === 2 && !inside(top, y))) return null;
    const values = [x.p2l(left - x._offset), ...(panel.length === 2 ? [y.p2l(top - y._offset)] : [])];
    return values.map((value, i) => rounded(value, span[panel[i]]));
  }

  /** Draws a component where it is held; its size stays. */
  show(k, at) {
    const { picture } = this.player;
    const values = this.valuesAt(at);
    if (!values) return;
    const first = (parametersAt(picture, BEGINNING) * picture.components.length + k) * picture.d;
    this.laid.panel.forEach((axis, i) => {
      picture.means[first + axis] = (values[i] - picture.low[axis]) / picture.span[axis];
    });
    this.player.paintMixture();
  }
}

/** To a power of ten that is at most a thousandth of the span. */
export function rounded(value, span) {
  const digits = Math.min(20, Math.max(0, 3 - Math.floor(Math.log10(span || 1))));
  return Number(value.toFixed(digits));
}

function stop(event) {
  event.preventDefault();
  event.stopPropagation();
}
