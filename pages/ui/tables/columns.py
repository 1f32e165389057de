"""What the columns of a table are, and which of them a model can be fitted to."""

import re
from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from em_core.emissions.categorical import MOST_LEVELS
from pages.ui.tables import cells
from pages.ui.tables.keys import ROW_NUMBERS, why_no_measurement
from pages.ui.tables.table import Table
from pages.ui.tables.times import SPELT
from pages.ui.text import number

# "open" is one that waits for an answer.
ColumnType = Literal["number", "whole number", "text", "true/false", "date", "open"]

MAX_DEFAULT_COLUMNS = 8
MAX_LABELS = 30
LONGEST_LOOKED_AT = 1_000  # characters of a text that may be a number or a date


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
    aside: str  # why it is not chosen unasked, as of `keys.why_no_measurement`; "" if it may be
    no_count: str = ""  # the first number in it that counts nothing, in a sentence; "" for none
    most: float = np.nan  # of its finite numbers

    @property
    def row_number(self) -> bool:
        """Whether it counts the rows: 0, 1, 2, ... or 1900, 1901, ..."""
        return self.aside == ROW_NUMBERS


def describe_columns(table: Table) -> list[ColumnReport]:
    """A report on each column, in the order of the table, by the rows that may be used."""
    waiting = {question.column for question in table.questions}
    frame = table.frame.iloc[np.sort(table.taken)] if table.left_out else table.frame
    reports = [
        _waiting(report) if report.name in waiting else report
        for report in (describe(name, frame[name]) for name in frame)
    ]
    if table.known:
        reports = [r if r.row_number else r._replace(aside="") for r in reports]
    asides = {scale.of: f"{scale.column} is made of it" for scale in table.scales}
    if table.clock is not None:
        asides[table.clock.name] = "it is the time"
    return [r._replace(aside=asides.get(r.name, r.aside)) for r in reports]


def _waiting(report: ColumnReport) -> ColumnReport:
    why_not = "It waits for your answer to a question."
    return report._replace(type="open", usable=False, why_not=why_not, aside="")


def describe(name: str, column: pd.Series) -> ColumnReport:
    """A report on one column."""
    missing = int(column.isna().sum())
    if not pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
        kind = _type_of(column)
        distinct = int(column.nunique())
        why_not = _why_not(column, kind, missing)
        aside = why_no_measurement(name, column, np.empty(0)) if kind == "text" else ""
        return ColumnReport(name, kind, missing, 0, distinct, distinct == 1, False, why_not, aside)
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
        aside=why_no_measurement(name, column, finite),
        no_count=_no_count(values),
        most=float(finite.max(initial=-np.inf)),
    )


def _no_count(values: np.ndarray) -> str:
    """The first of these numbers (N,) that is no whole number from 0 on, in a sentence."""
    odd = np.flatnonzero((values < 0) | (values != np.floor(values)) & np.isfinite(values))
    if not len(odd):
        return ""
    return f"{number(values[odd[0]])} isn't a count, in row {odd[0] + 1:,}."


_DATE = re.compile(
    r"(\d{4}[-/.]\d{1,2}([-/.]\d{1,2})?|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}|\d{8}T\d{4,6})"
    r"([T ,]+\d{1,2}:\d{2}(:\d{2}([.,]\d+)?)?( ?[AaPp][Mm])?)? ?(Z|[+-]\d{2}:?\d{2})?"
    r"|\d{1,2}:\d{2}(:\d{2}([.,]\d+)?)?( ?[AaPp][Mm])?"
    rf"|{SPELT}"
)


def _type_of(column: pd.Series) -> ColumnType:
    if pd.api.types.is_bool_dtype(column):
        return "true/false"
    if pd.api.types.is_datetime64_any_dtype(column):
        return "date"
    present = column.dropna()
    # The first cells settle it for nearly every text column, before all of them are matched.
    first = present.head(20)
    if not len(first) or not all(_DATE.fullmatch(str(cell).strip()) for cell in first):
        return "text"
    text = pc.utf8_trim_whitespace(_beginnings(present))
    dates = pc.match_substring_regex(text, f"^({_DATE.pattern})$")
    return "date" if pc.all(dates).as_py() else "text"


def _beginnings(column: pd.Series) -> pa.ChunkedArray:
    """What is looked at of texts: no number and no date is longer. Looking takes twice its size."""
    text = pa.array(column.astype("str"), pa.string(), from_pandas=True)
    return pa.chunked_array([pc.utf8_slice_codeunits(text, 0, LONGEST_LOOKED_AT)])


def _why_not(column: pd.Series, kind: ColumnType, missing: int) -> str:
    if kind == "date":
        return "Dates and times aren't measurements."
    if kind == "true/false":
        return "True/false isn't a measurement."
    if missing == len(column):
        return "It has no values."
    number = cells.is_number(pc.utf8_trim_whitespace(_beginnings(column)))
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
# They are labels too, but of those that stand beside others nearly never the ones looked for.
_ASIDE_NAMES = re.compile(r"\b(arm|sex|gender)\b", re.IGNORECASE)


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
    first = [r for r in telling if not _ASIDE_NAMES.search(r.name.replace("_", " "))]
    telling = first or telling
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


def suggest_sequences(
    table: Table, reports: Sequence[ColumnReport], together: bool = True
) -> str | None:
    """The first column that seems to say which sequence a row belongs to: it holds words, or its
    name says so. None if there is none. together: the rows of each of its values stand together."""
    for report in reports:
        could = report.type in ("text", "whole number")
        few = 2 <= report.distinct <= len(table.frame) / SHORT_SEQUENCE and not report.missing
        if few and could and may_tell_sequences(report.name, report.type == "text"):
            changes = np.diff(pd.factorize(table.frame[report.name])[0])
            if not together or np.count_nonzero(changes) == report.distinct - 1:
                return report.name
    return None


def may_tell_sequences(name: str, is_text: bool) -> bool:
    """Whether a column of texts or whole numbers may tell by its name which sequence a row is in:
    texts do that unless they are called like labels."""
    name = name.replace("_", " ")
    return bool((is_text and not _LABEL_NAMES.search(name)) or _SEQUENCE_NAMES.search(name))


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


def of_levels(report: ColumnReport) -> bool:
    """Whether what a column holds can be taken as levels: few of them, or counts."""
    small = holds_counts(report) and report.most < MOST_LEVELS
    return classified(report) and (of_few_levels(report) or small)


def of_few_levels(report: ColumnReport) -> bool:
    return report.distinct <= MAX_LABELS


def why_no_levels(report: ColumnReport) -> str:
    """Why a column does not hold levels; "" where it does."""
    if of_levels(report):
        return ""
    many = not of_few_levels(report) and report.type != "date"
    return f"It has {report.distinct:,} different values, too many." if many else report.why_not


def holds_counts(report: ColumnReport) -> bool:
    """Whether a column holds whole numbers from 0 on."""
    return report.type == "whole number" and not report.no_count


def why_no_counts(report: ColumnReport) -> str:
    """Why a column holds no counts; "" where it does."""
    return "" if holds_counts(report) else report.no_count or report.why_not


def binary(report: ColumnReport) -> bool:
    """Whether a column has two levels at most."""
    return classified(report) and report.distinct <= 2


def why_not_binary(report: ColumnReport) -> str:
    """Why a column is no yes-or-no item; "" where it is one."""
    if binary(report):
        return ""
    many = report.distinct > 2 and report.type != "date"
    return f"It has {report.distinct:,} levels, not two." if many else report.why_not


def anything(report: ColumnReport) -> bool:
    return True


def default_columns(
    reports: Sequence[ColumnReport],
    label: str | None = None,
    takes: Callable[[ColumnReport], bool] = measured,
    prefers: Callable[[ColumnReport], bool] = anything,
    most: int = MAX_DEFAULT_COLUMNS,
) -> tuple[str, ...]:
    """The first columns a model `takes` and `prefers` that measure something and are no label.

    Where it prefers none, the first that it takes.
    """
    possible = [r for r in reports if takes(r) and not r.aside and r.name != label]
    preferred = [r for r in possible if prefers(r)]
    return tuple(r.name for r in (preferred or possible)[:most])
