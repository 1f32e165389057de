"""The table of columns: what each holds, what it is for, and what is done to it before a fit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from pages.ui.families.table import family_of
from pages.ui.panels import tables
from pages.ui.panels.report import rows_of
from pages.ui.panels.sidebar import groups_panel, reading_panel, steps_panel
from pages.ui.panels.sidebar.data_panel import (
    Columns,
    reasons_of,
    set_aside,
)
from pages.ui.panels.sidebar.groups_panel import few_named
from pages.ui.state import shell
from pages.ui.state.fragments import fragment, runs_alone
from pages.ui.state.session import has, put, session
from pages.ui.state.settings import FIELDS, Settings, values_of
from pages.ui.tables.cells_again import declares_order
from pages.ui.tables.columns import ColumnReport
from pages.ui.tables.profile import Profile, profile, short_texts
from pages.ui.tables.roles import (
    IDENTIFIER,
    LABELS,
    OUT,
    TIME,
    WEIGHT,
    Words,
    assigned,
    summed_up,
)
from pages.ui.tables.table import Table
from pages.ui.tables.weights import weight_candidates
from pages.ui.text import counted, plain

PREVIEW_ROWS = 200
MOST_LEFT_OUT = 1_000  # rows, in the grid of them
MOST_HEIGHT = 300  # of the grid, in pixels
ROW_HEIGHT = 35
LONG_NAME, LONG_WIDTH = 24, 180  # letters of a column, and the pixels that one longer has
USED_FOR, IN_WORDS = "used for", "in words"
COULD_BE_TIME = "It could be the time."
SHOWN = (
    *("column", IN_WORDS, USED_FOR, "values", "levels", "missing", "distinct", "min", "max"),
    *("unit", "note", "type", "infinite"),
)
# What the fields of `Use` are called in the settings; the time is a step of preparation.
_FIELDS = {
    "columns": "columns",
    "label": "label_column",
    "group": "group_column",
    "weight": "weight_column",
    "identifier": "id_column",
}


def show(found: Table, table: Table, columns: Columns, preparing: bool) -> None:
    """The table of columns, open at first for a table of one's own, and summed up once it was used.

    found: the table before its steps of preparation. preparing: as of `sidebar.choose`.
    """
    reading_panel.show(table, preparing)
    words = words_of(table, columns)
    names = list(table.frame)
    rows = f"{counted(len(table.frame), 'row')}, " if table.whole is None else ""
    rows += counted(len(names), "column")
    if columns.selection is not None and len(columns.selection.left_out):
        rows += f"; {counted(len(columns.selection.left_out), 'row')} left out"
    if columns.selection is not None and columns.selection.weights is not None:
        rows += f"; {rows_of(columns.selection.total, columns.selection)}"
    pending = steps_panel.pending(table)
    title = f"{plain(table.name)}: {rows}; {summed_up(names, columns.use, words)}"
    title += f"; {pending}: look" if pending else ": change"
    with st.container(key="table of columns"):  # no higher than the style sheet says
        fragment(_unfold)(title, found.fingerprint, table, columns, words, _asked(shell.settings()))


def words_of(table: Table, columns: Columns) -> Words:
    """What columns are called by the model at hand."""
    family = family_of(shell.settings())
    ordered = [str(name) for name in table.frame if declares_order(table.frame[name])]
    in_order = ordered if family.use == "levels" else ()
    return Words(family.use, family.grouping, in_order)


def _asked(settings: Settings) -> tuple:
    """What the rest of the page was drawn with: where it is another, all of it runs again."""
    used = (getattr(settings, field) for field in _FIELDS.values())
    return (settings.preparation, *used, tuple(session().notices))


def _unfold(
    title: str, key: str, table: Table, columns: Columns, words: Words, asked: tuple
) -> None:
    if runs_alone() and _asked(shell.settings()) != asked:
        st.rerun()
    slot = f"table {key}"
    opened = shell.settings().source == "table" and _is_new(key)
    if not opened and has(slot) and session().columns_open == key:
        session().columns_open = ""
        put(slot, False)
    with st.expander(title, expanded=opened, key=slot, on_change="rerun") as expander:
        if expander.open:
            if opened:
                session().columns_open = key
            _content(table, columns, words)
    if opened and not expander.open:
        session().columns_used[key] = None


def _is_new(key: str) -> bool:
    """Whether nobody has gone on yet: to another fit, or another page."""
    usual = {field: FIELDS[field].default for field in _FIELDS.values()}
    now = session().page, values_of(replace(shell.settings(), **usual), "family", "fit")
    first = session().columns_used.setdefault(key, now)
    if first != now:
        session().columns_used[key] = None
    return first == now


def _content(table: Table, columns: Columns, words: Words) -> None:
    steps_panel.offer(table)
    selection = columns.selection
    without = [] if selection is None or not len(selection.left_out) else ["Rows left out"]
    by_column, read, first, *others = st.tabs(
        ["Columns", "How it was read", "First rows", *without]
    )
    with by_column:
        _grid(table, columns, words)
        _left_out(table, columns, words)
        if table.whole is None:
            steps_panel.show(table)
    for tab in others:
        with tab:
            _rows_left_out(table, columns)
    with read:
        st.markdown("\n".join(f"- {plain(fact)}" for fact in table.parsing))
    with first:
        _preview(table)


def _grid(table: Table, columns: Columns, words: Words) -> None:
    """Columns as rows of a grid, in which what they are used for can be chosen."""
    shown = _shown(table, columns, words)
    now = tuple(shown[USED_FOR])
    shell.box(
        partial(_editor, words),
        shown,
        partial(_take, table, columns, words),
        now,
        key=_slot(table, now),
    )


def _editor(words: Words, shown: pd.DataFrame, **more: Any) -> tuple[str, ...]:
    """What columns are used for, once a person has changed it."""
    edited = st.data_editor(
        shown,
        hide_index=True,
        disabled=[name for name in shown if name != USED_FOR],
        column_order=SHOWN,
        column_config=_configuration(words, shown["column"]),
        height=_height(shown),
        **more,
    )
    return tuple(edited[USED_FOR])


def _slot(table: Table, words: tuple[str, ...]) -> str:
    """The key of the grid: the same for what was chosen in it, so that it stays where it is."""
    number, last = session().columns_grid
    if words != last:
        number += 1
    session().columns_grid = number, words
    return f"columns {number} of {table.fingerprint}"


def _configuration(words: Words, names: Iterable[str]) -> dict[str, Any]:
    c = st.column_config
    # A longer name is cut, and whole under the pointer: else it has all the room of a phone.
    is_long = max(map(len, names), default=0) > LONG_NAME
    return {
        "column": c.TextColumn(pinned=True, width=LONG_WIDTH if is_long else None),
        USED_FOR: c.SelectboxColumn(options=words.all, required=True, width=130),
        "values": c.BarChartColumn("histogram", y_min=0, width="small"),
        "levels": c.TextColumn(help="How many cells hold each", width="medium"),
        "note": c.TextColumn(width="large"),
    }


def _shown(table: Table, columns: Columns, words: Words) -> pd.DataFrame:
    profiles = _profiles(table.fingerprint, table, columns.reports)
    units = dict(zip(table.frame.columns, table.units, strict=False))
    notes = _notes(table, columns)
    titles = dict(table.titles)
    in_words = [{IN_WORDS: titles.get(r.name, "")} if titles else {} for r in columns.reports]
    return pd.DataFrame(
        [
            words_of_it
            | {
                "column": report.name,
                "unit": units.get(report.name, ""),
                "type": report.type,
                "missing": report.missing,
                "infinite": report.infinite,
                "distinct": report.distinct,
                "note": notes[report.name],
                USED_FOR: words.of(report.name, columns.use),
                "values": list(found.histogram),
                "levels": found.levels,
                "min": found.least,
                "max": found.most,
            }
            for report, found, words_of_it in zip(columns.reports, profiles, in_words, strict=True)
        ]
    )


@st.cache_resource(max_entries=16, show_spinner="Looking at the values of each column")
def _profiles(fingerprint: str, _table: Table, _reports: list[ColumnReport]) -> list[Profile]:
    return [profile(_table.frame[r.name], bool(r.aside)) for r in _reports]


def _take(table: Table, columns: Columns, words: Words, put_in: Any) -> None:
    """Take words for columns: those changed in the grid, as it tells them, or all of them."""
    match put_in:
        case {"edited_rows": rows}:
            told = {row: cells.get(USED_FOR) for row, cells in rows.items()}
        case _:
            told = dict(enumerate(put_in))
    names = [report.name for report in columns.reports]
    known = {names[row]: word for row, word in told.items() if word in words.all}
    _assign(table, columns, words, known)


def _assign(table: Table, columns: Columns, words: Words, told: Mapping[str, str]) -> None:
    """Use columns as they are called now, or say why that can't be."""
    number, _ = session().columns_grid
    session().columns_grid = number + 1, ()
    before = columns.use
    new = {name: word for name, word in told.items() if word != words.of(name, before)}
    fitting = {n: word for n, word in new.items() if _fits(table, columns, words, n, word)}
    use = assigned(before, list(table.frame), fitting, words.fitted)
    if before.columns and not use.columns:
        shell.say("At least one column is needed: choose another one before you leave out this.")
        return
    if before.group and not use.group and not family_of(shell.settings()).alone:
        shell.say("This model needs groups: choose another column for them first.")
        return
    if not use.identifier and fitting.get(before.identifier) not in (None, OUT):
        use = use._replace(identifier=before.identifier)  # once it is free again
    changes = {
        _FIELDS[name]: value
        for name, value in use._asdict().items()
        if name in _FIELDS and value != getattr(before, name)
    }
    steps = steps_panel.reordered(table, fitting, words)
    steps = steps_panel.timed(steps, before.time, use.time)
    if steps != shell.settings().preparation:
        changes["preparation"] = steps
    shell.change(**changes)
    if fitting == new:
        now = [words.of(name, use) for name in table.frame]
        session().columns_grid = number, tuple(now)


def _fits(table: Table, columns: Columns, words: Words, name: str, word: str) -> bool:
    """Whether a column can be used so; it is said where it cannot."""
    if word in (OUT, IDENTIFIER):
        return True
    if word == TIME and table.whole is not None:
        shell.say(f"{plain(name)} can't be used as {word}: rows on the server stay in their order.")
        return False
    if word == TIME:
        why = steps_panel.why_no_time(table, name)
        if why:
            shell.say(f"{plain(name)} can't be used as {word}. {plain(why)}")
        return not why
    able = {LABELS: columns.labels, WEIGHT: weight_candidates(columns.reports)}
    if words.grouping:
        able[words.grouping] = columns.groups
    if name in able.get(word, columns.usable):
        return True
    (report,) = [report for report in columns.reports if report.name == name]
    why_not = family_of(shell.settings()).why_not(report) if word in (words.fitted,) else ""
    why = why_not or "Its values do not allow it."
    shell.say(f"{plain(name)} can't be used as {word}. {plain(why)}")
    return False


def _left_out(table: Table, columns: Columns, words: Words) -> None:
    """Which columns are not used, and why."""
    takes = family_of(shell.settings()).takes
    roles = _roles(table, columns)
    if aside := set_aside(columns.reports, takes, (*roles, *columns.use.columns)):
        st.markdown(plain(aside))
    if words.fitted in ("levels", "yes-or-no") and not steps_panel.pending(table):
        _seen_once(table, columns)
    there_for = {*roles, columns.use.identifier}
    unused = [r for r in columns.reports if not takes(r) and r.name not in there_for]
    for names, why in reasons_of(unused, family_of(shell.settings()).why_not):
        st.markdown(f"**{plain(names)}** can't be used by this model. {plain(why)}")


def _rows_left_out(table: Table, columns: Columns) -> None:
    assert columns.selection is not None, "it has them"
    left_out = columns.selection.left_out
    st.markdown(f"**{len(left_out):,} of {counted(len(table.frame), 'row')} left out:**")
    shown = left_out.head(MOST_LEFT_OUT)
    if len(shown) < len(left_out):
        st.caption(f"The first {len(shown):,} of them")
    st.dataframe(shown, hide_index=True, height=_height(shown))
    tables.offer_csv(left_out, "Rows left out", index=False)


def _height(shown: pd.DataFrame) -> int:
    """Of a grid, in pixels: as many lines as it has, up to `MOST_HEIGHT`."""
    return min(MOST_HEIGHT, ROW_HEIGHT * (len(shown) + 1) + 2)


def _seen_once(table: Table, columns: Columns) -> None:
    """The levels that a single row has: their probabilities rest on it."""
    profiles = zip(
        columns.reports, _profiles(table.fingerprint, table, columns.reports), strict=True
    )
    told = [
        f"{few_named(found.once)} in {report.name}"
        for report, found in profiles
        if found.once and report.name in columns.use.columns
    ]
    if told:
        st.markdown(f"Seen in one row only: {plain(few_named(told))}.")


def _preview(table: Table) -> None:
    rows = len(table.frame)
    shown = table.frame.head(PREVIEW_ROWS).set_axis(range(1, min(rows, PREVIEW_ROWS) + 1))
    st.caption(f"The first {len(shown):,} rows" if len(shown) < rows else "All rows")
    # As in the file, to be found there: no thousands apart, and more digits than `number` has.
    # Streamlit's usual format cuts 1.54e-9 to 0.000000001; its "plain" turns 1000 into 999.99...
    digits = partial(st.column_config.NumberColumn, format="%.10g")
    titles = {name: plain(words) for name, words in table.titles}
    columns = {name: st.column_config.Column(help=words) for name, words in titles.items()}
    numbers = shown.select_dtypes("float").columns
    columns |= {name: digits(help=titles.get(name)) for name in numbers}
    st.dataframe(short_texts(shown), height=MOST_HEIGHT, column_config=columns)


def _roles(table: Table, columns: Columns) -> dict[str, str]:
    """What columns that nothing is fitted to are there for, or could be."""
    family = family_of(shell.settings())
    unused = [report for report in columns.reports if not family.takes(report)]
    possible = groups_panel.possible(table, unused, family.alone) if family.grouping else []
    could = [report.name for report in unused if report.name in possible]
    roles = {name: f"It could say which {family.grouping} a row is in." for name in could}
    use = columns.use
    roles |= {r.name: COULD_BE_TIME for r in unused if r.type == "date" and not use.time}
    roles |= {
        use.time: "Rows are taken in its order.",
        use.label: "It holds the known labels.",
        use.weight: "It holds the weights.",
        use.group: f"It says which {family.grouping} a row is in.",
    }
    roles.pop("", None)
    return roles


def _notes(table: Table, columns: Columns) -> dict[str, str]:
    """What is to be known of each column, in a sentence."""
    takes = family_of(shell.settings()).takes
    roles = _roles(table, columns)
    notes = {r.name: _note(r, takes(r), roles.get(r.name, "")) for r in columns.reports}
    if name := columns.use.identifier:
        notes[name] = f"Rows are called by it. {notes[name]}".rstrip()
    return notes


def _note(report: ColumnReport, taken: bool, role: str) -> str:
    if report.row_number:
        return "It numbers the rows."
    aside = f"Not used unasked: {report.aside}." if report.aside else ""
    return role or (aside if taken else family_of(shell.settings()).why_not(report)) or aside
