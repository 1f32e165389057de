"""The data part of a page: choose or bring a table, see how it was read, pick columns."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np
import pandas as pd
import streamlit as st

from em_core import datasets
from pages.ui.families.family import listed
from pages.ui.families.table import FAMILIES, family_of
from pages.ui.panels import tables
from pages.ui.panels.sidebar import upload_panel
from pages.ui.state import shell
from pages.ui.state.fragments import fragment
from pages.ui.state.memory import Full, kept
from pages.ui.state.settings import Settings
from pages.ui.tables.columns import (
    ColumnReport,
    default_columns,
    describe_columns,
    label_candidates,
    suggest_label,
    suggest_sequences,
)
from pages.ui.tables.selection import Selection, selection_bytes
from pages.ui.tables.table import (
    MAX_CELLS,
    MAX_COLUMNS,
    MAX_ROWS,
    DataError,
    Table,
    from_dataset,
    table_bytes,
)
from pages.ui.text import counted, plain

PREVIEW_ROWS = 200
MOST_REASONS = 5
MOST_NAMES = 5  # in one sentence
NUMBER_BYTES = 8


def choose_table() -> Table | None:
    """Widgets for where the data come from; the table, or None while there is none yet."""
    source = shell.widget("source")
    if source == "example":
        examples = family_of(shell.settings()).examples
        if len(examples) > 1:
            name = shell.widget("example", options=examples, format_func=datasets.example_title)
        else:
            name = shell.in_force("example", examples)
            st.markdown(f"**{datasets.example_title(name)}**")
        st.caption(datasets.load(name).description)
        return _example(name)
    if source == "generate":
        return _generate_controls()
    return upload_panel.choose()


@st.cache_resource(max_entries=len(datasets.EXAMPLES), show_spinner=False)
def _example(name: str) -> Table:
    return from_dataset(datasets.load(name))


def _generated(kind: str, rows: int, components: int, columns: int, seed: int) -> Table:
    rng = np.random.default_rng(seed)
    with st.spinner("Drawing the data"):
        return from_dataset(datasets.generate(kind, rows, components, columns, rng))


def _generate_controls() -> Table | None:
    kind = shell.widget("generator")
    st.caption(datasets.GENERATORS[kind][1])
    left, right = st.columns(2)
    with left:
        rows, seed = shell.widget("n_rows", step=100), shell.widget("data_seed")
    with right:
        components, columns = shell.widget("true_components"), shell.widget("n_columns")
    if rows > MAX_ROWS or columns > MAX_COLUMNS or rows * columns > MAX_CELLS:
        st.error(
            f"{rows:,} rows of {counted(columns, 'column')} are too many: choose fewer. A table "
            f"may have {MAX_ROWS:,} rows, {MAX_COLUMNS:,} columns and {MAX_CELLS:,} cells here."
        )
        return None
    asked = kind, rows, components, columns, seed
    try:
        expected = rows * (columns + 1) * NUMBER_BYTES
        return kept("generated table", asked, partial(_generated, *asked), table_bytes, expected)
    except (ValueError, Full) as error:
        st.error(plain(str(error)))
        return None


@st.cache_resource(max_entries=16, show_spinner=False)
def _reports(fingerprint: str, _table: Table) -> list[ColumnReport]:
    return describe_columns(_table)


@st.cache_resource(max_entries=16, show_spinner=False)
def _sequences(fingerprint: str, _table: Table) -> str | None:
    return suggest_sequences(_table, _reports(fingerprint, _table))


def choose_columns(table: Table) -> tuple[Selection | None, list[ColumnReport]]:
    """The column picker and the known labels; None while nothing can be fitted."""
    reports = _reports(table.fingerprint, table)
    suggested = suggest_label(table, reports)
    candidates = label_candidates(reports)
    family = family_of(shell.settings())
    group = _choose_groups(table, reports, suggested)
    if not group and not family.alone:
        st.error(_no_groups(reports, len(table.frame)))
        return None, reports
    usable = [r.name for r in reports if family.takes(r) and r.name != group]
    defaults = default_columns(
        reports, suggested, family.takes, family.prefers, family.most_columns
    )
    defaults = tuple(name for name in defaults if name != group)
    if not usable:
        st.error(_none_usable(reports))
        return None, reports
    if not defaults and (able := _models_for([r for r in reports if not family.takes(r)])):
        st.warning(
            f"{_only_usable([r for r in reports if r.name in usable])} Models that can use the "
            f"other columns: {listed(able)}."
        )
    columns = shell.widget("columns", options=usable, default=defaults or tuple(usable[:1]))
    _offer_all(columns, reports, suggested, group)
    label = ""
    if candidates and family.unit:
        label = shell.widget(
            "label_column",
            options=["", *candidates],
            default=suggested if suggested and suggested != group else "",
            format_func=lambda name: name or "none",
        )
    holes = family.holes and shell.settings().missing
    asked = columns, label or None, group or None, holes
    try:
        return kept(
            "selection",
            (shell.settings().family, table.fingerprint, *asked),
            lambda: family.read(table, *asked),
            selection_bytes,
            len(table.frame) * (len(columns) + 1) * NUMBER_BYTES,
        ), reports
    except (DataError, Full) as error:
        st.error(plain(str(error)))
        return None, reports


def _none_usable(reports: list[ColumnReport]) -> str:
    """What is wrong with all columns, and which models would take some."""
    if models := _models_for(reports):
        able = listed(models, "or")
        return f"This model can use no column of this table. Choose one that can: {able}."
    reasons = " ".join(f"{plain(names)}: {plain(why)}" for names, why in reasons_of(reports))
    return f"No column of this table can be used: one must hold numbers. {reasons}"


def reasons_of(reports: list[ColumnReport]) -> list[tuple[str, str]]:
    """Columns that can't be used, as words, by why: reasons of the most columns first."""
    by_reason: dict[str, list[str]] = {}
    for report in reports:
        by_reason.setdefault(report.why_not, []).append(report.name)
    ranked = sorted(by_reason.items(), key=lambda item: -len(item[1]))
    shown, rest = ranked[:MOST_REASONS], ranked[MOST_REASONS:]
    found = [(few_named(names), _of_each(why, len(names))) for why, names in shown]
    if others := sum(len(names) for _, names in rest):
        found.append((f"{others:,} more", "The table of columns says why, under “note”."))
    return found


def _of_each(why: str, n_columns: int) -> str:
    """A reason, which begins with "It" or "All its", as of one column or of several."""
    if n_columns == 1:
        return why
    return re.sub("^All its", "In each all", re.sub("^It ", "Each ", why))


def few_named(names: Sequence[str]) -> str:
    """Names in a sentence, the first of them where they are many."""
    if len(names) <= MOST_NAMES:
        return listed(names)
    return f"{', '.join(names[: MOST_NAMES - 1])} and {len(names) - MOST_NAMES + 1:,} more"


def _only_usable(reports: list[ColumnReport]) -> str:
    """That no column but these, which are not chosen unasked, can be used, and what they are."""
    names = plain(few_named([report.name for report in reports]))
    if not all(report.row_number for report in reports):
        return f"Of these columns this model can use only {names}."
    what = "which numbers the rows" if len(reports) == 1 else "which number the rows"
    return f"Of these columns this model can use only {names}, {what}."


def _models_for(reports: list[ColumnReport]) -> list[str]:
    """The models that can use some of these columns, each named once."""
    models = [
        family.label.partition(":")[0]
        for family in FAMILIES.values()
        if any(family.takes(report) for report in reports)
    ]
    return list(dict.fromkeys(models))


def _offer_all(
    columns: tuple[str, ...], reports: list[ColumnReport], label: str | None, group: str
) -> None:
    """Say so where more columns could be used than are chosen at first."""
    family = family_of(shell.settings())
    possible = default_columns(reports, label, family.takes, family.prefers, len(reports))
    possible = tuple(name for name in possible if name != group)
    few = family.most_columns == 1 or len(possible) <= family.most_columns
    if few or set(columns) >= set(possible):
        return
    st.caption(f"{len(columns)} of {len(possible)} columns are used.")
    use = partial(shell.change, columns=possible)
    shell.button(f"Use all {len(possible)}", use, key="all columns")


def _choose_groups(table: Table, reports: list[ColumnReport], suggested: str | None) -> str:
    """The column that says which group or sequence a row is in; "" for none."""
    family = family_of(shell.settings())
    if not family.grouping:
        return ""
    possible = _could_be_groups(reports, len(table.frame), family.alone)
    if not possible:
        return ""
    if family.alone:
        usual = _sequences(table.fingerprint, table) or ""
    else:
        usual = suggested if suggested in possible else possible[0]
    return shell.widget(
        "group_column",
        options=["", *possible] if family.alone else possible,
        default=usual,
        format_func=lambda name: name or "one sequence",
        label="Sequences" if family.grouping == "sequence" else "Groups",
    )


def _could_be_groups(reports: list[ColumnReport], n_rows: int, alone: bool) -> list[str]:
    """The columns by which rows could be in groups; alone: also in groups of one row each."""
    return [
        r.name
        for r in reports
        if r.type != "number" and 2 <= r.distinct < n_rows + (alone and r.type == "text")
    ]


def _no_groups(reports: list[ColumnReport], n_rows: int) -> str:
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


def show_table(
    table: Table, selection: Selection | None, reports: list[ColumnReport], settings: Settings
) -> None:
    """How the table was read, for those who open it: a grid is slow to set up in the browser."""
    rows, columns = table.frame.shape
    title = f"{plain(table.name)}: {counted(rows, 'row')}, {counted(columns, 'column')}"
    if selection is not None and len(selection.left_out):
        title += f"; {counted(len(selection.left_out), 'row')} left out"
    fragment(_unfold)(title, table, selection, reports, settings.source == "table")


def _unfold(
    title: str,
    table: Table,
    selection: Selection | None,
    reports: list[ColumnReport],
    expanded: bool,
) -> None:
    key = f"table {table.fingerprint}"
    with st.expander(title, expanded=expanded, key=key, on_change="rerun") as expander:
        if expander.open:
            _facts(table, selection, reports)


def _facts(table: Table, selection: Selection | None, reports: list[ColumnReport]) -> None:
    """Facts, columns, rows left out, and the first rows."""
    rows = len(table.frame)
    st.markdown("\n".join(f"- {plain(fact)}" for fact in table.parsing))
    takes = family_of(shell.settings()).takes
    roles = _roles(selection, reports, rows)
    tables.show(_columns_table(table, reports, takes, roles), "Columns", index=False)
    unused = [report for report in reports if not takes(report) and report.name not in roles]
    for names, why in reasons_of(unused):
        st.markdown(f"**{plain(names)}** can't be used by this model. {plain(why)}")
    if selection is not None and len(selection.left_out):
        st.markdown(f"**{len(selection.left_out):,} of {counted(rows, 'row')} left out:**")
        st.dataframe(selection.left_out, hide_index=True, height=180)
    shown = table.frame.head(PREVIEW_ROWS).set_axis(range(1, min(rows, PREVIEW_ROWS) + 1))
    st.caption(f"The first {len(shown):,} rows" if len(shown) < rows else "All rows")
    # Streamlit's usual format cuts 1.54e-9 to 0.000000001; its "plain" turns 1000 into 999.99...
    digits = st.column_config.NumberColumn(format="%.10g")
    numbers = shown.select_dtypes("float").columns
    st.dataframe(shown, height=200, column_config=dict.fromkeys(numbers, digits))


def _roles(selection: Selection | None, reports: list[ColumnReport], n_rows: int) -> dict[str, str]:
    """What columns that nothing is fitted to are there for, or could be."""
    family = family_of(shell.settings())
    grouping = family.grouping
    unused = [report for report in reports if not family.takes(report)]
    possible = _could_be_groups(unused, n_rows, family.alone) if grouping else []
    roles = {name: f"It could say which {grouping} a row is in." for name in possible}
    if selection is not None and selection.label_name:
        roles[selection.label_name] = "It holds the known labels."
    if selection is not None and selection.group_name:
        roles[selection.group_name] = f"It says which {grouping} a row is in."
    return roles


def _columns_table(
    table: Table,
    reports: list[ColumnReport],
    takes: Callable[[ColumnReport], bool],
    roles: Mapping[str, str],
) -> pd.DataFrame:
    units = dict(zip(table.frame.columns, table.units, strict=False))
    return pd.DataFrame(
        [
            {
                "column": report.name,
                "unit": units.get(report.name, ""),
                "type": report.type,
                "missing": report.missing,
                "infinite": report.infinite,
                "distinct": report.distinct,
                "note": _note(report, takes(report), roles.get(report.name, "")),
            }
            for report in reports
        ]
    )


def _note(report: ColumnReport, taken: bool, role: str) -> str:
    if report.row_number:
        return "It numbers the rows."
    return role or ("" if taken else report.why_not)
