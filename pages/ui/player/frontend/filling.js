// The player that takes the whole window: alone in a frame of another page, or large before a class.

// px of a window in which the type of a presented player is as on a page. In a larger one all of it
// is larger: 20 px at 1280 x 720.
const BASE = [614, 432];
// In a smaller one, of a page enlarged to 200 % say, it is a little smaller, so that all is seen at once.
const SMALLEST = 5 / 6;

/** How much larger than on a page a player is drawn before a class, in a window of this size. */
export function magnification(width, height) {
  return Math.max(SMALLEST, Math.min(width / BASE[0], height / BASE[1]));
}

export class Filling {
  /** `changed` is called whenever everything is drawn at another scale. */
  constructor(root, changed) {
    Object.assign(this, { root, changed, kind: "page", scale: 1 });
    this.fit = this.fit.bind(this);
    window.addEventListener("resize", this.fit);
  }

  /** Shows the player as a part of its "page", as the "player" alone, or for a "class". */
  show(kind) {
    if (kind === this.kind) return;
    this.kind = kind;
    const filled = kind !== "page";
    this.root.classList.toggle("emx-filled", filled);
    this.root.classList.toggle("emx-class", kind === "class");
    document.documentElement.classList.toggle("emx-covered", filled);
    this.fit();
    if (filled) this.root.querySelector('[data-do="play"]').focus({ preventScroll: true });
    if (kind !== "class" && document.fullscreenElement) document.exitFullscreen();
  }

  fit() {
    const scale = this.kind === "class" ? magnification(window.innerWidth, window.innerHeight) : 1;
    if (scale === this.scale) return;
    this.scale = scale;
    this.root.style.setProperty("--emx-scale", String(scale));
    this.changed();
  }

  /** The window takes the screen, or gives it back. Where the browser refuses, all stays. */
  toggleScreen() {
    if (document.fullscreenElement) document.exitFullscreen();
    else document.documentElement.requestFullscreen?.().catch(() => {});
  }

  leave() {
    window.removeEventListener("resize", this.fit);
    if (this.kind !== "page") document.documentElement.classList.remove("emx-covered");
  }
}
