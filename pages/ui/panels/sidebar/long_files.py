"""Files of a person that are too long for a table: data sets on the server, for those who have the
link."""

from __future__ import annotations

import secrets
from functools import partial

import streamlit as st

from pages.ui import environment
from pages.ui.sharing import own_table
from pages.ui.sharing.store import Quotas, Refused
from pages.ui.state import history, shell
from pages.ui.state.session import session
from pages.ui.tables.uploaded import Kept, Uploads, find
from pages.ui.text import counted

DELETED = "The file was deleted from the server: links to it do not open any more."
NOT_DELETED = (
    "The file was not deleted: it has gone already, or its folder cannot be written to at the "
    "moment. Try again later, or tell whoever runs this server."
)


def are_taken() -> bool:
    """Whether this server keeps such files."""
    return bool(environment.uploads())


def uploads() -> Uploads | None:
    """Where those of this person go; None where the server takes none."""
    folder, quotas = environment.uploads(), Quotas.configured()
    if not folder:
        return None
    here = session()
    here.secret = here.secret or secrets.token_hex(16)
    person = own_table.person()
    return Uploads(folder, person, here.secret, quotas.person, quotas.store, quotas.days)


def use(kept: Kept) -> None:
    """Go on with one that was brought."""
    session().long_files[kept.name] = kept.owner_token
    shell.change(source="server", data_set=kept.name)
    history.note()
    st.rerun()


def known() -> dict[str, str]:
    """The data sets by name, each with its file: those of this visit, and that of the link."""
    folder = environment.uploads()
    names = dict.fromkeys((*session().long_files, shell.settings().data_set))
    return {name: root for name in names if (root := find(folder, name))}


def say_how_long(name: str) -> None:
    """Who sees one and until when; and a button to delete it, for the visit that brought it: later,
    and elsewhere, the owner link does so, which Share has."""
    days = counted(Quotas.configured().days, "day")
    st.caption(
        "It is kept on this server for those who have the link, until nobody has used it for "
        f"{days}."
    )
    if token := session().long_files.get(name):
        shell.button("Delete it from the server", partial(_delete, token), key="delete upload")


def _delete(owner_token: str) -> None:
    try:
        deleted = own_table.delete(owner_token)
    except Refused:  # it is not in the folder, and there is no store that might have it
        deleted = False
    shell.say(DELETED if deleted else NOT_DELETED)
