"""The steps of preparation: which suggest themselves, which are taken, and how they are undone."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial, reduce
from itertools import islice

import pandas as pd
import streamlit as st

from pages.ui.families.family import listed
from pages.ui.panels.sidebar.groups_panel import few_named
from pages.ui.panels.suggesting import suggest
from pages.ui.state import shell
from pages.ui.tables.cells_again import declares_levels, texts_of
from pages.ui.tables.levels import in_order
from pages.ui.tables.preparation.codes import Found, declared, find_codes
from pages.ui.tables.preparation.levels import (
    Alike,
    Named,
    Ordered,
    Renamed,
    Spelling,
    named_in_the_file,
    spelt_alike,
)
from pages.ui.tables.preparation.missing import Missing
from pages.ui.tables.preparation.step import Step
from pages.ui.tables.preparation.table import MOST_STEPS, with_step
from pages.ui.tables.preparation.time_order import TimeOrder
from pages.ui.tables.roles import Words
from pages.ui.tables.table import DataError, Table
from pages.ui.tables.times import Undecided
from pages.ui.text import counted, plain

MOST_NAMED = 8  # codes in one sentence
MOST_LEVELS = 100  # that can be named and ordered


@st.cache_resource(max_entries=16, show_spinner="Looking for codes and spellings")
def _suspect(
    fingerprint: str, _table: Table
) -> tuple[tuple[Found, ...], tuple[Alike, ...], tuple[Named, ...]]:
    if _table.known:
        return (), (), ()
    asked = [question.column for question in _table.questions]
    sure = _table._replace(frame=_table.frame.drop(columns=asked))
    return find_codes(sure), spelt_alike(sure), named_in_the_file(_table)


def pending(table: Table) -> str:
    """What is to be looked at before a fit, in few words; "" where nothing is."""
    codes, alike, _ = _suspect(table.fingerprint, table)
    parts = [f"{counted(len(codes), 'code')} may mean missing"] if codes else []
    parts += [f"levels of {counted(len(alike), 'column')} spelt alike"] if alike else []
    return ", ".join(parts)


def offer(table: Table) -> None:
    """Steps that suggest themselves, each with a button that takes it."""
    codes, alike, named = _suspect(table.fingerprint, table)
    if codes:
        told = [f"**{plain(one.code)}** ({_where(one)})" for one in codes[:MOST_NAMED]]
        if more := len(codes) - len(told):
            told.append(f"{more:,} more")
        one = len(codes) == 1
        suggest(
            f"{listed(told)} {'looks' if one else 'look'} like "
            f"{'a code' if one else 'codes'} for a missing answer, and "
            f"{'counts as a value' if one else 'count as values'} as the table stands.",
            (f"Count {'it' if one else 'them'} as missing", partial(add, *declared(codes))),
        )
    if alike:
        told = [
            f"**{plain(one.column)}** {counted(one.levels, 'level')} for {one.meant:,}"
            for one in alike[:MOST_NAMED]
        ]
        if more := len(alike) - len(told):
            told.append(f"{more:,} more columns")
        suggest(
            f"Some levels differ only by spaces or capitals: {listed(told)}.",
            ("Make them one", partial(add, Spelling())),
        )

    if named := named[:MOST_NAMED]:
        first = named[0].steps[0]
        pairs = zip(first.levels, first.names, strict=True)
        sample = ", ".join(f"{code} = {name}" for code, name in islice(pairs, MOST_NAMED))
        columns = f"**{plain(few_named([one.column for one in named]))}**"
        suggest(
            f"The file names the levels of {columns}; of {plain(first.column)} {plain(sample)}.",
            ("Use these names", partial(add, *(step for one in named for step in one.steps))),
        )


def _where(found: Found) -> str:
    return f"{counted(found.cells, 'cell')} in {plain(few_named(found.columns))}"


def add(*steps: Step) -> None:
    """Take further steps beside those that are taken."""
    before = shell.settings().preparation
    if len(before) + len(steps) > MOST_STEPS:
        shell.say(f"There are {MOST_STEPS} steps at most: leave one out first.")
        return
    shell.change(preparation=reduce(with_step, steps, before))


def show(table: Table) -> None:
    """The steps taken, and what more can be done by hand."""
    steps = shell.settings().preparation
    if steps:
        st.markdown("**Done to the table after it was read:**")
    for place, step in enumerate(steps):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"{place + 1}. {plain(step.told())}", width="stretch")
            last = place == len(steps) - 1
            rest = (*steps[:place], *steps[place + 1 :])
            shell.button(
                "Undo" if last else "Leave out",
                partial(shell.change, preparation=rest),
                key=f"step {place} of {len(steps)}",
            )
    with st.container(horizontal=True):
        for label, by_hand in (("Missing codes", _missing_by_hand), ("Levels", _levels_by_hand)):
            with st.popover(label, key=label, on_change="rerun") as popover:
                if popover.open:
                    by_hand(table)


def _missing_by_hand(table: Table) -> None:
    """Codes and words that a person knows to stand for missing."""
    text = st.text_input(
        "Codes and words that mean missing, with commas between",
        key="missing codes",
        placeholder="99, -9, refused",
    )
    columns = st.multiselect(
        "In", list(table.frame), key="missing columns", placeholder="all columns"
    )
    codes = tuple(dict.fromkeys(code.strip() for code in text.split(",") if code.strip()))
    if codes:
        step = Missing(codes, tuple(columns))
        shell.button("Count as missing", partial(add, step), key="count as missing")


def _levels_by_hand(table: Table) -> None:
    """Names and order of the levels of one column."""
    possible = [
        str(name) for name, column in table.frame.items() if 1 <= column.nunique() <= MOST_LEVELS
    ]
    if not possible:
        st.caption(f"No column has {MOST_LEVELS} levels or fewer.")
        return
    name = st.selectbox("Column", possible, key="levels of")
    column = table.frame[name]
    levels = _levels(column)
    counts = texts_of(column).value_counts()
    shown = pd.DataFrame(
        {
            "level": levels,
            "rows": [int(counts[level]) for level in levels],
            "name": levels,
            "place": range(1, len(levels) + 1),
        }
    )
    edited = st.data_editor(
        shown,
        key=f"levels {table.fingerprint} {name}",
        hide_index=True,
        disabled=["level", "rows"],
    )
    st.caption("Two levels of one name become one level.")
    steps = _named_and_ordered(name, shown, edited)
    if steps:
        shell.button("Use these levels", partial(add, *steps), key="use levels")


def _levels(column: pd.Series) -> list[str]:
    """Levels as they are written, in their order."""
    if declares_levels(column):
        return list(map(str, column.cat.remove_unused_categories().cat.categories))
    return list(map(str, in_order(column.dropna().unique().tolist())))


def _named_and_ordered(name: str, shown: pd.DataFrame, edited: pd.DataFrame) -> list[Step]:
    """The steps that make the levels of a column what a person wrote."""
    names = edited["name"].fillna(edited["level"]).astype(str)
    changed = names != shown["level"]
    steps: list[Step] = []
    if changed.any():
        levels = tuple(shown["level"][changed])
        steps.append(Renamed(name, levels, tuple(names[changed])))
    if not edited["place"].equals(shown["place"]):
        order = names[edited["place"].argsort(kind="stable")]
        steps.append(Ordered(name, tuple(dict.fromkeys(order))))
    return steps


def reordered(table: Table, told: Mapping[str, str], words: Words) -> tuple[Step, ...]:
    """The steps where columns are called ordered now, or no longer."""
    steps = shell.settings().preparation
    for name, word in told.items():
        if word == f"ordered {words.fitted}" and name not in words.ordered:
            steps = (*steps, Ordered(name, tuple(_levels(table.frame[name]))))
        elif word == words.fitted and name in words.ordered:
            steps = tuple(s for s in steps if not (isinstance(s, Ordered) and s.column == name))
    return steps


def timed(steps: tuple[Step, ...], before: str, now: str) -> tuple[Step, ...]:
    """The steps where another column is the time now; "" for none. Another time takes the place of
    the one before: what is done along time is done along this one."""
    if now == before:
        return steps
    places = [place for place, step in enumerate(steps) if isinstance(step, TimeOrder)]
    kept = [step for step in steps if not isinstance(step, TimeOrder)]
    if now:
        place = places[-1] - len(places) + 1 if places else len(kept)
        kept.insert(place, TimeOrder(now))
    return tuple(kept)


def why_no_time(table: Table, name: str) -> str:
    """Why rows can't be taken in the order of a column; "" where they can."""
    try:
        TimeOrder(name).apply(table)
    except Undecided as error:
        return f"{error} “Order by time” on the page “Explore” takes either."
    except DataError as error:
        return str(error)
    return ""
