"""The data part of a page: choose or bring a table, see how it was read, pick columns."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
import streamlit as st

from em_core import datasets
from em_core.data import WeightsKind
from pages.ui.families.family import listed
from pages.ui.families.table import FAMILIES, family_of
from pages.ui.panels.sidebar import groups_panel, served_panel, upload_panel
from pages.ui.panels.sidebar.groups_panel import few_named
from pages.ui.state import shell
from pages.ui.state.memory import Full, kept
from pages.ui.state.session import session
from pages.ui.state.settings import MOST_COLUMNS, SOURCES
from pages.ui.tables.columns import (
    ColumnReport,
    default_columns,
    describe_columns,
    label_candidates,
    suggest_label,
)
from pages.ui.tables.drawn import table_of
from pages.ui.tables.keys import NAMED, NUMBERED
from pages.ui.tables.roles import Use
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
from pages.ui.tables.weights import (
    NotWhole,
    suggest_weights,
    weight_candidates,
    weighted,
)
from pages.ui.text import counted, plain

MOST_REASONS = 5
NUMBER_BYTES = 8


def choose_table() -> Table | None:
    """Widgets for where the data come from; the table, or None while there is none yet."""
    known = SOURCES if served_panel.is_offered() else [name for name in SOURCES if name != "server"]
    source = shell.widget("source", options=[*known])
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
    if source == "draw":
        return table_of(shell.settings().drawn)
    if source == "server":
        return served_panel.choose()
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


class Columns(NamedTuple):
    """The columns of a table: what each holds, which are used for what and which could be, and what
    is fitted; None while nothing can be."""

    selection: Selection | None
    reports: list[ColumnReport]
    use: Use = Use()
    problem: str = ""  # why nothing can be fitted, as Markdown
    usable: Collection[str] = ()
    labels: Collection[str] = ()
    groups: Collection[str] = ()


def choose_columns(table: Table) -> Columns:
    """The column picker, the known labels and the weights."""
    reports = _reports(table.fingerprint, table)
    weights = _weights_in_force(table, reports)
    others = [r for r in reports if r.name != weights]
    suggested = suggest_label(table, others)
    family = family_of(shell.settings())
    groups = groups_panel.possible(table, others, family.alone) if family.grouping else []
    groups = [name for name in groups if name != weights]
    group = groups_panel.choose(table, reports, others, groups, suggested)
    time = "" if table.clock is None else table.clock.name
    use = Use(group=group, weight=weights, time=time)
    found = Columns(None, reports, use, groups=groups)
    if table.whole is not None and table.whole.no_groups:
        return _refused(found, plain(table.whole.no_groups))
    if group and family.grouping == "sequence":
        reports = groups_panel.without_times(table, reports, group)
        others = [r for r in reports if r.name != weights]
        found = found._replace(reports=reports)
    if not group and not family.alone:
        return _refused(found, groups_panel.none_possible(others, len(table.frame)))
    possible = [r for r in others if r.name != group]
    if not any(map(family.takes, possible)):
        return _refused(found, _none_usable(reports))
    columns = _pick(table, found, possible, suggested)
    label, kind = _pick_label_and_weights(table, found, others, suggested)
    identifier = _identifier_in_force(table, reports, {*columns, label, group, weights, time})
    found = found._replace(
        use=use._replace(columns=columns, label=label, identifier=identifier),
        usable=[r.name for r in reports if family.takes(r)],
        labels=label_candidates(reports) if family.unit else [],
    )
    session().use = found.use
    return _with_rows(table, found, kind)


def _pick(
    table: Table, found: Columns, possible: list[ColumnReport], suggested: str | None
) -> tuple[str, ...]:
    """The columns that are fitted, of those that could be. suggested: the likely known labels."""
    family = family_of(shell.settings())
    usable = [r.name for r in possible if family.takes(r)]
    like_weights = suggest_weights(table, found.reports)
    measured = [r for r in possible if r.name not in like_weights]
    defaults = default_columns(
        measured, suggested, family.takes, family.prefers, family.most_columns
    )
    not_taken = [r for r in found.reports if not family.takes(r)]
    if not defaults and (able := _models_for(not_taken)):
        st.warning(
            f"{_only_usable([r for r in found.reports if r.name in usable])} Models that can use "
            f"the other columns: {listed(able)}."
        )
    beside = [name for name in shell.settings().columns if name in table.frame]
    beside = [name for name in beside if name not in usable]
    unfit = [name for name in beside if name not in (found.use.group, found.use.weight)]
    first = [r.name for r in possible if r.name in usable and not r.constant][:1]
    columns = shell.widget(
        "columns", options=usable, default=defaults or tuple(first), beside=beside
    )
    if unfit:
        able = "a model that can use " + ("it" if len(unfit) == 1 else "them")
        st.caption(f"This model can't use {plain(few_named(unfit))}: kept for {able}.")
    _offer_all(columns, measured, suggested)
    for report in found.reports:
        if report.name in like_weights:
            _offer_weights(report)
    return columns


def _pick_label_and_weights(
    table: Table, found: Columns, others: list[ColumnReport], suggested: str | None
) -> tuple[str, WeightsKind]:
    """The column of the known labels, "" for none; and which kind of weights there are."""
    candidates = label_candidates(others) if family_of(shell.settings()).unit else []
    halves = st.columns(2) if candidates else [st.container()]
    label = ""
    if candidates:
        with halves[0]:
            label = shell.widget(
                "label_column",
                options=["", *candidates],
                default=suggested if suggested and suggested != found.use.group else "",
                format_func=lambda name: name or "none",
            )
    with halves[-1]:
        shell.widget(
            "weight_column",
            options=_could_be_weights(table, found.reports),
            format_func=lambda name: name or "none",
        )
    # Below both: the two kinds have no room beside the known labels.
    kind = shell.widget("weights_kind") if found.use.weight else "frequencies"
    return label, kind


def _with_rows(table: Table, found: Columns, kind: WeightsKind) -> Columns:
    """The same with the rows that are fitted; of a data set on the server once they are counted."""
    family, use = family_of(shell.settings()), found.use
    holes = family.holes and shell.settings().missing
    asked = use.columns, use.label or None, use.group or None, holes

    def read() -> Selection:
        selection = family.read(table, *asked)
        if use.identifier:
            selection = selection._replace(row_names=table.frame[use.identifier])
        if not use.weight:
            return selection
        return weighted(selection, table, use.weight, kind, family.grouping)

    try:
        selection = kept(
            "selection",
            (shell.settings().family, table.fingerprint, *asked, use.weight, kind, use.identifier),
            read,
            selection_bytes,
            len(table.frame) * (len(use.columns) + 1 + bool(use.weight)) * NUMBER_BYTES,
        )
        if table.whole is not None:
            if use.weight and kind == "sampling":
                raise DataError(served_panel.FREQUENCIES_ONLY)
            selection = served_panel.with_all_rows(table, selection, holes, use.weight)
            if selection is None:
                return found
        return found._replace(selection=selection)
    except NotWhole as error:
        found = _refused(found, plain(str(error)))
        sampling = partial(shell.change, weights_kind="sampling")
        shell.button("They are sampling weights", sampling, key="sampling weights")
    except (DataError, Full) as error:
        found = _refused(found, plain(str(error)))
    return found


def _refused(found: Columns, problem: str) -> Columns:
    st.error(problem)
    return found._replace(problem=problem)


def _could_be_weights(table: Table, reports: list[ColumnReport]) -> list[str]:
    """What can be chosen as the weights: "" for none, and a column that cannot be where it is
    chosen already, so that it is said why."""
    chosen = shell.settings().weight_column
    possible = weight_candidates(reports)
    return [
        "",
        *possible,
        *[r.name for r in reports if r.name == chosen and chosen not in possible],
    ]


def _weights_in_force(table: Table, reports: list[ColumnReport]) -> str:
    """The column of the weights, which is no measurement then; "" for none."""
    column = shell.in_force("weight_column", _could_be_weights(table, reports))
    if column in (columns := shell.settings().columns):
        shell.change(columns=tuple(name for name in columns if name != column))
    return column


def _identifier_in_force(table: Table, reports: list[ColumnReport], used: set[str]) -> str:
    """The column by which rows are called, which is used for nothing else; "" for none."""
    if shell.settings().id_column is None:
        possible = (r.name for r in reports if r.aside in (NUMBERED, NAMED) and r.name not in used)
        return next(possible, "")
    name = shell.in_force("id_column", ["", *table.frame])
    return "" if name in used else name


def _offer_weights(report: ColumnReport) -> None:
    """Say of a column that looks like weights that it is not among those chosen at first."""
    chosen, column = shell.settings(), report.name
    if chosen.weight_column is not None or column in chosen.columns:
        return
    st.info(f"**{plain(column)}** looks like a weight, so it is not among the columns.")
    # How often a row was there is a whole number.
    kind, words = ("sampling", "sampling ") if report.type == "number" else ("frequencies", "")
    use = partial(shell.change, weight_column=column, weights_kind=kind)
    shell.button(f"Use {plain(column)} as {words}weights", use, key=f"use as weights {column}")


def _none_usable(reports: list[ColumnReport]) -> str:
    """What is wrong with all columns, and which models would take some."""
    if models := _models_for(reports):
        able = listed(models, "or")
        return f"This model can use no column of this table. Choose one that can: {able}."
    reasons = " ".join(f"{plain(names)}: {plain(why)}" for names, why in reasons_of(reports))
    return f"No column of this table can be used: one must hold numbers. {reasons}"


def reasons_of(
    reports: list[ColumnReport], why_not: Callable[[ColumnReport], str] = lambda r: r.why_not
) -> list[tuple[str, str]]:
    """Columns that can't be used, as words, by why: reasons of the most columns first."""
    by_reason: dict[str, list[tuple[str, str]]] = {}
    for report in reports:
        why = why_not(report)
        by_reason.setdefault(_of_any(why), []).append((report.name, why))
    ranked = sorted(by_reason.items(), key=lambda item: -len(item[1]))
    shown, rest = ranked[:MOST_REASONS], ranked[MOST_REASONS:]
    found = [
        (few_named([name for name, _ in told]), _of_each(why) if len(told) > 1 else told[0][1])
        for why, told in shown
    ]
    if others := sum(len(told) for _, told in rest):
        found.append((f"{others:,} more", "The table of columns says why, under “note”."))
    return found


def _of_any(why: str) -> str:
    """A reason without what is so of one column only: how many values it has."""
    why = re.sub("^It has [0-9,]+ different values, too many", "It has too many values", why)
    return re.sub("^It has [0-9,]+ levels, not two", "It has more than two levels", why)


def _of_each(why: str) -> str:
    """A reason, which begins with "It" or "All its", as of several columns."""
    return re.sub("^All its", "In each all", re.sub("^It ", "Each ", why))


def set_aside(
    reports: Sequence[ColumnReport],
    takes: Callable[[ColumnReport], bool],
    used: Collection[str],
) -> str:
    """Which columns a model could use are not used unless someone asks, and why, as a sentence; ""
    for none. used: those that are used for something."""
    by_reason: dict[str, list[str]] = {}
    for report in reports:
        if report.aside and takes(report) and report.name not in used:
            by_reason.setdefault(report.aside, []).append(report.name)
    told = [f"{few_named(names)} ({why})" for why, names in by_reason.items()]
    return f"Not clustered by unless you choose it: {listed(told)}." if told else ""


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
        family.heading
        for family in FAMILIES.values()
        if any(family.takes(report) for report in reports)
    ]
    return list(dict.fromkeys(models))


def _offer_all(columns: tuple[str, ...], reports: list[ColumnReport], label: str | None) -> None:
    """Say so where more columns could be used than are chosen at first."""
    family = family_of(shell.settings())
    possible = default_columns(reports, label, family.takes, family.prefers, len(reports))
    few = family.most_columns == 1 or len(possible) <= family.most_columns
    if few or set(columns) >= set(possible):
        return
    st.caption(f"{len(columns)} of {len(possible)} columns are used.")
    few = possible[:MOST_COLUMNS]
    which = "all" if few == possible else f"the first {len(few):,} of"
    use = partial(shell.change, columns=few)
    shell.button(f"Use {which} {len(possible):,}", use, key="all columns")
