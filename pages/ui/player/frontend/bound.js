// The right panel: the bound against the log-likelihood, a plateau for every half-step.

import { fitCanvas, insideAxes, paintGrid, toPixels, tracePath } from "./canvas.js";
import { BEGINNING } from "./decode.js";
import { nats } from "./numbers.js";
import { axisStyle, axisTitle, baseLayout } from "./plots.js";
import { fade } from "./theme.js";

const HALF = 0.25; // a half-step takes half an iteration: a quarter on either side of its place
const LEAST_NATS = 0.01; // from bottom to top: what is closer is as good as equal, or rounding
const LEAST_SHARE = 1e-8; // and of the log-likelihood
const ARROW = [6, 11]; // half the width and the height, in px, of what points beyond an edge
// Where the first half-steps would take most of the height the axis is broken: what lies below it is
// drawn in this share of the height, in its order but not to scale.
const BROKEN_OFF = 0.17;
const HEADROOM = 0.45; // of what the curves span, above them where their end is hidden
const COVER_WORDS = 70; // px of a cover that has a word on it
const NO_BOUND = "no bound yet";

export class BoundFigure {
  /** `rival` is the picture of a second run with as many frames, or null; `hidden`: what comes is covered. */
  constructor(picture, theme, curve, rival = null, hidden = false) {
    Object.assign(this, { picture, theme, curve, hidden });
    this.places = picture.iterations.map((i, f) => (picture.phases[f] === "M" ? i - 0.5 : i));
    const all = [picture, ...(rival ? [rival] : [])];
    this.best = Math.max(...all.map((run) => run.log_likelihood.reduce((a, b) => Math.max(a, b), -Infinity)));
    this.floor = this.smallestGap();
    const inGap = curve === "gap";
    this.likelihood = Array.from(picture.log_likelihood, (v) => (inGap ? this.logGap(v) : v));
    this.elbo = Array.from(picture.elbo, (v) => (inGap ? this.logGap(v) : v));
    this.rival = rival && {
      likelihood: Array.from(rival.log_likelihood, (v) => (inGap ? this.logGap(v) : v)),
      elbo: Array.from(rival.elbo, (v) => (inGap ? this.logGap(v) : v)),
    };
    this.bounds = [this.elbo, ...(this.rival ? [this.rival.elbo] : [])];
    this.shown = this.range();
    // Whether the axis leaves some of the values out below it.
    this.broken = this.bounds.some((values) => values.some((value) => value < this.shown[0]));
  }

  /** A little under the smallest visible distance: the logarithm of 0 has no place on an axis. */
  smallestGap() {
    let smallest = Infinity;
    for (const value of this.picture.log_likelihood) {
      const gap = this.best - value;
      if (gap > 1e-12 * Math.abs(this.best)) smallest = Math.min(smallest, gap);
    }
    return Number.isFinite(smallest) ? smallest / 2 : 1e-9;
  }

  logGap(value) {
    return Math.log10(Math.max(this.best - value, this.floor));
  }

  layout(width, height) {
    const last = this.places.at(-1);
    const range = this.shown;
    return {
      ...baseLayout(this.theme, width, height, [range]),
      uirevision: `${this.picture.run}|${this.curve}`,
      xaxis: {
        ...axisStyle(this.theme),
        range: [this.placeOf(this.picture.first) - 2 * HALF, Math.max(last, 1) + Math.max(0.5, 0.02 * last)],
        ...(this.broken ? { anchor: "free", position: 0 } : {}),
        title: axisTitle("iteration"),
        tickformat: ",d",
        nticks: Math.min(10, last + 1),
        showgrid: false,
      },
      yaxis: {
        ...axisStyle(this.theme),
        range,
        ...(this.broken ? { domain: [BROKEN_OFF, 1] } : {}),
        showgrid: false,
        title: axisTitle(this.curve === "gap" ? "log<sub>10</sub>(best − value in nats)" : "nats"),
      },
    };
  }

  /** Where along the axis a frame is: the beginning half an iteration before the first E-step. */
  placeOf(frame) {
    return frame === BEGINNING ? this.places[0] - 2 * HALF : this.places[frame];
  }

  /** The first iterations can dwarf the rest: leave them out where they take most of the height. */
  range() {
    const values = [...this.likelihood, ...(this.rival?.likelihood ?? []), ...this.bounds.flat()];
    const top = Math.max(...values); // by rounding the bound may lie a hair above the likelihood
    let bottom = Math.min(...values);
    if (this.curve !== "gap") {
      const least = Math.max(LEAST_NATS, LEAST_SHARE * Math.abs(top));
      bottom = Math.min(bottom, top - least);
      for (let from = 1; from <= 4 && from < this.places.length - 4; from++) {
        const later = Math.min(...this.bounds.flatMap((elbo) => elbo.slice(from)));
        if (top - later >= least && top - later < 0.3 * (top - bottom)) bottom = later;
      }
    }
    const padding = 0.06 * (top - bottom || 1);
    // Where what comes is hidden the end is not read off the axis.
    return [bottom - padding, top + (this.hidden ? HEADROOM * (top - bottom) : padding)];
  }

  /** A curve up to a frame, each half-step as a plateau; `before` the first, what it was there. */
  plateaus(values, frame, before = []) {
    const x = before.flatMap(() => [this.placeOf(BEGINNING) - HALF, this.places[0] - HALF]);
    const y = before.flatMap((value) => [value, value]);
    for (let f = 0; f <= frame; f++) {
      x.push(this.places[f] - HALF, this.places[f] + HALF);
      y.push(values[f], values[f]);
    }
    return { x, y };
  }

  /** The log-likelihood is that of the start before any half-step. */
  likelihoods(values, frame) {
    return this.plateaus(values, frame, this.picture.first === BEGINNING ? [values[0]] : []);
  }

  /** The bound, which rises from nowhere in the first E-step. */
  rising(values, frame) {
    const { x, y } = this.plateaus(values, frame);
    if (this.curve === "gap" || !x.length) return { x, y };
    return { x: [x[0], ...x], y: [-Infinity, ...y] };
  }

  /** The KL divergence is the band between the two curves. */
  band(frame) {
    const upper = this.plateaus(this.likelihood, frame);
    const lower = this.plateaus(this.elbo, frame);
    return { x: [...upper.x, ...lower.x.reverse()], y: [...upper.y, ...lower.y.reverse()] };
  }

  /** The whole run, faint. */
  traces() {
    const last = this.picture.frames - 1;
    const { text, primary } = this.theme;
    const common = { type: "scatter", hoverinfo: "skip", mode: "lines" };
    const line = (color, width) => ({ color, width, simplify: false });
    const filled = { fill: "toself", fillcolor: fade(primary, 0.12), line: line("rgba(0,0,0,0)", 0) };
    if (this.hidden) return [{ ...common, x: [null], y: [null] }];
    return [
      { ...common, ...filled, ...this.band(last) },
      { ...common, line: line(fade(text, 0.3), 1.4), ...this.likelihoods(this.likelihood, last) },
      { ...common, line: line(fade(primary, 0.4), 1.2), ...this.plateaus(this.elbo, last) },
      ...(this.rival ? [{ ...common, line: line(fade(text, 0.3), 1.2), ...this.likelihoods(this.rival.likelihood, last) }] : []),
    ];
  }

  /** The run up to a frame, bold, and a cursor there. */
  paint(canvas, axes, frame) {
    const context = canvas.getContext("2d", { alpha: false });
    this.draw(context, fitCanvas(canvas), canvas.width, canvas.height, axes, frame);
  }

  /** The same on another context, that many of whose units are a CSS pixel. */
  draw(context, ratio, width, height, axes, frame) {
    context.fillStyle = this.theme.background;
    context.fillRect(0, 0, width, height);
    const at = this.pixels(axes);
    const all = { x: axes.x, y: { _offset: axes.y._offset, _length: at.bottom - axes.y._offset } };
    insideAxes(context, ratio, all, () => {
      paintGrid(context, this.theme.faint, axes, false);
      if (at.bottom > at.edge) this.paintBreak(context, at, axes);
      this.paintCurves(context, at, frame);
      if (this.hidden) this.paintCover(context, at, all, frame);
      this.paintCursor(context, at, all, frame);
    });
  }

  /** From units of the data to pixels; what is below the `edge` of a broken axis stays above the
   * `bottom` of the plot. */
  pixels(axes) {
    const { left, top } = toPixels(axes);
    const { _offset: start, _length: length } = axes.y;
    const edge = start + length;
    const room = this.broken ? (length * BROKEN_OFF) / (1 - BROKEN_OFF) : 0;
    const deepest = Math.max(top(Math.min(...this.bounds.flat())) - edge, 1);
    const under = (pixel) => edge + room * (0.2 + 0.35 * Math.min(1, (pixel - edge) / deepest));
    return {
      left, edge, bottom: edge + room,
      top: (value) => {
        if (value === -Infinity) return edge + room;
        const pixel = top(value);
        return room && pixel > edge ? under(pixel) : pixel;
      },
    };
  }

  /** What lies under the edge of a broken axis: the whole run, faint, as Plotly draws the rest. */
  paintBreak(context, at, { x }) {
    const { theme } = this;
    context.save();
    context.beginPath();
    context.rect(x._offset, at.edge, x._length, at.bottom - at.edge);
    context.clip();
    context.fillStyle = fade(theme.text, 0.05);
    context.fillRect(x._offset, at.edge, x._length, at.bottom - at.edge);
    const last = this.picture.frames - 1;
    for (const values of this.hidden ? [] : this.bounds) {
      this.stroke(context, at, this.rising(values, last), fade(theme.primary, 0.4), 1.2);
    }
    context.restore();
    context.setLineDash([7, 4]);
    this.stroke(context, { left: (v) => v, top: (v) => v }, {
      x: [x._offset, x._offset + x._length], y: [at.edge, at.edge],
    }, theme.muted, 1.2);
    context.setLineDash([]);
    context.fillStyle = theme.muted;
    context.font = `12px ${theme.font}`;
    context.textAlign = "right";
    context.textBaseline = "bottom";
    // Where the cursor stands at the end of the run, no letter does.
    context.fillText("below the axis, not to scale", at.left(this.places[last]) - 6, at.bottom - 4);
  }

  stroke(context, at, { x, y }, colour, width) {
    tracePath(context, x.map(at.left), y.map(at.top));
    context.lineJoin = "round";
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.stroke();
  }

  /** Both curves up to a frame, and the band between them. */
  paintCurves(context, at, frame) {
    const { theme, rival } = this;
    const band = this.band(frame);
    tracePath(context, band.x.map(at.left), band.y.map(at.top));
    context.fillStyle = fade(theme.primary, 0.36);
    context.fill();
    this.stroke(context, at, this.likelihoods(this.likelihood, frame), theme.text, 3);
    this.stroke(context, at, this.rising(this.elbo, frame), theme.primary, 1.7);
    if (!rival) return;
    context.setLineDash([6, 4]);
    this.stroke(context, at, this.likelihoods(rival.likelihood, frame), theme.text, 2.4);
    this.stroke(context, at, this.rising(rival.elbo, frame), theme.primary, 1.7);
    context.setLineDash([]);
  }

  /** What comes after a frame, covered. */
  paintCover(context, at, { x, y }, frame) {
    const { theme, picture } = this;
    if (frame >= picture.frames - 1) return;
    const left = Math.max(x._offset, at.left(this.placeOf(frame) + HALF));
    const width = x._offset + x._length - left;
    if (width <= 0) return;
    context.fillStyle = fade(theme.text, 0.09);
    context.fillRect(left, y._offset, width, y._length);
    if (width < COVER_WORDS) return;
    context.fillStyle = theme.muted;
    context.font = `600 14px ${theme.font}`;
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.fillText("hidden", left + width / 2, y._offset + y._length / 3);
  }

  /** A line, and a disc on each curve: where the axis does not show the height, with its value; where
   * a zoom leaves it out, an arrow at the edge. */
  paintCursor(context, at, { x, y }, frame) {
    const { theme } = this;
    const left = at.left(this.placeOf(frame));
    const bottom = y._offset + y._length;
    context.setLineDash([2, 3]);
    this.stroke(context, { left: (v) => v, top: (v) => v }, { x: [left, left], y: [y._offset, bottom] }, theme.muted, 1);
    context.setLineDash([]);
    const step = Math.max(frame, 0);
    const edges = { above: [], below: [] };
    const side = left > x._offset + 0.7 * x._length ? "right" : "left";
    for (const [value, colour] of [
      [this.likelihood[step], theme.text],
      ...(frame === BEGINNING ? [] : [[this.elbo[step], theme.primary]]),
      ...(this.rival ? [[this.rival.likelihood[step], theme.text]] : []),
    ]) {
      const top = at.top(value);
      if (top < y._offset) edges.above.push({ value, colour });
      else if (top > bottom) edges.below.push({ value, colour });
      else {
        paintDisc(context, theme, left, top, colour);
        if (top > at.edge) this.say(context, nats(value), left, top, side, colour);
      }
    }
    this.paintEdge(context, left, y._offset, 1, edges.above, side);
    this.paintEdge(context, left, bottom, -1, edges.below, side);
    if (frame === BEGINNING && this.curve !== "gap") this.paintNoBound(context, left, bottom, side);
  }

  /** Before the first E-step there is no q, and no bound: it comes from below. */
  paintNoBound(context, left, bottom, side) {
    const { primary, background } = this.theme;
    const top = bottom - 10;
    context.beginPath();
    context.arc(left, top, 5, 0, 2 * Math.PI);
    context.fillStyle = background;
    context.fill();
    context.strokeStyle = primary;
    context.lineWidth = 2;
    context.stroke();
    this.say(context, NO_BOUND, left, top, side, primary);
  }

  /** A few letters beside a place. */
  say(context, text, left, middle, side, colour) {
    const { theme } = this;
    context.font = `600 12.5px ${theme.font}`;
    context.textAlign = side;
    context.textBaseline = "middle";
    const x = left + (side === "left" ? 1 : -1) * (ARROW[0] + 5);
    context.lineWidth = 4;
    context.strokeStyle = theme.background;
    context.strokeText(text, x, middle);
    context.fillStyle = colour;
    context.fillText(text, x, middle);
  }

  /**
   * What lies beyond an edge of the axis, `inwards` being 1 at the top and -1 at the bottom; the
   * values are aligned to this side of their text.
   */
  paintEdge(context, left, edge, inwards, beyond, side) {
    const { theme } = this;
    // Where the two curves touch they are one value.
    const told = beyond.filter(({ value }, i) => i === beyond.findLastIndex((b) => nats(b.value) === nats(value)));
    told.forEach(({ value, colour }, i) => {
      const top = edge + inwards * (3 + ARROW[1] * 1.5 * i);
      tracePath(context, [left, left - ARROW[0], left + ARROW[0]], [top, ...Array(2).fill(top + inwards * ARROW[1])]);
      context.closePath();
      context.fillStyle = colour;
      context.strokeStyle = theme.background;
      context.lineWidth = 2;
      context.stroke();
      context.fill();
      this.say(context, nats(value), left, top + (inwards * ARROW[1]) / 2, side, colour);
    });
  }

  frameAt(place) {
    const far = (frame) => Math.abs(this.placeOf(frame) - place);
    let nearest = this.picture.first;
    for (let f = 0; f < this.places.length; f++) if (far(f) < far(nearest)) nearest = f;
    return nearest;
  }
}

function paintDisc(context, theme, left, top, colour) {
  context.beginPath();
  context.arc(left, top, 5.5, 0, 2 * Math.PI);
  context.fillStyle = colour;
  context.fill();
  context.strokeStyle = theme.background;
  context.lineWidth = 2;
  context.stroke();
}
