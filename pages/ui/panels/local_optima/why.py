"""Why an optimum is worse than the best one, in terms of the rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from em_core.search.divided import Divided
from pages.ui.families.family import listed
from pages.ui.text import percent, plural, sentence

MOST_TOLD = 2  # of each kind


class Why(NamedTuple):
    """words: sentences. sharing: components that share a group of the best; without: the groups
    of the best that no component is mostly of."""

    words: str
    sharing: tuple[int, ...] = ()
    without: tuple[int, ...] = ()


def why(found: Divided, unit: str, places: Sequence[str]) -> Why:
    """What `found` says of an optimum beside the best one.

    unit: what components are called; places: where in its picture each of the best is, or "".
    """

    def of_the_best(group: int) -> str:
        size = f"{percent(found.sizes[group])} of rows"
        return f"{group + 1} ({', '.join(filter(None, [size, places[group]]))})"

    shared, left_out = found.shared[:MOST_TOLD], found.left_out[:MOST_TOLD]
    said = [
        f"{plural(unit)} {listed([str(c + 1) for c in components])} share {unit} "
        f"{of_the_best(group)} of the best"
        for group, components in shared
    ]
    for holder in dict.fromkeys(holder for _, holder in left_out):
        groups = [group for group, held_by in left_out if held_by == holder]
        one = len(groups) == 1
        held = "most of it, among others" if one else "most of both"
        said.append(
            f"{unit if one else plural(unit)} {listed([*map(of_the_best, groups)])} of the best "
            f"{'has none of its' if one else 'have none of their'} own here: "
            + ("several hold a part" if holder is None else f"{unit} {holder + 1} holds {held}")
        )
    if found.empty:
        names = listed([str(c + 1) for c in found.empty])
        some = len(found.empty) > 1
        said.append(f"{plural(unit) if some else unit} {names} {'hold' if some else 'holds'} "
                    "hardly any rows")  # fmt: skip
    if not said and (moved := found.moved) is not None:
        # Numbers go by means: the same group may have another one here.
        alike = f", which is {moved.match + 1} here," if moved.match != moved.group else ""
        said.append(
            f"the {plural(unit)} are those of the best with other borders: the largest part that "
            f"moves, {percent(moved.share, 1)} of the rows, goes from {unit} {moved.group + 1} of "
            f"the best{alike} to {unit} {moved.component + 1} here"
        )
    if not said:
        said.append(
            f"rows are grouped nearly as in the best: the {plural(unit)} differ in shape more than "
            "in rows"
        )
    return Why(
        " ".join(f"{sentence(each)}" for each in said),
        tuple(c for _, components in shared for c in components),
        tuple(group for group, _ in left_out),
    )


def marks(reasons: Sequence[Why], unit: str) -> str:
    """What the marks that these reasons bring into the small pictures stand for; "" for none."""
    said = []
    if any(reason.sharing for reason in reasons):
        said.append(f"Thick: {plural(unit)} that share one of the best.")
    if any(reason.without for reason in reasons):
        said.append(f"Dashed: a {unit} of the best that no {unit} here has for itself.")
    return " ".join(said)
