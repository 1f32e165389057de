// Bars over points that stand for several rows each.

import assert from "node:assert/strict";
import { test } from "node:test";
import { script } from "./scripts.mjs";

const { makeHistogram } = await script("points");

const places = [0, 1000, 30000, 30500, 65535];
const counts = [3, 1, 8, 0, 2];
const of = (positions, given) => ({
  positions: [Uint16Array.from(positions)],
  counts: Float32Array.from(given),
  points: positions.length,
  low: [10],
  span: [5],
});

test("a point that counts several times is several equal ones", () => {
  const repeated = places.flatMap((place, i) => Array(counts[i]).fill(place));
  const weighted = makeHistogram(of(places, counts), 0);
  const plain = makeHistogram(of(repeated, []), 0);
  for (const name of ["count", "width", "start", "density", "peak"]) {
    assert.equal(weighted[name], plain[name], name);
  }
  const height = (bars, at) => [...bars.bin].reduce((sum, b, i) => sum + (b === at) * bars.counts[i], 0);
  for (let b = 0; b < plain.count; b++) assert.equal(height(weighted, b), height(plain, b));
  assert.ok(Math.abs(weighted.density * 14 * weighted.width - 1) < 1e-12);
});
