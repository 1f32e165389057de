"""By which rule components are numbered, in a sentence: see `em_core.search.alignment`."""

from __future__ import annotations

from em_core.half_steps import called
from em_core.protocols import optional
from em_core.search.alignment import is_numbered
from em_core.standardised import as_it_is
from pages.ui.families.family import Family
from pages.ui.pictures.emissions import answer_name, has_levels, is_binary
from pages.ui.tables.selection import Selection


def numbering_rule(model, selection: Selection, family: Family) -> str:
    """The rule that numbers the components of a model on all pages; "" where there are no two."""
    if len(family.components(model)) < 2:
        return ""
    model = as_it_is(model)
    if not is_numbered(model):
        in_order = not optional(model, "interchangeable")()
        said = "as they follow each other" if in_order else "as the start has them"
    else:
        said = f"by their {_what(model, selection)} at the end of the run, smallest first"
        if len(selection.columns) > 1:
            said += " (where about equal, by the next column)"
    return called(f"Components are numbered {said}, on every page.", family.unit)


def _what(model, selection: Selection) -> str:
    first = selection.columns[0]
    if has_levels(model):
        return f"mean level of {first}"
    if is_binary(model):
        return f"probability of {first} = {answer_name(selection.levels, 0)}"
    return f"mean of {first}"
