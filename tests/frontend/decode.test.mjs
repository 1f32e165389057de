// What Python packs, read by the player: tests/app/player/test_frontend.py says what it should be.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { script } from "./scripts.mjs";

const { decode, openEnvelope, posteriorOf, componentAt } = await script("decode");
const { describeFrame, describePoint } = await script("pointer");
const read = (name) => readFileSync(join(process.env.PACKED, name));
const expected = JSON.parse(read("expected.json"));
const picture = await decode(new Uint8Array(read("picture")));

const near = (found, wanted, tolerance) => {
  assert.equal(found.length, wanted.length);
  wanted.forEach((value, i) => assert.ok(Math.abs(found[i] - value) <= tolerance, `${i}: ${found[i]}, not ${value}`));
};

test("text, curves and numbers of rows are as they were", () => {
  for (const name of ["run", "columns", "components", "phases", "captions", "frames", "levels"]) {
    assert.deepEqual(picture[name], expected[name], name);
  }
  for (const name of ["elbo", "log_likelihood", "rows", "iterations"]) {
    assert.deepEqual([...picture[name]], expected[name], name);
  }
});

test("points are where they were, to a step of their grid", () => {
  expected.positions.forEach((column, axis) => {
    const places = [...picture.positions[axis]].map((at) => picture.low[axis] + (picture.span[axis] * at) / 65535);
    near(places, column, picture.span[axis] / 65535);
  });
});

test("every posterior of every half-step is as it was", () => {
  expected.posteriors.forEach(({ first, second, level }, frame) => {
    const found = posteriorOf(picture, frame);
    assert.deepEqual([...found.first], first, `first at ${frame}`);
    assert.deepEqual([...found.second], second, `second at ${frame}`);
    assert.deepEqual([...found.level], level, `level at ${frame}`);
  });
});

test("weights, means and covariances are in the units of the data", () => {
  expected.parameters.forEach((components, frame) => {
    components.forEach(({ weight, mean, covariance }, k) => {
      const found = componentAt(picture, frame, k);
      const size = Math.max(...covariance.flat().map(Math.abs));
      near([found.weight], [weight], 1e-6);
      near(found.mean, mean, 1e-5 * Math.max(...picture.span));
      near(found.covariance.flat(), covariance.flat(), 1e-5 * size);
    });
  });
});

test("an envelope is its wishes and its payload", () => {
  const wishes = new TextEncoder().encode('{"frame": 3, "name": "ü"}');
  const bytes = new Uint8Array(4 + wishes.length + 2);
  new DataView(bytes.buffer).setUint32(0, wishes.length, true);
  bytes.set(wishes, 4);
  bytes.set([7, 8], 4 + wishes.length);
  const opened = openEnvelope(bytes);
  assert.deepEqual(opened.wishes, { frame: 3, name: "ü" });
  assert.deepEqual([...opened.payload], [7, 8]);
});

test("a half-step and a point are told in words", () => {
  const [phase, likelihood, bound, gap] = describeFrame(picture, 1);
  const number = (text) => Number(text.split(": ")[1].replaceAll(",", "").replace("−", "-"));
  assert.equal(phase, "M-step 1");
  near([number(likelihood), number(bound)], [expected.log_likelihood[1], expected.elbo[1]], 5e-3);
  assert.ok(number(gap) > 0);
  const frame = picture.frames - 1;
  const sure = [...posteriorOf(picture, frame).first].map((k, i) => k === posteriorOf(picture, frame).second[i]);
  const lines = describePoint(picture, frame, sure.indexOf(true));
  assert.match(lines[0], /^row [\d,]+$/);
  assert.match(lines.at(-1), /^component \d: about 100\s%$/);
  const doubtful = describePoint(picture, frame, sure.indexOf(false));
  assert.match(doubtful.at(-2), /^component \d: about \d+\s%$/);
  assert.match(doubtful.at(-1), /^component \d: most of the rest$/);
});
