// The second run of a race: its picture beside the first one's, on the same clock.

import { BEGINNING, posteriorOf } from "./decode.js";
import { number } from "./numbers.js";
import { plannedAxes, plotConfig } from "./plots.js";
import { describePoint, explained, onHover } from "./pointer.js";
import { PointPainter } from "./points.js";
import { Stage } from "./stage.js";

const MOST_RINGS = 3000; // more than these are a grey cloud, and slow

export class Rival {
  constructor(root) {
    this.plot = root.querySelector('[data-plot="rival"]');
    this.section = this.plot.closest("section");
    this.painter = new PointPainter(this.plot.querySelector("canvas"));
    this.picture = null;
    this.frame = 0;
    onHover(this.plot, (x, y) => {
      const found = this.stage ? this.painter.nearest(x, y) : null;
      if (found === null) return null;
      return explained(describePoint(this.picture, this.frame, found), this.picture.words);
    });
  }

  adopt(picture) {
    this.picture = picture;
    this.section.hidden = !picture;
    this.stage = null;
    if (picture) this.painter.setPicture(picture);
  }

  setTheme(theme, colourMode) {
    if (this.picture) this.painter.setTheme(theme, colourMode);
  }

  async draw(plotly, theme, view) {
    const { picture, plot } = this;
    if (!picture) return;
    this.setTheme(theme, view.colour);
    const stage = new Stage(picture, theme, this.painter);
    this.layout = stage.layout(plot.clientWidth, plot.clientHeight);
    const axes = plot.querySelector(".emx-axes");
    await plotly.react(axes, stage.traces(), this.layout, plotConfig());
    this.stage = stage;
    plot.setAttribute("aria-label", `The second run: ${number(picture.points)} points`);
    this.readAxes();
    if (this.listening) return;
    this.listening = true;
    for (const event of ["plotly_relayouting", "plotly_afterplot"]) {
      axes.on(event, () => {
        this.readAxes();
        this.repaint?.();
      });
    }
  }

  readAxes() {
    if (!this.stage) return;
    const drawn = this.plot.querySelector(".emx-axes")._fullLayout;
    const axesOf = (suffix) =>
      drawn ? { x: drawn[`xaxis${suffix}`], y: drawn[`yaxis${suffix}`] } : plannedAxes(this.layout, suffix);
    const axes = this.stage.entries.map((entry) => ({ ...entry, ...axesOf(entry.suffix) }));
    if (axes.every(({ x }) => x)) this.painter.setAxes(axes);
  }

  /** The points that belong elsewhere in this run than in the first, or null outside a race. */
  disagreement(first, frame) {
    if (!this.picture || !first.points || first.points !== this.picture.points) return null;
    if (frame === BEGINNING) return null;
    const mine = posteriorOf(this.picture, Math.min(frame, this.picture.frames - 1)).first;
    const theirs = posteriorOf(first, frame).first;
    const found = [];
    for (let i = 0; i < mine.length && found.length < MOST_RINGS; i++) {
      if (mine[i] !== theirs[i]) found.push(i);
    }
    return found;
  }

  paint(frame, view, rings) {
    if (!this.stage) return;
    this.frame = Math.min(frame, this.picture.frames - 1);
    this.repaint = () => this.painter.paint(this.frame, view, null, rings);
    this.repaint();
  }
}
