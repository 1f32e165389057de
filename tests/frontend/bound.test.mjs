// The chart of the bound: at every half-step, and before the first, one sees where the curves are.

import assert from "node:assert/strict";
import { test } from "node:test";
import { script } from "./scripts.mjs";

globalThis.matchMedia = () => ({ matches: false });
const { BoundFigure } = await script("bound");
const { plannedAxes } = await script("plots");
const THEME = {
  text: "#333333", background: "#ffffff", primary: "#0072b2", muted: "#888888", faint: "#eeeeee",
  border: "#dddddd", font: "sans",
};
const SIZE = [420, 430];

/** A context that writes down the discs and the words drawn on it. */
function noted() {
  const discs = [];
  const words = [];
  const context = new Proxy({}, {
    get: (_, name) => {
      if (name === "arc") return (left, top) => discs.push([left, top]);
      if (name === "fillText") return (text) => words.push(text);
      return () => {};
    },
    set: () => true,
  });
  return { context, discs, words };
}

/** A run whose first half-steps are far below the others. */
function run(start, first = -1) {
  const likelihood = [start, -205, -205, -203, -203, -202, -202, -201, -201, -200.5, -200.5, -200.4, -200.4];
  return {
    run: "r", frames: likelihood.length, first,
    iterations: likelihood.map((_, f) => Math.ceil(f / 2)),
    phases: likelihood.map((_, f) => (f === 0 ? "start" : f % 2 ? "M" : "E")),
    log_likelihood: Float64Array.from(likelihood),
    elbo: Float64Array.from(likelihood, (v, f) => (f % 2 ? v - 0.05 : v)),
  };
}

function drawn(picture, frame, { curve = "likelihood", rival = null, zoom = null, hidden = false } = {}) {
  const figure = new BoundFigure(picture, THEME, curve, rival, hidden);
  const layout = figure.layout(...SIZE);
  if (zoom) layout.yaxis.range = zoom;
  const axes = plannedAxes(layout);
  const told = noted();
  figure.draw(told.context, 1, ...SIZE, axes, frame);
  return { ...told, axes, layout, figure };
}

test("the dot is seen at every half-step, however far below the others the first one is", () => {
  for (const start of [-206, -454, -1e7]) {
    const tops = [];
    for (let frame = 0; frame < run(start).frames; frame++) {
      const { discs, axes } = drawn(run(start), frame);
      assert.equal(discs.length, 2, `start ${start}, frame ${frame}`);
      for (const [left, top] of discs) {
        assert.ok(left >= axes.x._offset && left <= axes.x._offset + axes.x._length);
        assert.ok(top >= axes.y._offset && top <= SIZE[1] - 46);
      }
      tops.push(discs[1][1]);
    }
    // It never goes down.
    assert.deepEqual(tops, tops.toSorted((a, b) => b - a));
  }
});

test("below a broken axis the value is told, and in a race that of each", () => {
  assert.ok(drawn(run(-454), 0).words.includes("−454.00"));
  assert.ok(!drawn(run(-454), 1).words.includes("−454.00"));
  assert.deepEqual(drawn(run(-206), 0).layout.yaxis.domain, undefined);
  const both = drawn(run(-454), 0, { rival: run(-600) }).words;
  assert.ok(both.includes("−454.00") && both.includes("−600.00"));
});

test("before the first E-step there is a likelihood and no bound yet", () => {
  const { discs, words, figure } = drawn(run(-454), -1);
  assert.equal(discs.length, 2);
  assert.ok(discs[1][1] > discs[0][1], "the bound is yet to come, from below");
  assert.ok(words.includes("no bound yet"));
  assert.ok(figure.placeOf(-1) < figure.placeOf(0));
  assert.deepEqual([figure.frameAt(-0.6), figure.frameAt(0.1), figure.frameAt(0.5)], [-1, 0, 1]);
  const slice = new BoundFigure(run(-454, 0), THEME, "likelihood");
  assert.equal(slice.frameAt(-0.6), 0);
});

test("what a zoom leaves out is told at the edge", () => {
  assert.ok(drawn(run(-206), 0, { zoom: [-201, -200] }).words.includes("−206.00"));
  assert.ok(drawn(run(-206), 12, { zoom: [-210, -202] }).words.includes("−200.40"));
});

test("what is hidden is drawn nowhere: neither the curve to come nor its end on the axis", () => {
  const told = drawn(run(-206), 3, { hidden: true });
  assert.deepEqual(told.figure.traces().flatMap(({ x }) => x), [null], "Plotly has the axes alone");
  assert.ok(told.words.includes("hidden"));
  const [low, high] = told.layout.yaxis.range;
  assert.ok(high - -200.4 > 0.25 * (high - low), "the axis goes on above the end");
  assert.ok(!drawn(run(-206), 12, { hidden: true }).words.includes("hidden"), "nothing comes after the last");
  assert.ok(!drawn(run(-206), 3).words.includes("hidden"));
});
