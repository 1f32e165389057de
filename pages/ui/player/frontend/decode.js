// Reads what pages/ui/pictures/payload.py packs.

const ALIGNMENT = 8;
/** The frame before the first E-step: the data as they come, and the parameters of the start. */
export const BEGINNING = -1;
const TYPES = { float64: Float64Array, float32: Float32Array, uint32: Uint32Array, uint16: Uint16Array, uint8: Uint8Array };
const TEXT = new TextDecoder();
// What XML has no place for: control characters, and halves of pairs.
const STRANGE = /[^\t\n\r\x20-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu;

/** Text that can be written into a picture: Plotly's axes are SVG, and so are those that are saved. */
export function writable(text) {
  return text.replace(STRANGE, "\ufffd");
}

function parsed(bytes) {
  return JSON.parse(TEXT.decode(bytes), (_, value) => (typeof value === "string" ? writable(value) : value));
}

/** Takes apart what Python sends: a small JSON of wishes, then the packed picture. */
export function openEnvelope(bytes) {
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  const wishes = parsed(bytes.subarray(4, 4 + length));
  return { wishes, payload: bytes.subarray(4 + length) };
}

export async function decode(payload) {
  const runLength = new DataView(payload.buffer, payload.byteOffset).getUint32(4, true);
  const run = TEXT.decode(payload.subarray(8, 8 + runLength));
  const raw = await inflate(payload.subarray(8 + runLength));
  const headerLength = new DataView(raw.buffer).getUint32(0, true);
  const header = parsed(raw.subarray(4, 4 + headerLength));
  const arrays = {};
  let offset = 4 + headerLength;
  for (const [name, type, size] of header.arrays) {
    arrays[name] = new TYPES[type](raw.buffer, offset, size);
    offset += Math.ceil(arrays[name].byteLength / ALIGNMENT) * ALIGNMENT;
  }
  const d = header.columns.length;
  return {
    ...header,
    ...arrays,
    // A slice fills the panel as a matrix does: nothing in it is a point.
    matrices: header.slice ? [{ rows: [], columns: [], component: null }] : header.matrices,
    run,
    d,
    frames: header.phases.length,
    // Without a q there is no bound to be sliced.
    first: header.slice ? 0 : BEGINNING,
    rows: undoDifferences(arrays.rows),
    positions: joinBytePlanes(arrays.positions, d, header.points),
    posteriorBytes: undoDeltas(raw.subarray(offset), header.planes * header.points),
    ...placesOfMarks(header.charts),
  };
}

/** Where the numbers of each set of marks begin, among those that move or those that stay. */
function placesOfMarks(charts) {
  const used = { true: 0, false: 0 };
  for (const marks of charts.flatMap((chart) => chart.marks)) {
    marks.offset = used[marks.moves];
    used[marks.moves] += marks.count * marks.size;
  }
  return { markStride: used.true };
}

/** The numbers of a set of marks at a frame, `size` for each mark; places are shares of the axes. */
export function marksAt(picture, marks, frame) {
  const at = marks.moves ? parametersAt(picture, frame) * picture.markStride : 0;
  const from = at + marks.offset;
  return (marks.moves ? picture.marks : picture.still).subarray(from, from + marks.count * marks.size);
}

/** Fed by hand: a Blob's stream would go round by another process first. */
async function inflate(bytes) {
  const { readable, writable } = new DecompressionStream("deflate");
  const writer = writable.getWriter();
  writer.write(bytes).catch(() => {}); // the reader hears of it too
  writer.close().catch(() => {});
  return new Uint8Array(await new Response(readable).arrayBuffer());
}

function undoDifferences(values) {
  const sums = Uint32Array.from(values);
  for (let i = 1; i < sums.length; i++) sums[i] += sums[i - 1];
  return sums;
}

/** One Uint16Array per axis: 0 is the smallest value of the data, 65535 the largest. */
function joinBytePlanes(planes, d, n) {
  return Array.from({ length: d }, (_, axis) => {
    const values = new Uint16Array(n);
    for (let i = 0; i < n; i++) values[i] = (planes[axis * n + i] << 8) | planes[(d + axis) * n + i];
    return values;
  });
}

/** Each posterior was sent as its difference (XOR) from the one before. */
function undoDeltas(bytes, stride) {
  // Four bytes at a time where they line up: on a first visit this code is not yet compiled, and slow.
  const size = stride % 4 ? 1 : 4;
  const words = size === 4 ? new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4) : bytes;
  const step = stride / size;
  for (let i = step; i < words.length; i++) words[i] ^= words[i - step];
  return bytes;
}

/** Which of the distinct parameters a frame shows. */
export function parametersAt(picture, frame) {
  return picture.parameters[Math.max(frame, 0)];
}

/** What a frame is called: the half-step it shows. */
export function nameOfFrame({ phases, iterations }, frame) {
  if (frame === BEGINNING) return "before the first E-step";
  return `${phases[frame] === "M" ? "M" : "E"}-step ${iterations[frame]}`;
}

export function captionOf(picture, frame) {
  return frame === BEGINNING ? picture.before : picture.captions[frame];
}

export function flagsOf(picture, frame) {
  return picture.flags[frame] ?? [];
}

/** The posterior a frame shows: a byte a point and plane. Not `known` before the first E-step. */
export function posteriorOf(picture, frame) {
  const n = picture.points;
  const known = frame !== BEGINNING;
  const at = picture.posterior[Math.max(frame, 0)] * picture.planes * n;
  const plane = (index) => picture.posteriorBytes.subarray(at + index * n, at + (index + 1) * n);
  return {
    first: plane(0),
    second: plane(1),
    level: plane(2),
    path: picture.path && known ? plane(3) : null,
    size: picture.size && known ? plane(picture.planes - 1) : null,
    known,
  };
}

/** Weight, mean, covariance and tails of one component at a frame, in the units of the data. */
export function componentAt(picture, frame, k) {
  const { d, low, span, components } = picture;
  const at = parametersAt(picture, frame) * components.length + k;
  const triangle = (d * (d + 1)) / 2;
  const mean = low.map((origin, i) => origin + span[i] * picture.means[at * d + i]);
  const covariance = low.map(() => new Array(d));
  let next = at * triangle;
  for (let i = 0; i < d; i++) {
    for (let j = i; j < d; j++) {
      covariance[i][j] = covariance[j][i] = picture.covariances[next++] * span[i] * span[j];
    }
  }
  const tails = picture.degrees ? { degrees: picture.degrees[at], peak: picture.peaks[at] } : null;
  return { weight: picture.weights[at], mean, covariance, tails };
}
