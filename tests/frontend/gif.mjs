// Writes an animation of the frames in a file, raw pixels of so many by so many: see test_frontend.py.

import { readFileSync, writeFileSync } from "node:fs";
import { script } from "./scripts.mjs";

const { choosePalette, GifWriter } = await script("gif");
const [from, to, width, height] = process.argv.slice(2);
const bytes = new Uint8Array(readFileSync(from));
const size = width * height * 4;
const frames = Array.from({ length: bytes.length / size }, (_, i) => ({
  data: bytes.slice(i * size, (i + 1) * size),
}));
const writer = new GifWriter(Number(width), Number(height), choosePalette(frames));
frames.forEach((frame, i) => writer.add(frame, 100 * (i + 1)));
writeFileSync(to, new Uint8Array(await writer.finish().arrayBuffer()));
