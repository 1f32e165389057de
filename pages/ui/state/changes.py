"""New values among the settings, and what becomes obsolete by them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pages.ui.families.table import FAMILIES
from pages.ui.state.settings import FIELDS, PLANNED, Settings
from pages.ui.tables.preparation.step import Step
from pages.ui.tables.preparation.transformed_column import Transform

# What a change in one group resets to its default, unless the same change sets it.
_OBSOLETE = {
    "data": (
        "preparation",
        "columns",
        "label_column",
        "id_column",
        "group_column",
        "weight_column",
        "weights_kind",
        "axis_x",
        "axis_y",
        "start_means",
        "start_params",
        "names",
        "crossed",
        "kept",
    ),
    "preparation": ("axis_x", "axis_y", "start_means", "start_params", "names"),
    "columns": ("axis_x", "axis_y", "start_means", "start_params", "names"),
    # What one family can do, another may not.
    "family": (
        "start",
        "start_means",
        "start_params",
        "starts_compared",
        "axes",
        "axis_x",
        "axis_y",
        "names",
    ),
}


# A family has examples of its own: what was chosen of one says nothing of another.
_OF_AN_EXAMPLE = ("columns", "label_column", "id_column", "group_column")
# What these ask for has a result of its own.
_SEARCHED = {"n_starts", "starts_compared"}
_COMPARED = {"starts_compared", "smallest", "largest", "structures_compared", "n_starts_each"}
_COMPARED |= {"first_seed"}
_RESULTS = ("result", "search_result", "grid_result")
# Where a grid was gone on with, it has come further.
_FURTHER = ("gone_on", "grid_result")
# Runs picked among many: other starts are other runs.
_PICKED = ("picked_start", "picked_seed", "rival_start", "rival_seed")


def changed(settings: Settings, **values: Any) -> Settings:
    """`settings` with new values, each replaced by the nearest valid one.

    Other data makes the choices about the old data obsolete; another fit makes the frame and the
    point on screen obsolete. Those fall back to their defaults unless given here.
    Raises ValueError where no valid value is near.
    """
    cleaned = {name: FIELDS[name].clean(value) for name, value in values.items()}
    if "starts_compared" in cleaned:
        cleaned["starts_compared"] = _planned_or_named(settings, cleaned["starts_compared"])
    same_data = not any(FIELDS[name].group == "data" for name in cleaned)
    if "preparation" in cleaned and "columns" not in cleaned and same_data:
        cleaned["columns"] = _as_before(settings, cleaned["preparation"])
    new = {name for name, value in cleaned.items() if value != getattr(settings, name)}
    groups = {FIELDS[name].group for name in new}
    obsolete = {name for group in groups for name in _OBSOLETE.get(group, ())}
    if groups & {"data", "preparation", "columns", "family", "fit"}:
        # What is fitted now is of the files of a data set as they are.
        obsolete |= {"frame", "point", "data_set_files", *_RESULTS, *_PICKED, *_FURTHER}
    if new & _SEARCHED:
        obsolete |= {"search_result"}
    if new & _COMPARED:
        obsolete |= {*_FURTHER}
    if "gone_on" in new:
        obsolete |= {"grid_result"}
    if "family" in groups and cleaned.get("source", settings.source) == "example":
        obsolete |= {*_OF_AN_EXAMPLE}
    if "family" in groups and settings.example not in FAMILIES[cleaned["family"]].examples:
        obsolete |= {"example"}
    if cleaned.get("source", "table") != "table":
        obsolete |= {"fingerprint", "reading", "carried", "shared", "awaited"}
    if cleaned.get("source", "server") != "server":
        obsolete |= {"data_set"}
    fresh = {name: FIELDS[name].default for name in obsolete}
    if "starts_compared" in fresh:
        fresh["starts_compared"] = (PLANNED,)
    return replace(settings, **fresh | cleaned)


def _planned_or_named(settings: Settings, starts: tuple[str, ...]) -> tuple[str, ...]:
    """The plan or starts by name, whichever was chosen last; the plan where none is left."""
    named = tuple(name for name in starts if name != PLANNED)
    if named and (PLANNED not in starts or PLANNED in settings.starts_compared):
        return named
    return (PLANNED,)


def spelt_out(settings: Settings, **values: Any) -> Settings:
    """`settings` with values that were in force already, as the usual ones."""
    return replace(settings, **{name: FIELDS[name].clean(value) for name, value in values.items()})


def of_a_family(settings: Settings) -> tuple[str, ...]:
    """What a person who comes back to a family finds as it was."""
    of_data = _OF_AN_EXAMPLE if settings.source == "example" else ()
    return ("example", *of_data, *_OBSOLETE["family"])


def _as_before(settings: Settings, steps: tuple[Step, ...]) -> tuple[str, ...]:
    """The columns chosen, where one that is made no longer gives way to the one it was made of."""
    of = {
        step.name: step.column
        for step in settings.preparation
        if isinstance(step, Transform) and step not in steps
    }
    return tuple(dict.fromkeys(of.get(name, name) for name in settings.columns))
