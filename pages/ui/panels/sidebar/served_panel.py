"""A data set on the server: which there are, what it holds, and all its rows for a fit."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import streamlit as st
from pyarrow import ArrowException

from em_core.partitions.partitions import takes_pieces
from pages.ui import environment
from pages.ui.compute.surveying import levels_of, survey, used_rows
from pages.ui.families.family import listed
from pages.ui.families.table import FAMILIES, family_of
from pages.ui.panels.sidebar import long_files
from pages.ui.running.answers import NoAnswer, answers
from pages.ui.running.jobs import run_job
from pages.ui.state import shell
from pages.ui.state.session import memo
from pages.ui.tables.data_set import DataSet, Grouping, Whole
from pages.ui.tables.selection import Selection, recoded
from pages.ui.tables.served import files_of, listed_here, listing, look_at, offered, table_of
from pages.ui.tables.table import DataError, Table
from pages.ui.tables.uploaded import shown
from pages.ui.text import counted, plain

# What stands in the folders is asked for again after so many seconds.
LISTED_SECONDS = 3
FREQUENCIES_ONLY = (
    "Weights of a data set on the server are taken for frequencies only: choose “frequencies”, or "
    "no weights."
)
NONE_YET = (
    "A Parquet file that is too long for a table is fitted where it lies: upload it under “Table”."
)
SILENT = "An object store of this server does not answer"
NONE_HERE = "There is no data set in the folders that this server offers: ask whoever runs it."


def is_offered() -> bool:
    """Whether this server has data sets, or was told of folders for them or for long files."""
    return bool(environment.datasets()) or long_files.are_taken()


def choose() -> Table | None:
    """Which data set, and what its files say; its sample as a table, once that is drawn."""
    mine = long_files.known()
    silent: list[str] = []
    names = offered(partial(_listed, silent=silent)) | mine
    if silent:
        st.warning(f"{SILENT}: its data sets are not listed.")
        _offer_to_ask_again()
    asked = shell.settings().data_set
    if asked and asked not in names and not silent:
        st.error(
            f"There is no data set {plain(repr(shown(asked)))} on this server: it was renamed or "
            "taken away, or the link is of another server. Choose another one."
        )
    if not names:
        if not silent:
            st.info(NONE_YET if long_files.are_taken() else NONE_HERE)
        return None
    if asked and asked not in names:
        # The field keeps what the link said until another one is chosen.
        shell.box(
            st.selectbox, "Data set on the server", _take, key="another data set",
            options=sorted(names), index=None, format_func=shown,
        )  # fmt: skip
        return None
    name = shell.widget("data_set", options=sorted(names), format_func=shown)
    try:
        files = _files(names[name])
        data_set = _look_at(shown(name), names[name], files)
    except DataError as error:
        st.error(plain(str(error)))
        if environment.is_remote(names[name]) and not silent:
            _offer_to_ask_again()
        return None
    _say_what_is_known(data_set, name)
    if name in mine:
        long_files.say_how_long(name)
    what = f"drawing a sample of {plain(data_set.name)}, {counted(data_set.n_rows, 'row')}"
    grouping = _grouping()
    # Both stay: a model of rows is often looked at beside one of sequences.
    slot = "survey" if grouping is None else "survey in groups"
    found = run_job(slot, f"{name} {files} {grouping}", what, survey, data_set, grouping)
    if found is None:
        return None
    word = "" if grouping is None else grouping.word
    return memo("served table", (name, files, grouping), lambda: table_of(data_set, found, word))


def _grouping() -> Grouping | None:
    """What the model at hand asks of the rows; None where they are in nothing."""
    settings = shell.settings()
    family, column = family_of(settings), settings.group_column
    if not family.grouping:
        return None
    weight = settings.weight_column or ""
    # One that was chosen is asked for whatever the weights are, and not surveyed again for others.
    return Grouping(
        family.grouping, family.alone, column, weight if column in (None, weight) else ""
    )


def _take(name: str | None) -> None:
    if name is not None:
        shell.change(data_set=name)


def _listed(folder: str, silent: list[str]) -> list[tuple[str, str]]:
    """The data sets in a folder. silent: takes up the address of an object store without an
    answer."""
    if not environment.is_remote(folder):
        return _listed_here(folder)
    try:
        return answers().to(listing, folder, fresh=LISTED_SECONDS)
    except (NoAnswer, OSError, ArrowException):
        silent.append(folder)
        return []


@st.cache_data(ttl=LISTED_SECONDS, show_spinner=False)
def _listed_here(folder: str) -> list[tuple[str, str]]:
    return listed_here(folder)


def _files(root: str) -> str:
    return _told(files_of, root) if environment.is_remote(root) else _files_here(root)


@st.cache_data(ttl=LISTED_SECONDS, max_entries=100, show_spinner=False)
def _files_here(root: str) -> str:
    return files_of(root)


def _look_at(name: str, root: str, files: str) -> DataSet:
    if environment.is_remote(root):
        return _told(look_at, name, root, files, fresh=math.inf)
    return _look_at_here(name, root, files)


@st.cache_resource(max_entries=100, show_spinner="Reading what its files say")
def _look_at_here(name: str, root: str, files: str) -> DataSet:
    return look_at(name, root, files)


def _told(function: Callable[..., Any], *arguments: str, fresh: float = LISTED_SECONDS) -> Any:
    """What an object store says. Raises DataError where it does not answer."""
    try:
        return answers().to(function, *arguments, fresh=fresh)
    except NoAnswer:
        raise DataError(f"{SILENT}: choose another data set, or try again in a moment.") from None


def _offer_to_ask_again() -> None:
    shell.button("Ask it again", _ask_again, key="ask the store again")


def _ask_again() -> None:
    """The page is made anew, which asks."""


def _say_what_is_known(data_set: DataSet, name: str) -> None:
    """Rows and columns; and that the link was made when the files were others. name: in links."""
    rows, files = counted(data_set.n_rows, "row"), counted(data_set.n_files, "file")
    with st.popover(f"{rows}, {counted(len(data_set.columns), 'column')}", width="stretch"):
        st.caption(
            f"In {files}; columns of numbers, and of texts with few values, can be fitted. Texts "
            "and whole numbers can tell which sequence or group a row is in, where its rows stand "
            "together."
        )
        shown = [f"- {plain(column)}: {plain(kind)}" for column, kind in data_set.columns]
        st.markdown("\n".join(shown))
    there = shell.settings().data_set_files
    if not there:
        shell.spell_out(data_set=name, data_set_files=data_set.files)
    elif there != data_set.files:
        st.warning(
            "The data set has changed since this link was made: its files are others, so the "
            "numbers may be too."
        )


def with_all_rows(
    table: Table, selection: Selection, holes: bool, weights: str
) -> Selection | None:
    """A selection of the sample with all rows that are fitted and their weights, levels counted
    through all of them; None while they are counted.

    Raises DataError where the model takes no table in pieces.
    """
    whole = table.whole
    assert isinstance(whole, Whole), "it is asked of a data set on the server"
    family = family_of(shell.settings())
    if not _takes_pieces(shell.settings().family):
        able = [f.heading for name, f in FAMILIES.items() if _takes_pieces(name)]
        raise DataError(
            f"A {family.heading} is not fitted to a data set on the server yet. Choose one of "
            f"these models: {listed(able)}."
        )
    columns, levels = selection.columns, dict(whole.levels)
    coded = {name for name, of in zip(columns, selection.levels, strict=False) if of}
    if texts := [name for name in columns if name in levels and name not in coded]:
        raise DataError(f"Columns of texts have no numbers: leave out {listed(texts)}.")
    if numbers := tuple(name for name in columns if name in coded and name not in levels):
        key = f"{table.fingerprint} {numbers}"
        found = run_job(
            "levels of all rows", key, "looking for the values of all rows", levels_of,
            whole.data_set, numbers,
        )  # fmt: skip
        if found is None:
            return None
        levels |= found
    rows = None if weights or numbers else whole.as_it_is(columns)
    if rows is None:
        key = f"{table.fingerprint} {columns} {holes} {weights} {numbers} {whole.group}"
        rows = run_job(
            "used rows", key, "counting the rows that can be used", used_rows,
            whole.data_set, columns, holes, weights, {name: levels[name] for name in coded},
            whole.group,
        )  # fmt: skip
    if rows is None:
        return None
    if coded:
        selection = recoded(table, selection, {name: levels[name] for name in coded})
    return selection._replace(whole=rows)


def _takes_pieces(name: str) -> bool:
    return takes_pieces(FAMILIES[name].build(shell.settings()))
