// The left panel: ellipses, means and trails over the points, as Plotly traces.

import { componentAt } from "./decode.js";
import { ellipse, normalDensity } from "./density.js";
import { DASHES, SYMBOLS, fade, inkOn } from "./theme.js";
import { axisStyle, axisTitle, baseLayout, escapeText } from "./plots.js";

const PADDING = 0.06;
const CURVE_POINTS = 141;
// Beyond this many moving pieces the trails of a matrix are left out: they would cost the frame rate.
const MANY_TRACES = 60;

export class MixtureFigure {
  constructor(picture, theme, painter) {
    Object.assign(this, { picture, theme, painter });
    this.columns = [...new Set(picture.panels.map((panel) => panel[0]))].sort((a, b) => a - b);
    this.lines = [...new Set(picture.panels.map((panel) => panel.at(-1)))].sort((a, b) => a - b);
    this.trails = picture.panels.length * picture.components.length * 3 <= MANY_TRACES;
  }

  range(column) {
    const { low, span } = this.picture;
    return [low[column] - PADDING * span[column], low[column] + (1 + PADDING) * span[column]];
  }

  layout(width, height) {
    const layout = { ...baseLayout(this.theme, width, height), uirevision: this.picture.panels.join("|") };
    const gap = this.columns.length > 1 ? 0.025 : 0;
    this.picture.panels.forEach((panel, p) => {
      const column = this.columns.indexOf(panel[0]);
      const line = this.lines.indexOf(panel.at(-1));
      const suffix = p ? p + 1 : "";
      const lowest = line === this.lines.length - 1;
      layout[`xaxis${suffix}`] = {
        ...axisStyle(this.theme),
        domain: part(column, this.columns.length, gap),
        anchor: `y${suffix}`,
        range: this.range(panel[0]),
        showgrid: false,
        showticklabels: lowest,
        title: lowest ? axisTitle(escapeText(this.picture.columns[panel[0]])) : undefined,
        matches: this.firstAxis("x", p, (other) => other[0] === panel[0]),
      };
      const leftmost = !this.picture.panels.some((o) => o.at(-1) === panel.at(-1) && o[0] < panel[0]);
      const diagonal = panel.length === 1;
      const alone = this.picture.panels.length === 1;
      const title = diagonal ? (alone ? "density" : "") : this.picture.columns[panel[1]];
      layout[`yaxis${suffix}`] = {
        ...axisStyle(this.theme),
        domain: part(this.lines.length - 1 - line, this.lines.length, gap),
        anchor: `x${suffix}`,
        range: diagonal ? this.densityRange(panel[0]) : this.range(panel[1]),
        showgrid: false,
        fixedrange: diagonal,
        showticklabels: leftmost && (!diagonal || alone),
        title: leftmost && title ? axisTitle(escapeText(title)) : undefined,
        matches: diagonal
          ? undefined
          : this.firstAxis("y", p, (other) => other.length === 2 && other[1] === panel[1]),
      };
    });
    return layout;
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
      const { weight, mean, covariance } = componentAt(this.picture, frame, k);
      return x.map((value, i) => {
        const density = weight * normalDensity(value, mean[column], covariance[column][column]);
        mixture[i] += density;
        return density;
      });
    });
    return { x, parts, mixture };
  }

  /** The traces with their style; `data(frame)` gives their coordinates in the same order. */
  traces(frame) {
    const style = [];
    this.picture.panels.forEach((panel, p) => {
      const suffix = p ? p + 1 : "";
      const axes = { xaxis: `x${suffix}`, yaxis: `y${suffix}`, type: "scatter", hoverinfo: "skip" };
      this.picture.components.forEach((_, k) => {
        const colour = this.theme.colour(k);
        const dash = DASHES[k % DASHES.length];
        const line = (width, alpha, dashed) => ({
          ...axes,
          mode: "lines",
          line: { color: fade(colour, alpha), width, dash: dashed ? dash : "solid", simplify: false },
        });
        if (panel.length === 1) {
          style.push(line(2.4, 1, true));
          return;
        }
        const small = this.picture.panels.length > 3;
        style.push({ ...line(1.2, 0.9, true), fill: "toself", fillcolor: fade(colour, 0.07) });
        style.push(line(small ? 1.8 : 2.6, 1, true));
        if (this.trails) style.push(line(1.6, 0.75, false));
      });
      if (panel.length === 1) {
        const line = { color: this.theme.text, width: 2.2, simplify: false };
        style.push({ ...axes, mode: "lines", line });
      }
      style.push({ ...axes, ...this.meansStyle() });
    });
    const data = this.data(frame);
    return style.map((trace, i) => ({ ...trace, ...data[i] }));
  }

  meansStyle() {
    const { components, panels } = this.picture;
    const small = panels.length > 3;
    const colours = components.map((_, k) => this.theme.colour(k));
    return {
      mode: small ? "markers" : "markers+text",
      text: components.map((_, k) => String(k + 1)),
      textfont: { size: 13, color: colours.map(inkOn), weight: 700 },
      textposition: "middle center",
      cliponaxis: true,
      marker: {
        size: small ? 9 : 21,
        color: colours,
        symbol: components.map((_, k) => SYMBOLS[k % SYMBOLS.length]),
        line: { color: this.theme.background, width: small ? 1.2 : 2 },
        opacity: 1,
      },
    };
  }

  data(frame) {
    const components = this.picture.components.map((_, k) => componentAt(this.picture, frame, k));
    const trails = this.trails ? this.trailsUpTo(frame) : null;
    const traces = [];
    for (const panel of this.picture.panels) {
      if (panel.length === 1) {
        const { x, parts, mixture } = this.curves(frame, panel[0]);
        for (const y of [...parts, mixture]) traces.push({ x, y });
        traces.push({ x: components.map((c) => c.mean[panel[0]]), y: components.map(() => 0) });
        continue;
      }
      components.forEach((component, k) => {
        traces.push(ellipse(component, panel, 2), ellipse(component, panel, 1));
        if (trails) traces.push({ x: trails[k].map((m) => m[panel[0]]), y: trails[k].map((m) => m[panel[1]]) });
      });
      traces.push({
        x: components.map((c) => c.mean[panel[0]]),
        y: components.map((c) => c.mean[panel[1]]),
      });
    }
    return traces;
  }

  /** Where each mean has been: one place for each distinct set of parameters so far. */
  trailsUpTo(frame) {
    const { parameters, components } = this.picture;
    const frames = [];
    for (let f = 0; f <= frame; f++) if (!f || parameters[f] !== parameters[f - 1]) frames.push(f);
    return components.map((_, k) => frames.map((f) => componentAt(this.picture, f, k).mean));
  }
}

function part(index, count, gap) {
  const width = (1 - gap * (count - 1)) / count;
  return [index * (width + gap), index * (width + gap) + width];
}
