// The left panel as a whole: points, matrices and charts, one region each, on one Plotly plot.

import { ChartFigure } from "./marks.js";
import { MatrixFigure } from "./matrices.js";
import { MixtureFigure } from "./mixture.js";
import { baseLayout } from "./plots.js";
import { SliceFigure } from "./slices.js";

const NARROWEST = 140; // px of one figure beside two others
const MOST_NAMES = 0.5; // of the width of one figure beside another, for the names of its lines

export class Stage {
  constructor(picture, theme, painter) {
    Object.assign(this, { picture, theme });
    const figureOf = (name) => {
      if (name === "points") return (this.points = new MixtureFigure(picture, theme, painter));
      if (name === "slice") return new SliceFigure(picture, theme);
      return name === "matrices" ? new MatrixFigure(picture, theme) : new ChartFigure(picture, theme, name);
    };
    this.lines = arrangementOf(picture).map(([share, names]) => [share, names.map(figureOf)]);
    this.figures = this.lines.flatMap(([, figures]) => figures);
    // Every pair of axes, in the order of Plotly's numbers.
    this.entries = this.figures
      .flatMap((figure) => figure.axes.map((axes) => ({ ...axes, figure })))
      .map((entry, p) => ({ ...entry, suffix: p ? p + 1 : "" }));
  }

  /** Axes for a frame: they move along where they follow it. */
  layout(width, height, frame) {
    if (this.figures.length === 1) return this.figures[0].layout(width, height, frame);
    const whole = {
      ...baseLayout(this.theme, width, height, [[0, 1]]),
      margin: { l: 0, r: 0, t: 0, b: 0 },
      uirevision: this.points?.places() ?? "stage",
    };
    const lines = this.lines.flatMap((line) => broken(line, width));
    const total = lines.reduce((sum, [share]) => sum + share, 0);
    let count = 0;
    let top = 0;
    for (const [share, figures] of lines) {
      const box = { width: width / figures.length, height: (height * share) / total, top };
      figures.forEach((figure, f) => {
        const part = figure.layout(box.width, box.height);
        Object.assign(whole, moved(part, figure.axes.length, count, { ...box, left: f * box.width }, width, height));
        count += figure.axes.length;
      });
      top += box.height;
    }
    return whole;
  }

  follow(frame, plotly, axes) {
    for (const figure of this.figures) figure.follow?.(frame, plotly, axes);
  }

  /** Plotly draws axes only if something is on them. */
  traces() {
    return this.entries.map(({ suffix }) => {
      return { type: "scatter", x: [null], y: [null], xaxis: `x${suffix}`, yaxis: `y${suffix}` };
    });
  }

  /** What lies under the pointer in a matrix or a chart, or null. */
  describe(laid, frame, left, top) {
    for (const axes of laid) {
      const lines = axes.figure.describe?.(axes, frame, left, top);
      if (lines) return lines;
    }
    return null;
  }
}

/** Where figures would crowd each other the last goes below. */
function broken([share, figures], width) {
  const own = width / figures.length;
  const crowded = figures.length > 2 ? own <= NARROWEST : figures.some((figure) => named(figure, own) > MOST_NAMES);
  if (figures.length < 2 || !crowded) return [[share, figures]];
  return [[share, figures.slice(0, -1)], [share, figures.slice(-1)]];
}

/** What share of a figure's width goes to the names on its left. */
function named(figure, width) {
  return figure.layout(width, width).margin.l / width;
}

function arrangementOf({ arrangement, matrices, charts, panels, slice }) {
  if (slice) return [[1, ["slice"]]];
  if (arrangement.length) return arrangement;
  if (matrices.length) return [[1, ["matrices"]]];
  return panels.length ? [[1, ["points"]]] : charts.map((_, c) => [1, [c]]);
}

/** The axes of one figure's layout, in their place on the whole plot and with their new numbers. */
function moved(part, axes, offset, box, width, height) {
  const { margin } = part;
  const suffix = (p) => (p ? p + 1 : "");
  const renumbered = (name) => name && name[0] + suffix(offset + Number(name.slice(1) || 1) - 1);
  const inner = {
    left: box.left + margin.l,
    top: box.top + margin.t,
    width: box.width - margin.l - margin.r,
    height: box.height - margin.t - margin.b,
  };
  const result = {};
  for (let p = 0; p < axes; p++) {
    const x = part[`xaxis${suffix(p)}`];
    const y = part[`yaxis${suffix(p)}`];
    result[`xaxis${suffix(offset + p)}`] = {
      ...x,
      domain: (x.domain ?? [0, 1]).map((share) => (inner.left + share * inner.width) / width),
      anchor: renumbered(x.anchor ?? "y"),
      matches: renumbered(x.matches),
    };
    result[`yaxis${suffix(offset + p)}`] = {
      ...y,
      domain: (y.domain ?? [0, 1]).map((share) => 1 - (inner.top + (1 - share) * inner.height) / height),
      anchor: renumbered(y.anchor ?? "x"),
      matches: renumbered(y.matches),
    };
  }
  return result;
}
