// A drawing context that keeps what is drawn as SVG: what paints on a canvas paints shapes with it.
//
// It has what the painters use of CanvasRenderingContext2D. Units are CSS pixels.

import { writable } from "./decode.js";

const ROUND = 100; // places to a hundredth of a pixel
const FONT = /^(?:(\d+|bold) )?([\d.]+)px (.*)$/;
const ANCHORS = { left: "start", center: "middle", right: "end" };
// Where the baseline is below the place given, in font sizes. Few programs know SVG's own names.
const DROPS = { alphabetic: 0, middle: 0.35, bottom: -0.22 };

export class SvgContext {
  /** `name` begins the names of what is referred to, so that drawings can stand side by side. */
  constructor(name) {
    Object.assign(this, {
      name, parts: [], states: [], clips: 0, groups: 0, path: [], circle: null, rectangle: null,
      fillStyle: "#000", strokeStyle: "#000", lineWidth: 1, lineCap: "butt", lineJoin: "miter",
      globalAlpha: 1, font: "10px sans-serif", textAlign: "left", textBaseline: "alphabetic", dash: [],
    });
  }

  get text() {
    return this.parts.join("");
  }

  save() {
    const { fillStyle, strokeStyle, lineWidth, lineCap, lineJoin, globalAlpha, font, textAlign, textBaseline, dash } = this;
    this.states.push({
      fillStyle, strokeStyle, lineWidth, lineCap, lineJoin, globalAlpha, font, textAlign, textBaseline, dash,
      groups: this.groups,
    });
    this.groups = 0;
  }

  restore() {
    this.parts.push("</g>".repeat(this.groups));
    Object.assign(this, this.states.pop());
  }

  open(attributes) {
    this.parts.push(`<g ${attributes}>`);
    this.groups += 1;
  }

  translate(x, y) {
    this.open(`transform="translate(${places(x, y)})"`);
  }

  scale(x, y) {
    if (x !== 1 || y !== 1) this.open(`transform="scale(${x} ${y})"`);
  }

  clip() {
    const id = `${this.name}-${this.clips++}`;
    this.parts.push(`<clipPath id="${id}">${this.shape()}</clipPath>`);
    this.open(`clip-path="url(#${id})"`);
  }

  setLineDash(dash) {
    this.dash = dash;
  }

  // ---- paths ----------------------------------------------------------------------------------

  beginPath() {
    [this.path, this.circle, this.rectangle] = [[], null, null];
  }

  moveTo(x, y) {
    this.path.push(`M${places(x, y)}`);
  }

  lineTo(x, y) {
    this.path.push(`${this.path.length ? "L" : "M"}${places(x, y)}`);
  }

  closePath() {
    this.path.push("Z");
  }

  rect(x, y, width, height) {
    this.rectangle = this.path.length ? null : [x, y, width, height];
    this.path.push(`M${places(x, y)}h${place(width)}v${place(height)}h${place(-width)}Z`);
  }

  /** Painters draw whole circles only. */
  arc(x, y, radius) {
    this.circle = this.path.length ? null : [x, y, radius];
    const half = (end) => `A${places(radius, radius)} 0 0 1 ${places(end, y)}`;
    this.lineTo(x + radius, y);
    this.path.push(half(x - radius), half(x + radius), "Z");
  }

  /** The current path as an element, with these attributes. */
  shape(attributes = "") {
    if (this.circle && this.path.length === 4) {
      const [x, y, radius] = this.circle;
      return `<circle cx="${place(x)}" cy="${place(y)}" r="${place(radius)}"${attributes}/>`;
    }
    if (this.rectangle && this.path.length === 1) return box(...this.rectangle, attributes);
    return `<path d="${this.path.join("")}"${attributes}/>`;
  }

  fill() {
    if (this.path.length) this.parts.push(this.shape(this.filling()));
  }

  stroke() {
    if (this.path.length) this.parts.push(this.shape(this.stroking()));
  }

  fillRect(x, y, width, height) {
    this.parts.push(box(x, y, width, height, this.filling()));
  }

  strokeRect(x, y, width, height) {
    this.parts.push(box(x, y, width, height, this.stroking()));
  }

  filling() {
    return paint("fill", this.fillStyle, this.globalAlpha);
  }

  stroking() {
    const { lineWidth, lineCap, lineJoin, dash } = this;
    const more = [` fill="none" stroke-width="${place(lineWidth)}"`];
    if (lineCap !== "butt") more.push(` stroke-linecap="${lineCap}"`);
    if (lineJoin !== "miter") more.push(` stroke-linejoin="${lineJoin}"`);
    if (dash.length) more.push(` stroke-dasharray="${dash.join(" ")}"`);
    return paint("stroke", this.strokeStyle, this.globalAlpha) + more.join("");
  }

  // ---- text -----------------------------------------------------------------------------------

  fillText(text, x, y) {
    this.parts.push(this.words(text, x, y, this.filling()));
  }

  strokeText(text, x, y) {
    this.parts.push(this.words(text, x, y, this.stroking()));
  }

  words(text, x, y, attributes) {
    const [, weight, size, family] = FONT.exec(this.font);
    const top = y + DROPS[this.textBaseline] * size;
    const font = `font-family="${escape(family)}" font-size="${size}"${weight ? ` font-weight="${weight}"` : ""}`;
    const where = `x="${place(x)}" y="${place(top)}" text-anchor="${ANCHORS[this.textAlign]}"`;
    return `<text ${where} ${font}${attributes}>${escape(text)}</text>`;
  }
}

function box(x, y, width, height, attributes) {
  const size = `width="${place(Math.max(0, width))}" height="${place(Math.max(0, height))}"`;
  return `<rect x="${place(x)}" y="${place(y)}" ${size}${attributes}/>`;
}

/** A colour and its opacity as two attributes: not every program knows colours with both. */
function paint(what, colour, alpha) {
  const [, numbers] = /^rgba?\((.*)\)$/.exec(colour) ?? [];
  const [red, green, blue, own = 1] = numbers?.split(/[\s,/]+/).map(Number) ?? [];
  const opacity = Math.round(1000 * alpha * own) / 1000;
  const plain = numbers ? `rgb(${red},${green},${blue})` : colour;
  return ` ${what}="${plain}"${opacity < 1 ? ` ${what}-opacity="${opacity}"` : ""}`;
}

function place(value) {
  return Math.round(value * ROUND) / ROUND;
}

function places(...values) {
  return values.map(place).join(" ");
}

export function escape(text) {
  return writable(String(text)).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
