"""From a table to the numbers a model is fitted to, and back to the rows of the table."""

import hashlib
import io
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from em_core import agreement, datasets
from pages.ui.table import cells
from pages.ui.table.reading import (
    MAX_BYTES,
    MAX_COLUMNS,
    MAX_ROWS,
    DataError,
    Table,
    read_table,
)

__all__ = [
    "MAX_BYTES",
    "MAX_COLUMNS",
    "MAX_ROWS",
    "ColumnReport",
    "DataError",
    "Selection",
    "Table",
    "confusion_table",
    "default_columns",
    "describe_columns",
    "from_dataset",
    "harmless",
    "join_results",
    "label_candidates",
    "read_table",
    "select",
    "suggest_label",
    "to_csv_bytes",
    "to_parquet_bytes",
]

ColumnType = Literal["number", "whole number", "text", "true/false", "date"]

MAX_DEFAULT_COLUMNS = 8
MAX_LABELS = 30


class ColumnReport(NamedTuple):
    """What a person should know about a column before fitting."""

    name: str
    type: ColumnType
    missing: int
    infinite: int  # cells that are infinite or too large to hold
    distinct: int  # among the cells that are neither missing nor infinite
    constant: bool
    usable: bool  # as a measurement
    why_not: str  # "" if usable
    row_number: bool  # counts the rows: 0, 1, 2, ... or 1900, 1901, ...


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

    @property
    def parts(self) -> list[np.ndarray]:
        """The rows of each group, or all rows as one."""
        return np.split(self.values, np.cumsum(self.sizes)[:-1]) if self.groups else [self.values]


def from_dataset(dataset: datasets.Dataset) -> Table:
    """An example or a generated data set as a table, its labels in a last column."""
    frame = pd.DataFrame(dataset.values, columns=list(dataset.columns), copy=True)
    for name in frame:
        values = frame[name]
        present = values.dropna()
        if len(present) and (present == np.floor(present)).all() and present.abs().max() < 2**53:
            frame[name] = values.astype("Int64")
    digest = hashlib.sha256(np.ascontiguousarray(dataset.values).tobytes())
    digest.update(repr((dataset.values.shape, dataset.columns, dataset.label_name)).encode())
    units = (*dataset.units, *[""] * (len(dataset.columns) - len(dataset.units)))
    if dataset.labels is not None:
        frame[dataset.label_name] = pd.Series(dataset.labels, dtype="str")
        digest.update("\x1f".join(dataset.labels).encode())
        units = (*units, "")
    parsing = (
        f"Source: {dataset.source}.",
        f"{len(frame):,} rows, {frame.shape[1]:,} columns.",
    )
    return Table(dataset.name, frame, parsing, digest.hexdigest(), units)


# ---------------------------------------------------------------------------------------------
# What the columns are


def describe_columns(table: Table) -> list[ColumnReport]:
    """A report on each column, in the order of the table."""
    return [_describe(name, table.frame[name]) for name in table.frame]


def _describe(name: str, column: pd.Series) -> ColumnReport:
    missing = int(column.isna().sum())
    if not pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
        kind = _type_of(column)
        distinct = int(column.nunique())
        why_not = _why_not(column, kind, missing)
        return ColumnReport(name, kind, missing, 0, distinct, distinct == 1, False, why_not, False)
    values = column.to_numpy(dtype=float, na_value=np.nan)
    finite = values[np.isfinite(values)]
    distinct = len(np.unique(finite))
    whole = len(finite) > 0 and bool(np.all(finite == np.floor(finite)))
    infinite = len(values) - missing - len(finite)
    if missing == len(values):
        why_not = "It has no values."
    elif not len(finite):
        why_not = "It has no finite values."
    elif distinct == 1:
        why_not = "All its values are the same."
    else:
        why_not = ""
    row_number = whole and len(finite) == len(values) >= 3 and bool(np.all(np.diff(finite) == 1.0))
    kind: ColumnType = "whole number" if whole else "number"
    return ColumnReport(
        name,
        kind,
        missing,
        infinite,
        distinct,
        constant=distinct == 1,
        usable=not why_not,
        why_not=why_not,
        row_number=row_number,
    )


_DATE = re.compile(
    r"(\d{4}[-/.]\d{1,2}([-/.]\d{1,2})?|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}|\d{8}T\d{4,6})"
    r"([T ,]+\d{1,2}:\d{2}(:\d{2}([.,]\d+)?)?( ?[AaPp][Mm])?)? ?(Z|[+-]\d{2}:?\d{2})?"
    r"|\d{1,2}:\d{2}(:\d{2}([.,]\d+)?)?( ?[AaPp][Mm])?"
)


def _type_of(column: pd.Series) -> ColumnType:
    if pd.api.types.is_bool_dtype(column):
        return "true/false"
    if pd.api.types.is_datetime64_any_dtype(column):
        return "date"
    present = column.dropna()
    # The first cells settle it for nearly every text column, before all of them are matched.
    for part in (present.head(20), present):
        if not len(part) or not all(_DATE.fullmatch(str(cell).strip()) for cell in part):
            return "text"
    return "date"


def _why_not(column: pd.Series, kind: ColumnType, missing: int) -> str:
    if kind == "date":
        return "Dates and times aren't measurements."
    if kind == "true/false":
        return "True/false isn't a measurement."
    if missing == len(column):
        return "It has no values."
    text = pa.chunked_array([pa.array(column.astype("str"), pa.string(), from_pandas=True)])
    number = cells.is_number(pc.utf8_trim_whitespace(text))
    bad = pc.fill_null(pc.invert(number), False).to_numpy()
    count = int(bad.sum())
    if count == 0:
        return "It is kept as text: codes that begin with 0, or numbers stored as text."
    if count == len(column) - missing:
        return "It holds text, not numbers."
    position = int(np.argmax(bad))
    sample = str(column.iloc[position])
    sample = sample if len(sample) <= 30 else sample[:29] + "…"
    what = "1 cell isn't a number" if count == 1 else f"{count:,} cells aren't numbers"
    return f"{what}: {sample!r} in row {position + 1:,}" + (", and more." if count > 1 else ".")


_LABEL_NAMES = re.compile(
    r"\b(class|label|labels|species|group|type|category|cluster|target|diagnosis|cultivar|"
    r"variety|truth|true component|arm|sex|gender|outcome)\b",
    re.IGNORECASE,
)


def label_candidates(reports: Sequence[ColumnReport]) -> list[str]:
    """Columns that could hold known labels: text, true/false or whole numbers, few distinct."""
    return [
        r.name
        for r in reports
        if 2 <= r.distinct <= MAX_LABELS and r.type in ("text", "true/false", "whole number")
    ]


def suggest_label(table: Table, reports: Sequence[ColumnReport]) -> str | None:
    """The column that most likely holds known labels, or None if none stands out."""
    rows = len(table.frame)
    possible = label_candidates(reports)
    possible = [r for r in reports if r.name in possible and r.distinct * 4 <= max(rows, 8)]
    telling = [r for r in possible if _LABEL_NAMES.search(r.name.replace("_", " "))]
    words = [r for r in possible if r.type != "whole number"]
    for group in ([r for r in telling if r in words], telling, words):
        if group:
            # Of several, the last: labels are usually written after the measurements.
            return group[-1].name
    return None


def measured(report: ColumnReport) -> bool:
    """Whether a column holds numbers that vary."""
    return report.usable


def answered(report: ColumnReport) -> bool:
    """Whether a column holds numbers, be they all the same."""
    return report.usable or (report.constant and "number" in report.type)


def classified(report: ColumnReport) -> bool:
    """Whether a column holds levels: numbers, or text of a few kinds."""
    few = report.type in ("text", "true/false") and 1 <= report.distinct <= MAX_LABELS
    return answered(report) or few


def counted(report: ColumnReport) -> bool:
    """Whether a column holds whole numbers."""
    return report.type == "whole number"


def binary(report: ColumnReport) -> bool:
    """Whether a column has two levels at most."""
    return classified(report) and report.distinct <= 2


def anything(report: ColumnReport) -> bool:
    return True


def default_columns(
    reports: Sequence[ColumnReport],
    label: str | None = None,
    takes: Callable[[ColumnReport], bool] = measured,
    prefers: Callable[[ColumnReport], bool] = anything,
    most: int = MAX_DEFAULT_COLUMNS,
) -> tuple[str, ...]:
    """The first columns that a model `takes` and `prefers` and are neither label nor row number.

    Where it prefers none, the first that it takes.
    """
    possible = [r for r in reports if takes(r) and not r.row_number and r.name != label]
    preferred = [r for r in possible if prefers(r)]
    return tuple(r.name for r in (preferred or possible)[:most])


# ---------------------------------------------------------------------------------------------
# Choosing rows and columns


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
    columns = _chosen(table, columns, label_column)
    for name in columns:
        _check_measurement(_describe(name, table.frame[name]))
    values = _numbers(table, columns)
    used = np.isfinite(values).all(axis=1)
    if holes:
        used = ~np.isinf(values).any(axis=1) & ~np.isnan(values).all(axis=1)
    selection = _selected(table, columns, label_column, values, used, group_column)
    used = selection.values
    for name, column in zip(columns, used.T, strict=True):
        column = column[~np.isnan(column)]
        if len(used) > 1 and (not len(column) or column.min() == column.max()):
            raise DataError(
                f"Column {name!r} has the same value in all {len(used):,} rows that can be "
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
    columns = _chosen(table, columns, label_column)
    for name in columns:
        report = _describe(name, table.frame[name])
        if not report.usable and not report.constant:
            _check_measurement(report)
    values = _numbers(table, columns)
    return _selected(table, columns, label_column, values, _answering(values, holes), group_column)


def select_levels(
    table: Table,
    columns: Sequence[str],
    label_column: str | None = None,
    group_column: str | None = None,
    holes: bool = True,
    most: int = MAX_LABELS,
) -> Selection:
    """As `select_items`; text, and numbers that do not count from 0, are coded by their levels.

    Levels are in alphabetical or numerical order; columns of numbers with more than `most` of them
    are left to the model.
    """
    columns = _chosen(table, columns, label_column)
    coded, levels = [], []
    for name in columns:
        report = _describe(name, table.frame[name])
        counts = _counts_from_zero(report, table.frame[name])
        if classified(report) and report.distinct <= most and not counts:
            cells = table.frame[name].astype("category")
            coded.append(np.where(cells.isna(), np.nan, cells.cat.codes.astype(float)))
            levels.append(tuple(map(str, cells.cat.categories)))
            continue
        if not report.usable and not report.constant:
            _check_measurement(report)
        coded.append(_numbers(table, [name])[:, 0])
        levels.append(())
    values = np.column_stack(coded)
    used = _answering(values, holes)
    selection = _selected(table, columns, label_column, values, used, group_column)
    return selection._replace(levels=tuple(levels))


def _counts_from_zero(report: ColumnReport, column: pd.Series) -> bool:
    """Whether a column's values are levels as they are."""
    return report.type == "whole number" and set(column.dropna()) == set(range(report.distinct))


def _answering(values: np.ndarray, holes: bool) -> np.ndarray:
    if holes:
        return ~np.isinf(values).any(axis=1) & ~np.isnan(values).all(axis=1)
    return np.isfinite(values).all(axis=1)


def _chosen(table: Table, columns: Sequence[str], label_column: str | None) -> tuple[str, ...]:
    columns = tuple(dict.fromkeys(columns))
    if not columns and not any(_describe(name, table.frame[name]).usable for name in table.frame):
        raise DataError(
            "This table has no column of numbers that vary: load one with at least one such column."
        )
    if not columns:
        raise DataError("No column is chosen: choose at least one column of numbers.")
    for name in (*columns, *([] if label_column is None else [label_column])):
        if name not in table.frame:
            raise DataError(f"This table has no column {name!r}: choose one of its own columns.")
    return columns


def _numbers(table: Table, columns: Sequence[str]) -> np.ndarray:
    return np.column_stack(
        [table.frame[name].to_numpy(dtype=float, na_value=np.nan) for name in columns]
    )


def _selected(
    table: Table,
    columns: tuple[str, ...],
    label_column: str | None,
    values,
    used: np.ndarray,
    group_column: str | None,
) -> Selection:
    left_out = _reasons(values, columns, np.flatnonzero(~used))
    rows = np.flatnonzero(used)
    groups, sizes = (), np.zeros(0, dtype=int)
    if group_column is not None and len(rows):
        rows, groups, sizes, ungrouped = _grouped(table.frame[group_column], rows)
        left_out = pd.concat([left_out, ungrouped]).sort_values("row", ignore_index=True)
    values = np.ascontiguousarray(values[rows])
    if not len(values):
        raise DataError(
            "No row has a number in every chosen column: untick the columns with the most missing "
            "values."
        )
    labels = None
    if label_column is not None:
        labels = _labels(table.frame[label_column].iloc[rows])
    return Selection(
        values, columns, rows, left_out, labels, label_column, group_column, groups, sizes
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


def _reasons(values: np.ndarray, columns: tuple[str, ...], positions: np.ndarray) -> pd.DataFrame:
    reason = np.full(len(positions), "", dtype=object)
    for name, column in zip(columns, values[positions].T, strict=True):
        for mask, what in ((np.isnan(column), "missing"), (np.isinf(column), "infinite")):
            separator = np.where(reason[mask] == "", "", "; ").astype(object)
            reason[mask] = reason[mask] + separator + f"{name} is {what}"
    return pd.DataFrame({"row": positions + 1, "reason": reason})


def _labels(column: pd.Series) -> np.ndarray:
    labels = np.empty(len(column), dtype=object)
    labels[:] = [
        None if missing else str(v) for v, missing in zip(column, column.isna(), strict=True)
    ]
    return labels


# ---------------------------------------------------------------------------------------------
# Results


def confusion_table(
    labels: Sequence[str | None], clusters: Sequence[int], component_names: Sequence[str]
) -> pd.DataFrame:
    """Counts of rows by known label (rows) and component (columns); missing labels left out."""
    counted = agreement.confusion(labels, clusters, len(component_names))
    return pd.DataFrame(counted.counts, index=list(counted.labels), columns=list(component_names))


def join_results(
    table: Table, selection: Selection, results: Mapping[str, np.ndarray]
) -> pd.DataFrame:
    """All rows of the table with further columns; the rows left out have empty cells there.

    results: for each new column (N,) text or numbers of the selected rows.
    """
    frame = table.frame.copy()
    for name, values in results.items():
        if np.issubdtype(np.asarray(values).dtype, np.number):
            column = np.full(len(frame), np.nan)
            column[selection.rows] = values
            frame[_free(name, frame)] = column
        else:
            column = np.full(len(frame), None, dtype=object)
            column[selection.rows] = values
            frame[_free(name, frame)] = pd.Series(column, index=frame.index, dtype="str")
    return frame


def _free(name: str, frame: pd.DataFrame) -> str:
    number, free = 2, name
    while free in frame:
        free, number = f"{name} ({number})", number + 1
    return free


# What a spreadsheet program may take for a formula, wide forms included.
_FORMULA = re.compile("[=+\\-@\uff1d\uff0b\uff0d\uff20\t\r\n\x00]|\\s+[=+\\-@]")


def to_csv_bytes(frame: pd.DataFrame) -> bytes:
    """The frame as CSV in UTF-8: no cell or header runs as a formula, every number exact.

    Numbers are written with as many digits as it takes to read the same double back.
    """
    # Lines end as RFC 4180 has it; it also makes the writer quote a lone carriage return.
    return _defused(frame).to_csv(index=False, lineterminator="\r\n").encode()


def to_parquet_bytes(frame: pd.DataFrame) -> bytes:
    """The frame as Parquet, as harmless to a spreadsheet program as the CSV."""
    buffer = io.BytesIO()
    _defused(frame).to_parquet(buffer, index=False)
    return buffer.getvalue()


def _defused(frame: pd.DataFrame) -> pd.DataFrame:
    """Text that a spreadsheet program may take for a formula gets a leading apostrophe."""
    safe = {}
    for position in range(frame.shape[1]):
        column = frame.iloc[:, position]
        if pd.api.types.is_string_dtype(column):
            column = column.astype(object).map(harmless, na_action="ignore").astype("str")
        safe[position] = column
    result = pd.DataFrame(safe)
    result.columns = [harmless(name) for name in frame.columns]
    return result


def harmless(cell: object) -> object:
    """A cell or a header of a download, so that no spreadsheet program runs it."""
    if isinstance(cell, str) and _FORMULA.match(cell):
        return "'" + cell
    return cell
