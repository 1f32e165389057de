// Before the first E-step no row has the colour of a component, also where a mark stands for it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { script } from "./scripts.mjs";

const { MixtureFigure } = await script("mixture");
const THEME = {
  text: "#333333", background: "#ffffff", grey: "#999999", colour: (k) => `#00000${k}`, lineColour: (k) => `#00000${k}`,
};

/** The colours of strokes that marks of a kind have at a frame. */
function strokes(kind, size, frame) {
  const used = new Set();
  const context = new Proxy({}, {
    get: () => () => {},
    set: (_, name, value) => {
      if (name === "strokeStyle") used.add(value);
      return true;
    },
  });
  const marks = [{ kind, moves: false, count: 2, size, offset: 0, components: [1, 2], labels: [] }];
  const chart = { panel: 0, at_end: false, marks };
  const picture = {
    panels: [[0, 1]], low: [0, 0], span: [1, 1], charts: [chart], parameters: [0, 0],
    still: Float32Array.from({ length: 2 * size }, () => 0.5), components: ["a", "b", "c"],
  };
  const at = { left: (v) => 100 * v, top: (v) => 100 * v };
  new MixtureFigure(picture, THEME, null).paintCharts(context, { panel: picture.panels[0] }, at, frame);
  return used;
}

test("rows with holes are grey before the first E-step, and coloured after it", () => {
  assert.ok(strokes("rings", 3, -1).has("#999999"));
  for (const k of [1, 2]) {
    assert.ok(!strokes("rings", 3, -1).has(`#00000${k}`));
    assert.ok(strokes("rings", 3, 0).has(`#00000${k}`));
    // What belongs to a component is there from the start.
    assert.ok(strokes("segments", 5, -1).has(`#00000${k}`));
  }
});
