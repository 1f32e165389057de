// A picture to take away: the panels as on screen, under a title and a legend, over what is told.

import { dashOf, meanPath } from "./canvas.js";
import { BEGINNING, captionOf, flagsOf } from "./decode.js";

const EDGE = 10; // px around everything
const LINE = 20; // px from one line of text to the next
const HEADING = 26; // px above panels that have names
const LETTER = 0.54; // of a letter, in font sizes, on average
const SWATCH = 26; // px of a key in the legend
const GAP = 18; // and after its name
const SIGNS = ["positive", "negative"]; // of shades with two colours, 0 and 1
const TITLE = 17;
const SMALL = 13;

/** The sheet of a player: where everything stands. Heights do not change from frame to frame. */
export class Sheet {
  static async of(player) {
    const sheet = new Sheet();
    Object.assign(sheet, { player, theme: player.theme, picture: player.picture, frame: player.frame });
    const panels = player.root.querySelector(".emx-panels");
    const whole = panels.getBoundingClientRect();
    const { scale } = player.filling;
    sheet.width = panels.offsetWidth + 2 * EDGE;
    const race = Boolean(player.rival.picture);
    sheet.panels = await Promise.all(
      panelsOf(player, race).map(async (panel) => {
        const box = panel.plot.getBoundingClientRect();
        const [width, height] = [panel.plot.offsetWidth, panel.plot.offsetHeight];
        const axes = panel.plot.querySelector(".emx-axes");
        const url = await player.plotly.toImage(axes, { format: "svg", width, height });
        return {
          ...panel, width, height,
          left: Math.round((box.left - whole.left) / scale) + EDGE,
          top: Math.round((box.top - whole.top) / scale),
          axes: decodeURIComponent(url.slice(url.indexOf(",") + 1)),
          image: await loadImage(url),
        };
      }),
    );
    sheet.layOut(race);
    return sheet;
  }

  layOut(race) {
    const { title, opening, first, frames } = this.picture;
    let top = EDGE;
    const block = (lines, size) => {
      const placed = lines.map((text, i) => ({ text, size, top: top + LINE * (i + 0.5) }));
      top += LINE * lines.length;
      return placed;
    };
    this.titles = title ? block(this.lines(title, TITLE), TITLE) : [];
    this.openingTop = top + LINE / 2;
    this.openings = opening ? opening.split("\n") : [];
    top += LINE * Math.max(1, this.openings.length);
    this.keys = this.legend(top);
    top = Math.max(top, ...this.keys.map((key) => key.top + LINE)) + EDGE / 2;
    const above = Math.min(...this.panels.map((panel) => panel.top)) - (race ? HEADING : 0) - top;
    for (const panel of this.panels) panel.top -= above;
    this.captionTop = Math.max(...this.panels.map((panel) => panel.top + panel.height)) + LINE / 2 + 4;
    const told = Array.from({ length: frames - first }, (_, i) => this.told(first + i).length);
    this.height = Math.round(this.captionTop + LINE * (Math.max(...told) - 0.5) + EDGE);
  }

  /** What is said of a frame, its warnings too, line by line. */
  told(frame) {
    const { picture } = this;
    const texts = [captionOf(picture, frame), ...flagsOf(picture, frame)];
    return texts.flatMap((text) => this.lines(text, SMALL));
  }

  /** What every colour and line stands for, in rows from `top` on. */
  legend(top) {
    const { picture } = this;
    const signed = picture.matrices.some((matrix) => matrix.low < 0);
    const names = picture.slice ? [] : picture.components;
    const keys = [
      ...names.map((name, k) => ({ name, paint: (...at) => this.paintComponent(k, ...at) })),
      ...(signed ? SIGNS.map((name, k) => ({ name, paint: (...at) => this.paintBlock(this.theme.colour(k), 1, ...at) })) : []),
      { name: "log-likelihood", paint: (...at) => this.paintLine(this.theme.text, 3, [], ...at) },
      { name: "ELBO", paint: (...at) => this.paintLine(this.theme.primary, 1.7, [], ...at) },
      ...(picture.slice ? [] : [{ name: "KL gap", paint: (...at) => this.paintBlock(this.theme.primary, 0.36, ...at) }]),
      ...(this.player.rival.picture
        ? [{ name: "second run", paint: (...at) => this.paintLine(this.theme.text, 2.4, [6, 4], ...at) }]
        : []),
    ];
    let left = EDGE;
    for (const key of keys) {
      const width = SWATCH + 6 + key.name.length * SMALL * LETTER;
      if (left > EDGE && left + width > this.width - EDGE) [left, top] = [EDGE, top + LINE];
      Object.assign(key, { left, top });
      left += width + GAP;
    }
    return keys;
  }

  paintComponent(k, context, left, middle) {
    const { theme } = this;
    context.beginPath();
    context.moveTo(left, middle);
    context.lineTo(left + SWATCH, middle);
    context.setLineDash(dashOf(k));
    context.strokeStyle = theme.lineColour(k);
    context.lineWidth = 2;
    context.stroke();
    context.setLineDash([]);
    meanPath(context, k, left + SWATCH / 2, middle, 6);
    context.fillStyle = theme.colour(k);
    context.strokeStyle = theme.background;
    context.lineWidth = 1.5;
    context.stroke();
    context.fill();
  }

  paintLine(colour, width, dash, context, left, middle) {
    context.beginPath();
    context.moveTo(left, middle);
    context.lineTo(left + SWATCH, middle);
    context.setLineDash(dash);
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.stroke();
    context.setLineDash([]);
  }

  paintBlock(colour, opacity, context, left, middle) {
    context.globalAlpha = opacity;
    context.fillStyle = colour;
    context.fillRect(left, middle - 6, SWATCH, 12);
    context.globalAlpha = 1;
  }

  /** Text in as many lines as it takes. */
  lines(text, size) {
    const most = Math.max(10, Math.floor((this.width - 2 * EDGE) / (size * LETTER)));
    const lines = [""];
    for (const word of text.split(" ")) {
      const longer = `${lines.at(-1)} ${word}`.trim();
      if (longer.length > most && lines.at(-1)) lines.push(word);
      else lines[lines.length - 1] = longer;
    }
    return lines;
  }

  /** All of it at a frame on a canvas: drawn anew, as sharp as the canvas is. */
  paintOn(context, frame) {
    this.paint(context, frame, ({ image, width, height }) => context.drawImage(image, 0, 0, width, height));
  }

  /** All of it at a frame; `paintAxes(panel)` paints the axes of a panel, in its own place. */
  paint(context, frame, paintAxes) {
    const { theme, picture, width, height } = this;
    context.fillStyle = theme.background;
    context.fillRect(0, 0, width, height);
    for (const panel of this.panels) {
      context.save();
      context.translate(panel.left, panel.top);
      panel.draw(context, frame);
      paintAxes(panel);
      context.restore();
    }
    const say = (text, left, middle, size, weight = "") => {
      context.fillStyle = theme.text;
      context.textAlign = "left";
      context.textBaseline = "middle";
      context.font = `${weight}${size}px ${theme.font}`;
      context.fillText(text, left, middle);
    };
    for (const { text, size, top } of this.titles) say(text, EDGE, top, size, "600 ");
    const shown = [...this.openings];
    shown.push(`${shown.pop() ?? ""} ${placeOf(picture, frame)}`.trim());
    shown.forEach((text, i) => say(text, EDGE, this.openingTop + LINE * i, SMALL));
    for (const { name, left, top, paint } of this.keys) {
      paint(context, left, top + LINE / 2);
      say(name, left + SWATCH + 6, top + LINE / 2, SMALL);
    }
    for (const { name, left, top } of this.panels) say(name, left + 8, top - HEADING / 2, 14, "600 ");
    this.told(frame).forEach((text, i) => say(text, EDGE, this.captionTop + LINE * i, SMALL));
  }
}

/** The panels of a player, what each is called, and what draws it at a frame. */
function panelsOf(player, race) {
  const { view, selected, rival } = player;
  const points = (painter, marked) => (context, frame) => {
    const own = Math.min(frame, painter.picture.frames - 1);
    painter.draw(context, own, view, marked, rival.disagreement(player.picture, frame));
  };
  const curves = (context, frame) => {
    const { clientWidth: width, clientHeight: height } = player.boundPlot;
    player.bound.draw(context, 1, width, height, player.axes(player.boundPlot, player.layouts[1]), frame);
  };
  const panels = [
    { plot: player.mixturePlot, name: race ? "First" : "", draw: points(player.painter, selected) },
    { plot: player.boundPlot, name: "", draw: curves },
  ];
  if (race) panels.push({ plot: rival.plot, name: "Second", draw: points(rival.painter, null) });
  return panels;
}

/** "M-step 2 of 14." */
function placeOf({ phases, iterations }, frame) {
  if (frame === BEGINNING) return "Before the first E-step.";
  if (phases[frame] === "start") return "At the start.";
  return `At ${phases[frame]}-step ${iterations[frame]} of ${iterations.at(-1)}.`;
}

function loadImage(url) {
  return new Promise((done, failed) => {
    const image = new Image();
    image.onload = () => done(image);
    image.onerror = failed;
    image.src = url;
  });
}
