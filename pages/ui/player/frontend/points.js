// What lies under the Plotly axes on the left: grid, points, histogram bars, density contours.
// Tens of thousands of SVG points would play at one frame a second; pixels written here take milliseconds.

import { fitCanvas, insideAxes, isInside, paintGrid, toPixels } from "./canvas.js";
import { componentAt, posteriorOf } from "./decode.js";
import { contourSegments, mixtureGrid } from "./density.js";
import { RIBBON } from "./mixture.js";
import { css, fade, mix, pointColours, rgb } from "./theme.js";

const FULL = 65535;
const UNKNOWN = 255; // a row without a known label
const RUG = 14; // pixels kept under a histogram for the single points
const NARROWEST_SEQUENCE = 6; // pixels: lines between shorter ones would hide the series

export class PointPainter {
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d", { alpha: false, willReadFrequently: true });
  }

  setPicture(picture) {
    this.picture = picture;
    this.histograms = new Map();
    this.stale = true;
  }

  setTheme(theme, colourMode) {
    const { components, levels } = this.picture;
    this.theme = theme;
    this.colourMode = colourMode;
    this.table = pointColours(theme, colourMode, components.length, levels);
    // Before the first E-step nothing is known of any point.
    const [red, green, blue] = rgb(theme.grey).map(Math.round);
    this.uncoloured = new Int32Array(this.table.length).fill(red | (green << 8) | (blue << 16));
    this.stale = true;
  }

  /**
   * Call when the axes moved: each of `axes` is {figure, x, y}, x and y being Plotly's own axis
   * objects, and `panel` where there are points on it.
   */
  setAxes(axes) {
    this.axes = axes;
    this.stale = true;
  }

  histogram(column) {
    if (!this.histograms.has(column)) {
      this.histograms.set(column, makeHistogram(this.picture, column));
    }
    return this.histograms.get(column);
  }

  /**
   * The figure of each pair of axes paints what lies on the points: ellipses, means, densities.
   * `rings` are points to be ringed, if any.
   */
  paint(frame, view, selected, rings = null) {
    if (!this.axes || !this.picture) return;
    if (this.stale) this.layOut();
    this.pixels.set(this.base);
    const posterior = posteriorOf(this.picture, frame);
    for (const laid of this.laid) {
      if (laid.panel?.length === 2) this.paintPoints(laid, posterior, view);
    }
    this.context.putImageData(this.image, 0, 0);
    this.paintShapes(this.context, this.ratio, frame, posterior, view, selected, rings);
  }

  /** The same on another context, in CSS pixels and of shapes alone: every point is a disc. */
  draw(context, frame, view, selected, rings = null) {
    if (!this.axes || !this.picture) return;
    if (this.stale) this.layOut();
    this.paintGround(context, 1, this.canvas.clientWidth, this.canvas.clientHeight);
    const posterior = posteriorOf(this.picture, frame);
    for (const laid of this.laid) {
      if (laid.panel?.length !== 2) continue;
      insideAxes(context, 1, laid, () => this.drawPoints(context, laid, posterior, view));
    }
    this.paintShapes(context, 1, frame, posterior, view, selected, rings);
  }

  /** What lies on the points. */
  paintShapes(context, ratio, frame, posterior, view, selected, rings) {
    for (const laid of this.laid) {
      const { figure, panel } = laid;
      insideAxes(context, ratio, laid, () => {
        if (panel?.length === 1) this.paintBars(context, laid, posterior, view);
        else if (panel && view.contours && !this.picture.time) this.paintContours(context, laid, frame);
        figure.paint(context, laid, frame);
        if (!panel) return;
        if (this.picture.time && posterior.known) this.paintRibbon(context, laid, posterior);
        if (rings) this.paintRings(context, laid, rings);
        this.paintSelected(context, laid, selected);
      });
      if (!figure.paintOutside) continue;
      context.save();
      context.scale(ratio, ratio);
      figure.paintOutside(context, laid, frame);
      context.restore();
    }
  }

  /** Under a series: the state of every moment by its probability, and by the most probable path. */
  paintRibbon(context, { panel, which, x, y }, { first, second, level, path }) {
    const { picture, table, theme } = this;
    const { levels, components } = picture;
    const place = this.places(x, panel[0], false);
    const bottom = y._offset + y._length;
    const right = x._offset + x._length;
    const strip = (top, colourOf) => {
      let from = null;
      for (let j = 0; j < which.length; j++) {
        const left = place(which[j]);
        if (from !== null && left - from < 0.5) continue; // nothing narrower can be seen
        const end = j + 1 < which.length ? place(which[j + 1]) : right;
        context.fillStyle = colourOf(which[j]);
        context.fillRect(left, top, Math.max(end - left, 0.5) + 0.3, RIBBON);
        from = left;
      }
    };
    strip(bottom - RIBBON, (i) => {
      return cssOf(table[(first[i] * components.length + second[i]) * levels + level[i]]);
    });
    if (path) strip(bottom - 2 * RIBBON - 2, (i) => theme.colour(path[i]));
    const { known } = picture;
    if (known.length) strip(bottom - 3 * RIBBON - 4, (i) => (known[i] === UNKNOWN ? theme.faint : theme.colour(known[i])));
  }

  /** A line through the points of a series; between sequences it is broken, and a dashed one stands. */
  paintSeries(context, { panel, x, y }) {
    const { picture, theme } = this;
    const { points, breaks } = picture;
    const [left, top] = [this.places(x, panel[0], false), this.places(y, panel[1], true)];
    const starts = new Set(breaks);
    context.beginPath();
    for (let i = 0; i < points; i++) {
      if (!i || starts.has(i)) context.moveTo(left(i), top(i));
      else context.lineTo(left(i), top(i));
    }
    context.strokeStyle = fade(theme.text, 0.32);
    context.lineWidth = 1;
    context.stroke();
    if (x._length / (breaks.length + 1) < NARROWEST_SEQUENCE) return;
    context.beginPath();
    for (const i of breaks) {
      const middle = (left(i - 1) + left(i)) / 2;
      context.moveTo(middle, y._offset);
      context.lineTo(middle, y._offset + y._length);
    }
    context.setLineDash([4, 4]);
    context.stroke();
    context.setLineDash([]);
  }

  /** What lies under the points. */
  paintGround(context, ratio, width, height) {
    context.fillStyle = this.theme.background;
    context.fillRect(0, 0, width, height);
    context.save();
    context.scale(ratio, ratio);
    for (const axes of this.axes.filter((a) => a.panel || a.figure.chart?.x.visible)) {
      paintGrid(context, this.theme.faint, axes, true, axes.panel?.length !== 1);
    }
    context.restore();
    if (!this.picture.time) return;
    for (const axes of this.axes.filter((a) => a.panel)) {
      insideAxes(context, ratio, axes, () => this.paintSeries(context, axes));
    }
  }

  /** Everything that depends on the axes, the size and the theme but not on the frame. */
  layOut() {
    const { canvas, context } = this;
    this.ratio = fitCanvas(canvas);
    this.paintGround(context, this.ratio, canvas.width, canvas.height);
    this.image = context.getImageData(0, 0, canvas.width, canvas.height);
    this.pixels = new Int32Array(this.image.data.buffer);
    this.base = this.pixels.slice();
    this.laid = this.axes.map((axes) => ({ ...axes, ...this.project(axes) }));
    this.sprites = this.makeSprites();
    this.stale = false;
  }

  /** Pixels of the points inside a panel, and which points they are. */
  project({ panel, x, y }) {
    if (panel?.length !== 2) return {};
    const { points } = this.picture;
    const [placeX, placeY] = [this.places(x, panel[0], false), this.places(y, panel[1], true)];
    const offsets = new Int32Array(points);
    const which = new Int32Array(points);
    let visible = 0;
    for (let i = 0; i < points; i++) {
      const [px, py] = [placeX(i), placeY(i)];
      if (!isInside(px, x) || !isInside(py, y)) continue;
      offsets[visible] = Math.round(py * this.ratio) * this.canvas.width + Math.round(px * this.ratio);
      which[visible++] = i;
    }
    return { offsets: offsets.subarray(0, visible), which: which.subarray(0, visible) };
  }

  /** Where each point is along an axis, in CSS pixels. */
  places(axis, column, downwards) {
    // Of dates Plotly has the range in words, and once more in numbers.
    const [from, to] = axis._rl ?? axis.range;
    const { low, span, positions } = this.picture;
    const perUnit = axis._length / (to - from);
    const slope = (span[column] / FULL) * perUnit * (downwards ? -1 : 1);
    const start = (low[column] - from) * perUnit;
    const origin = downwards ? axis._offset + axis._length - start : axis._offset + start;
    const packed = positions[column];
    return (i) => slope * packed[i] + origin;
  }

  /** The radius of the points in CSS pixels, and by how much each grows. */
  sizes() {
    const { points, levels, panels } = this.picture;
    const crowd = Math.max(1, points) * Math.max(1, panels.length / 3);
    return {
      radius: Math.min(3.6, Math.max(1.05, 9 / crowd ** 0.19)),
      opacity: Math.min(0.9, Math.max(0.35, 3.4 / crowd ** 0.2)),
      byLevel: (level) => 0.8 + 2.2 * (1 - level / (levels - 1)),
      bySize: (size) => 0.35 + (0.9 * size) / (levels - 1),
    };
  }

  /** Discs with soft edges, as lists of pixel offsets and opacities; one per level of certainty. */
  makeSprites() {
    const { radius, opacity, byLevel, bySize } = this.sizes();
    const make = (growth) => disc(radius * growth * this.ratio, opacity, this.canvas.width);
    const all = (growth) => Array.from({ length: this.picture.levels }, (_, level) => make(growth(level)));
    return { plain: make(1), byLevel: all(byLevel), bySize: all(bySize) };
  }

  /** The points as shapes. */
  drawPoints(context, { panel, which, x, y }, posterior, view) {
    const { first, second, level, size } = posterior;
    const table = this.coloursOf(posterior);
    const { levels, components, hollow } = this.picture;
    const { radius, opacity, byLevel, bySize } = this.sizes();
    const [left, top] = [this.places(x, panel[0], false), this.places(y, panel[1], true)];
    context.globalAlpha = opacity;
    for (const i of which) {
      if (hollow.length && hollow[i]) continue;
      const growth = size ? bySize(size[i]) : view.uncertainty && posterior.known ? byLevel(level[i]) : 1;
      context.beginPath();
      context.arc(left(i), top(i), radius * growth, 0, 2 * Math.PI);
      context.fillStyle = cssOf(table[(first[i] * components.length + second[i]) * levels + level[i]]);
      context.fill();
    }
    context.globalAlpha = 1;
  }

  /** The colour of every (first, second, level) under a posterior. */
  coloursOf({ known }) {
    return known ? this.table : this.uncoloured;
  }

  paintPoints({ offsets, which }, posterior, view) {
    const { first, second, level, size, known } = posterior;
    const { pixels, sprites } = this;
    const table = this.coloursOf(posterior);
    const { levels, components, hollow } = this.picture;
    for (let j = 0; j < which.length; j++) {
      const i = which[j];
      if (hollow.length && hollow[i]) continue;
      const { steps, opacities } = size
        ? sprites.bySize[size[i]]
        : view.uncertainty && known
          ? sprites.byLevel[level[i]]
          : sprites.plain;
      const colour = table[(first[i] * components.length + second[i]) * levels + level[i]];
      const redBlue = colour & 0xff00ff;
      const green = colour & 0xff00;
      for (let s = 0; s < steps.length; s++) {
        const at = offsets[j] + steps[s];
        const below = pixels[at]; // undefined outside the canvas, where writing does nothing either
        const over = opacities[s];
        const under = 256 - over;
        // Red and blue in one multiplication: each has eight bits to spare before it meets the next.
        pixels[at] =
          0xff000000 |
          (((Math.imul(below & 0xff00ff, under) + Math.imul(redBlue, over)) >>> 8) & 0xff00ff) |
          (((Math.imul(below & 0xff00, under) + Math.imul(green, over)) >>> 8) & 0xff00);
      }
    }
  }

  /** Bars stacked by responsibility, and the single points as a rug under them. */
  paintBars(context, laid, posterior, view) {
    const { picture, theme } = this;
    const { panel } = laid;
    const { first, second, level, known } = posterior;
    const bars = this.histogram(panel[0]);
    const nComponents = picture.components.length;
    const mass = new Float64Array(bars.count * nComponents);
    for (let i = 0; i < picture.points; i++) {
      const sure = second[i] === first[i] ? 1 : level[i] / (picture.levels - 1);
      const row = bars.bin[i] * nComponents;
      mass[row + first[i]] += bars.counts[i] * sure;
      mass[row + second[i]] += bars.counts[i] * (1 - sure);
    }
    const at = toPixels(laid);
    for (let b = 0; b < bars.count; b++) {
      const left = at.left(bars.start + b * bars.width);
      const right = at.left(bars.start + (b + 1) * bars.width);
      const total = mass.subarray(b * nComponents, (b + 1) * nComponents).reduce((a, c) => a + c, 0);
      let height = 0;
      for (let k = 0; k < nComponents; k++) {
        const share = mass[b * nComponents + k];
        if (!share) continue;
        const bottom = at.top(height * bars.density);
        height += share;
        const top = at.top(height * bars.density);
        const colour = !known
          ? rgb(theme.grey)
          : this.colourMode === "blended"
            ? rgb(theme.colour(k))
            : mix(rgb(theme.colour(k)), rgb(theme.grey), (share / total) ** 1.5);
        context.fillStyle = css(colour, 0.55);
        context.fillRect(left + 0.5, top, Math.max(0.5, right - left - 1), bottom - top);
      }
    }
    this.paintRug(context, laid, posterior, view);
  }

  paintRug(context, { panel, x, y }, posterior, view) {
    const { first, second, level, known } = posterior;
    const { picture } = this;
    const table = this.coloursOf(posterior);
    const left = this.places(x, panel[0], false);
    const floor = y._offset + y._length;
    const step = Math.max(1, Math.floor(picture.points / 5000)); // more cannot be told apart
    context.globalAlpha = picture.points > 1000 ? 0.35 : 0.7;
    for (let i = 0; i < picture.points; i += step) {
      const doubt = view.uncertainty && known ? 1 - level[i] / (picture.levels - 1) : 0.25;
      const length = 4 + (RUG - 5) * Math.min(1, doubt * 2);
      context.fillStyle = cssOf(table[(first[i] * picture.components.length + second[i]) * picture.levels + level[i]]);
      context.fillRect(left(i) - 0.5, floor - length, 1, length);
    }
    context.globalAlpha = 1;
  }

  paintContours(context, { panel, x, y }, frame) {
    const { picture, theme } = this;
    const components = picture.components.map((_, k) => componentAt(picture, frame, k));
    const grid = mixtureGrid(components, panel, x.range, y.range, 84, 64);
    const toX = (column) => x._offset + (column / (grid.columns - 1)) * x._length;
    const toY = (row) => y._offset + (1 - row / (grid.rows - 1)) * y._length;
    const shares = [0.02, 0.06, 0.14, 0.28, 0.48, 0.72, 0.93];
    shares.forEach((share, level) => {
      context.beginPath();
      for (const [x0, y0, x1, y1] of contourSegments(grid, share * grid.peak)) {
        context.moveTo(toX(x0), toY(y0));
        context.lineTo(toX(x1), toY(y1));
      }
      context.strokeStyle = fade(theme.text, 0.3 + 0.06 * level);
      context.lineWidth = 1.1;
      context.stroke();
    });
  }

  paintRings(context, { panel, x, y }, rings) {
    const { picture, theme } = this;
    const low = y._offset + y._length - RUG / 2;
    const placeX = this.places(x, panel[0], false);
    const placeY = panel.length === 2 ? this.places(y, panel[1], true) : () => low;
    const radius = picture.panels.length > 3 ? 3.4 : 5.5;
    context.beginPath();
    for (const i of rings) {
      const [left, top] = [placeX(i), placeY(i)];
      context.moveTo(left + radius, top);
      context.arc(left, top, radius, 0, 2 * Math.PI);
    }
    context.strokeStyle = theme.text;
    context.lineWidth = 1.3;
    context.stroke();
  }

  paintSelected(context, { panel, x, y }, selected) {
    if (selected === null) return;
    const px = this.places(x, panel[0], false)(selected);
    context.strokeStyle = this.theme.text;
    context.lineWidth = 2;
    context.beginPath();
    if (panel.length === 1) {
      context.moveTo(px, y._offset + y._length - RUG);
      context.lineTo(px, y._offset + y._length);
    } else {
      context.arc(px, this.places(y, panel[1], true)(selected), 7, 0, 2 * Math.PI);
    }
    context.stroke();
  }

  /** The point nearest to a place on the canvas, within reach, or null. */
  nearest(left, top, reach = 12) {
    for (const laid of this.laid ?? []) {
      const { panel, x, y } = laid;
      if (!panel || !isInside(left, x) || !isInside(top, y)) continue;
      const placeX = this.places(x, panel[0], false);
      const placeY = panel.length === 2 ? this.places(y, panel[1], true) : () => top;
      let best = reach ** 2;
      let found = null;
      for (let i = 0; i < this.picture.points; i++) {
        const distance = (placeX(i) - left) ** 2 + (placeY(i) - top) ** 2;
        if (distance < best) {
          best = distance;
          found = i;
        }
      }
      return found;
    }
    return null;
  }
}

/** A pixel as a colour of CSS. */
function cssOf(pixel) {
  return `rgb(${pixel & 255},${(pixel >> 8) & 255},${(pixel >> 16) & 255})`;
}

function disc(radius, opacity, stride) {
  const steps = [];
  const opacities = [];
  const reach = Math.ceil(radius + 0.5);
  for (let dy = -reach; dy <= reach; dy++) {
    for (let dx = -reach; dx <= reach; dx++) {
      const cover = Math.min(1, Math.max(0, radius + 0.5 - Math.hypot(dx, dy)));
      if (!cover) continue;
      steps.push(dy * stride + dx);
      opacities.push(Math.round(256 * cover * opacity));
    }
  }
  return { steps: Int32Array.from(steps), opacities: Int32Array.from(opacities) };
}

/** Bins by Freedman and Diaconis, between 12 and 60 of them. */
/** Bars of one width over the points, each as high as what its points count. */
export function makeHistogram({ positions, counts: given, points, low, span }, column) {
  const counts = given.length ? given : new Float32Array(points).fill(1);
  const total = counts.reduce((a, c) => a + c, 0);
  const [lower, upper] = quantiles(positions[column], counts, total, [0.25, 0.75]);
  const spread = (upper - lower) / FULL;
  const ideal = spread ? Math.cbrt(total) / (2 * spread) : 12;
  const count = Math.round(Math.min(60, Math.max(12, ideal)));
  const width = span[column] / count;
  const bin = Uint8Array.from(positions[column], (u) => Math.min(count - 1, Math.floor((u / FULL) * count)));
  const size = new Float64Array(count);
  bin.forEach((b, i) => (size[b] += counts[i]));
  const density = 1 / (total * width);
  return { count, width, bin, counts, start: low[column], density, peak: Math.max(...size) * density };
}

/** Below which of the values lie these shares of the counts. */
function quantiles(values, counts, total, shares) {
  const order = Uint32Array.from(values.keys()).sort((a, b) => values[a] - values[b]);
  return shares.map((share) => {
    let left = share * total;
    return values[order.find((i) => (left -= counts[i]) < 0) ?? order.at(-1)];
  });
}
