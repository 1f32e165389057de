"""What the columns of a table are, and which of them a model can be fitted to."""

import re
from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from pages.ui.tables import cells
from pages.ui.tables.table import Table

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


def describe_columns(table: Table) -> list[ColumnReport]:
    """A report on each column, in the order of the table."""
    return [describe(name, table.frame[name]) for name in table.frame]


def describe(name: str, column: pd.Series) -> ColumnReport:
    """A report on one column."""
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
    for group in ([r for r in telling if r in words], telling):
        if group:
            # Of several, the last: labels are usually written after the measurements.
            return group[-1].name
    # Where several columns hold words, as in a survey, they are what was measured.
    return words[0].name if len(words) == 1 else None


_SEQUENCE_NAMES = re.compile(
    r"\b(sequence|series|subject|person|participant|patient|individual|animal|trial|session|track|"
    r"id)\b",
    re.IGNORECASE,
)
# Rows of a sequence, on average, below which a column more likely says something else.
SHORT_SEQUENCE = 3


def suggest_sequences(table: Table, reports: Sequence[ColumnReport]) -> str | None:
    """The first column that seems to say which sequence a row belongs to: the rows of each of its
    values stand together, and it holds words, or its name says so. None if there is none."""
    for report in reports:
        name = report.name.replace("_", " ")
        words = report.type == "text" and not _LABEL_NAMES.search(name)
        named = report.type in ("text", "whole number") and _SEQUENCE_NAMES.search(name)
        few = 2 <= report.distinct <= len(table.frame) / SHORT_SEQUENCE and not report.missing
        if few and (words or named):
            changes = np.diff(pd.factorize(table.frame[report.name])[0])
            if np.count_nonzero(changes) == report.distinct - 1:
                return report.name
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


def holds_counts(report: ColumnReport) -> bool:
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
