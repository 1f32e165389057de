"""Files of a person that are too long for a table: data sets on the server, for those who have the
link."""

from __future__ import annotations

from functools import partial

import streamlit as st

from pages.ui import environment
from pages.ui.sharing import own_table
from pages.ui.sharing.store import Quotas
from pages.ui.state import history, shell
from pages.ui.state.session import session
from pages.ui.tables.uploaded import Uploads, find
from pages.ui.text import counted


def are_taken() -> bool:
    """Whether this server keeps such files."""
    return bool(environment.uploads())


def uploads() -> Uploads | None:
    """Where those of this person go; None where the server takes none."""
    folder, quotas = environment.uploads(), Quotas.configured()
    if not folder:
        return None
    return Uploads(folder, own_table.person(), quotas.person, quotas.store, quotas.days)


def use(name: str) -> None:
    """Go on with one that was brought."""
    mine: list[str] = session().long_files
    mine += [name] * (name not in mine)
    shell.change(source="server", data_set=name)
    history.note()
    st.rerun()


def known() -> dict[str, str]:
    """The data sets by name, each with its file: those of this visit, and that of the link."""
    folder = environment.uploads()
    names = dict.fromkeys((*session().long_files, shell.settings().data_set))
    return {name: root for name in names if (root := find(folder, name))}


def say_how_long(name: str) -> None:
    """Who sees one and until when; and a button for whoever brought it to delete it."""
    days = counted(Quotas.configured().days, "day")
    st.caption(
        "It is kept on this server for those who have the link, until nobody has used it for "
        f"{days}."
    )
    mine = uploads()
    if mine is not None and mine.is_own(name):
        shell.button("Delete it from the server", partial(_delete, name), key="delete upload")


def _delete(name: str) -> None:
    mine = uploads()
    if mine is not None:
        mine.delete(name)
    session().long_files = [other for other in session().long_files if other != name]
    shell.change(source="table", data_set="")
    shell.say("The file was deleted from the server: links to it do not open any more.")
