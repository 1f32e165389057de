// What Python packs, read by the player: tests/app/player/test_frontend.py says what it should be.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { script } from "./scripts.mjs";

const { BEGINNING, captionOf, componentAt, decode, nameOfFrame, openEnvelope, posteriorOf } = await script("decode");
const { date, describeFrame, describePoint, explained } = await script("pointer");
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

test("before the first E-step the parameters are those of the start, and no point belongs anywhere", () => {
  assert.equal(picture.first, BEGINNING);
  assert.deepEqual(componentAt(picture, BEGINNING, 1), componentAt(picture, 0, 1));
  assert.deepEqual([BEGINNING, 0].map((frame) => posteriorOf(picture, frame).known), [false, true]);
  assert.deepEqual(
    [BEGINNING, 0, 1, 2].map((frame) => nameOfFrame(picture, frame)),
    ["before the first E-step", "E-step 0", "M-step 1", "E-step 1"],
  );
  assert.equal(captionOf(picture, BEGINNING), picture.before);
  assert.equal(captionOf(picture, 0), picture.captions[0]);
  assert.ok(!describePoint(picture, BEGINNING, 0).some((line) => line.includes("%")));
  assert.ok(describePoint(picture, 0, 0).some((line) => line.includes("%")));
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

test("what columns are in words stands below what names them", () => {
  const words = { Q1: "Sweet?", Q10: "Sour?", "Größe": "How tall?" };
  assert.deepEqual(explained(["row 1", "Q10: 3"], words), ["row 1", "Q10: 3", "Q10: Sour?"]);
  assert.deepEqual(explained(["(Q1), Größen"], words).slice(1), ["Q1: Sweet?"]);
  assert.deepEqual(explained(["log(Größe)"], words).slice(1), ["Größe: How tall?"]);
  assert.equal(explained(null, words), null);
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
  const named = { ...picture, names: Array(picture.points).fill("flower 7"), moments: [[0, "May"]] };
  assert.match(describePoint(named, frame, 0)[0], /^flower 7 \(row [\d,]+\)$/);
  assert.ok(!describePoint(named, frame, 0).some((line) => line.startsWith(`${picture.columns[0]}:`)));
  assert.match(describePoint({ ...named, names: Array(picture.points).fill("") }, frame, 0)[0], /^row/);
  const doubtful = describePoint(picture, frame, sure.indexOf(false));
  assert.match(doubtful.at(-2), /^component \d: about \d+\s%$/);
  assert.match(doubtful.at(-1), /^component \d: most of the rest$/);
});

test("a date is said to the minute where rows are near each other", () => {
  const day = 86_400_000;
  assert.equal(date(19_080 * day, 400 * day), "2022-03-29");
  assert.equal(date(19_080 * day + 1, 20 * day), "2022-03-29");
  assert.equal(date(19_080.5 * day, 20 * day), "2022-03-29 12:00");
});
