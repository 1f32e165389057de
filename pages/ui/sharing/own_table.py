"""The table a person brought: from a file, from the link, or from the store behind it."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import NamedTuple

import streamlit as st

from pages.ui import environment
from pages.ui.compute import readings
from pages.ui.running.pools import readers
from pages.ui.running.workers import Cancelled, Lost, OutOfTime
from pages.ui.sharing import store
from pages.ui.sharing.store import Receipt, Refused, the_store
from pages.ui.state import shell
from pages.ui.state.memory import Full, visit
from pages.ui.state.session import session
from pages.ui.tables import packing
from pages.ui.tables.table import DataError, Table, table_bytes
from pages.ui.text import plain

KEY = "own table"
TOO_LONG = (
    "Reading the table of this link took too long: try again later, or upload the table yourself."
)


class OwnTable(NamedTuple):
    """table, and how a link brings it along: as text in it, or by a token of the store."""

    table: Table
    carried: str = ""
    shared: str = ""


def current() -> OwnTable | None:
    """The table the settings speak of; None while there is none.

    Where the link names one that is not to be had, the page says so and goes on without.
    """
    own: OwnTable | None = session().own_table
    settings = shell.settings()
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


def _open(carried: str, shared: str) -> OwnTable:
    if carried:
        return OwnTable(packing.from_text(carried), carried)
    try:
        content = the_store().fetch(shared)
    except Refused as error:
        raise DataError(str(error)) from None
    if content is None:
        raise DataError(store.GONE)
    return OwnTable(_unpacked(content), shared=shared)


def _unpacked(content: bytes) -> Table:
    """A stored table, read by a process. Raises DataError or Full."""
    job = readers().job(readings.unpack, content)
    try:
        with st.spinner("Reading the stored table"):
            return job.result(lambda size: visit().hold(KEY, size))
    except (Lost, ValueError) as error:
        raise DataError(str(error)) from None
    except (OutOfTime, Cancelled):
        raise DataError(TOO_LONG) from None


def take(table: Table) -> None:
    """Use a table that was read, in place of the one before. Raises Full where there is no room."""
    visit().hold(KEY, table_bytes(table))
    own = OwnTable(table, packing.to_text(table) or "")
    session().own_table = own
    _tell(own)


def _tell(own: OwnTable) -> None:
    shell.change(fingerprint=_short(own.table), carried=own.carried, shared=own.shared)


def _short(table: Table) -> str:
    return table.fingerprint[:16]


# Sharing


def receipts() -> dict[str, Receipt]:
    """The tables this session has stored, by the token in their link."""
    return session().receipts


def keep(own: OwnTable, content: bytes, days: int, waiting: Callable[[], object]) -> None:
    """Store the table for a link. Raises Refused where it cannot be.

    waiting: called where the store is busy.
    """
    receipt = the_store().keep(content, _person(), days, waiting)
    receipts()[receipt.token] = receipt
    session().own_table = own._replace(shared=receipt.token)
    shell.change(shared=receipt.token)


def _person() -> str:
    """Whose quota a table counts for, as the environment says.

    A proxy on this machine names the address it serves last in the header.
    """
    if environment.choice("QUOTA_BY") == "visit":
        session().person = session().person or secrets.token_hex(16)
        return session().person
    forwarded = st.context.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
    return f"address {st.context.ip_address or forwarded or 'of this machine'}"


def delete(owner_token: str) -> bool:
    """Delete a stored table at once; False if there is none. Raises Refused without the store."""
    deleted = the_store().delete(owner_token)
    for token in [t for t, receipt in receipts().items() if receipt.owner_token == owner_token]:
        del receipts()[token]
        own: OwnTable | None = session().own_table
        if own is not None and own.shared == token:
            session().own_table = own._replace(shared="")
        if shell.settings().shared == token:
            shell.change(shared="")
    return deleted
