"""Pictures for a document: SVG without scripts, on white."""

from __future__ import annotations

import html
from collections.abc import Sequence

import numpy as np

from pages.ui.text import number, shortened

WIDTH, LEFT, RIGHT, ROW, TOP = 760, 190, 20, 26, 16
INK, GRID = "#1c2230", "#d5d9e0"
# More cells are not drawn: the table has them.
MOST_CELLS = 60
MOST_LETTERS = 26
SHAPES = ("circle", "square", "diamond", "triangle")
BLUE, WHITE, ORANGE = (33, 102, 172), (242, 242, 239), (179, 88, 6)


def profile_svg(profile, colours: Sequence[str]) -> str:
    """A line of marks for each cell, one for each part, with intervals where there are any."""
    cells = profile.cells[:MOST_CELLS]
    n_parts = len(profile.names)
    ends = [profile.values, *(e for e in (profile.lower, profile.upper) if e is not None)]
    numbers = np.concatenate([e[:, : len(cells)].ravel() for e in ends])
    numbers = numbers[np.isfinite(numbers)]
    low, high = float(min(numbers.min(), 0)), float(max(numbers.max(), 0))
    if not profile.signed:
        low, high = 0.0, 1.0
    room = (high - low) * 0.05 or 1.0
    low, high = (low, high) if not profile.signed else (low - room, high + room)
    height = max(ROW, 7 * n_parts + 8)
    bottom = TOP + height * len(cells)

    def across(value: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * (value - low) / (high - low)

    parts = [_axis(low, high, across, bottom)]
    for p, cell in enumerate(cells):
        middle = TOP + height * (p + 0.5)
        parts.append(text(LEFT - 10, middle + 4, cell, "end"))
        parts.append(line(LEFT, TOP + height * p, WIDTH - RIGHT, TOP + height * p, GRID))
        for k in range(n_parts):
            y = middle + (k - (n_parts - 1) / 2) * min(7, (height - 8) / max(n_parts, 1))
            colour = colours[k % len(colours)]
            if profile.lower is not None and np.isfinite(profile.lower[k, p]):
                x0, x1 = across(profile.lower[k, p]), across(profile.upper[k, p])
                parts.append(line(x0, y, x1, y, colour, 1.4))
            parts.append(mark(across(profile.values[k, p]), y, colour, SHAPES[k % len(SHAPES)]))
    more, end = legend(profile.names, colours, bottom + 46)
    parts += more
    parts.append(text((LEFT + WIDTH - RIGHT) / 2, bottom + 30, profile.title, "middle"))
    return svg(parts, end + 14, f"Profiles: {profile.title}")


def shades_svg(
    values: np.ndarray, names: Sequence[str], title: str, reach: float, signed: bool
) -> str:
    """A matrix (D, D) as shades with its numbers; `reach` has the full shade."""
    n = len(names)
    side = min(64.0, (WIDTH - LEFT - RIGHT) / n)
    bottom = TOP + side * n
    parts = []
    for i, name in enumerate(names):
        y = TOP + side * i
        parts.append(text(LEFT - 10, y + side / 2 + 4, name, "end"))
        x = LEFT + side * (i + 0.5)
        under = text(x + 4, bottom + 12, name, "end")
        parts.append(f'<g transform="rotate(-45 {x + 4:.1f} {bottom + 12:.1f})">{under}</g>')
        for j in range(n):
            if not np.isfinite(values[i, j]):
                continue
            share = values[i, j] / reach
            x = LEFT + side * j
            colour = _shade(share if signed else -abs(share))
            parts.append(
                f'<rect x="{x:.1f}" y="{y:.1f}" width="{side - 1:.1f}" height="{side - 1:.1f}" '
                f'fill="{colour}"/>'
            )
            if side >= 34:
                ink = "#ffffff" if abs(share) > 0.82 else INK
                said = number(values[i, j], 2)
                parts.append(text(x + side / 2, y + side / 2 + 4, said, "middle", ink, 10))
    longest = min(max(map(len, names)), MOST_LETTERS)
    return svg(parts, bottom + 24 + 5 * longest, title)


def certainty_svg(certainty, names: Sequence[str], unit: str, colours: Sequence[str]) -> str:
    """Rows by the cluster they are assigned to, the surest first; unit: a cluster's kind."""
    total = max(int(certainty.rows.sum()), 1)
    height, top, parts = 240.0, float(TOP), []
    for k, name in enumerate(names):
        n = int(certainty.rows[k])
        if not n:
            continue
        rows = top + height * n / total * np.linspace(0, 1, certainty.heights.shape[1])
        xs = LEFT + (WIDTH - LEFT - RIGHT) * certainty.heights[k]
        points = [(LEFT, rows[0]), *zip(xs, rows, strict=True), (LEFT, rows[-1])]
        outline = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        parts.append(f'<polygon points="{outline}" fill="{colours[k % len(colours)]}"/>')
        parts.append(text(LEFT - 10, (rows[0] + rows[-1]) / 2 + 4, name, "end"))
        top = rows[-1]

    def across(value: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * value

    parts.append(_axis(0.0, 1.0, across, TOP + height))
    middle = (LEFT + WIDTH - RIGHT) / 2
    parts.append(
        text(middle, TOP + height + 30, f"posterior of the {unit} a row is assigned to", "middle")
    )
    return svg(parts, TOP + height + 40, "How sure the rows are")


def legend(names: Sequence[str], colours: Sequence[str], top: float) -> tuple[list[str], float]:
    """What each mark is, from `top` on, and where it ends."""
    parts, left = [], LEFT
    for k, name in enumerate(names):
        width = 26 + 7 * min(len(name), MOST_LETTERS)
        if left + width > WIDTH - RIGHT:
            left, top = LEFT, top + 20
        parts.append(mark(left, top - 4, colours[k % len(colours)], SHAPES[k % len(SHAPES)]))
        parts.append(text(left + 10, top, name))
        left += width
    return parts, top


def ticks_between(low: float, high: float) -> np.ndarray:
    """Round numbers from one to another, at most nine."""
    step = 10.0 ** np.floor(np.log10((high - low) / 2))
    step *= next(m for m in (1, 2, 5, 10) if (high - low) / (m * step) <= 8)
    return np.arange(np.ceil(low / step), np.floor(high / step) + 1) * step


def _axis(low: float, high: float, across, bottom: float) -> str:
    ticks = ticks_between(low, high)
    parts = []
    for tick in ticks:
        x = across(tick)
        at_zero = abs(tick) < (high - low) * 1e-9
        parts.append(line(x, TOP, x, bottom, INK if at_zero else GRID, 0.7))
        parts.append(text(x, bottom + 15, number(round(float(tick), 9) + 0.0, 4), "middle"))
    return "".join(parts)


def _shade(share: float) -> str:
    end = ORANGE if share > 0 else BLUE
    mixed = (round(w + (e - w) * min(abs(share), 1)) for w, e in zip(WHITE, end, strict=True))
    return "#" + "".join(f"{c:02x}" for c in mixed)


def mark(x: float, y: float, colour: str, shape: str, r: float = 4.0) -> str:
    if shape == "circle":
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{r}" fill="{colour}"/>'
    places = {
        "square": ((-1, -1), (1, -1), (1, 1), (-1, 1)),
        "diamond": ((0, -1.3), (1.3, 0), (0, 1.3), (-1.3, 0)),
        "triangle": ((0, -1.2), (1.2, 1), (-1.2, 1)),
    }[shape]
    outline = " ".join(f"{x + r * a:.1f},{y + r * b:.1f}" for a, b in places)
    return f'<polygon points="{outline}" fill="{colour}"/>'


def line(x0: float, y0: float, x1: float, y1: float, colour: str, width: float = 0.7) -> str:
    return (
        f'<line x1="{x0:.1f}" y1="{y0:.1f}" x2="{x1:.1f}" y2="{y1:.1f}" stroke="{colour}" '
        f'stroke-width="{width}"/>'
    )


def text(
    x: float, y: float, words: str, anchor: str = "start", colour: str = INK, size: int = 12
) -> str:
    short = words if anchor == "middle" else shortened(words, MOST_LETTERS)
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}" '
        f'font-size="{size}">{html.escape(short)}</text>'
    )


def svg(parts: Sequence[str], height: float, title: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" role="img" '
        f'font-family="sans-serif"><title>{html.escape(title)}</title>{"".join(parts)}</svg>'
    )
