// The right panel: the bound against the log-likelihood, a plateau for every half-step.

import { fitCanvas, insideAxes, paintGrid, toPixels, tracePath } from "./canvas.js";
import { nats } from "./numbers.js";
import { axisStyle, axisTitle, baseLayout } from "./plots.js";
import { fade } from "./theme.js";

const HALF = 0.25; // a half-step takes half an iteration: a quarter on either side of its place
const LEAST_NATS = 0.01; // from bottom to top: what is closer is as good as equal, or rounding
const LEAST_SHARE = 1e-8; // and of the log-likelihood
const ARROW = [6, 11]; // half the width and the height, in px, of what points beyond an edge

export class BoundFigure {
  /** `rival` is the picture of a second run with as many frames, or null. */
  constructor(picture, theme, curve, rival = null) {
    Object.assign(this, { picture, theme, curve });
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
    const range = this.range();
    const layout = {
      ...baseLayout(this.theme, width, height, [range]),
      uirevision: `${this.picture.run}|${this.curve}`,
      xaxis: {
        ...axisStyle(this.theme),
        range: [-0.5, Math.max(last, 1) + Math.max(0.5, 0.02 * last)],
        title: axisTitle("iteration"),
        tickformat: ",d",
        nticks: Math.min(10, last + 1),
        showgrid: false,
      },
      yaxis: {
        ...axisStyle(this.theme),
        range,
        showgrid: false,
        title: axisTitle(this.curve === "gap" ? "log<sub>10</sub>(best − value in nats)" : "nats"),
      },
      annotations: [],
    };
    if (this.curve !== "gap" && this.elbo[0] < range[0]) layout.annotations.push(this.startsBelow());
    return layout;
  }

  startsBelow() {
    const text = `starts at ${nats(this.elbo[0])}, below`;
    const font = { size: 12, color: this.theme.muted };
    return {
      text, font, showarrow: false, xref: "paper", yref: "paper", x: 0.96, y: 0.01, xanchor: "right",
    };
  }

  /** The first iterations can dwarf the rest: leave them out where they take most of the height. */
  range() {
    const elbos = this.rival ? [this.elbo, this.rival.elbo] : [this.elbo];
    const values = [...this.likelihood, ...(this.rival?.likelihood ?? []), ...elbos.flat()];
    const top = Math.max(...values); // by rounding the bound may lie a hair above the likelihood
    let bottom = Math.min(...values);
    if (this.curve !== "gap") {
      const least = Math.max(LEAST_NATS, LEAST_SHARE * Math.abs(top));
      bottom = Math.min(bottom, top - least);
      for (let from = 1; from <= 4 && from < this.places.length - 4; from++) {
        const later = Math.min(...elbos.flatMap((elbo) => elbo.slice(from)));
        if (top - later >= least && top - later < 0.3 * (top - bottom)) bottom = later;
      }
    }
    const padding = 0.06 * (top - bottom || 1);
    return [bottom - padding, top + padding];
  }

  /** Both curves from the start up to a frame, each half-step as a plateau. */
  plateaus(values, frame) {
    const x = [];
    const y = [];
    for (let f = 0; f <= frame; f++) {
      x.push(this.places[f] - HALF, this.places[f] + HALF);
      y.push(values[f], values[f]);
    }
    return { x, y };
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
    return [
      { ...common, ...filled, ...this.band(last) },
      { ...common, line: line(fade(text, 0.3), 1.4), ...this.plateaus(this.likelihood, last) },
      { ...common, line: line(fade(primary, 0.4), 1.2), ...this.plateaus(this.elbo, last) },
      ...(this.rival ? [{ ...common, line: line(fade(text, 0.3), 1.2), ...this.plateaus(this.rival.likelihood, last) }] : []),
    ];
  }

  /** The run up to a frame, bold, and a cursor there. */
  paint(canvas, axes, frame) {
    const context = canvas.getContext("2d", { alpha: false });
    this.draw(context, fitCanvas(canvas), canvas.width, canvas.height, axes, frame);
  }

  /** The same on another context, that many of whose units are a CSS pixel. */
  draw(context, ratio, width, height, axes, frame) {
    const { theme } = this;
    context.fillStyle = theme.background;
    context.fillRect(0, 0, width, height);
    insideAxes(context, ratio, axes, () => {
      paintGrid(context, theme.faint, axes, false);
      const at = toPixels(axes);
      const trace = ({ x, y }) => tracePath(context, x.map(at.left), y.map(at.top));
      trace(this.band(frame));
      context.fillStyle = fade(theme.primary, 0.36);
      context.fill();
      context.lineJoin = "round";
      for (const [values, colour, width] of [
        [this.likelihood, theme.text, 3],
        [this.elbo, theme.primary, 1.7],
      ]) {
        trace(this.plateaus(values, frame));
        context.strokeStyle = colour;
        context.lineWidth = width;
        context.stroke();
      }
      if (this.rival) {
        context.setLineDash([6, 4]);
        for (const [values, colour, width] of [
          [this.rival.likelihood, theme.text, 2.4],
          [this.rival.elbo, theme.primary, 1.7],
        ]) {
          trace(this.plateaus(values, frame));
          context.strokeStyle = colour;
          context.lineWidth = width;
          context.stroke();
        }
        context.setLineDash([]);
      }
      this.paintCursor(context, at, axes, frame);
    });
  }

  /** A line, and a disc on each curve; where that is beyond the axis an arrow, and the value. */
  paintCursor(context, at, { x, y }, frame) {
    const { theme } = this;
    const left = at.left(this.places[frame]);
    context.setLineDash([2, 3]);
    context.lineWidth = 1;
    context.strokeStyle = theme.muted;
    tracePath(context, [left, left], [y._offset, y._offset + y._length]);
    context.stroke();
    context.setLineDash([]);
    const edges = { above: [], below: [] };
    for (const [value, colour] of [
      [this.likelihood[frame], theme.text],
      [this.elbo[frame], theme.primary],
      ...(this.rival ? [[this.rival.likelihood[frame], theme.text]] : []),
    ]) {
      const top = at.top(value);
      if (top < y._offset) edges.above.push({ value, colour });
      else if (top > y._offset + y._length) edges.below.push({ value, colour });
      else paintDisc(context, theme, left, top, colour);
    }
    const side = left > x._offset + 0.7 * x._length ? "right" : "left";
    this.paintEdge(context, left, y._offset, 1, edges.above, side);
    this.paintEdge(context, left, y._offset + y._length, -1, edges.below, side);
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
      context.font = `600 12.5px ${theme.font}`;
      context.textAlign = side;
      context.textBaseline = "middle";
      const beside = ARROW[0] + 5;
      const [x, middle] = [left + (side === "left" ? beside : -beside), top + (inwards * ARROW[1]) / 2];
      context.lineWidth = 4;
      context.strokeText(nats(value), x, middle);
      context.fillText(nats(value), x, middle);
    });
  }

  frameAt(place) {
    let nearest = 0;
    this.places.forEach((p, f) => {
      if (Math.abs(p - place) < Math.abs(this.places[nearest] - place)) nearest = f;
    });
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
