"""The table a person brought: from a file, from the link, or from the store behind it."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import streamlit as st

from pages.ui import environment
from pages.ui.compute import readings
from pages.ui.running.pools import readers
from pages.ui.running.workers import Cancelled, Lost, OutOfTime
from pages.ui.sharing import own_file, store
from pages.ui.sharing.store import Receipt, Refused, the_store
from pages.ui.state import history, reloads, shell
from pages.ui.state.changes import spelt_out
from pages.ui.state.memory import Full, visit, weakly
from pages.ui.state.session import session
from pages.ui.state.settings import Settings
from pages.ui.tables import packing, uploaded
from pages.ui.tables.table import DataError, Table, table_bytes
from pages.ui.text import counted, plain

KEY, BEFORE = "own table", "own table before"
LONGEST_NAME = 120  # of a file, in a link
# What is chosen of the columns of a table.
_OF_COLUMNS = (
    *("preparation", "columns", "label_column", "id_column", "group_column"),
    *("weight_column", "weights_kind", "axis_x", "axis_y"),
)
TOO_LONG = (
    "Reading the table of this link took too long: try again later, or upload the table yourself."
)


class OwnTable(NamedTuple):
    """table, and how a link brings it along: as text in it, or by a token of the store."""

    table: Table
    carried: str = ""
    shared: str = ""


@dataclass
class _Before:
    """The table before the one in use, for as long as there is room for it: a change is undone."""

    own: OwnTable | None

    def forget(self) -> None:
        self.own = None


def current() -> OwnTable | None:
    """The table the settings speak of; None while there is none.

    Where the link names one that is not to be had, the page says so and goes on without.
    """
    settings = shell.settings()
    if session().own_table is None and settings.fingerprint and not settings.shared:
        _take_over(settings.fingerprint)
    _take_up_again()
    own: OwnTable | None = session().own_table
    named = settings.carried or settings.shared
    if named and (own is None or named not in own):
        try:
            own = _open(settings.carried, settings.shared)
            visit().hold(KEY, table_bytes(own.table))
        except (DataError, Full) as error:
            shell.say(plain(str(error)))
            shell.change(carried="", shared="")
            return None
        session().own_table = own
    elif own is not None and not named and settings.fingerprint in ("", _short(own.table)):
        # Back from other data: the link speaks of the table again.
        _tell(own)
    return own


def _take_over(named: str) -> None:
    """After a reload: the table with this fingerprint, and its file, from the visit before."""
    for before in reloads.before():
        own: OwnTable | None = before.own_table
        if own is not None and _short(own.table) == named:
            try:
                visit().hold(KEY, table_bytes(own.table))
            except Full as full:
                shell.say(plain(str(full)))
                return
            session().own_table = own
            if before.file is not None:
                own_file.keep(before.file)
            reloads.note()
            return


def _take_up_again() -> None:
    """Where the settings speak of the table before, as a change was undone, it is in use again."""
    own: OwnTable | None = session().own_table
    before: _Before | None = session().own_table_before
    settings = shell.settings()
    if own is None or before is None or before.own is None or is_meant(own, settings):
        return
    if is_meant(before.own, settings):
        again = before.own
        _set_aside(own)
        session().own_table = again


def is_meant(own: OwnTable, settings: Settings) -> bool:
    """Whether the settings speak of this table."""
    named = settings.carried or settings.shared
    return named in own if named else settings.fingerprint == _short(own.table)


def _set_aside(own: OwnTable) -> None:
    """Keep a table that is in use no longer."""
    before = _Before(own)
    session().own_table_before = before
    try:
        visit().hold(BEFORE, table_bytes(own.table), weakly(before.forget))
    except Full:
        before.forget()


def _open(carried: str, shared: str) -> OwnTable:
    if carried:
        return OwnTable(_as_in_the_link(packing.from_text(carried)), carried)
    try:
        content = the_store().fetch(shared)
    except Refused as error:
        raise DataError(str(error)) from None
    if content is None:
        raise DataError(store.GONE)
    return OwnTable(_as_in_the_link(_unpacked(content)), shared=shared)


def _as_in_the_link(table: Table) -> Table:
    """With what was said when it was read from its file."""
    return table._replace(reading=shell.settings().reading)


def _unpacked(content: bytes) -> Table:
    """A stored table, read by a process. Raises DataError or Full."""
    job = readers().job(readings.unpack, content)
    try:
        with st.spinner("Reading the stored table"):
            found = job.result(lambda size: visit().hold(KEY, size))
    except (Lost, ValueError) as error:
        raise DataError(str(error)) from None
    except (OutOfTime, Cancelled):
        raise DataError(TOO_LONG) from None
    if isinstance(found, str):
        raise DataError(found)
    return found


def take(table: Table, again: bool = False) -> None:
    """Use a table that was read, in place of the one before. Raises Full where there is no room.

    again: it is the same file, read in another way: columns that it still has stay chosen.
    """
    before: OwnTable | None = session().own_table
    own = _use(table)
    if _has_the_same_columns(table, before):
        _tell(own, {name: getattr(shell.settings(), name) for name in _OF_COLUMNS})
    else:
        _tell(own, _still_there(table) if again else {})
    history.note()


def adopt(table: Table, settings: Settings) -> Settings:
    """Use the table that was saved with these settings; they speak of it then. Raises Full."""
    return spelt_out(settings, **_said_of(_use(table._replace(reading=settings.reading))))


def _use(table: Table) -> OwnTable:
    """The table in use from now on; the one before is set aside. Raises Full."""
    visit().hold(KEY, table_bytes(table))
    if session().own_table is not None:
        _set_aside(session().own_table)
    session().own_table = OwnTable(table, packing.to_text(table) or "")
    reloads.note()
    return session().own_table


def _has_the_same_columns(table: Table, before: OwnTable | None) -> bool:
    """Whether what was chosen of the table before can be said of this one: by the link, where there
    was none."""
    if shell.settings().source != "table":
        return False
    names = set(table.frame)
    if before is not None:
        return names == set(before.table.frame)
    chosen = shell.settings().columns
    return bool(chosen) and (names >= set(chosen) or bool(shell.settings().preparation))


def _still_there(table: Table) -> dict[str, Any]:
    """What the settings say of columns that a table has."""
    settings, names = shell.settings(), table.frame.columns
    kept: dict[str, Any] = {"columns": tuple(name for name in settings.columns if name in names)}
    for about in ("label_column", "id_column", "group_column", "axis_x", "axis_y"):
        if getattr(settings, about) in names:
            kept[about] = getattr(settings, about)
    return kept


def _tell(own: OwnTable, kept: Mapping[str, Any] = {}) -> None:
    shell.change(**kept, **_said_of(own))


def _said_of(own: OwnTable) -> dict[str, Any]:
    """What the settings say of a table of one's own."""
    return {
        "fingerprint": _short(own.table),
        "reading": own.table.reading,
        "carried": own.carried,
        "shared": own.shared,
        "awaited": "" if own.carried else described(own.table),
    }


def described(table: Table) -> str:
    """Which file to load, for those who have the link only."""
    rows, columns = table.frame.shape
    return f"{table.name[:LONGEST_NAME]} ({counted(rows, 'row')}, {counted(columns, 'column')})"


def _short(table: Table) -> str:
    return short(table.fingerprint)


def short(fingerprint: str) -> str:
    """What a link says of a fingerprint."""
    return fingerprint[:16]


# Sharing


def receipts() -> dict[str, Receipt]:
    """The tables this session has stored, by the token in their link."""
    return session().receipts


def keep(own: OwnTable, content: bytes, days: int, waiting: Callable[[], object]) -> None:
    """Store the table for a link. Raises Refused where it cannot be.

    waiting: called where the store is busy.
    """
    receipt = the_store().keep(content, person(), days, waiting)
    receipts()[receipt.token] = receipt
    session().own_table = own._replace(shared=receipt.token)
    shell.change(shared=receipt.token)


def person() -> str:
    """Whose quota a table counts for, as the environment says.

    A proxy on this machine names the address it serves last in the header.
    """
    if environment.choice("QUOTA_BY") == "visit":
        session().person = session().person or secrets.token_hex(16)
        return session().person
    forwarded = st.context.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
    return f"address {st.context.ip_address or forwarded or 'of this machine'}"


def delete(owner_token: str) -> bool:
    """Delete a stored table, or a long file, at once; False if there is none. Raises Refused
    without the store."""
    if uploaded.delete(environment.uploads(), owner_token):
        names = [n for n, token in session().long_files.items() if token == owner_token]
        for name in names:
            del session().long_files[name]
        if shell.settings().data_set in names:
            shell.change(source="table", data_set="")
        return True
    deleted = the_store().delete(owner_token)
    for token in [t for t, receipt in receipts().items() if receipt.owner_token == owner_token]:
        del receipts()[token]
        own: OwnTable | None = session().own_table
        if own is not None and own.shared == token:
            session().own_table = own._replace(shared="")
        if shell.settings().shared == token:
            shell.change(shared="")
    return deleted
