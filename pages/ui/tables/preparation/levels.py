"""Levels of a column: those that are spelt alike made one, other names, an order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import pandas as pd

from pages.ui.tables.cells_again import (
    declares_levels,
    declares_order,
    holds_texts,
    texts_of,
    typed_again,
)
from pages.ui.tables.levels import in_order, tidy
from pages.ui.tables.table import Table, require_columns
from pages.ui.text import counted

MOST_SPELT = 5_000  # different texts; where there are more, they are no levels


class Spelling(NamedTuple):
    """Levels that differ only by spaces or capitals count as one, written as most of them are.

    columns: in which; () for all columns of text.
    """

    columns: tuple[str, ...] = ()

    def apply(self, table: Table) -> Table:
        require_columns(table, self.columns)
        frame, changed, facts = table.frame, {}, []
        names = self.columns or tuple(frame)
        alike = [frame[name] for name in names if _has_alike(frame[name])]
        spellings = _spellings(alike)
        for name in names:
            merged = spelt_once(frame[name], spellings)
            before, after = frame[name].nunique(), merged.nunique()
            if after < before:
                changed[str(name)] = merged
                facts.append(f"{counted(before, 'level')} of {name!r} are {after:,}")
        found = ", ".join(facts) or "none do"
        told = f"{self.told()[:-1]}: {found}."
        return typed_again(table._replace(parsing=(*table.parsing, told)), changed)

    def told(self) -> str:
        where = f" in {', '.join(map(repr, self.columns))}" if self.columns else ""
        return f"Levels that differ only by spaces or capitals count as one{where}."


class Renamed(NamedTuple):
    """Levels of a column get other names, in turn; several of one name become one level."""

    column: str
    levels: tuple[str, ...]
    names: tuple[str, ...]

    def apply(self, table: Table) -> Table:
        require_columns(table, [self.column])
        names = dict(zip(self.levels, self.names, strict=False))
        column = table.frame[self.column]
        named = _with_names(column, names)
        renamed = int(texts_of(column).isin(list(names)).sum())
        fact = f"{self.told()} {counted(renamed, 'cell')}."
        return typed_again(table._replace(parsing=(*table.parsing, fact)), {self.column: named})

    def told(self) -> str:
        pairs = zip(self.levels, self.names, strict=False)
        return f"Levels of {self.column!r}: {', '.join(f'{a!r} is {b!r}' for a, b in pairs)}."


class Ordered(NamedTuple):
    """Levels of a column in this order; those not named come after, in their usual one."""

    column: str
    levels: tuple[str, ...]

    def apply(self, table: Table) -> Table:
        require_columns(table, [self.column])
        frame = table.frame.copy()
        texts = texts_of(frame[self.column])
        rest = set(texts.dropna()) - set(self.levels)
        order = [*dict.fromkeys(self.levels), *in_order(sorted(rest))]
        frame[self.column] = texts.astype(pd.CategoricalDtype(order, ordered=True))
        return table._replace(frame=frame, parsing=(*table.parsing, self.told()))

    def told(self) -> str:
        return f"Order of the levels of {self.column!r}: {', '.join(self.levels)}."


class Named(NamedTuple):
    """A column whose file names all its levels, and the steps that use the names, in the order of
    the codes."""

    column: str
    steps: tuple[Renamed, Ordered]


def named_in_the_file(table: Table) -> tuple[Named, ...]:
    """The columns with names for their levels that are not in use yet."""
    found = []
    for column, labels in table.value_labels:
        if column not in table.frame:
            continue
        levels = set(texts_of(table.frame[column]).dropna())
        used = [(code, name) for code, name in labels if code in levels]
        names = tuple(name for _, name in used)
        codes = tuple(code for code, _ in used)
        if 1 < len(levels) == len(set(names)) and names != codes:
            steps = Renamed(column, codes, names), Ordered(column, names)
            found.append(Named(column, steps))
    return tuple(found)


def spelt_once(column: pd.Series, spellings: Mapping[str, str] | None = None) -> pd.Series:
    """A column of text with every level written as most of those that are spelt like it.

    spellings: which that is, by the level without capitals; None for those of this column.
    """
    if not holds_texts(column) and not declares_levels(column):
        return column
    written = texts_of(column).dropna().unique()
    if len(written) > MOST_SPELT:
        return column
    alike: dict[str, list[str]] = {}
    for level in written:
        alike.setdefault(tidy(level).casefold(), []).append(level)
    if len(alike) == len(written):
        return column
    usual = _spellings([column]) if spellings is None else spellings
    names = {
        level: usual[key] for key, levels in alike.items() if len(levels) > 1 for level in levels
    }
    return _with_names(column, names)


def _with_names(column: pd.Series, names: Mapping[str, str]) -> pd.Series:
    """A column with other names for its levels, which stay in their order where they have one."""
    texts = texts_of(column)
    named = texts.map(lambda level: names.get(level, level), na_action="ignore")
    if not declares_levels(column):
        return named
    levels = dict.fromkeys(names.get(str(level), str(level)) for level in column.cat.categories)
    return named.astype(pd.CategoricalDtype([*levels], ordered=declares_order(column)))


def _spellings(columns: Iterable[pd.Series]) -> dict[str, str]:
    """How most cells of some columns of text write each level, by it without capitals."""
    counts: dict[str, int] = {}
    for column in columns:
        for level, count in column.value_counts(sort=False).items():
            counts[tidy(level)] = counts.get(tidy(level), 0) + int(count)
    best: dict[str, str] = {}
    for text, count in counts.items():
        key = text.casefold()
        if key not in best or count > counts[best[key]]:
            best[key] = text
    return best


def _has_alike(column: pd.Series) -> bool:
    return spelt_once(column).nunique() < column.nunique()


class Alike(NamedTuple):
    """A column with levels that differ only by spaces or capitals: how many, and how many meant."""

    column: str
    levels: int
    meant: int


def spelt_alike(table: Table) -> tuple[Alike, ...]:
    """The columns in which some levels differ only by spaces or capitals."""
    found = []
    for name, column in table.frame.items():
        merged = spelt_once(column)
        if merged is not column and (after := merged.nunique()) < (before := column.nunique()):
            found.append(Alike(str(name), before, after))
    return tuple(found)
