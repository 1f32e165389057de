import assert from "node:assert/strict";
import { test } from "node:test";
import { script } from "./scripts.mjs";

const { magnification } = await script("filling");
const SMALLEST_TYPE = 12;

test("before a class no type is smaller than 20 pixels of the screen", () => {
  // Of a window, and how many pixels of the screen one of its own is: 2 where a page is enlarged to 200 %.
  for (const [width, height, ratio] of [[1280, 720, 1], [1024, 768, 1], [1920, 1080, 1], [640, 360, 2]]) {
    assert.ok(SMALLEST_TYPE * ratio * magnification(width, height) >= 20 - 1e-9);
  }
});

test("a small window is not filled with type too small to read", () => {
  assert.ok(SMALLEST_TYPE * magnification(390, 300) >= 10);
});
