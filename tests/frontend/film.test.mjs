// An animation in the size, the range and the speed that were asked for.

import assert from "node:assert/strict";
import { test } from "node:test";
import { script } from "./scripts.mjs";

const { framesOf, frameSize, lengthOf, nearestSpeed } = await script("film_choices");

test("a range holds its first and its last half-step, and what is before the first", () => {
  const shown = (from, to) => framesOf({ from, to, speed: 1 }).map(({ frame }) => frame);
  assert.deepEqual(shown(2, 5), [2, 3, 4, 5]);
  assert.deepEqual(shown(-1, 2), [-1, 0, 1, 2]);
  assert.deepEqual(shown(3, 3), [3]);
  assert.deepEqual(shown(-1, -1), [-1]);
  const long = shown(-1, 5000);
  assert.ok(long.length <= 245 && long[0] === -1 && long.at(-1) === 5000);
  assert.equal(new Set(long).size, long.length);
});

test("twice the speed is half the time, but for the rest on the last half-step", () => {
  const stays = (speed) => framesOf({ from: 0, to: 9, speed }).map(({ stay }) => stay);
  const [once, twice] = [stays(1), stays(2)];
  for (let i = 0; i < 9; i++) assert.equal(once[i], 2 * twice[i]);
  assert.equal(once[9], twice[9]);
  assert.equal(lengthOf({ from: 0, to: 0, speed: 1 }), "1 picture, about 2 seconds.");
});

test("a slide holds the whole sheet, as large as it fits; a share of it is of even size", () => {
  for (const sheet of [{ width: 831, height: 539 }, { width: 380, height: 1205 }]) {
    const { width, height, scale, left, top } = frameSize("1280x720", sheet);
    assert.deepEqual([width, height], [1280, 720]);
    assert.ok(left >= 0 && top >= 0 && Math.min(left, top) < 1e-9);
    assert.ok(Math.abs(2 * left + scale * sheet.width - 1280) < 1e-9);
    assert.ok(Math.abs(2 * top + scale * sheet.height - 720) < 1e-9);
  }
  const half = frameSize("0.5", { width: 831, height: 539 });
  assert.deepEqual([half.width, half.height, half.scale], [414, 268, 0.5]);
});

test("of the speeds there are the nearest is offered", () => {
  assert.deepEqual([0.1, 1.2, 16].map(nearestSpeed), [0.5, 1, 3]);
});
