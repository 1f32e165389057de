// Drawing on the canvas that lies under a transparent Plotly plot.
//
// Plotly owns the axes: ticks, titles, zoom and pan. What moves is painted here: Plotly.animate takes
// about 1.5 ms a trace, so two dozen ellipses, trails and curves would play at 20 frames a second.

// Colour alone must not tell components apart: they differ in dash and in the shape of their mean too.
const DASHES = [[], [8, 5], [2, 4], [9, 4, 2, 4], [15, 6], [15, 4, 2, 4, 2, 4]];
const CORNERS = [0, 4, 4, 6, 5, 3]; // 0: a circle
const SHARPEST = 3; // pixels of a canvas to one that is drawn in
const TURNS = [0, Math.PI / 4, 0, 0, -Math.PI / 2, -Math.PI / 2];

/** Gives the canvas one pixel for every pixel of the screen; returns how many that are per CSS pixel. */
export function fitCanvas(canvas) {
  const magnified = canvas.getBoundingClientRect().width / canvas.clientWidth || 1;
  const ratio = Math.min(Math.min(window.devicePixelRatio || 1, 2) * magnified, SHARPEST);
  canvas.width = Math.max(1, Math.round(canvas.clientWidth * ratio));
  canvas.height = Math.max(1, Math.round(canvas.clientHeight * ratio));
  return ratio;
}

/** Runs `draw` in CSS pixels, clipped to the inside of a pair of Plotly axes. */
export function insideAxes(context, ratio, { x, y }, draw) {
  context.save();
  context.scale(ratio, ratio);
  context.beginPath();
  context.rect(x._offset, y._offset, x._length, y._length);
  context.clip();
  draw();
  context.restore();
}

/** From units of the data to CSS pixels of the canvas. */
export function toPixels({ x, y }) {
  return { left: (value) => x._offset + x.l2p(value), top: (value) => y._offset + y.l2p(value) };
}

export function isInside(at, axis) {
  return at >= axis._offset && at <= axis._offset + axis._length;
}

/** Gridlines where Plotly has its ticks; under the points, unlike Plotly's own. */
export function paintGrid(context, colour, axes, withX = true, withY = true) {
  const { x, y } = axes;
  const at = toPixels(axes);
  context.fillStyle = colour;
  for (const tick of (withX && x._vals) || []) {
    const left = Math.round(at.left(tick.x));
    if (isInside(left, x)) context.fillRect(left, y._offset, 1, y._length);
  }
  for (const tick of (withY && y._vals) || []) {
    const top = Math.round(at.top(tick.x));
    if (isInside(top, y)) context.fillRect(x._offset, top, x._length, 1);
  }
}

/** A path through places given in pixels. */
export function tracePath(context, lefts, tops) {
  context.beginPath();
  for (let i = 0; i < lefts.length; i++) context.lineTo(lefts[i], tops[i]);
}

/** Strokes the current path over a halo of the background, so that it stands out from the points. */
export function strokeWithHalo(context, { colour, halo, width, dash = [] }) {
  context.lineJoin = "round";
  context.setLineDash([]);
  context.lineWidth = width + 2;
  context.strokeStyle = halo;
  context.stroke();
  context.setLineDash(dash);
  context.lineWidth = width;
  context.strokeStyle = colour;
  context.stroke();
  context.setLineDash([]);
}

export function dashOf(k) {
  return DASHES[k % DASHES.length];
}

/** The outline of a component's mean marker, as the current path. */
export function meanPath(context, k, left, top, radius) {
  const corners = CORNERS[k % CORNERS.length];
  const turn = TURNS[k % TURNS.length];
  context.beginPath();
  if (!corners) {
    context.arc(left, top, radius, 0, 2 * Math.PI);
    return;
  }
  const reach = radius * (corners === 3 ? 1.45 : corners === 4 ? 1.22 : 1.12);
  for (let c = 0; c < corners; c++) {
    const angle = turn + (2 * Math.PI * c) / corners;
    context.lineTo(left + reach * Math.cos(angle), top + reach * Math.sin(angle));
  }
  context.closePath();
}

/** A heading above the left end of a pair of axes, outside of them. */
export function paintHeading(context, theme, { x, y }, text) {
  context.fillStyle = theme.text;
  context.font = `600 13px ${theme.font}`;
  context.textAlign = "left";
  context.textBaseline = "bottom";
  context.fillText(text, x._offset, y._offset - 3);
}
