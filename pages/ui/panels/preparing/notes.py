"""What was done to the rows and columns that are fitted, and what suggests itself."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
import streamlit as st

from em_core.inference.degeneracy import linear_dependencies
from em_core.protocols import Emission, Model, optional
from pages.ui.families.collapse import equation
from pages.ui.families.family import listed
from pages.ui.families.table import FAMILIES, family_of
from pages.ui.panels.preparing.adding import add
from pages.ui.panels.preparing.forms import make_long, undecided
from pages.ui.panels.suggesting import suggest
from pages.ui.state import shell
from pages.ui.state.clocks import along
from pages.ui.tables.columns import (
    ColumnReport,
    binary,
    classified,
    measured,
    suggest_sequences,
)
from pages.ui.tables.keys import DATES, YEARS
from pages.ui.tables.preparation.long import series_in
from pages.ui.tables.preparation.said import rows_said, scales_said
from pages.ui.tables.preparation.time_order import TimeOrder
from pages.ui.tables.selection import Selection
from pages.ui.tables.table import DataError, Table
from pages.ui.tables.times import DAY, MONTH, Direction, direction, irregular, numbers_of
from pages.ui.text import counted, plain

# More sets of columns that depend on each other, or irregularities, are not listed.
MOST_SETS = 3
# Rows by which dependencies between columns are looked for.
MOST_ROWS = 100_000
# Answers of a survey are from 1 to 7 at most, each in so many rows on average.
MOST_ANSWERS, ROWS_AN_ANSWER = 7, 4


def show(table: Table, selection: Selection | None, reports: Sequence[ColumnReport]) -> None:
    """Lines that every result of these rows goes with."""
    if selection is None:
        if rows := rows_said(table):
            st.caption(plain(rows))
        _offer_items(table, None, reports)
        return
    said = [rows_said(table), *scales_said(selection)]
    in_time = family_of(shell.settings()).grouping == "sequence"
    if in_time and table.clock is not None:
        sizes = selection.sizes.tolist() if selection.groups else [len(selection.rows)]
        said += irregular(table.clock, selection.rows, sizes)
    if shown := " ".join(filter(None, said)):
        st.caption(plain(shown))
    if in_time:
        _offer_sequences(table, selection, reports)
        _offer_series(table, selection, reports)
        _offer_time(table, selection, reports)
    _offer_items(table, selection, reports)
    if family_of(shell.settings()).takes is measured and not _along_the_axes():
        _offer_to_leave_out(table, selection)


def _offer_items(
    table: Table, selection: Selection | None, reports: Sequence[ColumnReport]
) -> None:
    """That the columns are answers with few levels, where a model is chosen that takes them for
    measurements or finds none; and the model for such."""
    family = family_of(shell.settings())
    if table.known or family.takes is not measured or not family.unit:
        return
    n_rows = len(table.frame)
    if selection is not None:
        chosen = [report for report in reports if report.name in selection.columns]
    else:
        chosen = [report for report in reports if classified(report) and not report.aside]
    if len(chosen) < 2 or not all(_is_item(report, n_rows) for report in chosen):
        return
    kind = "bernoulli" if all(map(binary, chosen)) else "categorical"
    name = f"{kind}-{'hmm' if family.grouping == 'sequence' else 'mixture'}"
    most = max(report.distinct for report in chosen)
    levels = "two values" if most == 2 else f"{most} values or fewer"
    taken = "takes them for measurements" if selection is not None else "has no use for them"
    columns = {} if selection is None else {"columns": selection.columns}
    suggest(
        f"All {len(chosen)} columns hold {levels}, as answers do: a {family.heading} {taken}.",
        (FAMILIES[name].label, partial(shell.change, family=name, **columns)),
    )


def _is_item(report: ColumnReport, n_rows: int) -> bool:
    """Whether a column looks like answers with few levels: each, on average, in several rows."""
    kinds = ("whole number", "true/false", "text")
    few = 2 <= report.distinct <= min(MOST_ANSWERS, n_rows / ROWS_AN_ANSWER)
    return report.type in kinds and few


def _offer_sequences(table: Table, selection: Selection, reports: Sequence[ColumnReport]) -> None:
    """That a column may say which sequence a row is in, though its rows do not stand together."""
    if selection.groups or table.known or shell.settings().group_column is not None:
        return
    name = suggest_sequences(table, reports, together=False)
    if name is None or name in selection.columns:
        return
    n_sequences = next(report.distinct for report in reports if report.name == name)
    suggest(
        f"{counted(len(selection.rows), 'row')} are taken as one sequence. By {plain(name)} they "
        f"are {counted(n_sequences, 'sequence')} whose rows take turns.",
        (f"Sequences by {name}", partial(shell.change, group_column=name)),
    )


def _offer_series(table: Table, selection: Selection, reports: Sequence[ColumnReport]) -> None:
    """That columns look like one series in time."""
    columns = series_in(reports)
    if not columns or selection.groups or not set(columns) <= set(selection.columns):
        return
    names = listed(columns) if len(columns) <= MOST_SETS else f"{columns[0]} to {columns[-1]}"
    suggest(
        f"{counted(len(selection.rows), 'row')} are taken as one sequence. {plain(names)} look "
        "like one series with a sequence in each row.",
        ("Make every row a sequence", partial(make_long, table, columns)),
    )


def _offer_time(table: Table, selection: Selection, reports: Sequence[ColumnReport]) -> None:
    """How the rows stand in time, where a column says so and none is chosen to go by."""
    dated = next(
        (
            r.name
            for r in reports
            if (r.type == "date" or r.aside in (DATES, YEARS))
            and r.distinct > 1
            and r.name not in selection.columns
        ),
        None,
    )
    if table.clock is not None or dated is None:
        return
    if undecided(table, dated):
        ways = [
            (f"Order by {dated}, {dates}", partial(add, table, TimeOrder(dated, dates)))
            for dates in (DAY, MONTH)
        ]
        suggest(
            f"Rows are taken in file order. The dates in {plain(dated)} can be read with the day "
            "or the month first.",
            *ways,
        )
        return
    how = _direction(
        table.fingerprint, dated, selection.group_name, len(selection.rows), table, selection
    )
    if how is None:
        return
    if not how.steps_back:
        if not table.known and not along(table, selection).column:
            sentence = f"Rows are in the order of {plain(dated)}, and counted by their numbers."
            take = partial(add, table, TimeOrder(dated))
            suggest(sentence, (f"Use {dated} as the time", take))
        return
    within = f" within a {selection.group_name}" if selection.groups else ""
    said = (
        f"and {dated} runs backwards{within}: the last row is the oldest"
        if how.backwards
        else f"and by {dated} {counted(how.steps_back, 'row')} of {how.n_steps:,} "
        f"{'stands' if how.steps_back == 1 else 'stand'} after a later one{within}"
    )
    take = partial(add, table, TimeOrder(dated))
    label = "Take the oldest first" if how.backwards else f"Order by {dated}"
    suggest(f"Rows are taken in file order, {plain(said)}.", (label, take))


@st.cache_data(max_entries=32, show_spinner="Reading the dates")
def _direction(
    fingerprint: str,
    column: str,
    group: str | None,
    n_rows: int,
    _table: Table,
    _selection: Selection,
) -> Direction | None:
    """None where the column holds no times after all."""
    rows = _selection.rows
    try:
        times = numbers_of(_table.frame[column].iloc[rows])
    except DataError:
        return None
    groups = np.repeat(np.arange(len(_selection.sizes)), _selection.sizes)
    return direction(times, groups if _selection.groups else None)


def _along_the_axes() -> bool:
    """Whether columns that depend on each other do no harm to the covariances asked for."""
    settings = shell.settings()
    model = family_of(settings).build(settings)
    return bool(optional(optional(model, "emission", Model) or model, "diagonal", Emission))


def _offer_to_leave_out(table: Table, selection: Selection) -> None:
    """Columns that follow from each other, before a covariance collapses because of them."""
    found = _dependent(table.fingerprint, selection.columns, len(selection.rows), selection.values)
    for columns, words in found[:MOST_SETS]:
        names = [selection.columns[j] for j in columns]
        last = names[-1]
        rest = tuple(name for name in selection.columns if name != last)
        suggest(
            f"{plain(words)} in all rows: {plain(listed(names))} say no more than "
            f"{'one of them' if len(names) == 2 else 'all but one of them'}, and a full covariance "
            "of them collapses.",
            (f"Leave out {last}", partial(shell.change, columns=rest)),
        )


@st.cache_data(max_entries=32, show_spinner=False)
def _dependent(
    fingerprint: str, columns: tuple[str, ...], n_rows: int, _values: np.ndarray
) -> list[tuple[tuple[int, ...], str]]:
    """Sets of columns, each with its equation."""
    stride = -(-n_rows // MOST_ROWS)
    if n_rows <= len(columns) + 1:
        return []  # so few always depend on each other
    found = linear_dependencies(_values[::stride])
    return [(each.columns, equation(each, columns)) for each in found if len(each.columns) > 1]
