// A guess held against what came.

import assert from "node:assert/strict";
import { test } from "node:test";
import { script } from "./scripts.mjs";

const { outcomeOfMean, outcomeOfRace } = await script("guess");

test("a guess of a mean is told with its distance, in the units of the data", () => {
  const columns = [
    { name: "eruptions (min)", span: 3.5, guessed: 2.5, came: 3.064 },
    { name: "waiting (min)", span: 53, guessed: 60, came: 64.6 },
  ];
  assert.equal(
    outcomeOfMean(0, columns),
    "mean 1 went to eruptions (min) 3.064, waiting (min) 64.6; the guess was off by 0.564 in eruptions (min) and " +
      "4.6 in waiting (min), 4.63 in a straight line.",
  );
  assert.equal(
    outcomeOfMean(2, [{ name: "x", span: 10, guessed: -1, came: 1 }]),
    "mean 3 went to x 1; the guess was off by 2 in x.",
  );
});

test("a guess of a race is told right or wrong, and where nobody wins", () => {
  assert.equal(outcomeOfRace([-100, -132.37], 0), "The first ends higher, as guessed: at −100.00 nats, 32.37 above the other.");
  assert.match(outcomeOfRace([-132.37, -100], 0), /^The second ends higher, not the first, as was guessed:/);
  assert.equal(outcomeOfRace([-100, -100.001], 1), "Both end at −100.00 nats: neither is higher.");
});
