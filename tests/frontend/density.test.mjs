// Densities, ellipses and contours. tests/engine/emissions/test_densities.py holds the densities to the engine's.

import assert from "node:assert/strict";
import { test } from "node:test";
import { script } from "./scripts.mjs";

const { contourSegments, densityAlong, ellipse, mixtureGrid } = await script("density");
const COMPONENT = { weight: 1, mean: [3, -2], covariance: [[4, 1.5], [1.5, 1]], tails: null };

test("an ellipse is one of equal Mahalanobis distance", () => {
  const { x, y } = ellipse(COMPONENT, [0, 1], 2);
  const [[a, b], [, c]] = COMPONENT.covariance;
  const determinant = a * c - b * b;
  x.forEach((value, i) => {
    const [dx, dy] = [value - 3, y[i] + 2];
    const squared = (c * dx * dx - 2 * b * dx * dy + a * dy * dy) / determinant;
    assert.ok(Math.abs(squared - 4) < 1e-9);
  });
  const flat = ellipse({ mean: [0, 0], covariance: [[0, 0], [0, 1]] }, [0, 1], 1);
  assert.ok(flat.x.every((value) => value === 0) && flat.y.every(Number.isFinite));
});

test("a density along a column, and on a grid, sums to one", () => {
  let sum = 0;
  for (let value = -17; value <= 23; value += 0.01) sum += 0.01 * densityAlong(value, COMPONENT, 0);
  assert.ok(Math.abs(sum - 1) < 1e-6);
  const grid = mixtureGrid([COMPONENT], [0, 1], [-17, 23], [-12, 8], 401, 401);
  const total = grid.values.reduce((all, value) => all + value, 0) * (40 / 400) * (20 / 400);
  assert.ok(Math.abs(total - 1) < 1e-6);
  assert.equal(grid.peak, grid.values.toSorted().at(-1));
});

test("a flat component is left out of the grid", () => {
  const flat = { ...COMPONENT, covariance: [[1, 1], [1, 1]] };
  assert.equal(mixtureGrid([flat], [0, 1], [0, 1], [0, 1], 3, 3).peak, 0);
});

test("contours of a plane are straight lines at the level", () => {
  const [columns, rows] = [5, 4];
  const values = Float64Array.from({ length: columns * rows }, (_, at) => at % columns);
  const segments = contourSegments({ values, columns, rows }, 2.25);
  assert.equal(segments.length, rows - 1);
  for (const [x0, , x1] of segments) assert.deepEqual([x0, x1], [2.25, 2.25]);
  assert.deepEqual(contourSegments({ values, columns, rows }, 99), []);
});
