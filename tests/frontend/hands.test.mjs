import assert from "node:assert/strict";
import { test } from "node:test";
import { script } from "./scripts.mjs";

const { rounded } = await script("hands");

test("a place is as exact as it can be pointed at", () => {
  assert.equal(rounded(3.14159265, 5), 3.142);
  assert.equal(rounded(61.0123, 50), 61.01);
  assert.equal(rounded(0.00012345678, 0.0003), 0.0001235);
  assert.equal(rounded(123456.7, 90_000), 123457);
  assert.equal(rounded(-2.5, 0), -2.5);
});
