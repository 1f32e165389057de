"""The column that says which sequence or group a row is in."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from pages.ui.families.family import listed
from pages.ui.families.table import family_of
from pages.ui.state import shell
from pages.ui.tables.columns import ColumnReport, suggest_sequences
from pages.ui.tables.counting import counting_columns
from pages.ui.tables.keys import WHOSE
from pages.ui.tables.table import Table
from pages.ui.text import plain

MOST_NAMES = 5  # in one sentence


@st.cache_resource(max_entries=16, show_spinner=False)
def _sequences(fingerprint: str, _table: Table, _reports: Sequence[ColumnReport]) -> str | None:
    return suggest_sequences(_table, _reports)


@st.cache_resource(max_entries=16, show_spinner=False)
def _counting(fingerprint: str, group: str, _table: Table) -> list[str]:
    return list(counting_columns(_table, group))


def choose(
    table: Table,
    every: list[ColumnReport],
    reports: list[ColumnReport],
    options: list[str],
    suggested: str | None,
) -> str:
    """The column that says which group or sequence a row is in; "" for none."""
    family = family_of(shell.settings())
    if not options:
        return ""
    if not family.alone and shell.settings().group_column == "":
        shell.change(group_column=None)
    if table.whole is not None:
        usual = table.whole.group
    elif family.alone:
        usual = _sequences(table.fingerprint, table, every) or ""
    else:
        owners = (r.name for r in reports if r.aside == WHOSE and r.name in options)
        usual = next(owners, suggested if suggested in options else options[0])
    group = shell.widget(
        "group_column",
        options=["", *options] if family.alone else options,
        default=usual,
        format_func=lambda name: name or "one sequence",
        label="Sequences" if family.grouping == "sequence" else "Groups",
    )
    if table.whole is not None and group != table.whole.group:
        st.rerun()  # by this column the sample is another one
    return group


def possible(table: Table, reports: list[ColumnReport], alone: bool) -> list[str]:
    """The columns by which rows could be in groups; alone: also in groups of one row each. Of a
    data set on the server all rows have told."""
    if table.whole is not None:
        return list(table.whole.groups)
    n_rows = len(table.frame)
    return [
        r.name
        for r in reports
        if r.type not in ("number", "open")
        and 2 <= r.distinct < n_rows + (alone and r.type == "text")
    ]


def none_possible(reports: list[ColumnReport], n_rows: int) -> str:
    """Why no column says which group a row is in."""
    needed = "text or whole numbers, the same for all rows of a group"
    apart = [
        r.name
        for r in reports
        if (r.type == "text" or r.row_number) and not r.missing and r.distinct == n_rows
    ]
    if not apart or n_rows < 2:
        return f"This model needs a column that says which group a row belongs to: {needed}."
    return (
        f"By {plain(few_named(apart))} every group has one row: the variance between groups and "
        "that within them cannot be told apart. This model needs a column that several rows share: "
        f"{needed}."
    )


def without_times(table: Table, reports: list[ColumnReport], group: str) -> list[ColumnReport]:
    """The reports, with a word on columns that count the rows of each sequence: these are its
    times, more likely than measurements."""
    times = _counting(table.fingerprint, group, table)
    why = f"it counts the rows of each {group}"
    return [r._replace(aside=why) if r.name in times else r for r in reports]


def few_named(names: Sequence[str]) -> str:
    """Names in a sentence, the first of them where they are many."""
    if len(names) <= MOST_NAMES:
        return listed(names)
    return f"{', '.join(names[: MOST_NAMES - 1])} and {len(names) - MOST_NAMES + 1:,} more"
