"""A column that says how much each row counts."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pandas as pd

from em_core.data import WeightsKind
from pages.ui.tables.columns import ColumnReport, classified
from pages.ui.tables.selection import Selection
from pages.ui.tables.table import DataError, Table
from pages.ui.text import number

_COUNTS = re.compile(
    r"(freq|freqs|frequency|frequencies|n|n obs|nobs|fweights?|h(ä|ae)ufigkeit(en)?|effectifs?)",
    re.IGNORECASE,
)
_SHARES = re.compile(
    r"([pi]weights?|(survey|sampling|sample|design|case|person|household|final|poststratification) "
    r"(weights?|wgt|wt))",
    re.IGNORECASE,
)
# Each of these may as well be what was measured.
_MAYBE_COUNTS = re.compile(r"(counts?|anzahl|number)", re.IGNORECASE)
_MAYBE_SHARES = re.compile(r"(weights?|wgts?|wts?|w|gewichte?|poids)", re.IGNORECASE)
# Values of a column of answers; and how far the mean of weights scaled to the rows may be from 1.
FEW_LEVELS = 10
ABOUT_ONE = 2.0


class NotWhole(DataError):
    """Frequencies that are no whole numbers: they may be sampling weights."""


def weight_candidates(reports: Sequence[ColumnReport]) -> list[str]:
    """Columns of numbers, which could be weights."""
    return [r.name for r in reports if r.type in ("number", "whole number") and r.distinct]


def suggest_weights(table: Table, reports: Sequence[ColumnReport]) -> list[str]:
    """The columns that are weights by their name and all their values; none where nothing else
    could be fitted.

    A name such as "count" or "weight" says so only beside answers of few levels, or, for a weight,
    where the values are scaled to a mean of about 1.
    """
    found: list[str] = []
    for report in reports:
        others = [r for r in reports if r is not report and not r.row_number and classified(r)]
        others = [r for r in others if r.name not in found]
        if others and _by_name(table.frame[report.name], report, others):
            found.append(report.name)
    return found


def _by_name(column: pd.Series, report: ColumnReport, others: list[ColumnReport]) -> bool:
    name = re.sub(r"[\W_]+", " ", report.name).strip()
    if report.type not in ("number", "whole number") or report.missing or report.infinite:
        return False
    values = column.to_numpy(dtype=float)
    if values.min() < 0 or values.max() == 0:
        return False
    most_levels = min(FEW_LEVELS, len(values) / 2)
    answers = all(r.type != "number" and r.distinct <= most_levels for r in others)
    counts = _COUNTS.fullmatch(name) or (answers and _MAYBE_COUNTS.fullmatch(name))
    if counts and report.type == "whole number":
        return True
    scaled = 1 / ABOUT_ONE <= values.mean() <= ABOUT_ONE
    return bool(_SHARES.fullmatch(name) or ((answers or scaled) and _MAYBE_SHARES.fullmatch(name)))


def weighted(
    selection: Selection, table: Table, column: str, kind: WeightsKind, parts: str = ""
) -> Selection:
    """The selection with weights (N,); rows without one are left out.

    parts: what rows are parts of, "sequence" or "group", which then has one weight; "" for nothing.
    Raises DataError for what cannot be weights; NotWhole for frequencies that do not count.
    """
    values = _numbers(table, column)[selection.rows]
    there = ~np.isnan(values)
    _check(values, column, kind, selection.rows)
    if parts:
        _check_constant(values, selection, column, parts)
    if not there.all():
        selection, values = _with_rows(selection, there, column), values[there]
    return selection._replace(weights=values, weight_name=column, weights_kind=kind)


def _numbers(table: Table, column: str) -> np.ndarray:
    if column not in table.frame:
        raise DataError(f"This table has no column {column!r}: choose another under “Weights”.")
    cells = table.frame[column]
    if not pd.api.types.is_numeric_dtype(cells) or pd.api.types.is_bool_dtype(cells):
        raise DataError(
            f"Column {column!r} cannot be the weights: it does not hold numbers. Choose another "
            "under “Weights”, or none."
        )
    return cells.to_numpy(dtype=float, na_value=np.nan)


def _check(values: np.ndarray, column: str, kind: WeightsKind, rows: np.ndarray) -> None:
    """Raises DataError where numbers cannot be weights."""
    there = values[~np.isnan(values)]
    for bad, what in ((values < 0, "can't be less than 0"), (np.isinf(values), "isn't finite")):
        if bad.any():
            raise DataError(
                f"Column {column!r} cannot be the weights: {_places(values, bad, rows)} {what}. "
                "Correct the table, or choose another column under “Weights”."
            )
    if not len(there) or not there.any():
        what = "are all 0" if len(there) else "are all missing"
        raise DataError(
            f"Column {column!r} cannot be the weights: in the rows used they {what}. Choose "
            "another under “Weights”, or none."
        )
    fractions = ~np.isnan(values) & (values != np.floor(values))
    if kind == "frequencies" and fractions.any():
        raise NotWhole(
            f"Column {column!r} does not count rows: {_places(values, fractions, rows)} isn't a "
            "whole number. Are these sampling weights, which say how many of a population a row "
            "stands for?"
        )


def _places(values: np.ndarray, bad: np.ndarray, rows: np.ndarray) -> str:
    """The first of the values that are bad, where it stands, and how many more there are."""
    first = int(np.argmax(bad))
    more = f" (and {bad.sum() - 1:,} more)" * bool(bad.sum() > 1)
    return f"{number(values[first], 6)} in row {rows[first] + 1:,}{more}"


def _check_constant(values: np.ndarray, selection: Selection, column: str, parts: str) -> None:
    """Raises DataError where rows of one sequence or group do not have one weight."""
    ends = np.cumsum(selection.sizes) if selection.groups else [len(values)]
    start = 0
    for at, end in enumerate(ends):
        own = values[start:end]
        differ = ~((own == own[0]) | (np.isnan(own) & np.isnan(own[0])))
        if differ.any():
            where = np.array([start, start + int(np.argmax(differ))])
            here = [
                f"{number(value, 6)} in row {row + 1:,}"
                for value, row in zip(values[where], selection.rows[where], strict=True)
            ]
            name = f" {selection.groups[at]!r}" if selection.groups else ""
            raise DataError(
                f"The weights in column {column!r} differ within the {parts}{name}: "
                f"{' and '.join(here)}. The rows of a {parts} depend on one another, so that a "
                f"weight counts {parts}s as wholes: give all rows of a {parts} the same, or choose "
                "none under “Weights”."
            )
        start = end


def _with_rows(selection: Selection, kept: np.ndarray, column: str) -> Selection:
    """The selection with some of its rows; the others have no weight."""
    without = pd.DataFrame({"row": selection.rows[~kept] + 1, "reason": f"{column} is missing"})
    left_out = pd.concat([selection.left_out, without]).sort_values("row", ignore_index=True)
    groups, sizes = selection.groups, selection.sizes
    if groups:
        parts = np.repeat(np.arange(len(groups)), sizes)[kept]
        sizes = np.bincount(parts, minlength=len(groups))
        groups = tuple(name for name, size in zip(groups, sizes, strict=True) if size)
        sizes = sizes[sizes > 0]
    return selection._replace(
        values=np.ascontiguousarray(selection.values[kept]),
        rows=selection.rows[kept],
        left_out=left_out,
        labels=None if selection.labels is None else selection.labels[kept],
        groups=groups,
        sizes=sizes,
    )
