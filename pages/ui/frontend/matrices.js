// The left panel for models whose parameters are matrices: pictures of pixels, or a table in shades.

import { toPixels } from "./canvas.js";
import { axisStyle, baseLayout, escapeText } from "./plots.js";
import { css, inkOn, mix, rgb } from "./theme.js";

const TITLE_ROOM = 20;
const MOST_NUMBERS = 84; // cells with room for a number each
const LONGEST_NAME = 16;

export class MatrixFigure {
  constructor(picture, theme) {
    Object.assign(this, { picture, theme });
    this.across = Math.ceil(Math.sqrt(picture.matrices.length));
    this.down = Math.ceil(picture.matrices.length / this.across);
    this.offsets = [0];
    for (const { rows, columns } of picture.matrices) {
      this.offsets.push(this.offsets.at(-1) + rows.length * columns.length);
    }
  }

  layout(width, height) {
    const { matrices } = this.picture;
    const single = matrices.length === 1;
    const layout = { ...baseLayout(this.theme, width, height, [[0, 1]]), uirevision: "matrices" };
    const longest = Math.max(...matrices[0].rows.map((name) => Math.min(name.length, LONGEST_NAME)));
    const names = Math.max(...matrices[0].columns.map((name) => Math.min(name.length, LONGEST_NAME)));
    layout.margin = single
      ? { l: 16 + 7 * longest, r: 10, t: 8, b: 16 + 6 * names }
      : { l: 8, r: 8, t: 8, b: 8 };
    matrices.forEach((matrix, m) => {
      const suffix = m ? m + 1 : "";
      const column = m % this.across;
      const line = Math.floor(m / this.across);
      const gap = single ? 0 : 0.04;
      const title = single ? 0 : TITLE_ROOM / height;
      const top = 1 - line / this.down - title;
      layout[`xaxis${suffix}`] = {
        ...axisStyle(this.theme),
        ...labels(single ? matrix.columns : []),
        domain: [column / this.across, (column + 1) / this.across - gap],
        anchor: `y${suffix}`,
        range: [-0.5, matrix.columns.length - 0.5],
        showgrid: false,
        fixedrange: true,
        tickangle: single && matrix.columns.length > 6 ? -60 : 0,
      };
      layout[`yaxis${suffix}`] = {
        ...axisStyle(this.theme),
        ...labels(single ? matrix.rows : []),
        domain: [Math.max(0, top - 1 / this.down + title + gap), top],
        anchor: `x${suffix}`,
        range: [matrix.rows.length - 0.5, -0.5],
        showgrid: false,
        fixedrange: true,
      };
    });
    return layout;
  }

  traces() {
    return this.picture.matrices.map((_, m) => {
      const suffix = m ? m + 1 : "";
      return { type: "scatter", x: [null], y: [null], xaxis: `x${suffix}`, yaxis: `y${suffix}` };
    });
  }

  /** The value of a cell at a frame. */
  value(frame, m, row, column) {
    const { matrices, cells, parameters } = this.picture;
    const { columns, low, high } = matrices[m];
    const at = parameters[frame] * this.offsets.at(-1) + this.offsets[m] + row * columns.length + column;
    return low + ((high - low) * cells[at]) / 65535;
  }

  paint(context, axes, frame) {
    const { picture, theme } = this;
    const { matrix: m } = axes;
    const { rows, columns, low, high, component } = picture.matrices[m];
    const at = toPixels(axes);
    const [paper, ink] = [rgb(theme.background), rgb(theme.text)];
    const numbers = rows.length * columns.length <= MOST_NUMBERS;
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.font = `12px ${theme.font}`;
    rows.forEach((_, i) => {
      const own = rgb(theme.colour(component ?? i));
      columns.forEach((_, j) => {
        const value = this.value(frame, m, i, j);
        const share = high > low ? (value - low) / (high - low) : 0;
        const colour = mix(own, paper, share);
        const [left, right] = [at.left(j - 0.5), at.left(j + 0.5)].map(Math.round);
        const [top, bottom] = [at.top(i - 0.5), at.top(i + 0.5)].map(Math.round);
        context.fillStyle = css(colour);
        context.fillRect(left, top, right - left, bottom - top);
        if (numbers && right - left > 30) {
          context.fillStyle = inkOn(css(colour));
          context.fillText(shortNumber(value), (left + right) / 2, (top + bottom) / 2);
        }
      });
    });
    context.strokeStyle = css(ink, 0.25);
    context.lineWidth = 1;
    context.strokeRect(axes.x._offset + 0.5, axes.y._offset + 0.5, axes.x._length - 1, axes.y._length - 1);
  }

  /** Above each picture its component and that component's weight; outside the axes. */
  paintTitle(context, axes, frame) {
    const { picture, theme } = this;
    const { component } = picture.matrices[axes.matrix];
    if (component === null) return;
    const weight = picture.weights[picture.parameters[frame] * picture.components.length + component];
    context.fillStyle = theme.text;
    context.font = `600 13px ${theme.font}`;
    context.textAlign = "left";
    context.textBaseline = "bottom";
    const percent = (100 * weight).toFixed(weight < 0.1 ? 1 : 0);
    context.fillText(`${component + 1} · ${percent} %`, axes.x._offset, axes.y._offset - 3);
  }

  /** What lies under the pointer, or null. */
  describe(axes, frame, left, top) {
    const { rows, columns } = this.picture.matrices[axes.matrix];
    const column = Math.round(axes.x.p2l(left - axes.x._offset));
    const row = Math.round(axes.y.p2l(top - axes.y._offset));
    if (!(row in rows) || !(column in columns)) return null;
    return [`${rows[row]}, ${columns[column]}`, shortNumber(this.value(frame, axes.matrix, row, column))];
  }
}

function labels(names) {
  const short = (name) => (name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME - 1)}…` : name);
  return { tickmode: "array", tickvals: names.map((_, i) => i), ticktext: names.map((n) => escapeText(short(n))) };
}

function shortNumber(value) {
  return value.toLocaleString("en", { maximumSignificantDigits: Math.abs(value) < 0.1 ? 1 : 2 });
}
