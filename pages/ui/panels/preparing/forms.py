"""Small forms, one for each kind of step that makes rows or columns anew."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import streamlit as st

from pages.ui.panels.preparing.adding import add
from pages.ui.state import shell
from pages.ui.tables.columns import MAX_LABELS, ColumnReport
from pages.ui.tables.levels import in_order
from pages.ui.tables.preparation.filtering import CONDITIONS, Filter
from pages.ui.tables.preparation.long import WideToLong, identifier_in, series_in
from pages.ui.tables.preparation.time_order import TimeOrder
from pages.ui.tables.preparation.transformed_column import ALONG_TIME, LABELS, MEANINGS, Transform
from pages.ui.tables.table import DataError, Table
from pages.ui.tables.times import DAY, MONTH, Undecided, numbers_of
from pages.ui.text import plain

ONE_SEQUENCE = "all rows are one sequence"
ROW_NUMBERS = "number the rows"


def offer(table: Table, reports: Sequence[ColumnReport]) -> None:
    """A list that unfolds, with the form of one kind of step at a time."""
    with st.expander("Prepare the table", key="prepare the table", on_change="rerun") as expander:
        if expander.open:
            kind = st.segmented_control(
                "What is done",
                list(FORMS),
                default=next(iter(FORMS)),
                required=True,
                key="kind of step",
                label_visibility="collapsed",
            )
            FORMS[kind](table, reports)


def _transform(table: Table, reports: Sequence[ColumnReport]) -> None:
    possible = [r.name for r in reports if r.usable and table.scale(r.name) is None]
    if not possible:
        st.caption("No column holds numbers that vary.")
        return
    left, right = st.columns(2)
    with left:
        column = st.selectbox("Column", possible, key="column transformed")
    with right:
        how = st.selectbox(
            "Becomes",
            list(LABELS),
            format_func=lambda name: LABELS[name].format(column),
            key="transformation",
            help="  \n".join(f"{plain(LABELS[n].format('x'))}: {MEANINGS[n]}." for n in LABELS),
        )
    within = ""
    if how in ALONG_TIME:
        groups = _could_be_sequences(table, reports)
        within = st.selectbox(
            "Within",
            ["", *groups],
            format_func=lambda name: name or ONE_SEQUENCE,
            key="changes within",
        )
    st.caption(f"{MEANINGS[how].capitalize()}. {plain(_comparable(how))}")
    label = f"Add {plain(LABELS[how].format(column))}"
    shell.button(label, partial(add, table, Transform(column, how, within)), key="add column")


def _comparable(how: str) -> str:
    if how in MEANINGS and how in LABELS and how not in ("ranks", *ALONG_TIME):
        return "Log-likelihoods stay those of the column as it is, and can be compared."
    return "Log-likelihoods can't be compared with those of the column as it is."


def _could_be_sequences(table: Table, reports: Sequence[ColumnReport]) -> list[str]:
    """Columns whose values several rows share."""
    few = len(table.frame)
    return [r.name for r in reports if r.type in ("text", "whole number") and 1 < r.distinct < few]


def _filter(table: Table, reports: Sequence[ColumnReport]) -> None:
    kinds = {report.name: report for report in reports}
    left, right = st.columns(2)
    with left:
        column = st.selectbox("Column", list(kinds), key="column filtered by")
    with right:
        condition = st.selectbox("Condition", list(CONDITIONS), key="condition")
    values = _values(table, kinds[column], condition)
    step = Filter(column, condition, values)
    shell.button("Keep only these rows", partial(add, table, step), key="add filter")


def _values(table: Table, report: ColumnReport, condition: str) -> tuple[str, ...]:
    """What a condition compares with: chosen from few levels, or typed."""
    number, key = CONDITIONS[condition], f"values for {report.name} {condition}"
    if number == 0:
        return ()
    if condition in ("is", "is not", "is one of") and report.distinct <= MAX_LABELS:
        levels = [str(level) for level in in_order(table.frame[report.name].dropna().unique())]
        if condition == "is one of":
            return tuple(st.multiselect("Values", levels, key=key))
        return (st.selectbox("Value", levels, key=key) or "",)
    labels = ("From", "To") if number == 2 else ("Values, with commas between",)
    if number == 1:
        labels = ("Value",)
    typed = [
        st.text_input(label, key=f"{key} {label}", max_chars=200) or ""
        for label in labels
    ]  # fmt: skip
    if number is None:
        typed = typed[0].split(",")
    return tuple(text.strip() for text in typed if text.strip())


def _long(table: Table, reports: Sequence[ColumnReport]) -> None:
    numeric = [r.name for r in reports if "number" in r.type]
    found = series_in(reports)
    key = f"{table.fingerprint[:12]}"
    columns = st.multiselect("One series", numeric, default=found, key=f"series {key}")
    identifier = identifier_in(table, columns)
    left, middle, right = st.columns(3)
    with left:
        value = st.text_input("Name of the values", "value", key="name of values", max_chars=100)
    with middle:
        time = st.text_input("Name of the times", "time", key="name of times", max_chars=100)
    with right:
        sequence = st.selectbox(
            "Sequences",
            [*[identifier] * bool(identifier), ROW_NUMBERS],
            key=f"identifier {key}",
            help="What says, in the long table, which row a sequence was.",
        )
    if len(columns) > 1:
        st.caption(f"{len(columns)} columns become one; every row becomes a sequence.")
        new = sequence == ROW_NUMBERS
        step = WideToLong(tuple(columns), value, time, "sequence" if new else "")
        group = "sequence" if new else identifier
        take = partial(add, table, step, columns=(value,), group_column=group)
        shell.button("Make it long", take, key="make it long")


def make_long(table: Table, columns: tuple[str, ...]) -> None:
    """As the form has it unless a person says otherwise."""
    identifier = identifier_in(table, columns)
    free = [
        next(name for name in (wanted, f"{wanted} of the series") if name not in table.frame)
        for wanted in ("value", "time")
    ]
    step = WideToLong(columns, *free, "" if identifier else "sequence")
    add(table, step, columns=(free[0],), group_column=identifier or "sequence")


def _time(table: Table, reports: Sequence[ColumnReport]) -> None:
    possible = [r.name for r in reports if r.type == "date"]
    possible += [r.name for r in reports if "number" in r.type and not r.constant]
    if not possible:
        st.caption("No column holds dates or numbers.")
        return
    column = st.selectbox("Time", possible, key="column of time")
    dates = ""
    if undecided(table, column):
        dates = st.segmented_control(
            "Its dates are written", [DAY, MONTH], default=DAY, required=True, key="dates"
        )
    step = TimeOrder(column, dates)
    shell.button("Take rows in this order", partial(add, table, step), key="order rows")


def undecided(table: Table, column: str) -> bool:
    """Whether nobody knows if the day or the month of its dates stands first."""
    return _undecided(table.fingerprint, column, table)


@st.cache_data(max_entries=64, show_spinner="Reading the dates")
def _undecided(fingerprint: str, column: str, _table: Table) -> bool:
    try:
        numbers_of(_table.frame[column])
    except Undecided:
        return True
    except DataError:
        return False
    return False


FORMS: Mapping[str, Callable[[Table, Sequence[ColumnReport]], None]] = {
    "Transform a column": _transform,
    "Filter rows": _filter,
    "Wide to long": _long,
    "Order by time": _time,
}
