"""Plain names for single parameters: "mean of component 1: eruptions"."""

from __future__ import annotations

from collections.abc import Sequence

from em_core.coordinates.coordinates import Coordinate
from em_core.models.hidden_markov.model import HiddenMarkov
from pages.ui.text import MINUS

# What keeps the parameter where it may be, whatever is done to its coordinate: said on the axis.
DOMAINS = {
    "weight": "all sum to 1",
    "initial probability": "all sum to 1",
    "transition probability": "the row sums to 1",
    "probability": "from 0 to 1",
    "standard deviation": "positive, correlations held",
    "between-group standard deviation": "positive, correlations held",
    "within-group standard deviation": "positive, correlations held",
    "correlation": f"from {MINUS}1 to 1",
    "size": "positive",
    "rate": "positive",
    "noise variance": "positive",
    "degrees of freedom": "from 0.1 to 200",
}


def key_of(coordinate: Coordinate) -> str:
    """The name of a coordinate in a link."""
    return " ".join([coordinate.quantity, *map(str, coordinate.place)])


def name_of(coordinate: Coordinate, model, columns: Sequence[str]) -> str:
    """The name of a coordinate for people; columns are those of the data."""
    quantity, place = coordinate.quantity, coordinate.place
    group = "state" if isinstance(model, HiddenMarkov) else "component"
    if quantity == "transition probability":
        return f"transition from state {place[0] + 1} to state {place[1] + 1}"
    if quantity in ("weight", "initial probability", "degrees of freedom"):
        return f"{quantity} of {group} {place[0] + 1}"
    if quantity == "size":
        return f"size of {group} {place[0] + 1}" if place else "size of all components"
    if quantity == "correlation":
        *groups, i, j = place
        what = f"{columns[i]} and {columns[j]}"
    elif quantity == "loading":
        *groups, column, factor = place
        what = f"{columns[column]} on factor {factor + 1}"
    elif quantity == "probability" and len(place) == 3:
        *groups, column, level = place
        what = f"{columns[column]} = {level}"
    else:
        *groups, column = place or (0,)
        what = columns[column] if column < len(columns) else f"column {column + 1}"
    whose = f" of {group} {groups[0] + 1}" if groups else ""
    return f"{quantity}{whose}: {what}"


def axis_title(coordinate: Coordinate, name: str) -> str:
    domain = DOMAINS.get(coordinate.quantity)
    return f"{name} ({domain})" if domain else name
