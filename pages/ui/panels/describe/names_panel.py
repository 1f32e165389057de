"""The clusters one by one: their names, which a person may type, their shares, and words."""

from __future__ import annotations

from functools import partial

import numpy as np
import streamlit as st

from pages.ui.families.family import Family
from pages.ui.families.interval_columns import INFORMATION, RESAMPLED, Ways
from pages.ui.families.profiles import Profile
from pages.ui.state import shell
from pages.ui.state.session import has, held, put, session
from pages.ui.tables.titles import titles_in
from pages.ui.text import component_names, counted, percent, plain

LONGEST = 40
# Groups have names of their own, and may be many: the outermost are told.
MOST_GROUPS = 5
BY = {INFORMATION: "", RESAMPLED: "bootstrap "}


def show_clusters(profile: Profile, family: Family, ways: Ways) -> None:
    """A line for each of them; ways: numbers with intervals, once there are any."""
    if family.grouping == "group":
        _groups(profile)
        return
    usual = component_names(len(profile.names), family.unit or "factor")
    given = shell.settings().names
    given = given if len(given) == len(usual) else ("",) * len(usual)
    for k, number in enumerate(usual):
        name, words = st.columns([1, 3], vertical_alignment="center")
        with name:
            key = f"name of {number} of {len(usual)}"
            if has(key) and held(key) != given[k]:
                put(key, given[k])
            shell.box(
                st.text_input,
                f"Name of {number}",
                partial(_take, len(usual), k),
                given[k],
                key=key,
                value=given[k],
                placeholder=number,
                max_chars=LONGEST,
                label_visibility="collapsed",
            )
        with words:
            called = "" if given[k] == "" else f" ({number})"
            st.markdown(
                f"**{plain(profile.names[k])}**{called}, {percent(profile.shares[k], 1)} "
                f"{_between(ways, k)}{profile.share_of}: {plain(profile.said[k])}.",
                help="  \n".join(map(plain, titles_in(profile.said[k], session().titles))) or None,
            )
    what = f"{family.unit or 'factor'}"
    st.caption(
        f"Type a name for a {what}: it is in the link, in every table and picture and in what you "
        f"take away. Names go with the numbers, and are kept for {counted(len(usual), what)}."
    )


def _between(ways: Ways, k: int) -> str:
    """The interval of a share, and beside it that by bootstrap."""
    told = [
        f"{BY[way]}{percent(row.lower, 1)} to {percent(row.upper, 1)}"
        for way, reported in ways.items()
        for row in reported
        if row.quantity == "weight" and row.place == (k,) and np.isfinite(row.lower)
    ]
    return f"({'; '.join(told)}) " if told else ""


def _take(n: int, k: int, name: str) -> None:
    given = shell.settings().names
    given = list(given) if len(given) == n else [""] * n
    given[k] = (name or "").strip()
    shell.change(names=tuple(given) if any(given) else ())


def _groups(profile: Profile) -> None:
    """The outermost groups by the first column; they have names of their own."""
    st.markdown(
        f"{counted(len(profile.names), 'group')}, called as in the table. What is said of a group "
        "is what is expected of it: its average drawn towards that of all, the more the fewer rows "
        "it has."
    )
    order = np.argsort(profile.values[:, 0], kind="stable")
    outer = [*order[::-1][:MOST_GROUPS], *order[:MOST_GROUPS][::-1]]
    for g in dict.fromkeys(outer):
        st.markdown(
            f"- **{plain(profile.names[g])}**, {percent(profile.shares[g], 1)} "
            f"{profile.share_of}: {plain(profile.said[g])}."
        )
