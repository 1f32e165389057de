"""The dialogs around a link: what it holds, what is stored for it, and the end of that."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial

import streamlit as st

from pages.ui import environment
from pages.ui.sharing import own_table
from pages.ui.sharing.own_table import OwnTable
from pages.ui.sharing.store import WAITING, Receipt, Refused, the_store
from pages.ui.state import shell
from pages.ui.state.session import session
from pages.ui.state.settings import FIELDS
from pages.ui.tables import packing
from pages.ui.tables.roles import Use, kept_of
from pages.ui.tables.table import Table
from pages.ui.text import counted, plain

PERIODS = {1: "1 day", 7: "1 week", 30: "1 month", 90: "3 months", 365: "1 year"}
USUAL_PERIOD = 90
# Pages that have a player; and one that has it for runs that are picked, of which two may race.
WITH_A_PLAYER = ("", "lower_bound", "variants")
WITH_A_PICK = "local_optima"
CHOICES = [
    (FIELDS["bare"].label, FIELDS["bare"].help, FIELDS["bare"].key, "1"),
    (
        "For embedding in another page",
        "Without Streamlit's menu and the space around the page.",
        "embed",
        "true",
    ),
]
# A frame with nothing but the player, two panels of which stand side by side in a column of text.
FRAMED = {"embed": "true", FIELDS["window"].key: "player"}
FRAME_HEIGHT = 480
IN_THE_CONTAINER = (
    "This server runs in a container and was not told where stored tables are to last: they last "
    "as long as the container does."
)
NOT_THERE = "There is no such table: it was deleted, it has expired, or this link is wrong."


def show_dialogs() -> None:
    """The dialog that was asked for, if any: by the button beside the title, or by owner link."""
    if session().owner_token:
        _deletion()
    elif session().dialog == "sharing":
        _sharing()


@st.dialog("Share this view", width="medium", on_dismiss=shell.close_dialog)
def _sharing() -> None:
    own = own_table.current() if shell.settings().source == "table" else None
    if own is None or own.carried:
        st.markdown(_all_in_the_link(own))
        if token := session().long_files.get(shell.settings().data_set):
            _offer_the_owner_link(token)
    elif shell.settings().shared:
        _stored(own)
    else:
        _offer_to_store(own)
    shell.copy_link("Copy this link", CHOICES)
    if _player_is_shown():
        _offer_a_frame()
    shell.remember("_share")


def _player_is_shown() -> bool:
    page, picked = session().page, shell.settings().picked_seed
    return page in WITH_A_PLAYER or (page == WITH_A_PICK and picked is not None)


def _offer_a_frame() -> None:
    """HTML of a frame that shows nothing but the player."""
    race = session().page == WITH_A_PICK and shell.settings().rival_seed is not None
    what = "race" if race else "player"
    around = (
        f'<iframe src="{shell.LINK}" title="EM Explorer: the {what}" width="100%" '
        f'height="{FRAME_HEIGHT}" style="border: 0" allow="fullscreen" loading="lazy"></iframe>'
    )
    shell.copy_link(f"Copy a frame with the {what} only", added=FRAMED, around=around)
    st.caption("HTML for another page, a course page, say: the link above in an iframe.")


def _all_in_the_link(own: OwnTable | None) -> str:
    if shell.settings().source == "server":
        return (
            "The link names the data set, which lies on this server, and holds all else on screen: "
            "model, start, seed, half-step and view. It opens on this server only."
        )
    held = "The link holds everything on screen: data, model, start, seed, half-step and view."
    if own is None:
        return f"{held} Nothing is stored on this server."
    return (
        f"{held} {_described(own)} is small enough to travel **inside the link**: whoever has the "
        "link has the table. Nothing is stored on this server."
    )


def _described(own: OwnTable) -> str:
    rows, columns = own.table.frame.shape
    return f"**{plain(own.table.name)}** ({counted(rows, 'row')}, {counted(columns, 'column')})"


def _offer_to_store(own: OwnTable) -> None:
    st.markdown(
        f"**This link does not have the table yet.** {_described(own)} is too large to travel "
        "inside it. For the link to show it, this server has to store it."
    )
    table, use = own.table, session().use or Use()
    if shell.settings().id_column is None:
        use = use._replace(identifier="")  # who the rows are is shared only where it was chosen
    small = kept_of(table, use, shell.settings().preparation)
    others = table.frame.shape[1] - small.frame.shape[1]
    if others and not st.toggle(
        f"Also the {counted(others, 'column')} not in use", key="share all"
    ):
        table = small
    content = packing.to_parquet(table)
    try:
        days = st.selectbox(
            "Until when",
            _periods(),
            index=_usual_period(),
            format_func=lambda days: PERIODS[days],
            key="share days",
        )
        end = _date(datetime.now(UTC).timestamp() + 86_400 * days)
        st.markdown(
            f"- **What is stored:** {_which(table, others)}, {_size(content)}, and "
            f"{_counted()}.\n- **Until when:** {end}, or until you delete it.\n- **Who can see "
            "it:** everyone who has the link. Nobody else can find it; those who run this server "
            "could look."
        )
        _warn_of_the_container()
        if st.button("Store the table and complete the link", type="primary"):
            note = st.empty()
            own_table.keep(own, content, days, lambda: note.info(WAITING))
            if table is small and others:
                # With fewer columns others might be the usual ones.
                shell.spell_out(
                    columns=use.columns, label_column=use.label,
                    group_column=use.group or None, weight_column=use.weight,
                )  # fmt: skip
            st.rerun(scope="fragment")
    except Refused as error:
        st.error(str(error))
    st.caption("Or send the file along: the link as it is asks for it.")


def _which(table: Table, others: int) -> str:
    """Which columns are stored."""
    columns = counted(table.frame.shape[1], "column")
    return f"this table with {columns}" if others else f"this table with all its {columns}"


def _counted() -> str:
    """What is stored to count how much one person keeps."""
    if environment.choice("QUOTA_BY") == "visit":
        return "nothing about you"
    return "a fingerprint of your network address, for the most that one person may store"


def _periods() -> list[int]:
    longest = the_store().quotas.days
    return [days for days in PERIODS if days <= longest] or [longest]


def _usual_period() -> int:
    periods = _periods()
    return periods.index(USUAL_PERIOD) if USUAL_PERIOD in periods else len(periods) - 1


def _stored(own: OwnTable) -> None:
    receipt = own_table.receipts().get(shell.settings().shared)
    if receipt is None:
        st.markdown(f"The link brings {_described(own)}, which somebody stored on this server.")
        return
    st.markdown(
        f"{_described(own)} is stored on this server until **{_date(receipt.expires)}**. Everyone "
        "who has the link can see it."
    )
    _warn_of_the_container()
    delete = partial(_delete, receipt)
    shell.button("Delete it now", delete, key="delete shared", icon=":material/delete:")
    _offer_the_owner_link(receipt.owner_token)


def _offer_the_owner_link(owner_token: str) -> None:
    st.markdown("To delete it later, from anywhere, keep this owner link and give it to nobody:")
    with st.container(key="owner link"):
        shell.copy_link("Copy owner link", instead={shell.OWNER_KEY: owner_token})


def _warn_of_the_container() -> None:
    if environment.stores_in_the_container():
        st.warning(IN_THE_CONTAINER)


def _delete(receipt: Receipt) -> None:
    try:
        own_table.delete(receipt.owner_token)
    except Refused as error:
        shell.say(str(error))
    else:
        shell.say("The shared table is deleted: links to it no longer work.")


def _forget_owner_token() -> None:
    session().owner_token = ""


@st.dialog("Delete what was shared", on_dismiss=_forget_owner_token)
def _deletion() -> None:
    st.markdown(
        "With this owner link you can delete the table, the file or the lesson that was shared. "
        "Links to it then stop working at once."
    )
    if st.button("Delete the table", type="primary", icon=":material/delete:"):
        try:
            # A second click finds it deleted.
            deleted = own_table.delete(session().owner_token)
        except Refused as error:
            st.error(str(error))
            return
        _forget_owner_token()
        shell.say("The shared table is deleted." if deleted else NOT_THERE)
        st.rerun()


def _date(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%-d %B %Y, %H:%M} UTC"


def _size(content: bytes) -> str:
    return f"{len(content) / 1000:,.0f} kB compressed"
