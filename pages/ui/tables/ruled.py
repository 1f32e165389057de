"""Tables drawn with lines around their cells: as Markdown, databases, org-mode and reStructuredText
have them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from pages.ui.text import counted

_LOOKED_AT, _CHARACTERS = 60, 100_000  # lines, by which a drawn table is known
_MOST_OTHERS = 0.2  # of these: titles, and what a database says below
_BARS = "|\u2502\u2503\u2551"
_CROSSES = f"+{_BARS}\u250c-\u254b\u2552-\u2570"
_RUN = "[-=\u2500\u2501\u2550]{2,}"
_RUNS = re.compile(_RUN)
_RULE = re.compile(f"[{_CROSSES}]? *:?{_RUN}:? *([{_CROSSES}] *:?{_RUN}:? *)*[{_CROSSES}]?")
_CROSS = re.compile(f"[{_CROSSES}]")
_SPACED_RULE = re.compile("[-=]{2,}( +[-=]{2,})+")
_BAR = re.compile(rf"(?<!\\)[{_BARS}]")
_GRID = re.compile(r"\+(=+\+)+")  # below the names, where every row ends with a rule
_ENDS = re.compile(r"\r\n|\r|\n")


class Ruled(NamedTuple):
    """The lines of a text, each in its place, with bars between cells and nothing for a rule."""

    text: str
    rules: int

    @property
    def sentence(self) -> str:
        return f"The cells are drawn with lines: {counted(self.rules, 'line')} without a cell."


class _Drawing(NamedTuple):
    """How a table is drawn. rule: the first; starts: of its runs; spaced: blanks are between."""

    rule: str
    starts: list[int]
    spaced: bool

    def is_rule(self, line: str) -> bool:
        """A row may be of dashes for what is missing, but not as long as its cells."""
        rule = line.strip()
        return rule == self.rule or (not self.spaced and " " not in rule and _is_barred(rule))

    def cells(self, line: str) -> list[str]:
        """The cells of a line, one for each run of the rule; [] where it is none of the table."""
        if self.spaced:
            gaps = all(line[start - 1 : start] == " " for start in self.starts[1:])
            edges = [0, *self.starts[1:], len(line)]
            return [line[one:other].strip() for one, other in pairwise(edges)] if gaps else []
        cells = [cell.strip().replace("\\|", "|") for cell in _BAR.split(line.strip())]
        if len(cells) > len(self.starts):
            cells = cells[not cells[0] : len(cells) - (not cells[-1])]
        return cells if len(cells) == len(self.starts) and _BAR.search(line) else []


def ruled(text: str) -> Ruled | None:
    """A text without the rules of the table drawn in it; None for a text without one."""
    head = _ENDS.split(text[:_CHARACTERS])[:_LOOKED_AT]
    for place, line in enumerate(head):
        rule = line.strip()
        spaced = _SPACED_RULE.fullmatch(rule) is not None
        if spaced or _is_barred(rule):
            drawing = _Drawing(rule, [run.start() for run in _RUNS.finditer(line)], spaced)
            in_a_cell = sum(above.count('"') for above in head[:place]) % 2
            if in_a_cell or not _is_drawn(drawing, head, place):
                return None
            return _without_rules(drawing, _ENDS.split(text))
    return None


def _is_barred(rule: str) -> bool:
    """Whether a line is a rule with bars or crosses in it."""
    return _RULE.fullmatch(rule) is not None and _CROSS.search(rule) is not None


def _is_drawn(drawing: _Drawing, head: Sequence[str], place: int) -> bool:
    """Whether nearly all lines from the one above the first rule on have cells as it says; that one
    or the one below does, and none before: as names do, above or below a rule."""
    lines = [line for line in head[max(place - 1, 0) :] if not drawing.is_rule(line)]
    fit = [bool(drawing.cells(line)) for line in lines if line.strip()]
    n_others = len(fit) - sum(fit)
    below_rows = any(map(drawing.cells, head[: max(place - 1, 0)]))
    return (
        any(fit[:2])
        and not below_rows
        and sum(fit) > 1
        and n_others <= max(2, _MOST_OTHERS * len(fit))
    )


def _without_rules(drawing: _Drawing, lines: list[str]) -> Ruled:
    grid = any(_GRID.fullmatch(line.strip()) for line in lines[:_LOOKED_AT])
    rows: dict[int, list[list[str]]] = {}  # the cells of each of its lines
    rules, row = 0, None  # the place of the row that goes on
    for place, line in enumerate(lines):
        cells = drawing.cells(line)
        if drawing.is_rule(line):
            row = None
        elif cells and grid and row is not None:
            rows[row].append(cells)
        else:
            if cells:
                rows[place], row = [cells], place
            continue
        lines[place] = ""
        rules += 1
    for place, parts in rows.items():
        cells = [" ".join(filter(None, cell)) for cell in zip(*parts, strict=True)]
        lines[place] = "|" * (len(cells) == 1) + "|".join(map(_quoted, cells))
    return Ruled("\n".join(lines), rules)


def _quoted(cell: str) -> str:
    if "|" not in cell and '"' not in cell:
        return cell
    doubled = cell.replace('"', '""')
    return f'"{doubled}"'
