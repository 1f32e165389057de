"""From a table to the numbers a model is fitted to."""

from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import NamedTuple

import numpy as np
import pandas as pd

from em_core.data import WeightsKind
from em_core.partitions.partitions import Partitions
from pages.ui.tables.columns import MAX_LABELS, ColumnReport, answered, classified, describe
from pages.ui.tables.levels import coded
from pages.ui.tables.table import DataError, Scale, Table
from pages.ui.text import number, shortened

# Of why a row is left out: how many columns are named, and with how many letters each.
MOST_REASONS, MOST_LETTERS = 4, 60


class Selection(NamedTuple):
    """The rows and columns a model is fitted to, and the rows that had to be left out.

    Where rows are in groups or sequences, those of one stand together, in their order.
    """

    values: np.ndarray  # (N, D) float64, finite or NaN where a value is missing
    columns: tuple[str, ...]
    rows: np.ndarray  # (N,) 0-based positions in the table
    left_out: pd.DataFrame  # columns "row" (from 1) and "reason"
    labels: np.ndarray | None  # (N,) object: str, or None where the label is missing
    label_name: str | None
    group_name: str | None = None
    groups: tuple[str, ...] = ()  # what the G groups are called, in their order; () for none
    sizes: np.ndarray = np.zeros(0, dtype=int)  # (G,) rows of each
    # For each column the names of its levels 0, 1, 2, ...; () for a column of numbers.
    levels: tuple[tuple[str, ...], ...] = ()
    weights: np.ndarray | None = None  # (N,) as they stand in the table; None for none
    weight_name: str | None = None
    weights_kind: WeightsKind = "frequencies"
    scales: tuple[Scale | None, ...] = ()  # of each column what it was made of, if it was
    row_names: pd.Series | None = None  # of all rows of the table, by the column of this name
    # All rows that a model is fitted to, where those here are a sample of them.
    whole: Partitions | None = None

    @property
    def transformations(self) -> tuple[str, ...]:
        """The transformation of each column, "" for none; () where there is none at all."""
        names = [scale.how if scale else "" for scale in self.scales]
        # Levels have no density.
        names = ["" if level else name for name, level in zip_longest(names, self.levels)]
        return tuple(names) if any(names) else ()

    @property
    def parts(self) -> list[np.ndarray]:
        """The rows of each group, or all rows as one."""
        return np.split(self.values, np.cumsum(self.sizes)[:-1]) if self.groups else [self.values]

    @property
    def frequencies(self) -> np.ndarray | None:
        """(N,) as often as which each row is there; None where each is there once."""
        return self.weights if self.weights_kind == "frequencies" else None

    @property
    def total(self) -> float:
        """How many rows are counted: those there are, or the sum of their frequencies."""
        if self.whole is not None:
            return self.whole.first_pass().columns.total
        if self.weights is None:
            return len(self.values)
        counted = self.weights if self.weights_kind == "frequencies" else self.weights > 0
        return float(counted.sum())

    @property
    def n_rows(self) -> int:
        """How many rows are fitted."""
        return len(self.values if self.whole is None else self.whole)

    @property
    def n_groups(self) -> int:
        """How many groups or sequences are fitted; 0 where rows are in none."""
        ends = None if self.whole is None or not self.groups else self.whole.ends
        return len(self.groups if ends is None else ends)

    @property
    def weights_of_parts(self) -> np.ndarray | None:
        """The weight of each group, which all its rows have, or of all rows as one."""
        if self.weights is None:
            return None
        return self.weights[np.cumsum([0, *self.sizes[:-1]])]

    @property
    def identifier(self) -> str:
        """The column that says what rows are called; "" for none."""
        return "" if self.row_names is None else str(self.row_names.name)

    def called(self, rows: np.ndarray) -> list[str]:
        """What some rows (n,) are called; [] where no column says so, "" for an empty cell."""
        if self.row_names is None:
            return []
        cells = self.row_names.iloc[self.rows[rows]]
        return ["" if missing else str(c) for c, missing in zip(cells, cells.isna(), strict=True)]

    def cells(self, column: int, rows: np.ndarray) -> np.ndarray:
        """What stands in some rows (n,) of a column: numbers, or the names of levels; NaN where a
        value is missing."""
        values = self.values[rows, column]
        names = self.levels[column] if self.levels else ()
        if not names:
            return values
        return np.array([*names, np.nan], object)[np.nan_to_num(values, nan=-1).astype(int)]

    def in_words(self, columns: Sequence[int], values: Sequence[float]) -> str:
        """Values of some columns, as they stand in the table."""
        cells = []
        for column, value in zip(columns, values, strict=True):
            names = self.levels[column] if self.levels else ()
            said = names[int(value)] if names else number(value, 15)
            cells.append(f"“{said}” in column “{self.columns[column]}”")
        return " with ".join(cells)


def selection_bytes(selection: Selection) -> int:
    """What a selection takes in memory, beside the table."""
    labels = 0 if selection.labels is None else selection.labels.nbytes
    left_out = int(selection.left_out.memory_usage().sum())
    weights = 0 if selection.weights is None else selection.weights.nbytes
    return selection.values.nbytes + selection.rows.nbytes + labels + weights + left_out


def select(
    table: Table,
    columns: Sequence[str],
    label_column: str | None = None,
    group_column: str | None = None,
    holes: bool = False,
) -> Selection:
    """The rows whose chosen columns all hold finite numbers; the others are listed with reasons.

    holes: rows with some values missing are kept, with NaN. Raises DataError if a column can't be
    used or no row is left.
    """
    frame = table.taken_frame
    columns = _chosen(frame, columns, label_column)
    for name in columns:
        _check_measurement(describe(name, frame[name]))
    values = _numbers(frame, columns)
    used = _usable(values, holes)
    selection = _selected(table, frame, columns, label_column, values, used, group_column)
    n_rows = len(selection.values)
    for name, column in zip(columns, selection.values.T, strict=True):
        column = column[~np.isnan(column)]
        if n_rows > 1 and (not len(column) or column.min() == column.max()):
            raise DataError(
                f"Column {name!r} has the same value in all {n_rows:,} rows that can be "
                "used: untick it."
            )
    return selection


def select_items(
    table: Table,
    columns: Sequence[str],
    label_column: str | None = None,
    group_column: str | None = None,
    holes: bool = True,
) -> Selection:
    """The rows that hold at least one of the chosen columns; a missing value is NaN.

    A column in which all rows are alike may be chosen: it says nothing, but does no harm. Raises
    DataError if a column can't be used or no row is left.
    """
    frame = table.taken_frame
    columns = _chosen(frame, columns, label_column)
    for name in columns:
        _check_item(describe(name, frame[name]))
    values = _numbers(frame, columns)
    used = _usable(values, holes)
    return _selected(table, frame, columns, label_column, values, used, group_column)


def select_levels(
    table: Table,
    columns: Sequence[str],
    label_column: str | None = None,
    group_column: str | None = None,
    holes: bool = True,
    most: int = MAX_LABELS,
) -> Selection:
    """As `select_items`; text, and numbers that do not count from 0, are coded by their levels.

    Levels are in the order of `levels.in_order`; columns of numbers with more than `most` of them
    are left to the model.
    """
    frame = table.taken_frame
    columns = _chosen(frame, columns, label_column)
    values, levels = [], []
    for name in columns:
        report = describe(name, frame[name])
        counts = _counts_from_zero(report, frame[name], most)
        if classified(report) and report.distinct <= most and not counts:
            codes, names = coded(frame[name])
            values.append(codes)
            levels.append(names)
            continue
        _check_item(report)
        values.append(_numbers(frame, [name])[:, 0])
        levels.append(())
    values = np.column_stack(values)
    used = _usable(values, holes)
    selection = _selected(table, frame, columns, label_column, values, used, group_column)
    return selection._replace(levels=tuple(levels))


def recoded(
    table: Table, selection: Selection, levels: Mapping[str, Sequence[str | float]]
) -> Selection:
    """A selection of a sample with the levels that these columns have in all rows, of which the
    sample may lack some: each value the place of its level among them."""
    values, named = selection.values.copy(), list(selection.levels)
    for j, name in enumerate(selection.columns):
        if name not in levels:
            continue
        column = pd.Series(levels[name]).astype(table.frame[name].dtype)
        places = {str(level): place for place, level in enumerate(column)}
        now = np.array([places[level] for level in named[j]] + [np.nan])
        values[:, j] = now[np.nan_to_num(values[:, j], nan=-1).astype(int)]
        named[j] = tuple(places)
    return selection._replace(values=values, levels=tuple(named))


def _counts_from_zero(report: ColumnReport, column: pd.Series, most: int) -> bool:
    """Whether a column's values are levels as they are: 0, 1, 2, ...; of two at most, 0 or 1."""
    values = set(column.dropna())
    all_there = values == set(range(report.distinct))
    return report.type == "whole number" and (all_there or (most == 2 and values <= {0, 1}))


def _usable(values: np.ndarray, holes: bool) -> np.ndarray:
    """(N,) which rows hold finite numbers: all of them, or with holes at least one."""
    if holes:
        return ~np.any(np.isinf(values), axis=1) & ~np.all(np.isnan(values), axis=1)
    return np.all(np.isfinite(values), axis=1)


def _chosen(
    frame: pd.DataFrame, columns: Sequence[str], label_column: str | None
) -> tuple[str, ...]:
    columns = tuple(dict.fromkeys(columns))
    if not columns and not any(describe(name, frame[name]).usable for name in frame):
        raise DataError(
            "This table has no column of numbers that vary: load one with at least one such column."
        )
    if not columns:
        raise DataError("No column is chosen: choose at least one column of numbers.")
    for name in (*columns, *([] if label_column is None else [label_column])):
        if name not in frame:
            raise DataError(f"This table has no column {name!r}: choose one of its own columns.")
    return columns


def _numbers(frame: pd.DataFrame, columns: Sequence[str]) -> np.ndarray:
    return np.column_stack([frame[name].to_numpy(dtype=float, na_value=np.nan) for name in columns])


def _selected(
    table: Table,
    frame: pd.DataFrame,
    columns: tuple[str, ...],
    label_column: str | None,
    values,
    used: np.ndarray,
    group_column: str | None,
) -> Selection:
    """values (n, D) and used (n,) are of the rows of `frame`: those taken of the table."""
    taken = table.taken
    left_out = [_reasons(values, columns, np.flatnonzero(~used))]
    rows = np.flatnonzero(used)
    groups, sizes = (), np.zeros(0, dtype=int)
    if group_column is not None and len(rows):
        rows, groups, sizes, ungrouped = _grouped(frame[group_column], rows)
        left_out.append(ungrouped)
    for found in left_out:
        found["row"] = taken[found["row"].to_numpy(int) - 1] + 1
    left_out += [
        pd.DataFrame({"row": out.rows + 1, "reason": out.reason}) for out in table.left_out
    ]
    left_out = pd.concat(left_out).sort_values("row", ignore_index=True)
    values = np.ascontiguousarray(values[rows])
    if not len(values):
        raise DataError(
            "No row has a number in every chosen column: untick the columns with the most missing "
            "values."
        )
    labels = None
    if label_column is not None:
        labels = _labels(frame[label_column].iloc[rows])
    return Selection(
        values,
        columns,
        taken[rows],
        left_out,
        labels,
        label_column,
        group_column,
        groups,
        sizes,
        scales=tuple(map(table.scale, columns)),
    )


def _grouped(
    column: pd.Series, rows: np.ndarray
) -> tuple[np.ndarray, tuple[str, ...], np.ndarray, pd.DataFrame]:
    """Rows with those of one group together; the groups' names and sizes; rows without a group."""
    codes, names = pd.factorize(column.iloc[rows])
    without = rows[codes < 0]
    order = np.argsort(codes, kind="stable")[len(without) :]
    left_out = pd.DataFrame({"row": without + 1, "reason": f"{column.name} is missing"})
    return rows[order], tuple(map(str, names)), np.bincount(codes[codes >= 0]), left_out


def _check_measurement(report: ColumnReport) -> None:
    if not report.usable:
        why_not = report.why_not[0].lower() + report.why_not[1:]
        raise DataError(f"Untick column {report.name!r}: {why_not}")


def _check_item(report: ColumnReport) -> None:
    """As a measurement, but all its values may be the same."""
    if not answered(report):
        _check_measurement(report)


def _reasons(values: np.ndarray, columns: tuple[str, ...], positions: np.ndarray) -> pd.DataFrame:
    """Why rows are left out, in a text for each set of reasons: rows may be many, and so may be
    the columns that each of them lacks."""
    code, told, texts = np.zeros(len(positions), int), np.zeros(len(positions), int), [""]

    def say(mask: np.ndarray, what: str) -> None:
        before, place = np.unique(code[mask], return_inverse=True)
        code[mask] = len(texts) + place
        texts.extend(f"{texts[one]}{'; ' * bool(one)}{what}" for one in before)

    for name, column in zip(columns, values[positions].T, strict=True):
        for found, what in ((np.isnan(column), "missing"), (np.isinf(column), "infinite")):
            say(found & (told < MOST_REASONS), f"{shortened(name, MOST_LETTERS)} is {what}")
            told += found
    for more in np.unique(told[told > MOST_REASONS]) - MOST_REASONS:
        say(told == MOST_REASONS + more, f"{more:,} more")
    reason = np.array(texts, dtype=object)[code]
    if len(columns) > 1:
        reason[np.isnan(values[positions]).all(axis=1)] = "all chosen columns are missing"
    return pd.DataFrame({"row": positions + 1, "reason": reason})


def _labels(column: pd.Series) -> np.ndarray:
    codes, names = pd.factorize(column)  # every label once, however many rows have it
    return np.array([*map(str, names), None], dtype=object)[codes]
