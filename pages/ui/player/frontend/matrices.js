// The left panel for models whose parameters are matrices: pictures of pixels, or a table in shades.

import { paintHeading, toPixels } from "./canvas.js";
import { parametersAt } from "./decode.js";
import { axisStyle, baseLayout, escapeText } from "./plots.js";
import { shortened } from "./names.js";
import { number, percent, readOff } from "./numbers.js";
import { css, inkOn, mix, rgb } from "./theme.js";

const TITLE_ROOM = 22;
const POSITIVE = 0; // the colours of the two signs
const NEGATIVE = 1;
const NUMBER = [30, 13]; // px across and down that a number needs
const LINE = 12; // px down that a name needs
const LETTER = 6; // px across that each of its letters needs
const GAP = 10; // px between pictures
const LONGEST_NAME = 16;

export class MatrixFigure {
  constructor(picture, theme) {
    Object.assign(this, { picture, theme });
    this.offsets = [0];
    for (const { rows, columns } of picture.matrices) {
      this.offsets.push(this.offsets.at(-1) + rows.length * columns.length);
    }
  }

  get axes() {
    return this.picture.matrices.map((_, matrix) => ({ matrix }));
  }

  layout(width, height) {
    const { matrices } = this.picture;
    const single = matrices.length === 1;
    const heading = single && matrices[0].title ? TITLE_ROOM : 0;
    const layout = { ...baseLayout(this.theme, width, height, [[0, 1]]), uirevision: "matrices" };
    const lengths = (names) => shortened(names, LONGEST_NAME).map((name) => name.length);
    const longest = Math.max(...lengths(matrices[0].rows));
    const inner = [width, height];
    const left = 16 + 7 * longest;
    const tilted = single && turned(matrices[0], width - left - 10);
    const across = tilted ? crowded(matrices[0], width - left - 10) : labels(single ? matrices[0].columns : []);
    const names = Math.max(0, ...across.ticktext.map((name) => name.length));
    layout.margin = single
      ? { l: left, r: 10, t: 8 + 1.3 * heading, b: tilted ? 16 + 6 * names : 30 }
      : { l: 0, r: 0, t: 0, b: 0 };
    inner[0] -= layout.margin.l + layout.margin.r;
    inner[1] -= layout.margin.t + layout.margin.b;
    const boxes = single ? [{ x: [0, 1], y: [0, 1] }] : squares(matrices, width, height);
    const down = inner[1] / matrices[0].rows.length;
    matrices.forEach((matrix, m) => {
      const suffix = m ? m + 1 : "";
      layout[`xaxis${suffix}`] = {
        ...axisStyle(this.theme),
        ...across,
        domain: boxes[m].x,
        anchor: `y${suffix}`,
        range: [-0.5, matrix.columns.length - 0.5],
        showgrid: false,
        fixedrange: true,
        tickangle: tilted ? -60 : 0,
      };
      layout[`yaxis${suffix}`] = {
        ...axisStyle(this.theme),
        ...labels(single ? matrix.rows : [], Math.ceil(LINE / down)),
        domain: boxes[m].y,
        anchor: `x${suffix}`,
        range: [matrix.rows.length - 0.5, -0.5],
        showgrid: false,
        fixedrange: true,
      };
    });
    return layout;
  }

  /** The value of a cell at a frame. */
  value(frame, m, row, column) {
    const { matrices, cells } = this.picture;
    const { columns, low, high } = matrices[m];
    const set = parametersAt(this.picture, frame) * this.offsets.at(-1) + this.offsets[m];
    const at = set + row * columns.length + column;
    return low + ((high - low) * cells[at]) / 65535;
  }

  paint(context, axes, frame) {
    const { picture, theme } = this;
    const { matrix: m } = axes;
    const { rows, columns, low, high, component } = picture.matrices[m];
    const at = toPixels(axes);
    const [paper, ink] = [rgb(theme.background), rgb(theme.text)];
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.font = `12px ${theme.font}`;
    rows.forEach((_, i) => {
      columns.forEach((_, j) => {
        const value = this.value(frame, m, i, j);
        const signed = low < 0 && (value < 0 ? NEGATIVE : POSITIVE);
        const own = rgb(theme.colour(signed === false ? component ?? i : signed));
        const share = low < 0 ? Math.abs(value) / Math.max(high, -low) : high > low ? (value - low) / (high - low) : 0;
        const colour = mix(own, paper, share);
        const [left, right] = [at.left(j - 0.5), at.left(j + 0.5)].map(Math.round);
        const [top, bottom] = [at.top(i - 0.5), at.top(i + 0.5)].map(Math.round);
        context.fillStyle = css(colour);
        context.fillRect(left, top, right - left, bottom - top);
        if (component === null && right - left >= NUMBER[0] && bottom - top >= NUMBER[1]) {
          context.fillStyle = inkOn(css(colour));
          context.fillText(shortNumber(value, high), (left + right) / 2, (top + bottom) / 2);
        }
      });
    });
    context.strokeStyle = css(ink, 0.25);
    context.lineWidth = 1;
    context.strokeRect(axes.x._offset + 0.5, axes.y._offset + 0.5, axes.x._length - 1, axes.y._length - 1);
  }

  /** Above each picture its component and that component's weight; outside the axes. */
  paintOutside(context, axes, frame) {
    const { picture, theme } = this;
    const { component, title } = picture.matrices[axes.matrix];
    if (component === null) return paintHeading(context, theme, axes, title);
    const weight = picture.weights[parametersAt(picture, frame) * picture.components.length + component];
    paintHeading(context, theme, axes, `${component + 1} · ${percent(weight, weight < 0.1 ? 1 : 0)}`);
  }

  /** What lies under the pointer, or null. */
  describe(axes, frame, left, top) {
    const { rows, columns } = this.picture.matrices[axes.matrix];
    const column = Math.round(axes.x.p2l(left - axes.x._offset));
    const row = Math.round(axes.y.p2l(top - axes.y._offset));
    if (!(row in rows) || !(column in columns)) return null;
    const { low, high } = this.picture.matrices[axes.matrix];
    return [`${rows[row]}, ${columns[column]}`, readOff(this.value(frame, axes.matrix, row, column), high - low)];
  }
}

/** Places for matrices of one shape, their cells square and as large as can be; titles above them. */
function squares(matrices, width, height) {
  const [columns, rows] = [matrices[0].columns.length, matrices[0].rows.length];
  let best = { cell: 0 };
  for (let across = 1; across <= matrices.length; across++) {
    const down = Math.ceil(matrices.length / across);
    const cell = Math.min((width / across - GAP) / columns, (height / down - GAP - TITLE_ROOM) / rows);
    if (cell > best.cell) best = { across, cell };
  }
  const [step, line] = [best.cell * columns + GAP, best.cell * rows + GAP + TITLE_ROOM];
  return matrices.map((_, m) => {
    const left = (m % best.across) * step + 1;
    const top = Math.floor(m / best.across) * line + TITLE_ROOM;
    return {
      x: [left / width, (left + best.cell * columns) / width],
      y: [1 - (top + best.cell * rows) / height, 1 - top / height],
    };
  });
}

/** Column names that would run into each other are written at an angle. */
function turned({ columns }, width) {
  return columns.some((name) => LETTER * Math.min(name.length, LONGEST_NAME) > width / columns.length);
}

/** Names at 0, 1, 2, ..., or only every so many of them. */
function labels(names, every = 1) {
  const short = shortened(names, LONGEST_NAME);
  const shown = names.map((_, i) => i).filter((i) => i % every === 0);
  return { tickmode: "array", tickvals: shown, ticktext: shown.map((i) => escapeText(short[i])) };
}

/** Names at an angle, each with a line of room: of all columns, or of groups of them. */
function crowded({ columns, groups }, width) {
  const room = (count) => Math.max(1, Math.ceil((LINE * count) / width));
  if (!groups.length || room(columns.length) === 1) return labels(columns, room(columns.length));
  const { tickmode, tickvals, ticktext } = labels(groups.map(([name]) => name), room(groups.length));
  let end = 0;
  const centres = groups.map(([, count]) => (end += count) - (count + 1) / 2);
  return { tickmode, ticktext, tickvals: tickvals.map((i) => centres[i]) };
}

/** What has room in a cell. */
function shortNumber(value, high) {
  if (high <= 1 && value > 0 && value < 0.001) return "<0.001";
  return number(value, Math.abs(value) < 0.1 ? 1 : 2);
}
