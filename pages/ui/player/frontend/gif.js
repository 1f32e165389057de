// An animated GIF, written as it is made: a palette of the colours most used, then frame after frame.

const TRANSPARENT = 255; // the pixels that stay as in the frame before
const MOST_COLOURS = 255;

/** Buckets of 32 shades for each of red, green and blue. */
const bucket = (pixel) => ((pixel & 0xf8) << 7) | ((pixel & 0xf800) >> 6) | ((pixel & 0xf80000) >> 19);

/** The most used colours of some frames (ImageData), each the mean of its bucket. */
export function choosePalette(frames) {
  const count = new Float64Array(1 << 15);
  const sums = [new Float64Array(1 << 15), new Float64Array(1 << 15), new Float64Array(1 << 15)];
  for (const { data } of frames) {
    const pixels = new Uint32Array(data.buffer);
    for (const pixel of pixels) {
      const b = bucket(pixel);
      count[b]++;
      sums[0][b] += pixel & 255;
      sums[1][b] += (pixel >> 8) & 255;
      sums[2][b] += (pixel >> 16) & 255;
    }
  }
  return [...count.keys()]
    .filter((b) => count[b])
    .sort((a, b) => count[b] - count[a])
    .slice(0, MOST_COLOURS)
    .map((b) => sums.map((sum) => Math.round(sum[b] / count[b])));
}

export class GifWriter {
  constructor(width, height, palette) {
    Object.assign(this, { width, height, palette });
    this.parts = [];
    this.nearest = new Int16Array(1 << 15).fill(-1);
    const table = new Uint8Array(256 * 3);
    palette.forEach((colour, i) => table.set(colour, 3 * i));
    const loopForever = [0x21, 0xff, 11, ...bytesOf("NETSCAPE2.0"), 3, 1, 0, 0, 0];
    this.push([...bytesOf("GIF89a"), ...short(width), ...short(height), 0xf7, 0, 0], table, loopForever);
  }

  push(...parts) {
    for (const part of parts) this.parts.push(Uint8Array.from(part));
  }

  /** One frame (ImageData), shown for so many milliseconds. */
  add({ data }, milliseconds) {
    const pixels = new Uint32Array(data.buffer);
    const indices = new Uint8Array(pixels.length);
    for (let i = 0; i < pixels.length; i++) indices[i] = this.indexOf(pixels[i]);
    const shown = indices.slice();
    if (this.before) {
      for (let i = 0; i < indices.length; i++) if (indices[i] === this.before[i]) shown[i] = TRANSPARENT;
    }
    this.before = indices;
    const delay = short(Math.max(2, Math.round(milliseconds / 10)));
    this.push([0x21, 0xf9, 4, 0x05, ...delay, TRANSPARENT, 0]);
    this.push([0x2c, 0, 0, 0, 0, ...short(this.width), ...short(this.height), 0]);
    this.parts.push(compress(shown));
  }

  indexOf(pixel) {
    const b = bucket(pixel);
    if (this.nearest[b] < 0) {
      const [red, green, blue] = [pixel & 255, (pixel >> 8) & 255, (pixel >> 16) & 255];
      let best = Infinity;
      this.palette.forEach(([r, g, p], i) => {
        const distance = (r - red) ** 2 + (g - green) ** 2 + (p - blue) ** 2;
        if (distance < best) [best, this.nearest[b]] = [distance, i];
      });
    }
    return this.nearest[b];
  }

  finish() {
    this.push([0x3b]);
    return new Blob(this.parts, { type: "image/gif" });
  }
}

/** Lempel-Ziv-Welch with 8-bit symbols, in blocks of 255 bytes. */
function compress(indices) {
  const CLEAR = 256;
  const END = 257;
  // (round << 12 | code) by (prefix, symbol): a new round forgets without being emptied.
  const table = new Int32Array(4096 * 256);
  const out = [];
  let [bits, held, size, next, round] = [0, 0, 9, 258, 1];
  const write = (code) => {
    bits |= code << held;
    held += size;
    while (held >= 8) {
      out.push(bits & 255);
      bits >>>= 8;
      held -= 8;
    }
  };
  write(CLEAR);
  let prefix = indices[0];
  for (let i = 1; i < indices.length; i++) {
    const place = (prefix << 8) | indices[i];
    const entry = table[place];
    if (entry >>> 12 === round) {
      prefix = entry & 4095;
      continue;
    }
    write(prefix);
    prefix = indices[i];
    if (next === 4096) {
      write(CLEAR);
      [size, next, round] = [9, 258, round + 1];
    } else {
      if (next === 1 << size) size++;
      table[place] = (round << 12) | next++;
    }
  }
  write(prefix);
  write(END);
  if (held) out.push(bits & 255);
  const blocks = [8];
  for (let i = 0; i < out.length; i += 255) {
    const block = out.slice(i, i + 255);
    blocks.push(block.length, ...block);
  }
  blocks.push(0);
  return Uint8Array.from(blocks);
}

function bytesOf(text) {
  return [...text].map((letter) => letter.charCodeAt(0));
}

function short(value) {
  return [value & 255, value >> 8];
}
