// Marks on a chart of its own, or over a panel of points: dots, rings, lines, segments, arrows, bars.

import { dashOf, paintHeading, strokeWithHalo, toPixels, tracePath } from "./canvas.js";
import { marksAt } from "./decode.js";
import { apart, shortened } from "./names.js";
import { readOff } from "./numbers.js";
import { axisStyle, baseLayout, columnTitle, escapeText, roomBelow } from "./plots.js";
import { fade, inkOn } from "./theme.js";

const REACH = 12; // px from a mark at which it is described
const HEADING_ROOM = 26;
const LINE = 12; // px down that a name needs
const SLANT = 60; // degrees, of names for which there is no room side by side
const HEAD = 7; // px, of an arrow
const NODE = 9; // px of radius from which a dot has its label inside
const LONGEST_TICK = 14;
const LONGEST_TIP = 20;
const LETTER = 6.6; // px across that a letter beside an arrow needs

/** One chart with axes of its own. */
export class ChartFigure {
  constructor(picture, theme, index) {
    Object.assign(this, { picture, theme, chart: picture.charts[index] });
  }

  get axes() {
    return [{}];
  }

  layout(width, height) {
    const { x, y, title } = this.chart;
    const longest = Math.max(0, ...y.ticks.map((name) => Math.min(name.length, LONGEST_TICK)));
    const layout = baseLayout(this.theme, width, height, y.ticks.length ? [[0, 1]] : [[y.low, y.high]]);
    const crowded = x.ticks.reduce((sum, name) => sum + Math.min(name.length, LONGEST_TICK) + 2, 0) * 7 > width - 60;
    const names = Math.max(0, ...x.ticks.map((name) => Math.min(name.length, LONGEST_TICK)));
    if (y.ticks.length) layout.margin.l = 16 + 7 * longest;
    if (!y.visible) layout.margin.l = 8;
    layout.margin.t = title ? 8 + HEADING_ROOM : 8;
    const room = width - layout.margin.l - layout.margin.r;
    const across = axis(this.theme, x, room, crowded ? LINE / Math.sin((SLANT * Math.PI) / 180) : LINE);
    layout.margin.b = (x.title ? roomBelow(across.title) : 28) + (crowded ? 5 * names : 0);
    return {
      ...layout,
      xaxis: { ...across, anchor: "y", tickangle: crowded ? -SLANT : 0 },
      yaxis: { ...axis(this.theme, y, height - layout.margin.t - layout.margin.b), anchor: "x" },
    };
  }

  paint(context, axes, frame) {
    paintMarks(context, this.theme, this.picture, this.chart, this.places(axes), frame);
  }

  paintOutside(context, axes) {
    if (this.chart.title) paintHeading(context, this.theme, axes, this.chart.title);
  }

  /** From shares of the axes to pixels. */
  places(axes) {
    const { x, y } = this.chart;
    const at = toPixels(axes);
    return {
      left: (share) => at.left(x.low + share * (x.high - x.low)),
      top: (share) => at.top(y.low + share * (y.high - y.low)),
    };
  }

  /** What lies under the pointer: the nearest labelled mark, or null. */
  describe(axes, frame, left, top) {
    const { x, y, marks } = this.chart;
    const at = this.places(axes);
    let best = REACH;
    let lines = null;
    for (const set of marks) {
      if (!set.labels.length) continue;
      const values = marksAt(this.picture, set, frame);
      for (let i = 0; i < set.count; i++) {
        const mark = values.subarray(i * set.size, (i + 1) * set.size);
        const distance = set.kind === "bars" ? insideBar(mark, at, left, top) : toEnd(mark, set, at, left, top);
        if (distance >= best) continue;
        best = distance;
        const end = set.size >= 5 ? 2 : 0;
        lines = [set.labels[i], place(x, mark[end]), place(y, mark[end + 1])].filter(Boolean);
      }
    }
    return lines;
  }
}

/** An axis along so many pixels; `line`: those that a name needs. */
function axis(theme, { title, low, high, ticks, visible }, room, line = LINE) {
  const every = Math.max(1, Math.ceil((line * ticks.length) / room));
  const short = shortened(ticks, LONGEST_TICK);
  const shown = ticks.map((_, i) => i).filter((i) => i % every === 0);
  const named = ticks.length
    ? { tickmode: "array", tickvals: shown, ticktext: shown.map((i) => escapeText(short[i])) }
    : {};
  return {
    ...axisStyle(theme),
    ...named,
    range: [low, high],
    visible,
    showgrid: false,
    title: title ? columnTitle(title, room) : undefined,
  };
}

function place({ title, low, high, ticks }, share) {
  const value = low + share * (high - low);
  if (ticks.length) return ticks[Math.round(value)] ?? "";
  return `${title ? `${title}: ` : ""}${readOff(value, high - low)}`;
}

function insideBar([x0, y0, x1, y1], at, left, top) {
  const [l, r] = [at.left(x0), at.left(x1)].sort((a, b) => a - b);
  const [t, b] = [at.top(y0), at.top(y1)].sort((a, b) => a - b);
  return left >= l && left <= r && top >= t - 3 && top <= b + 3 ? 0 : Infinity;
}

function toEnd(mark, { size }, at, left, top) {
  const end = size >= 5 ? 2 : 0;
  return Math.hypot(at.left(mark[end]) - left, at.top(mark[end + 1]) - top);
}

/** All marks of a chart at a frame; `at` turns shares of the axes into pixels. */
export function paintMarks(context, theme, picture, { marks }, at, frame) {
  for (const set of marks) PAINTERS[set.kind](context, theme, set, marksAt(picture, set, frame), at);
}

function colourOf(theme, component, line = false) {
  if (component === -1) return theme.text;
  if (component === -2) return theme.grey;
  return line ? theme.lineColour(component) : theme.colour(component);
}

function eachMark(set, values, paint) {
  for (let i = 0; i < set.count; i++) paint(values.subarray(i * set.size, (i + 1) * set.size), i);
}

const PAINTERS = {
  dots(context, theme, set, values, at) {
    eachMark(set, values, ([x, y, radius], i) => {
      disc(context, at.left(x), at.top(y), radius);
      context.fillStyle = colourOf(theme, set.components[i]);
      context.strokeStyle = theme.background;
      context.lineWidth = radius > 3 ? 1.5 : 0.6;
      context.fill();
      context.stroke();
      if (radius >= NODE) inside(context, theme, set, i, at.left(x), at.top(y));
    });
  },
  rings(context, theme, set, values, at) {
    eachMark(set, values, ([x, y, radius], i) => {
      disc(context, at.left(x), at.top(y), radius);
      context.fillStyle = theme.background;
      context.strokeStyle = colourOf(theme, set.components[i], true);
      context.lineWidth = 1.6;
      context.fill();
      context.stroke();
    });
  },
  line(context, theme, set, values, at) {
    const lefts = [];
    const tops = [];
    eachMark(set, values, ([x, y]) => {
      lefts.push(at.left(x));
      tops.push(at.top(y));
    });
    tracePath(context, lefts, tops);
    const component = set.components[0];
    strokeWithHalo(context, {
      colour: colourOf(theme, component, true),
      halo: fade(theme.background, 0.6),
      width: component === -2 ? 1.2 : 2.2,
      dash: component < 0 ? [] : dashOf(component),
    });
  },
  segments(context, theme, set, values, at) {
    eachMark(set, values, ([x0, y0, x1, y1, width], i) => {
      if (width < 0.05) return;
      tracePath(context, [at.left(x0), at.left(x1)], [at.top(y0), at.top(y1)]);
      context.lineCap = "butt";
      context.lineWidth = width;
      context.strokeStyle = colourOf(theme, set.components[i], true);
      context.stroke();
    });
  },
  arrows(context, theme, set, values, at) {
    eachMark(set, values, ([x0, y0, x1, y1, width], i) => {
      if (width < 0.05) return;
      arrow(context, [at.left(x0), at.top(y0)], [at.left(x1), at.top(y1)], width, colourOf(theme, set.components[i], true));
    });
    nameTips(context, theme, set, values, at);
  },
  bars(context, theme, set, values, at) {
    eachMark(set, values, ([x0, y0, x1, y1, opacity], i) => {
      const [left, right, top, bottom] = [at.left(x0), at.left(x1), at.top(y1), at.top(y0)];
      context.fillStyle = fade(colourOf(theme, set.components[i]), opacity);
      context.fillRect(Math.min(left, right), Math.min(top, bottom), Math.abs(right - left), Math.abs(bottom - top));
    });
  },
};

function disc(context, left, top, radius) {
  context.beginPath();
  context.arc(left, top, radius, 0, 2 * Math.PI);
}

function arrow(context, [x0, y0], [x1, y1], width, colour) {
  const angle = Math.atan2(y1 - y0, x1 - x0);
  const head = Math.min(HEAD + width, Math.hypot(x1 - x0, y1 - y0));
  const [bx, by] = [x1 - head * Math.cos(angle), y1 - head * Math.sin(angle)];
  tracePath(context, [x0, bx], [y0, by]);
  context.lineWidth = width;
  context.strokeStyle = colour;
  context.stroke();
  const side = 0.45 * head;
  tracePath(
    context,
    [x1, bx - side * Math.sin(angle), bx + side * Math.sin(angle)],
    [y1, by + side * Math.cos(angle), by - side * Math.cos(angle)],
  );
  context.fillStyle = colour;
  context.fill();
}

function inside(context, theme, set, i, left, top) {
  context.font = `700 12.5px ${theme.font}`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.fillStyle = inkOn(colourOf(theme, set.components[i]));
  context.fillText(set.labels[i] ?? "", left, top + 0.5);
}

/** The names of arrows beside their tips, within the chart and none over another. */
function nameTips(context, theme, set, values, at) {
  if (!set.labels.length) return;
  context.font = `12px ${theme.font}`;
  context.textAlign = "left";
  context.textBaseline = "middle";
  context.lineWidth = 3;
  const names = shortened(set.labels, LONGEST_TIP);
  const tips = [];
  eachMark(set, values, ([x0, , x1, y1, width], i) => {
    if (width < 0.05) return;
    const room = LETTER * names[i].length;
    const left = at.left(x1) + (x1 >= x0 ? 6 : -6 - room);
    tips.push({ name: names[i], left, top: at.top(y1), width: room });
  });
  const area = { left: at.left(0), right: at.left(1), top: at.top(1), bottom: at.top(0) };
  for (const { name, left, top } of apart(tips, area, LINE + 1)) {
    context.strokeStyle = fade(theme.background, 0.8);
    context.strokeText(name, left, top);
    context.fillStyle = theme.text;
    context.fillText(name, left, top);
  }
}
