// The left panel of the page on the bound: log-likelihood and ELBO along a line through the parameters.

import { paintGrid, strokeWithHalo, toPixels, tracePath } from "./canvas.js";
import { nats, number } from "./numbers.js";
import { axisStyle, axisTitle, baseLayout, columnTitle, roomBelow } from "./plots.js";
import { fade } from "./theme.js";

export class SliceFigure {
  constructor(picture, theme) {
    Object.assign(this, { picture, theme });
    this.points = picture.slice.points;
  }

  get axes() {
    return [{}];
  }

  layout(width, height, frame) {
    const { slice } = this.picture;
    const range = this.range(frame);
    this.shown = range;
    const layout = baseLayout(this.theme, width, height, [range]);
    const room = width - layout.margin.l - layout.margin.r;
    const title = columnTitle(slice.title, room);
    return {
      ...layout,
      margin: { ...layout.margin, b: roomBelow(title) },
      uirevision: `${this.picture.run}|${slice.title}`,
      xaxis: { ...axisStyle(this.theme, slice.range, room), range: slice.range, title, showgrid: false },
      yaxis: { ...axisStyle(this.theme), range, title: axisTitle("nats"), showgrid: false },
    };
  }

  /** The heights around what is there to see at a frame. */
  range(frame) {
    const { slice_low: low, slice_high: high } = this.picture;
    return [low[frame], high[frame]];
  }

  /** The climb leaves the heights shown: move the axis after it. */
  follow(frame, plotly, axes) {
    const range = this.range(frame);
    if (!plotly || String(range) === String(this.shown) || !axes._fullLayout) return;
    this.shown = range;
    plotly.relayout(axes, { "yaxis.range": range }).catch(() => {});
  }

  /** Of the points of a frame, those with finite heights: [across, likelihood, bound]. */
  curve(frame) {
    const { slice_across: across, slice_likelihood: likelihood, slice_bound: bound } = this.picture;
    const base = this.picture.log_likelihood[frame];
    const from = frame * this.points;
    const part = (values, base = 0) => Array.from(values.subarray(from, from + this.points), (v) => v + base);
    return { across: part(across), likelihood: part(likelihood, base), bound: part(bound, base) };
  }

  paint(context, axes, frame) {
    const { theme, picture } = this;
    paintGrid(context, theme.faint, axes);
    const { across, likelihood, bound } = this.curve(frame);
    const at = toPixels(axes);
    const lefts = across.map(at.left);
    const clamp = (top) => Math.max(-1e4, Math.min(1e4, top));
    const tops = (values) => values.map((v) => clamp(at.top(v)));
    const [upper, lower] = [tops(likelihood), tops(bound)];
    tracePath(context, [...lefts, ...lefts.toReversed()], [...upper, ...lower.toReversed()]);
    context.fillStyle = fade(theme.primary, 0.16);
    context.fill();
    context.lineJoin = "round";
    for (const [heights, colour, width] of [[upper, theme.text, 3], [lower, theme.primary, 2]]) {
      tracePath(context, lefts, heights);
      context.strokeStyle = colour;
      context.lineWidth = width;
      context.stroke();
    }
    this.paintTop(context, axes, at, across, bound);
    this.paintHere(context, axes, at, frame, picture);
  }

  /** Where the bound is highest on this line: an open triangle. */
  paintTop(context, axes, at, across, bound) {
    const best = bound.reduce((b, v, i) => (v > bound[b] ? i : b), 0);
    if (best === 0 || best === bound.length - 1) return;
    const [left, top] = [at.left(across[best]), at.top(bound[best])];
    context.beginPath();
    context.moveTo(left, top - 4);
    context.lineTo(left - 6, top - 14);
    context.lineTo(left + 6, top - 14);
    context.closePath();
    strokeWithHalo(context, { colour: this.theme.primary, halo: this.theme.background, width: 2 });
  }

  /** The parameters of this half-step: a line, and a disc on each curve. */
  paintHere(context, axes, at, frame, picture) {
    const { theme } = this;
    const left = at.left(picture.slice_here[frame]);
    context.setLineDash([2, 3]);
    context.lineWidth = 1;
    context.strokeStyle = theme.muted;
    tracePath(context, [left, left], [axes.y._offset, axes.y._offset + axes.y._length]);
    context.stroke();
    context.setLineDash([]);
    for (const [value, colour, radius] of [
      [picture.log_likelihood[frame], theme.text, 7],
      [picture.elbo[frame], theme.primary, 4.5],
    ]) {
      context.beginPath();
      context.arc(left, at.top(value), radius, 0, 2 * Math.PI);
      context.fillStyle = colour;
      context.fill();
      context.strokeStyle = theme.background;
      context.lineWidth = 2;
      context.stroke();
    }
  }

  /** The heights under the pointer. */
  describe(axes, frame, left) {
    const { across, likelihood, bound } = this.curve(frame);
    const value = axes.x.p2l(left - axes.x._offset);
    const near = across.reduce((b, v, i) => (Math.abs(v - value) < Math.abs(across[b] - value) ? i : b), 0);
    return [
      `${this.picture.slice.title.split(" (")[0]}: ${number(across[near])}`,
      `log-likelihood: ${nats(likelihood[near])}`,
      `ELBO: ${nats(bound[near])}`,
    ];
  }
}
