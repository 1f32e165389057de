// The left panel: ellipses, means and trails over the points; densities over a histogram.

import { dashOf, meanPath, strokeWithHalo, toPixels, tracePath } from "./canvas.js";
import { BEGINNING, componentAt, parametersAt } from "./decode.js";
import { densityAlong, ellipse } from "./density.js";
import { paintMarks } from "./marks.js";
import { axisStyle, baseLayout, columnTitle, escapeText, roomBelow } from "./plots.js";
import { fade, inkOn } from "./theme.js";

const PADDING = 0.06;
const CURVE_POINTS = 141;

// Pixels of a digit of a label.
const DIGIT_WIDTH = 7;

// Under a series: the ribbon of the posterior, and that of the most probable path.
export const RIBBON = 11;

// Plotly writes dates by itself.
const DATED = { type: "date", exponentformat: undefined, separatethousands: undefined, hoverformat: "%Y-%m-%d" };

export class MixtureFigure {
  constructor(picture, theme, painter) {
    Object.assign(this, { picture, theme, painter });
    this.columns = [...new Set(picture.panels.map((panel) => panel[0]))].sort((a, b) => a - b);
    this.lines = [...new Set(picture.panels.map((panel) => panel.at(-1)))].sort((a, b) => a - b);
    this.small = picture.panels.length > 3;
  }

  get axes() {
    return this.picture.panels.map((panel) => ({ panel }));
  }

  range(column) {
    const { low, span, time } = this.picture;
    // A series leaves room for its ribbons.
    if (time && column) {
      const room = this.picture.known.length ? 0.29 : 0.22;
      return [low[column] - room * span[column], low[column] + 1.08 * span[column]];
    }
    if (time) return [low[0] - 0.01 * span[0], low[0] + 1.01 * span[0]];
    return [low[column] - PADDING * span[column], low[column] + (1 + PADDING) * span[column]];
  }

  /** A zoom is kept while the same coordinates are drawn. */
  places() {
    const { panels, columns, low, span } = this.picture;
    return JSON.stringify([panels, columns, low, span]);
  }

  layout(width, height) {
    const besides = this.picture.panels
      .filter((panel) => panel.length === 2 || this.picture.panels.length === 1)
      .map((panel) => (panel.length === 2 ? this.range(panel[1]) : this.densityRange(panel[0])));
    const layout = { ...baseLayout(this.theme, width, height, besides), uirevision: this.places() };
    const gap = this.columns.length > 1 ? 0.025 : 0;
    const { l, r, t, b } = layout.margin;
    const [across, down] = [(width - l - r) / this.columns.length, (height - t - b) / this.lines.length];
    this.picture.panels.forEach((panel, p) => {
      const column = this.columns.indexOf(panel[0]);
      const line = this.lines.indexOf(panel.at(-1));
      const suffix = p ? p + 1 : "";
      const lowest = line === this.lines.length - 1;
      layout[`xaxis${suffix}`] = {
        ...axisStyle(this.theme, this.range(panel[0]), across),
        ...(this.picture.dates && panel[0] === 0 ? DATED : {}),
        ...this.moments(panel[0], across),
        domain: part(column, this.columns.length, gap),
        anchor: `y${suffix}`,
        range: this.range(panel[0]),
        showgrid: false,
        showticklabels: lowest,
        title: lowest ? columnTitle(this.picture.columns[panel[0]], across) : undefined,
        matches: this.firstAxis("x", p, (other) => other[0] === panel[0]),
      };
      const leftmost = !this.picture.panels.some((o) => o.at(-1) === panel.at(-1) && o[0] < panel[0]);
      const diagonal = panel.length === 1;
      const alone = this.picture.panels.length === 1;
      const title = diagonal ? (alone ? "density" : "") : this.picture.columns[panel[1]];
      const range = diagonal ? this.densityRange(panel[0]) : this.range(panel[1]);
      layout[`yaxis${suffix}`] = {
        ...axisStyle(this.theme, range),
        domain: part(this.lines.length - 1 - line, this.lines.length, gap),
        anchor: `x${suffix}`,
        range,
        showgrid: false,
        fixedrange: diagonal,
        ...(diagonal ? {} : this.named(panel[1])),
        showticklabels: leftmost && (!diagonal || alone),
        title: leftmost && title ? columnTitle(title, down) : undefined,
        matches: diagonal
          ? undefined
          : this.firstAxis("y", p, (other) => other.length === 2 && other[1] === panel[1]),
      };
      layout.margin.b = Math.max(layout.margin.b, roomBelow(layout[`xaxis${suffix}`].title));
    });
    return layout;
  }

  /** Times that stand for themselves no more, as sequences are one after the other, are named. */
  moments(column, room) {
    const { moments, low, span } = this.picture;
    if (column !== 0 || !moments.length) return {};
    const [vals, texts, ends] = [[], [], [-Infinity]];
    for (const [at, text] of moments) {
      const left = (room * (at - low[0])) / span[0];
      const width = DIGIT_WIDTH * (text.length + 2);
      if (left - width / 2 < ends.at(-1)) continue;
      ends.push(left + width / 2);
      vals.push(at);
      texts.push(escapeText(text));
    }
    return { tickmode: "array", tickvals: vals, ticktext: texts };
  }

  /** Levels have names in place of numbers. */
  named(column) {
    const names = this.picture.ticks[column] ?? [];
    if (!names.length) return {};
    return { tickmode: "array", tickvals: names.map((_, i) => i), ticktext: names.map(escapeText) };
  }

  /** Panels of the same column zoom together: they follow the first of them. */
  firstAxis(letter, p, same) {
    const first = this.picture.panels.findIndex(same);
    return first === p ? undefined : letter + (first ? first + 1 : "");
  }

  densityRange(column) {
    const bars = this.painter.histogram(column);
    const last = this.picture.frames - 1;
    const { mixture } = this.curves(last, column);
    const top = Math.min(Math.max(bars.peak, ...mixture) * 1.1, bars.peak * 2.2);
    return [-0.07 * top, top];
  }

  curves(frame, column) {
    const [from, to] = this.range(column);
    const x = Array.from({ length: CURVE_POINTS }, (_, i) => from + ((to - from) * i) / (CURVE_POINTS - 1));
    const mixture = new Array(CURVE_POINTS).fill(0);
    const parts = this.picture.components.map((_, k) => {
      const component = componentAt(this.picture, frame, k);
      return x.map((value, i) => {
        const density = component.weight * densityAlong(value, component, column);
        mixture[i] += density;
        return density;
      });
    });
    return { x, parts, mixture };
  }

  /** One panel at a frame, on a canvas clipped to the axes. */
  paint(context, axes, frame) {
    const components = this.picture.components.map((_, k) => componentAt(this.picture, frame, k));
    const at = toPixels(axes);
    if (axes.panel.length === 1) {
      this.paintCurves(context, axes, at, frame);
      components.forEach(({ mean }, k) => {
        this.paintMean(context, k, at.left(mean[axes.panel[0]]), at.top(0));
      });
      return;
    }
    const [i, j] = axes.panel;
    if (this.picture.time) {
      components.forEach((component, k) => this.paintBand(context, axes, at, component, k));
      return;
    }
    const places = components.map(({ mean }) => [at.left(mean[i]), at.top(mean[j])]);
    components.forEach((component, k) => this.paintEllipses(context, axes.panel, at, component, k));
    this.paintTrails(context, axes.panel, at, frame);
    this.paintCharts(context, axes, at, frame);
    places.forEach(([left, top], k) => this.paintMean(context, k, left, top));
    if (frame < this.picture.frames - 1) return;
    this.paintCharts(context, axes, at, frame, true);
    places.forEach(([left, top], k) => this.paintNumber(context, k, left, top));
  }

  /** Marks over this panel: those of all frames, or those of the last one. */
  paintCharts(context, { panel }, at, frame, atEnd = false) {
    const { picture, theme } = this;
    const { low, span, panels, charts } = picture;
    const [i, j] = panel;
    const places = {
      left: (share) => at.left(low[i] + share * span[i]),
      top: (share) => at.top(low[j] + share * span[j]),
    };
    for (const chart of charts) {
      if (chart.at_end === atEnd && chart.panel !== null && panels[chart.panel] === panel) {
        const look = frame === BEGINNING && standsForRows(chart) ? uncoloured(theme) : theme;
        paintMarks(context, look, picture, chart, places, frame);
      }
    }
  }

  /** Along a series a component is its mean, a line, and one standard deviation about it. */
  paintBand(context, { panel, x }, at, { mean, covariance }, k) {
    const { theme } = this;
    const value = mean[panel[1]];
    const deviation = Math.sqrt(covariance[panel[1]][panel[1]]);
    const [left, right] = [x._offset, x._offset + x._length];
    const [top, bottom] = [at.top(value + deviation), at.top(value - deviation)];
    context.fillStyle = fade(theme.colour(k), 0.13);
    context.fillRect(left, top, right - left, bottom - top);
    tracePath(context, [left, right], [at.top(value), at.top(value)]);
    strokeWithHalo(context, {
      colour: theme.lineColour(k), halo: fade(theme.background, 0.5), width: 1.6, dash: dashOf(k),
    });
    this.paintMean(context, k, left + 14 + 20 * (k % 2), at.top(value));
  }

  paintEllipses(context, panel, at, component, k) {
    const colour = this.theme.lineColour(k);
    const halo = fade(this.theme.background, 0.55);
    for (const [sigmas, width] of [[2, 1.3], [1, this.small ? 1.8 : 2.6]]) {
      const { x, y } = ellipse(component, panel, sigmas);
      tracePath(context, x.map(at.left), y.map(at.top));
      context.closePath();
      if (sigmas === 2) {
        context.fillStyle = fade(this.theme.colour(k), 0.08);
        context.fill();
      }
      strokeWithHalo(context, { colour, halo, width, dash: dashOf(k) });
    }
  }

  /** Where each mean has been: one place for each distinct set of parameters so far. */
  paintTrails(context, [i, j], at, frame) {
    const { picture, theme } = this;
    const { d, means, low, span, components } = picture;
    const last = parametersAt(picture, frame);
    for (let k = 0; k < components.length; k++) {
      const lefts = [];
      const tops = [];
      for (let step = 0; step <= last; step++) {
        const mean = (step * components.length + k) * d;
        lefts.push(at.left(low[i] + span[i] * means[mean + i]));
        tops.push(at.top(low[j] + span[j] * means[mean + j]));
      }
      const colour = theme.lineColour(k);
      tracePath(context, lefts, tops);
      strokeWithHalo(context, { colour, halo: fade(theme.background, 0.7), width: this.small ? 1.2 : 2 });
      context.fillStyle = colour;
      context.beginPath();
      context.arc(lefts[0], tops[0], this.small ? 2 : 3, 0, 2 * Math.PI);
      context.fill();
    }
  }

  paintMean(context, k, left, top) {
    const { theme, small } = this;
    const colour = theme.colour(k);
    meanPath(context, k, left, top, small ? 5 : 10.5);
    context.fillStyle = colour;
    context.strokeStyle = theme.background;
    context.lineWidth = small ? 1.5 : 2.5;
    context.stroke();
    context.fill();
    this.paintNumber(context, k, left, top);
  }

  paintNumber(context, k, left, top) {
    const { theme, small } = this;
    if (small) return;
    context.fillStyle = inkOn(theme.colour(k));
    context.font = `700 12.5px ${theme.font}`;
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.fillText(String(k + 1), left, top + 0.5);
  }

  paintCurves(context, { panel }, at, frame) {
    const { theme } = this;
    const { x, parts, mixture } = this.curves(frame, panel[0]);
    const lefts = x.map(at.left);
    const halo = fade(theme.background, 0.6);
    tracePath(context, lefts, mixture.map(at.top));
    strokeWithHalo(context, { colour: theme.text, halo, width: 2.2 });
    parts.forEach((density, k) => {
      tracePath(context, lefts, density.map(at.top));
      strokeWithHalo(context, { colour: theme.lineColour(k), halo, width: 2.2, dash: dashOf(k) });
    });
  }
}

/** Rings are rows with holes, and their segments how far off they may be. */
function standsForRows({ marks }) {
  return marks.some(({ kind }) => kind === "rings");
}

/** Nothing is known of any row yet. */
function uncoloured(theme) {
  return { ...theme, colour: () => theme.grey, lineColour: () => theme.grey };
}

function part(index, count, gap) {
  const width = (1 - gap * (count - 1)) / count;
  return [index * (width + gap), index * (width + gap) + width];
}
