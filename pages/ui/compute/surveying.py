"""First passes over a data set on the server, as jobs for a process."""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Mapping
from functools import partial
from typing import NamedTuple

import numpy as np

from em_core.partitions.overview import Overview
from em_core.partitions.partitions import NoRows, Partitions
from em_core.partitions.sources import Apart, Levels, Unassigned, parquet_levels
from pages.ui.compute.going_over import going_over, readable
from pages.ui.tables.cells import EXACT
from pages.ui.tables.columns import MAX_LABELS, SHORT_SEQUENCE, may_tell_sequences
from pages.ui.tables.data_set import DataSet, Grouping, Surveyed, can_be_used
from pages.ui.tables.levels import in_order
from pages.ui.text import plural, sentence

# Columns that are looked at in one pass: what a process holds of them is bounded.
AT_ONCE = 8


def survey(data_set: DataSet, grouping: Grouping | None = None) -> Generator[float, None, Surveyed]:
    """All columns that can be used, with their sample and totals known; of rows in sequences or
    groups with a sample of whole ones, if a model asks for that."""
    yield 0.0
    levels = {}
    with readable():
        for name in data_set.texts:
            found = parquet_levels(data_set.root, name, MAX_LABELS)
            if found:
                levels[name] = tuple(in_order(found))
            yield 0.0
        if not (data_set.numbers or levels):
            raise ValueError(
                f"The data set {data_set.name!r} has no column that can be fitted: none of "
                f"numbers, and its texts have no values or more than {MAX_LABELS} different ones. "
                "Choose another one."
            )
        read = partial(data_set.read, (*data_set.numbers, *levels), levels=levels)
        by = _Grouped(None) if grouping is None else _in_groups(data_set, read, grouping)
        rows = read() if by.rows is None else by.rows
    known = yield from _looked_at(rows)
    could = () if grouping is None else _could_tell(data_set, known, levels, by.group)
    return Surveyed(rows.knowing(known), levels, by.group, by.why_not, could)


def _looked_at(rows: Partitions) -> Generator[float, None, Overview]:
    """Sample and totals of all columns."""
    known: Overview | None = None
    for start in range(0, rows.n_columns, AT_ONCE):
        some = rows.only(range(start, min(start + AT_ONCE, rows.n_columns)))
        with going_over(some) as over:
            found = over.rows.first_pass()
        known = found if known is None else known.beside(found)
        yield (start + AT_ONCE) / rows.n_columns
    assert known is not None, "there are columns"
    return known


class _Grouped(NamedTuple):
    """All rows that are in sequences or groups, by which column, and why they are not: as of
    `Surveyed`. rows: None where they are not."""

    rows: Partitions | None
    group: str | None = None
    why_not: str = ""

    @property
    def n_groups(self) -> int:
        return 0 if self.rows is None or self.rows.ends is None else len(self.rows.ends)


def _in_groups(data_set: DataSet, read: Callable[..., Partitions], grouping: Grouping) -> _Grouped:
    """All rows by the column that is asked for, or by the usual one.

    read: reads them, by a filter and a column that tells.
    """
    texts = data_set.texts
    could = [name for name in (*texts, *data_set.numbers) if name != grouping.weight]
    if grouping.column in could:
        return _by(grouping.column, read, texts, grouping)
    one = _Grouped(read(group=""), "") if grouping.alone else _Grouped(None)
    if grouping.column == "" and grouping.alone:
        return one
    # Of the usual one a file says no more than its name and type: whether rows stand together, only
    # they themselves.
    likely = [name for name in could if may_tell_sequences(name, name in texts)]
    short, refused = [], []
    for name in likely if grouping.alone else dict.fromkeys((*likely, *could)):
        found = _by(name, read, texts, grouping)
        if found.rows is None:
            refused.append(found)
        elif SHORT_SEQUENCE * found.n_groups > len(found.rows):
            short.append(found)
        elif found.n_groups > 1 and (len(found.rows) == data_set.n_rows or not grouping.alone):
            return found
    return one if grouping.alone else next(iter((*short, *refused)), one)


def _by(
    name: str, read: Callable[..., Partitions], texts: Collection[str], grouping: Grouping
) -> _Grouped:
    """All rows that are in a sequence or group by this column."""
    word = grouping.word
    other = f"choose another column under “{plural(word).capitalize()}”"
    other += ", or one sequence" * grouping.alone
    try:
        try:
            found = _Grouped(read(group=name), name)
        except Unassigned:
            some = can_be_used([name], holes=True, texts=texts)
            found = _Grouped(read(filters=some, group=name), name)
    except Apart as apart:
        return _Grouped(
            None, name,
            f"The rows of {word} {str(apart.called)!r} do not stand together in this data set: "
            f"have its files written in the order of the column {name!r}, or {other}.",
        )  # fmt: skip
    except NoRows:
        return _Grouped(None, name, f"The column {name!r} is missing in all rows: {other}.")
    except ValueError as error:
        why = f"{sentence(error)[:-1]}, so it cannot tell which {word} a row is in: {other}."
        return _Grouped(None, name, why)
    assert found.rows is not None, "they were read"
    if grouping.alone or 1 < found.n_groups < len(found.rows):
        return found
    how = "all rows are in one group" if found.n_groups == 1 else "every group has one row"
    return _Grouped(
        None, name,
        f"By {name!r} {how}, so that the variance between groups and that within them cannot be "
        f"told apart: {other}.",
    )  # fmt: skip


def _could_tell(
    data_set: DataSet, known: Overview, levels: Mapping[str, Levels], group: str | None
) -> tuple[str, ...]:
    """The columns that could tell which sequence or group a row is in: texts, and numbers that are
    whole as far as the sample shows, that vary."""
    whole = (np.isnan(known.rows) | (known.rows == np.floor(known.rows))).all(axis=0)
    vary = known.columns.lowest < known.columns.highest
    could = {n for n, can in zip(data_set.numbers, whole & vary, strict=False) if can}
    could |= {name for name in data_set.texts if name not in levels or len(levels[name]) > 1}
    return tuple(name for name, _ in data_set.columns if name in could or name == group)


def levels_of(
    data_set: DataSet, columns: tuple[str, ...]
) -> Generator[float, None, dict[str, Levels]]:
    """The values that some columns have in all rows, in ascending order.

    Raises ValueError, with a sentence, where a column has too many.
    """
    found = {}
    for done, name in enumerate(columns):
        yield done / len(columns)
        with readable():
            levels = parquet_levels(data_set.root, name, MAX_LABELS)
        if levels is None:
            raise ValueError(
                f"Column {name!r} has more than {MAX_LABELS} different values in all rows: untick "
                "it."
            )
        if any(not isinstance(level, str) and abs(level) >= EXACT for level in levels):
            raise ValueError(
                f"Column {name!r} has whole numbers beyond 2^53, which are read to 16 digits here: "
                "as levels they could not be told apart. Untick it, or have them written as texts."
            )
        found[name] = levels
    return found


def used_rows(
    data_set: DataSet,
    columns: tuple[str, ...],
    holes: bool,
    weights: str,
    levels: dict[str, Levels],
    group: str | None = None,
) -> Generator[float, None, Partitions]:
    """Some columns without the rows that a model cannot use, with sample and totals known.

    Raises ValueError, with a sentence, where none is left, and where weights vary within a sequence
    or group.
    """
    yield 0.0
    used = can_be_used(columns, holes, weights, data_set.texts, group or "")
    try:
        with readable():
            rows = data_set.read(columns, weights or None, used, levels, group)
    except NoRows:
        why = "all are missing, or one is infinite" if holes else "one is missing or infinite"
        raise ValueError(
            f"No row can be used with the columns {', '.join(map(repr, columns))}: in each row "
            f"{why}. Leave out the columns that have no numbers."
        ) from None
    yield 0.5
    with going_over(rows) as over:
        known = over.rows.overview()
        if group is not None and weights:
            over.rows.total(_n_parts)  # which raises where they vary
        return rows.knowing(known)


def _n_parts(parts: list[np.ndarray], weights: np.ndarray) -> int:
    return len(parts)
