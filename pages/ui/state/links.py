"""The link that carries the settings: a query by their short keys.

Without Streamlit: a link can be read and made anywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pages.ui.state.kinds import Choice, quoted
from pages.ui.state.settings import FIELDS, Field, Settings
from pages.ui.text import number

FORMAT_VERSION = "1"
VERSION_KEY = "v"
_BY_KEY = {about.key: about for about in FIELDS.values()}


def parse(query: Mapping[str, str]) -> tuple[Settings, tuple[str, ...]]:
    """The settings of a link, and a plain sentence on each part that was ignored or changed."""
    values: dict[str, Any] = {}
    said: list[str] = []
    unknown: list[str] = []
    if query.get(VERSION_KEY, FORMAT_VERSION) != FORMAT_VERSION:
        said.append("This link was made by another version of EM Explorer: it may look different.")
    for key, text in query.items():
        if key == VERSION_KEY:
            continue
        about = _BY_KEY.get(key)
        if about is None:
            unknown.append(quoted(key))
            continue
        try:
            values[about.name], complaint = about.kind.read(text)
            remedy = f"{_shown(about, values[about.name])} is used"
        except ValueError as error:
            complaint, remedy = str(error), f"{_shown(about, about.default)} is used"
        if complaint:
            said.append(f"{about.label}: {complaint}, so {remedy}.")
    if unknown:
        listed = ", ".join(unknown[:5]) + (" and others" if len(unknown) > 5 else "")
        said.append(f"The link holds {listed}, which EM Explorer does not know. It was ignored.")
    return Settings(**values), tuple(said)


def to_query(settings: Settings) -> dict[str, str]:
    """The link: what differs from the defaults, by short key; never empty, as a first visit is."""
    query = {
        about.key: about.kind.write(value)
        for about in FIELDS.values()
        if (value := getattr(settings, about.name)) != about.default
    }
    return {VERSION_KEY: FORMAT_VERSION} | query


def _shown(about: Field, value: Any) -> str:
    """A value in a sentence."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return number(value, 6)
    if isinstance(value, str) and value and isinstance(about.kind, Choice):
        return value
    return "the usual choice"
