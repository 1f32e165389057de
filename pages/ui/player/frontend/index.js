// The animation player: one picture, two panels, one clock. Python sends bytes, the rest happens here.

import { BoundFigure } from "./bound.js";
import { MARKUP, connectControls, keepFocus, showControls, showKeys } from "./controls.js";
import { BEGINNING, captionOf, decode, flagsOf, openEnvelope } from "./decode.js";
import { Filling } from "./filling.js";
import { frameDuration } from "./film_choices.js";
import { Guess } from "./guess.js";
import { Hands } from "./hands.js";
import { number } from "./numbers.js";
import { savePicture } from "./pictures.js";
import { fetchPlotly, loadPlotly, plannedAxes, plotConfig, serverBase } from "./plots.js";
import { describeFrame, describePoint, explained, onClick, onHover } from "./pointer.js";
import { PointPainter } from "./points.js";
import { Rival } from "./rival.js";
import { Stage } from "./stage.js";
import { readTheme } from "./theme.js";

const REPORT_AFTER = 250; // ms of rest before Python hears of a frame
const PLACING = "Drag a mean to where it is to start. A click adds one, and a click on one takes it away.";
const ANNOUNCE_AFTER = 1500; // ms between announcements while playing

// A page switch takes the player down; what was being looked at survives, by run.
const remembered = (globalThis.__emPlayerMemory ??= new Map());
// The last of the page's calls for a look at a player that was answered.
const answered = (globalThis.__emPlayerCalls ??= { calls: 0 });

/** Called while Python still makes the picture. */
export function preload(plotlyUrl) {
  fetchPlotly(serverBase() + plotlyUrl);
}

/** Streamlit calls this at every rerun with the same element: the player lives on the element. */
/**
 * Where a page has a part of its own that hears of the view, that is told of it and not the player's:
 * it draws nothing, and all else that hangs on the player need not be sent again.
 */
let viewListener = null;

export function tellOfTheView(component) {
  viewListener = component;
}

export function mount(component) {
  const host = component.parentElement;
  const root = host.querySelector(".emx");
  root.__player ??= new Player(root);
  root.__player.receive(component);
  return () => {
    // Also called for a superseded run of the script while still mounted: look again a moment later.
    setTimeout(() => {
      if (!root.isConnected && root.__player) {
        root.__player.destroy();
        delete root.__player;
      }
    });
  };
}

class Player {
  constructor(root) {
    this.root = root;
    this.frame = 0;
    this.frames = 0;
    this.painted = 0;
    this.playing = false;
    this.selected = null;
    this.view = {
      colour: "blended", contours: false, uncertainty: false, curve: "likelihood", speed: 1, loop: false, window: "page",
      hidden: false,
    };
    this.queue = Promise.resolve();
    this.calm = matchMedia("(prefers-reduced-motion: reduce)");
    root.innerHTML = MARKUP;
    this.mixturePlot = root.querySelector('[data-plot="mixture"]');
    this.boundPlot = root.querySelector('[data-plot="bound"]');
    this.painter = new PointPainter(root.querySelector("canvas"));
    this.rival = new Rival(root);
    this.filling = new Filling(root, () => this.enqueue(() => this.draw()));
    this.disconnect = connectControls(root, this);
    this.hands = new Hands(this);
    this.guess = new Guess(this);
    this.connectPlots();
    this.watchSurroundings();
  }

  /** Slow updates run one after the other, or Plotly is asked to draw what is being taken down. */
  enqueue(work) {
    this.queue = this.queue.then(() => (this.destroyed ? undefined : work())).catch((error) => {
      if (!this.destroyed) this.complain(error);
    });
    return this.queue;
  }

  complain(error) {
    console.error(error);
    const problem = this.root.querySelector(".emx-problem");
    problem.textContent = "The picture could not be drawn. Reload the page to try again.";
    problem.hidden = false;
  }

  // ---- what Python sends ----------------------------------------------------------------------

  receive(component) {
    const { wishes, payload } = openEnvelope(component.data);
    // What waited for the scripts comes all at once, the newest not always last.
    const [sender, number] = wishes.order;
    const [known, newest] = this.order ?? [];
    if (sender === known && number < newest) return;
    this.component = component;
    if (sender === known && number === newest) return;
    this.order = wishes.order;
    this.enqueue(async () => {
      this.plotlyUrl = wishes.plotly && serverBase() + wishes.plotly;
      const asked = this.wish !== undefined && wishes.wish > this.wish;
      if (asked) this.stop();
      if (asked || !this.picture) Object.assign(this.view, wishes.view);
      if (wishes.picture !== this.pictureId) {
        const own = wishes.rival || payload.length; // in a race a second picture follows
        const picture = await decode(payload.subarray(0, own));
        this.rival.adopt(wishes.rival ? await decode(payload.subarray(own)) : null);
        this.pictureId = wishes.picture;
        this.adopt(picture, wishes);
      }
      const marked = wishes.marks !== this.marks;
      if (marked) this.selected = wishes.point;
      this.marks = wishes.marks;
      if (asked) {
        this.following = wishes.frame === null;
        this.frame = Math.max(this.picture.first, Math.min(wishes.frame ?? Infinity, this.frames - 1));
      }
      this.wish = wishes.wish;
      this.filling.show(this.view.window);
      await this.draw();
      this.remember();
      if (wishes.calls && wishes.calls !== answered.calls) this.comeIntoView(wishes.calls);
      if (asked) {
        if (marked) this.reportPoint();
        this.reportView();
        this.report();
      }
    });
  }

  /** What was asked for far above is seen, and the keys are the player's. */
  comeIntoView(calls) {
    answered.calls = calls;
    this.root.scrollIntoView({ block: "start", behavior: this.calm.matches ? "auto" : "smooth" });
    this.root.querySelector('[data-do="play"]').focus({ preventScroll: true });
  }

  /** A new run starts where the link says, or where it was left, or at its end. */
  adopt(picture, wishes) {
    const last = picture.frames - 1;
    if (this.picture?.run !== picture.run) {
      const memory = remembered.get(picture.run);
      const remembers = memory && memory.wish >= wishes.wish;
      const frame = remembers ? memory.frame : wishes.frame;
      this.stop();
      if (remembers && !this.picture) Object.assign(this.view, memory.view);
      this.following = frame === null || frame > last;
      this.frame = frame ?? last;
    }
    // A later picture of a long run may show fewer of its half-steps.
    this.frame = this.following ? last : Math.max(picture.first, Math.min(this.frame, last));
    this.selected = this.picture ? samePoint(this.selected, this.picture, picture) : null;
    this.picture = picture;
    this.frames = picture.frames;
    this.painter.setPicture(picture);
  }

  /** The frame one went to; null for the last of a fit that is followed, which is another one soon. */
  get chosen() {
    return this.following ? null : this.frame;
  }

  get atEnd() {
    return this.frame >= this.frames - 1;
  }

  /** The scale of the curves: the distance to the best tells what is hidden. */
  get curve() {
    return this.view.hidden ? "likelihood" : this.view.curve;
  }

  remember() {
    const { picture, view, wish } = this;
    if (!picture) return;
    remembered.set(picture.run, { frame: this.chosen, view: { ...view }, wish });
    if (remembered.size > 20) remembered.delete(remembered.keys().next().value);
  }

  // ---- drawing --------------------------------------------------------------------------------

  /** Everything from scratch: a new picture, another theme, another scale. */
  async draw() {
    const { picture, view, mixturePlot, boundPlot } = this;
    if (!picture) return;
    this.theme = readTheme(this.root);
    this.painter.setTheme(this.theme, view.colour);
    this.stage = new Stage(picture, this.theme, this.painter);
    this.axesState = null; // of the stage before
    this.bound = new BoundFigure(picture, this.theme, this.curve, this.rival.picture, view.hidden);
    this.root.classList.toggle("emx-race", Boolean(this.rival.picture));
    this.root.classList.toggle("emx-matrix", picture.panels.length > 3 || this.stage.lines.length > 1);
    this.root.classList.toggle("emx-no-points", !picture.panels.length);
    this.root.classList.toggle("emx-time", picture.time);
    this.root.dataset.run = picture.run;
    this.root.querySelector(".emx-note").textContent = picture.note;
    this.root.querySelector(".emx-note").hidden = !picture.note;
    this.size = [mixturePlot, boundPlot].map((plot) => [plot.clientWidth, plot.clientHeight]);
    const [mixtureSize, boundSize] = this.size;
    this.layouts = [this.stage.layout(...mixtureSize, this.frame), this.bound.layout(...boundSize)];
    this.describePlots();
    // Plotly takes its time: another run on the same data leaves the axes on the left as they are,
    // and is shown before Plotly has drawn the others.
    const axes = JSON.stringify(this.layouts[0]);
    const stale = axes === this.axesDrawn ? [boundPlot] : [mixturePlot, boundPlot];
    if (picture.run !== this.runDrawn) {
      this.expectAxes(stale);
      this.readAxes();
      this.show();
      await nextPaint();
      this.plotly ??= await loadPlotly(this.plotlyUrl);
      if (this.destroyed) return;
    }
    if (stale.includes(mixturePlot)) await this.react(mixturePlot, this.stage, this.layouts[0]);
    await this.react(boundPlot, this.bound, this.layouts[1]);
    [this.axesDrawn, this.runDrawn] = [axes, picture.run];
    this.expectAxes([]);
    await this.rival.draw(this.plotly, this.theme, view);
    this.listenToPlotly();
    this.readAxes();
    this.show();
    this.root.dataset.axes = "drawn";
  }

  /** These plots get other axes in a moment: what is painted goes by them, and the old ones hide. */
  expectAxes(plots) {
    for (const plot of [this.mixturePlot, this.boundPlot]) {
      plot.classList.toggle("emx-expecting", plots.includes(plot));
    }
    if (plots.length) delete this.root.dataset.axes;
  }

  react(plot, figure, layout) {
    return this.plotly.react(axesOf(plot), figure.traces(), layout, plotConfig());
  }

  /** The canvases follow every zoom and pan. */
  listenToPlotly() {
    if (this.listening) return;
    this.listening = true;
    for (const event of ["plotly_relayouting", "plotly_afterplot"]) {
      axesOf(this.mixturePlot).on(event, () => {
        if (this.readAxes()) this.paintMixture();
      });
      axesOf(this.boundPlot).on(event, () => this.paintBound());
    }
  }

  /** The axes of a panel: Plotly's own, or before it has drawn them those it will draw. */
  axes(plot, planned, suffix = "") {
    const drawn = axesOf(plot)._fullLayout;
    if (!drawn || plot.classList.contains("emx-expecting")) return plannedAxes(planned, suffix);
    return { x: drawn[`xaxis${suffix}`], y: drawn[`yaxis${suffix}`] };
  }

  /** The axes say where the points go. True if they changed. */
  readAxes() {
    if (!this.layouts) return false;
    const axes = this.stage.entries.map((entry) => {
      return { ...entry, ...this.axes(this.mixturePlot, this.layouts[0], entry.suffix) };
    });
    if (axes.some(({ x }) => !x)) return false; // Plotly still shows a picture of fewer panels
    const state = JSON.stringify([
      axes.map(({ x, y }) => [x.range, x._offset, x._length, y.range, y._offset, y._length, x._vals?.length]),
      this.size, this.pictureId,
    ]);
    if (state === this.axesState) return false;
    this.axesState = state;
    this.painter.setAxes(axes);
    return true;
  }

  paintMixture() {
    if (!this.stage) return;
    const rings = this.rival.disagreement(this.picture, this.frame);
    this.painter.paint(this.frame, this.view, this.selected, rings);
    this.rival.paint(this.frame, this.view, rings);
    this.guess.draw();
  }

  paintBound() {
    if (!this.bound) return;
    const axes = this.axes(this.boundPlot, this.layouts[1]);
    this.bound.paint(this.boundPlot.querySelector("canvas"), axes, this.frame);
  }

  /** The current frame, on everything that moves. */
  show() {
    const { frame, picture, root } = this;
    if (!this.stage) return;
    const focused = document.activeElement;
    const expecting = this.mixturePlot.classList.contains("emx-expecting");
    this.stage.follow(frame, expecting ? null : this.plotly, axesOf(this.mixturePlot));
    this.paintMixture();
    this.paintBound();
    showControls(root, this);
    this.guess.show();
    keepFocus(root, focused);
    root.querySelector(".emx-caption").textContent = this.hands.active ? PLACING : captionOf(picture, frame);
    const flags = root.querySelector(".emx-flags");
    const said = flagsOf(picture, frame);
    flags.textContent = said.join("\n");
    flags.hidden = !said.length;
    this.announce();
    root.dataset.frame = String(frame);
    root.dataset.playing = String(this.playing);
    this.painted += 1;
    root.dispatchEvent(new CustomEvent("emx-painted", { detail: { frame } }));
  }

  /** Screen readers hear every frame one rests on, and now and then one while it plays. */
  announce() {
    const region = this.root.querySelector(".emx-announce");
    const say = () => {
      this.announced = performance.now();
      const { picture, frame } = this;
      const text = [captionOf(picture, frame), ...flagsOf(picture, frame)].join(" ");
      if (region.textContent !== text) region.textContent = text;
    };
    clearTimeout(this.announceTimer);
    if (this.playing && performance.now() - (this.announced ?? 0) > ANNOUNCE_AFTER) say();
    else this.announceTimer = setTimeout(say, this.playing ? ANNOUNCE_AFTER : REPORT_AFTER);
  }

  describePlots() {
    const { columns, points, components, panels, summary } = this.picture;
    const count = number(points);
    const what = panels.length > 1 ? `Matrix of ${columns.join(", ")}` : columns.join(" against ");
    this.mixturePlot.setAttribute(
      "aria-label",
      summary || `${what}: ${count} points and ${components.length} components at the half-step shown`,
    );
    this.boundPlot.setAttribute("aria-label", "ELBO and log-likelihood at every half-step");
  }

  // ---- playing --------------------------------------------------------------------------------

  act(action) {
    const last = this.frames - 1;
    const here = this.picture?.iterations[this.frame] ?? -1;
    const goals = {
      start: () => this.picture.first,
      end: () => last,
      previous: () => this.frame - 1,
      next: () => this.frame + 1,
      // Whole iterations end with their E half-step, where bound and likelihood touch.
      previousIteration: () => this.frameOfIteration(here - 1),
      nextIteration: () => this.frameOfIteration(this.picture.phases[this.frame] === "M" ? here : here + 1),
    };
    const deeds = {
      toggle: () => (this.playing ? this.pause() : this.play()),
      present: () => this.present(this.view.window !== "class"),
      leave: () => this.present(false),
      screen: () => this.fillScreen(),
      keys: () => showKeys(this.root),
      place: () => this.place(),
      hide: () => this.setView({ hidden: !this.view.hidden }),
    };
    if (!this.picture) return;
    if (action in deeds) deeds[action]();
    else this.seek(goals[action]());
  }

  /** The start is placed by hand, or no longer: it is shown as it stands before the first E-step. */
  place() {
    const on = !this.hands.active;
    if (on) this.seek(BEGINNING);
    this.hands.toggle(on);
    this.show();
  }

  /** Something was placed: the run begins anew from there. */
  placed(deed) {
    const number = Date.now();
    this.component.setStateValue("hand", { run: this.picture.run, number, ...deed });
  }

  /** Large before a class, or as it was before. */
  present(large) {
    const alone = this.filling.kind === "player" || this.alone;
    if (large) this.alone = alone;
    this.setView({ window: large ? "class" : alone ? "player" : "page" });
  }

  fillScreen() {
    this.filling.toggleScreen();
    if (this.view.window !== "class") this.present(true);
  }

  frameOfIteration(iteration) {
    const { iterations, phases } = this.picture;
    const found = iterations.findLastIndex((i, f) => i <= iteration && phases[f] !== "M");
    return iteration > iterations.at(-1) ? this.frames - 1 : Math.max(this.picture.first, found);
  }

  /** Goes to a frame by hand: playing stops, and Python hears of it once the hand rests. */
  seek(frame, { settled = true } = {}) {
    if (!this.picture) return;
    this.hands.toggle(false);
    const goal = Math.min(Math.max(this.picture.first, frame), this.frames - 1);
    this.stop();
    this.following = this.picture.running && goal === this.frames - 1;
    this.frame = goal;
    this.show();
    if (settled) this.report();
    else clearTimeout(this.reportTimer);
  }

  /** To the end, or until a frame is reached. */
  play(until = null) {
    if (this.frames < 2) return;
    this.until = until;
    this.hands.toggle(false);
    clearTimeout(this.reportTimer);
    if (this.frame >= this.frames - 1) this.frame = this.picture.first;
    this.following = false;
    this.playing = true;
    this.due = performance.now() + this.duration();
    this.show();
    this.tick = requestAnimationFrame((now) => this.advance(now));
  }

  duration() {
    return frameDuration(this.frame, this.view.speed, this.calm.matches);
  }

  /** Every frame is shown, however slow the machine: late frames shift the rest, none is skipped. */
  advance(now) {
    if (!this.playing || this.destroyed) return;
    // A screen refresh comes a little early or late; waiting for the next would halve the speed.
    if (now >= this.due - 4) {
      const last = this.frames - 1;
      if (this.frame >= (this.until ?? last)) {
        if (this.frame < last || !this.view.loop || this.picture.running) return this.pause();
        this.frame = this.picture.first;
      } else {
        this.frame += 1;
      }
      this.due = Math.max(this.due, now - this.duration()) + this.duration();
      if (this.frame >= this.frames - 1) this.due += this.view.loop ? 900 : 0;
      this.show();
    }
    this.tick = requestAnimationFrame((later) => this.advance(later));
  }

  stop() {
    this.playing = false;
    cancelAnimationFrame(this.tick);
  }

  pause() {
    this.stop();
    this.following = this.picture.running && this.frame === this.frames - 1;
    this.show();
    this.report();
  }

  setView(change) {
    Object.assign(this.view, change);
    this.filling.show(this.view.window);
    this.remember();
    this.reportView();
    if (!this.picture) return;
    if ("curve" in change || "hidden" in change) {
      this.enqueue(() => this.draw());
    } else {
      if ("colour" in change) {
        this.painter.setTheme(this.theme, this.view.colour);
        this.rival.setTheme(this.theme, this.view.colour);
      }
      this.paintMixture();
      showControls(this.root, this);
    }
  }

  report() {
    this.remember();
    clearTimeout(this.reportTimer);
    this.reportTimer = setTimeout(() => {
      if (!this.destroyed && !this.playing) {
        this.component.setStateValue("frame", { run: this.picture.run, frame: this.chosen });
      }
    }, REPORT_AFTER);
  }

  reportView() {
    const listener = viewListener?.parentElement.isConnected ? viewListener : this.component;
    listener.setStateValue("view", { ...this.view });
  }

  reportPoint() {
    this.component.setStateValue("point", { picture: this.pictureId, point: this.selected });
  }

  /** Saves the picture on screen, or all of them as an animation. */
  save(kind) {
    const note = this.root.querySelector(".emx-making");
    const tell = (text) => {
      note.textContent = text;
      note.hidden = !text;
    };
    return this.enqueue(async () => {
      if (!this.plotly || !this.picture) return;
      try {
        await savePicture(this, kind, tell);
      } finally {
        tell("");
      }
    });
  }

  // ---- pointer --------------------------------------------------------------------------------

  connectPlots() {
    // The keys are those of what was clicked last; Plotly keeps the browser from seeing to that.
    for (const plot of [this.mixturePlot, this.boundPlot]) {
      plot.tabIndex = -1;
      plot.addEventListener("pointerdown", () => plot.focus({ preventScroll: true }));
    }
    onClick(this.mixturePlot, (x, y) => {
      if (this.guess.take(x, y)) return;
      const found = this.painter.nearest(x, y);
      if (found === null || !this.picture) return;
      this.selected = found;
      this.paintMixture();
      this.remember();
      this.reportPoint();
    });
    onClick(this.boundPlot, (x) => {
      const frame = this.frameUnder(x);
      if (frame !== null) this.seek(frame);
    });
    onHover(this.mixturePlot, (x, y) => {
      const found = this.picture ? this.painter.nearest(x, y) : null;
      const lines =
        found === null
          ? this.stage?.describe(this.painter.laid ?? [], this.frame, x, y)
          : describePoint(this.picture, this.frame, found);
      return explained(lines ?? null, this.picture?.words ?? {});
    });
    onHover(this.boundPlot, (x) => {
      const frame = this.frameUnder(x);
      return frame === null ? null : describeFrame(this.picture, frame);
    });
  }

  frameUnder(left) {
    if (!this.bound) return null;
    const axis = this.axes(this.boundPlot, this.layouts[1]).x;
    const inside = left >= axis._offset && left <= axis._offset + axis._length;
    if (!inside) return null;
    const frame = this.bound.frameAt(axis.p2l(left - axis._offset));
    return this.view.hidden && frame > this.frame ? null : frame;
  }

  // ---- surroundings ---------------------------------------------------------------------------

  watchSurroundings() {
    this.resizing = new ResizeObserver(() => {
      const size = [this.mixturePlot, this.boundPlot].map((p) => [p.clientWidth, p.clientHeight]);
      if (!this.size || String(size) === String(this.size) || !size[0][0]) return;
      this.enqueue(() => this.draw());
    });
    this.resizing.observe(this.mixturePlot);
    this.resizing.observe(this.boundPlot);
    // The theme is only known through CSS variables; a transition on one that uses them tells of a change.
    this.root.addEventListener("transitionrun", (event) => {
      if (event.target !== this.root || event.propertyName !== "outline-color") return;
      clearTimeout(this.themeTimer);
      this.themeTimer = setTimeout(() => this.enqueue(() => this.draw()), 60);
    });
  }

  destroy() {
    this.stop();
    this.destroyed = true;
    this.disconnect();
    this.filling.leave();
    this.resizing.disconnect();
    for (const timer of [this.reportTimer, this.announceTimer, this.themeTimer]) clearTimeout(timer);
    for (const plot of [this.mixturePlot, this.boundPlot, this.rival.plot]) {
      if (axesOf(plot)._fullLayout) this.plotly?.purge(axesOf(plot));
    }
  }
}

/** A marked point stays marked when the same row of the same data is drawn again. */
function samePoint(selected, before, now) {
  if (selected === null) return null;
  const found = now.rows.indexOf(before.rows[selected]);
  if (found < 0) return null;
  const place = (picture, i) =>
    picture.columns.map((name, axis) => [name, picture.low[axis], picture.positions[axis][i]].join());
  const same = before.run === now.run || String(place(before, selected)) === String(place(now, found));
  return same ? found : null;
}

function nextPaint() {
  return new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
}

function axesOf(plot) {
  return plot.querySelector(".emx-axes");
}
