// Colours of points and of ink.

import assert from "node:assert/strict";
import { test } from "node:test";
import { script } from "./scripts.mjs";

const { css, fade, inkOn, mix, pointColours, rgb } = await script("theme");
const PALETTE = ["#0072b2", "#e69f00", "#009e73"];
const THEME = { colour: (k) => PALETTE[k % PALETTE.length], grey: "#9a9a9a" };
const LEVELS = 17;
const at = (table, first, second, level, n = 3) => {
  const pixel = table[(first * n + second) * LEVELS + level];
  return [pixel & 255, (pixel >> 8) & 255, (pixel >> 16) & 255];
};

test("a sure point has the colour of its component, whatever the mode", () => {
  for (const mode of ["blended", "certainty"]) {
    const table = pointColours(THEME, mode, 3, LEVELS);
    PALETTE.forEach((colour, k) => assert.deepEqual(at(table, k, k, LEVELS - 1), rgb(colour)));
  }
});

test("halfway between two components is the same from both sides, and as bright as they are", () => {
  const table = pointColours(THEME, "blended", 3, LEVELS);
  assert.deepEqual(at(table, 0, 1, 8), at(table, 1, 0, 8));
  const light = (colour) => colour.reduce((sum, part) => sum + part * part, 0);
  const [a, b] = [rgb(PALETTE[0]), rgb(PALETTE[1])];
  assert.ok(Math.abs(light(mix(a, b, 0.5)) - (light(a) + light(b)) / 2) < 1e-6);
  assert.deepEqual(mix(a, b, 1).map(Math.round), a);
});

test("a point as likely everywhere is grey by certainty; one component alone is never", () => {
  const grey = at(pointColours(THEME, "certainty", 2, LEVELS), 0, 1, 8, 2);
  assert.deepEqual(grey, rgb(THEME.grey));
  const alone = pointColours(THEME, "certainty", 1, LEVELS);
  for (const level of [0, LEVELS - 1]) assert.deepEqual(at(alone, 0, 0, level, 1), rgb(PALETTE[0]));
});

test("ink is black on light and white on dark", () => {
  assert.deepEqual(["#ffffff", "#e69f00", "#0072b2", "#000000"].map(inkOn), ["#111111", "#111111", "#ffffff", "#ffffff"]);
  assert.equal(fade("#0072b2", 0.5), "rgba(0,114,178,0.5)");
  assert.equal(css([0.4, 1.6, 255]), "rgba(0,2,255,1)");
});
