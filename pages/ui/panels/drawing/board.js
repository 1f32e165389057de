// A square to draw points in. A stroke is told when it ends; what is told is not taken for news.

const SIDE = 10
const STEPS = 4000 // of a side: 12 bits, see pages/ui/tables/drawn.py
const MOST = 500
const SPRAY = 0.45 // standard deviation of what is sprayed
const APART = 0.16 // between points of a spray, along the way
const RUBBER = 0.5
const DOT = 0.075
const STILL = 0.12 // moved less than this, a stroke is a click

const boards = new WeakMap()

export default function (component) {
  const canvas = component.parentElement.querySelector("canvas")
  if (!boards.has(canvas)) boards.set(canvas, new Board(component.parentElement, canvas))
  boards.get(canvas).receive(component)
}

class Board {
  constructor(parent, canvas) {
    Object.assign(this, { parent, canvas, tool: "pen", points: [], wish: -1 })
    parent.querySelector(".tools").onclick = (event) => this.press(event.target.closest("button"))
    canvas.onpointerdown = (event) => this.begin(event)
    new ResizeObserver(() => this.paint()).observe(canvas)
  }

  receive({ data, setStateValue }) {
    this.tell = setStateValue
    if (data.wish !== this.wish) {
      this.wish = data.wish
      this.points = unpacked(data.points)
    }
    this.paint()
  }

  press(button) {
    if (!button) return
    if ("clear" in button.dataset) {
      this.points = []
      this.ended()
    } else if (button.dataset.tool) {
      this.tool = button.dataset.tool
      for (const other of this.parent.querySelectorAll("[data-tool]")) {
        other.setAttribute("aria-pressed", String(other === button))
      }
    }
  }

  begin(event) {
    if (event.button !== 0) return
    event.preventDefault()
    const { canvas } = this
    const first = this.place(event)
    let last = first
    let sprays = false
    if (this.tool === "rubber") this.rub(first)
    const move = (moved) => {
      const here = this.place(moved)
      if (this.tool === "rubber") this.rub(here)
      else if (sprays || distance(here, first) > STILL) {
        sprays = true
        const count = Math.floor(distance(here, last) / APART)
        for (let i = 0; i < count; i++) this.add(sprayed(here))
        if (!count) return
      }
      last = here
      this.paint()
    }
    const end = () => {
      canvas.onpointermove = canvas.onpointerup = canvas.onpointercancel = null
      if (this.tool === "pen" && !sprays) this.add(first)
      this.ended()
    }
    canvas.setPointerCapture(event.pointerId)
    Object.assign(canvas, { onpointermove: move, onpointerup: end, onpointercancel: end })
  }

  place(event) {
    const box = this.canvas.getBoundingClientRect()
    return [(SIDE * (event.clientX - box.left)) / box.width, SIDE * (1 - (event.clientY - box.top) / box.height)]
  }

  add(point) {
    const inside = point.every((value) => value >= 0 && value <= SIDE)
    if (inside && this.points.length < MOST) this.points.push(point)
  }

  rub(here) {
    this.points = this.points.filter((point) => distance(point, here) > RUBBER)
    this.paint()
  }

  ended() {
    this.paint()
    this.tell("drawn", packed(this.points))
  }

  paint() {
    const { canvas, points } = this
    const size = Math.round(canvas.clientWidth * (devicePixelRatio || 1))
    if (!size) return
    if (canvas.width !== size) Object.assign(canvas, { width: size, height: size })
    const style = getComputedStyle(canvas)
    const context = canvas.getContext("2d")
    context.clearRect(0, 0, size, size)
    const scale = size / SIDE
    context.strokeStyle = style.getPropertyValue("--st-border-color")
    context.beginPath()
    for (let line = 2; line < SIDE; line += 2) {
      context.moveTo(line * scale, 0)
      context.lineTo(line * scale, size)
      context.moveTo(0, line * scale)
      context.lineTo(size, line * scale)
    }
    context.stroke()
    context.fillStyle = style.getPropertyValue("--st-primary-color")
    context.beginPath()
    for (const [x, y] of points) {
      context.moveTo((x + DOT) * scale, (SIDE - y) * scale)
      context.arc(x * scale, (SIDE - y) * scale, DOT * scale, 0, 2 * Math.PI)
    }
    context.fill()
    const count = `${points.length} of ${MOST} points`
    canvas.setAttribute("aria-label", `A square from 0 to 10 with ${count}`)
    this.parent.querySelector("[role=status]").textContent = count
  }
}

function distance([x, y], [u, v]) {
  return Math.hypot(x - u, y - v)
}

function sprayed([x, y]) {
  const length = SPRAY * Math.sqrt(-2 * Math.log(1 - Math.random()))
  const turn = 2 * Math.PI * Math.random()
  return [x + length * Math.cos(turn), y + length * Math.sin(turn)]
}

function packed(points) {
  const bytes = points.flatMap((point) => {
    const [x, y] = point.map((value) => Math.round((value * STEPS) / SIDE))
    return [x >> 4, ((x & 15) << 4) | (y >> 8), y & 255]
  })
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_")
}

function unpacked(text) {
  const letters = atob(text.slice(0, text.length - (text.length % 4)).replaceAll("-", "+").replaceAll("_", "/"))
  const points = []
  for (let i = 0; i + 2 < letters.length; i += 3) {
    const [a, b, c] = [0, 1, 2].map((k) => letters.charCodeAt(i + k))
    points.push([(a << 4) | (b >> 4), ((b & 15) << 8) | c].map((n) => (Math.min(n, STEPS) * SIDE) / STEPS))
  }
  return points
}
