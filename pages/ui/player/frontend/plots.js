// What both panels share: loading plotly.js, the look of the axes, one queue for slow updates.

import { isWrittenOut, readOff } from "./numbers.js";

// Of a letter, in font sizes, on average; and the size of letters where room is short.
const LETTER_WIDTH = 0.52;
const SMALL = 12;
// Pixels across for a tick and its label, "2.5" say; for each letter of a longer one; and the
// letters of a power of ten, "1.2×10⁻¹¹" say.
const TICK_ROOM = 24;
const LETTER_ROOM = 7;
const OF_A_POWER = 8;
// Pixels under a plot, for tick labels and a title; and for a second line of it.
const BELOW = 46;
const SECOND_LINE = 16;

/** Where Streamlit serves from, also behind a proxy with a base path. */
export function serverBase() {
  const script = document.querySelector('script[src*="static/js/"]');
  return script ? script.src.replace(/static\/js\/.*$/, "") : new URL(".", document.baseURI).href;
}

/** Has plotly.js fetched, but not yet run: half a second in which nothing else would happen. */
export function fetchPlotly(url) {
  const link = Object.assign(document.createElement("link"), { rel: "preload", as: "script", href: url });
  if (!loading) document.head.append(link);
}

let loading = null;

/**
 * plotly.js, loaded once, without leaving it behind as the page's own window.Plotly. A page that
 * stands alone brings it along, and has no address for it.
 */
export function loadPlotly(url) {
  if (!url) return Promise.resolve(window.Plotly);
  loading ??= new Promise((resolve, reject) => {
    const own = Object.getOwnPropertyDescriptor(window, "Plotly");
    const script = document.createElement("script");
    script.src = url;
    script.onload = () => {
      const plotly = window.Plotly;
      delete window.Plotly;
      if (own) Object.defineProperty(window, "Plotly", own);
      resolve(plotly);
    };
    script.onerror = () => {
      loading = null;
      script.remove();
      reject(new Error(`plotly.js did not load from ${url}`));
    };
    document.head.append(script);
  });
  return loading;
}

/**
 * The axes a layout will have once Plotly draws them: the picture need not wait for it to load.
 * They have of Plotly's axis objects what the canvases use.
 */
export function plannedAxes(layout, suffix = "") {
  const { margin, width, height } = layout;
  const [x, y] = [layout[`xaxis${suffix}`], layout[`yaxis${suffix}`]];
  const [left, right] = x.domain ?? [0, 1];
  const [bottom, top] = y.domain ?? [0, 1];
  const [across, down] = [width - margin.l - margin.r, height - margin.t - margin.b];
  return {
    x: linearAxis(x.range, margin.l + left * across, (right - left) * across),
    y: linearAxis(y.range.toReversed(), margin.t + (1 - top) * down, (top - bottom) * down, y.range),
  };
}

function linearAxis([start, end], offset, length, range = [start, end]) {
  return {
    range,
    _offset: offset,
    _length: length,
    l2p: (value) => ((value - start) / (end - start)) * length,
    p2l: (pixel) => start + (pixel / length) * (end - start),
  };
}

/** Column names come from people's files: Plotly must not read them as markup. */
export function escapeText(text) {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

export function plotConfig() {
  return {
    displaylogo: false,
    showSendToCloud: false,
    typesetMath: false, // a "$" in a column name is a dollar
    responsive: false,
    scrollZoom: false,
    doubleClick: "reset",
    displayModeBar: matchMedia("(hover: hover)").matches ? "hover" : false,
    modeBarButtons: [["zoom2d", "pan2d", "zoomIn2d", "zoomOut2d", "resetScale2d"]],
  };
}

/** Room for the tick labels of a range and the title beside them, so that Plotly need not measure. */
function roomBeside(range) {
  return 34 + LETTER_ROOM * Math.min(16, longest(range));
}

/** `besides` are the ranges whose labels stand on the left. */
export function baseLayout(theme, width, height, besides) {
  return {
    width,
    height,
    margin: { l: Math.max(...besides.map(roomBeside)), r: 10, t: 8, b: BELOW },
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { family: theme.font, size: 13, color: theme.text },
    showlegend: false,
    hovermode: false,
    // On a touch screen a finger on the plot must still scroll the page.
    dragmode: matchMedia("(pointer: coarse)").matches ? false : "zoom",
    modebar: { bgcolor: "rgba(0,0,0,0)", color: theme.muted, activecolor: theme.primary },
  };
}

export function axisTitle(text) {
  return { text, font: { size: 14 } };
}

/** A column's name along so many pixels: where they are few small, on two lines, or cut short. */
export function columnTitle(name, room) {
  const fits = (line, size) => line.length * size * LETTER_WIDTH <= room;
  if (fits(name, 14)) return axisTitle(escapeText(name));
  const lines = [""];
  for (const word of name.split(" ")) {
    const longer = `${lines.at(-1)} ${word}`.trim();
    if (lines.length < 2 && lines[0] && !fits(longer, SMALL)) lines.push(word);
    else lines[lines.length - 1] = longer;
  }
  const most = Math.floor(room / (SMALL * LETTER_WIDTH));
  const shown = lines.map((line) => (fits(line, SMALL) ? line : `${line.slice(0, Math.max(1, most - 1))}…`));
  return { text: shown.map(escapeText).join("<br>"), font: { size: SMALL } };
}

/** Room under a plot whose axis has this title: where it is short the title covers the tick labels. */
export function roomBelow(title) {
  return BELOW + (title?.text.includes("<br>") ? SECOND_LINE : 0);
}

/** Of an axis with this range, along so many pixels: a year has no comma. */
/** The letters of the longest label on an axis. */
function longest([from, to]) {
  return Math.max(...[from, to].map((value) => readOff(value, 200 * (to - from)).length));
}

/**
 * Numbers on an axis along so many pixels as `number` writes them: powers of ten where all are so
 * small or so large, or where not two of them had room.
 */
function written(range, room) {
  const largest = range ? Math.max(...range.map(Math.abs)) : 1;
  const fit = !range || largest < 10_000 || 2 * LETTER_ROOM * longest(range) <= room;
  if (largest > 0 && !(isWrittenOut(largest) && fit)) return { exponentformat: "power", minexponent: 3 };
  return { exponentformat: "none", separatethousands: !range || largest >= 10_000 };
}

export function axisStyle(theme, range = null, room = Infinity) {
  const style = written(range, room);
  const letters = style.exponentformat === "power" ? OF_A_POWER : range ? longest(range) : 0;
  return {
    type: "linear",
    zeroline: false,
    gridcolor: theme.faint,
    linecolor: theme.border,
    showline: true,
    ticks: "",
    tickfont: { size: 12, color: theme.muted },
    ...style,
    nticks: Math.min(7, Math.max(2, Math.floor(room / Math.max(TICK_ROOM, LETTER_ROOM * (letters + 1))))),
    // Each of these would have Plotly measure every label, again and again: most of its time.
    automargin: false,
    ticklabeloverflow: "allow",
    tickangle: 0,
  };
}
