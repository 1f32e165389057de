// Axes before Plotly has drawn them, ticks, titles, names beside them.

import assert from "node:assert/strict";
import { test } from "node:test";
import { script } from "./scripts.mjs";

const { axisStyle, columnTitle, escapeText, plannedAxes } = await script("plots");
const { isInside, toPixels } = await script("canvas");
const { apart, shortened } = await script("names");
globalThis.matchMedia = () => ({ matches: false });
const { ChartFigure } = await script("marks");
const { SliceFigure } = await script("slices");
const { frameDuration } = await script("film_choices");
const THEME = { faint: "#eeeeee", border: "#dddddd", muted: "#888888" };

test("planned axes put the ends of their ranges at the edges of the plot", () => {
  const layout = {
    width: 300, height: 200, margin: { l: 40, r: 10, t: 8, b: 46 },
    xaxis2: { range: [-5, 5], domain: [0.5, 1] }, yaxis2: { range: [0, 4] },
  };
  const axes = plannedAxes(layout, "2");
  const { left, top } = toPixels(axes);
  assert.deepEqual([left(-5), left(0), left(5)], [165, 227.5, 290]);
  assert.deepEqual([top(4), top(0)], [8, 154]);
  assert.equal(axes.x.p2l(axes.x.l2p(1.25)), 1.25);
  assert.deepEqual(axes.y.range, [0, 4]);
  assert.ok(isInside(165, axes.x) && !isInside(164, axes.x));
});

test("ticks: as many as there is room for, from two to seven; a year has no comma", () => {
  assert.deepEqual([10, 48, 100, 1000].map((room) => axisStyle(THEME, null, room).nticks), [2, 2, 4, 7]);
  assert.equal(axisStyle(THEME, [1900, 2006]).separatethousands, false);
  assert.equal(axisStyle(THEME, [0, 10_000]).separatethousands, true);
  assert.equal(axisStyle(THEME, [-12_000, 5]).separatethousands, true);
});

test("labels of any size have room beside each other, or are powers of ten", () => {
  const powers = (range, room) => axisStyle(THEME, range, room).exponentformat === "power";
  assert.ok(powers([0, 1.2e-11], 300) && !powers([0, 1e10], 300) && powers([0, 1e10], 100));
  assert.ok(!powers([1900, 2006], 40));
  for (const range of [[0, 1.2e-11], [0, 1e10], [0, 5e13], [-2e6, 2e6], [0.1, 0.1004], [0, 100]]) {
    for (const room of [150, 300, 700]) {
      const style = axisStyle(THEME, range, room);
      const written = Math.max(...range.map((end) => String(end).length * 1.3));
      const label = 6 * (style.exponentformat === "power" ? 8 : Math.min(written, 18));
      assert.ok(style.nticks === 2 || style.nticks * label <= room + label, `${range} ${room}`);
    }
  }
});

test("a column's title is as large as its room allows, and text", () => {
  assert.deepEqual(columnTitle("age", 200), { text: "age", font: { size: 14 } });
  assert.deepEqual(columnTitle("sepal length in cm", 100), { text: "sepal length in<br>cm", font: { size: 12 } });
  assert.match(columnTitle("a word-that-has-no-end-at-all", 65).text, /^a<br>word-that…$/);
  assert.equal(columnTitle("<b>a & b</b>", 400).text, "&lt;b&gt;a &amp; b&lt;/b&gt;");
  assert.equal(escapeText("&lt;"), "&amp;lt;");
});

test("titles of charts and slices keep to their axes, however long the name is", () => {
  const name = "how satisfied were you with the opening hours";
  const axis = { title: name, low: 0, high: 1, ticks: [], visible: true };
  const chart = { x: axis, y: axis, title: "", marks: [] };
  const theme = { ...THEME, text: "#333333", font: "sans" };
  const slice = { title: name, range: [0, 1], points: 0 };
  for (const [width, height] of [[390, 150], [220, 110], [900, 700]]) {
    const picture = { run: "r", charts: [chart], slice, slice_low: [0], slice_high: [1] };
    for (const layout of [
      new ChartFigure(picture, theme, 0).layout(width, height),
      new SliceFigure(picture, theme).layout(width, height, 0),
    ]) {
      const { l, r, t, b } = layout.margin;
      for (const [{ title }, room] of [[layout.xaxis, width - l - r], [layout.yaxis, height - t - b]]) {
        const lines = title.text.split("<br>");
        assert.ok(lines.length <= 2);
        // Below the labels of the ticks, 22 pixels, there is room for all of them.
        if (title === layout.xaxis.title) assert.ok(b >= 22 + 16 * lines.length, `${b}`);
        for (const line of lines) assert.ok(0.52 * title.font.size * line.length <= room + 1, line);
      }
    }
  }
});

test("names along an axis stand apart, slanted ones too", () => {
  const theme = { ...THEME, text: "#333333", font: "sans" };
  const ticks = Array.from({ length: 25 }, (_, i) => `item ${i + 1}`);
  const axis = { title: "", low: -0.5, high: 24.5, ticks, visible: true };
  const chart = { x: axis, y: { ...axis, ticks: [], low: 0, high: 1 }, title: "", marks: [] };
  for (let width = 250; width < 900; width += 50) {
    const { xaxis, margin } = new ChartFigure({ charts: [chart] }, theme, 0).layout(width, 300);
    const apart = ((xaxis.tickvals[1] - xaxis.tickvals[0]) / 25) * (width - margin.l - margin.r);
    assert.ok(apart * Math.sin((Math.abs(xaxis.tickangle) * Math.PI) / 180 || Math.PI / 2) >= 12, `${width}`);
  }
});

test("what is cut at its end says so", () => {
  const names = [1, 2, 3].map((i) => `Person number ${i} of the long study`);
  for (const most of [8, 14, 22]) {
    for (const [i, name] of shortened(names, most).entries()) {
      assert.ok(name.endsWith("…") || names[i].endsWith(name.split("…").at(-1)), name);
      assert.ok(name.length <= most);
    }
  }
});

test("names that are cut stay different", () => {
  assert.deepEqual(shortened(["short", "a very long name indeed"], 10), ["short", "a very lo…"]);
  const alike = shortened(["how often do you read books", "how often do you read papers"], 12);
  assert.equal(new Set(alike).size, 2);
  assert.ok(alike[0].endsWith("books") && alike[1].endsWith("papers"));
  assert.ok(alike.every((name) => name.length <= 12));
  const twice = shortened(["the same name", "the same name"], 6);
  assert.deepEqual(twice, ["the s…", "the s…"]);
});

test("the first half-steps stay longest, and those who want calm have all alike", () => {
  const stays = [0, 5, 20, 200].map((frame) => frameDuration(frame, 1, false));
  assert.deepEqual(stays, stays.toSorted((a, b) => b - a));
  assert.equal(stays[0], 600);
  assert.ok(Math.abs(stays[3] - 50) < 1);
  assert.equal(frameDuration(0, 3, false), 200);
  for (const frame of [0, 200]) assert.ok(frameDuration(frame, 1, true) >= 500);
});

test("names of arrows stay within the chart and off each other; those without room are left out", () => {
  const area = { left: 0, right: 200, top: 0, bottom: 100 };
  const at = (left, top, width = 60) => ({ name: `${left} ${top}`, left, top, width });
  const placed = apart([at(180, 50), at(150, 52), at(-30, 2), at(20, 99), at(150, 54)], area, 13);
  assert.equal(placed.length, 5);
  for (const { left, top, width } of placed) {
    assert.ok(left >= 0 && left + width <= 200 && top >= 6.5 && top <= 93.5);
  }
  for (const [i, a] of placed.entries()) {
    for (const b of placed.slice(i + 1)) {
      assert.ok(Math.abs(a.top - b.top) >= 13 || a.left >= b.left + b.width || b.left >= a.left + a.width);
    }
  }
  assert.deepEqual(apart([at(10, 20)], area, 13)[0].top, 20);
  assert.equal(apart(Array.from({ length: 40 }, () => at(10, 50, 180)), area, 13).length, 7);
});
