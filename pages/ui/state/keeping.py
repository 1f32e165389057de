"""A solution that is kept beside the one at hand: its settings, in a field of the settings."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple
from urllib.parse import parse_qsl, urlencode

from pages.ui.families.table import example_of
from pages.ui.state.links import parse, to_query
from pages.ui.state.settings import FIELDS, MOST_KEPT, Settings

# What makes a solution of a table, by name: the data are those at hand, and must be the same.
_OF_A_SOLUTION = [
    name
    for name, about in FIELDS.items()
    if about.group in ("columns", "family", "fit") or name in ("names", "rotation", "example")
]


class Kept(NamedTuple):
    """settings: those at hand, with what makes the kept solution in place of what makes theirs.
    complaints: of a damaged link, plain sentences. other_data: it is of another example."""

    settings: Settings
    complaints: tuple[str, ...]
    other_data: bool


def written(settings: Settings) -> str:
    """What makes the solution at hand, as a text for the field `kept`; "" where it is too long."""
    own = replace(settings, example=example_of(settings) if settings.source == "example" else "")
    query = to_query(own)
    keys = (FIELDS[name].key for name in _OF_A_SOLUTION)
    text = urlencode({key: query[key] for key in keys if key in query})
    return text if len(text) <= MOST_KEPT else ""


def kept_of(settings: Settings) -> Kept | None:
    """The solution that the settings keep; None without one."""
    if not settings.kept:
        return None
    keys = {FIELDS[name].key for name in _OF_A_SOLUTION}
    pairs = parse_qsl(settings.kept, keep_blank_values=True)
    found, complaints = parse({key: text for key, text in pairs if key in keys})
    parts = {name: getattr(found, name) for name in _OF_A_SOLUTION if name != "example"}
    if settings.source != "example":
        return Kept(replace(settings, **parts), complaints, other_data=False)
    other = found.example != example_of(settings)
    return Kept(replace(settings, example=found.example, **parts), complaints, other)
