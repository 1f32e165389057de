"""What a chart shows, in sentences: read off the figure, so that no chart is without them."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from pages.ui.text import counted, number, sentence

# So many marks are told one by one; of more, where they begin and end, and the extremes.
MOST_MARKS = 24
DIGITS = 5
MOST_LINES_MARKED = 19


def told(figure: go.Figure) -> list[str]:
    """What is along the axes, and for each thing drawn what whoever sees it reads off the chart."""
    across, up = (_title(axis) for axis in (figure.layout.xaxis, figure.layout.yaxis))
    axes = [f"{where}: {title}" for where, title in (("Across", across), ("up", up)) if title]
    lines = [sentence(", ".join(axes))] if axes else []
    for trace in figure.data:
        lines += _of_trace(trace, figure.layout.yaxis.visible is not False, up)
    return lines


def _title(axis: Any) -> str:
    return _words(axis.title.text or "")


def _words(text: str) -> str:
    """Text as Plotly shows it: without its tags, lines one after the other."""
    return html.unescape(re.sub(r"</?su[bp]>", "", text.replace("<br>", ", ")))


def _of_trace(trace: Any, has_height: bool, title: str) -> Iterator[str]:
    name = _words(trace.name or "")
    if trace.type in ("heatmap", "contour"):
        yield from _of_shades(trace)
        return
    marks = _hovers(trace)
    # As Plotly has it where nothing is said of it.
    mode = trace.mode if "mode" in trace else "markers"
    mode = mode or ("lines" if len(trace.x) > MOST_LINES_MARKED else "lines+markers")
    if marks and len(marks) <= MOST_MARKS and "markers" in mode:
        named = f"{name}, "
        each = dict.fromkeys(mark.removeprefix(named if name else "") for mark in marks)
        said = "; ".join(each)
        yield f"{said}." if said.startswith(name) else f"{name}: {said}."
        return
    across, up = (_numbers(values) for values in (trace.x, trace.y))
    if not name or across is None or up is None or not len(across):
        return
    if trace.type == "scatter" and trace.fill == "tozerox":
        # What reaches from the left: so many, and how far.
        yield f"{name}: {_n(np.ptp(up))} {title}, {_span(across)}."
    elif "lines" in mode:
        yield f"{name}: {_of_lines(across, up)}."
    elif has_height:
        yield f"{name}: {_count(across)}, {_span(across)} across and {_span(up)} up."
    else:
        yield f"{name}: {_count(across)}, {_span(across)}."


def _hovers(trace: Any) -> list[str]:
    """What is said of each mark under the pointer."""
    said = trace.hovertext if trace.hovertext is not None else getattr(trace, "text", None)
    if said is None or isinstance(said, str):
        return []
    return [_words(str(words)) for words in np.ravel(np.asarray(said, dtype=object)) if words]


def _numbers(values: Any) -> np.ndarray | None:
    try:
        return np.array(values, dtype=float)
    except (TypeError, ValueError):
        return None


def _count(values: np.ndarray) -> str:
    return counted(int(np.isfinite(values).sum()), "mark")


def _span(values: np.ndarray) -> str:
    low, high = np.nanmin(values), np.nanmax(values)
    return f"at {_n(low)}" if low == high else f"from {_n(low)} to {_n(high)}"


def _of_lines(across: np.ndarray, up: np.ndarray) -> str:
    """Where a line goes; of several, where they begin and end."""
    there = np.isfinite(across) & np.isfinite(up)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], there, [0]])))
    firsts, lasts = edges[::2], edges[1::2] - 1
    if not len(firsts):
        return "nothing to be drawn"
    if len(firsts) > 1:
        ends = [f"{verb} {_span(up[at])}" for verb, at in (("begin", firsts), ("end", lasts))]
        return f"{counted(len(firsts), 'line')}; they {' and '.join(ends)}"
    first, last = firsts[0], lasts[0]
    drawn = up[first : last + 1]
    if drawn.min() == drawn.max():
        return f"{_n(up[first])} {_span(across[[first, last]])}"
    said = [f"{_n(up[first])} at {_n(across[first])}", f"{_n(up[last])} at {_n(across[last])}"]
    words = f"from {said[0]} to {said[1]}"
    for what, at in (("highest", drawn.argmax()), ("lowest", drawn.argmin())):
        if 0 < at < len(drawn) - 1:
            words += f"; {what} {_n(drawn[at])} at {_n(across[first + at])}"
    return words


def _of_shades(trace: Any) -> Iterator[str]:
    """Every cell of a few; of many the highest and the lowest."""
    cells = list(dict.fromkeys(_hovers(trace)))  # those of a symmetric matrix once
    if cells and len(cells) <= MOST_MARKS:
        yield from cells
        return
    heights = np.asarray(trace.z, dtype=float)
    if not np.isfinite(heights).any() or trace.hoverinfo == "skip":
        return
    for what, at in (("Highest", np.nanargmax(heights)), ("Lowest", np.nanargmin(heights))):
        row, column = np.unravel_index(at, heights.shape)
        if trace.hovertext is not None:
            where = _words(str(np.asarray(trace.hovertext, dtype=object)[row, column]))
            yield f"{what}: {where}."
        else:
            places = (_place(trace.x, int(column)), _place(trace.y, int(row)))
            yield f"{what}: {_n(heights[row, column])} at {', '.join(places)}."


def _place(places: Sequence[Any], at: int) -> str:
    place = places[at]
    return _words(place) if isinstance(place, str) else _n(place)


def _n(value: Any) -> str:
    return number(float(value), DIGITS)
