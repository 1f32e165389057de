// The density that the player draws of a picture, along an axis and on a grid: see test_densities.py.

import { readFileSync } from "node:fs";
import { script } from "./scripts.mjs";

const { decode, componentAt } = await script("decode");
const { densityAlong, mixtureGrid } = await script("density");
const picture = await decode(new Uint8Array(readFileSync(process.argv[2])));
const parts = picture.components.map((_, k) => componentAt(picture, picture.frames - 1, k));
const [x, y] = JSON.parse(process.argv[3]);
const along = x.map((value) =>
  parts.reduce((sum, part) => sum + part.weight * densityAlong(value, part, 0), 0));
const grid = y.length
  ? mixtureGrid(parts, [0, 1], [x[0], x.at(-1)], [y[0], y.at(-1)], x.length, y.length)
  : { values: [] };
console.log(JSON.stringify({ along, grid: Array.from(grid.values) }));
