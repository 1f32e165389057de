"""Plain names for single parameters: "mean of component 1: eruptions"."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from em_core.coordinates.coordinates import Coordinate
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

# What lies between 0 and 1: as a coordinate it is a log-odds.
CHANCES = ("weight", "probability", "initial probability", "transition probability")


# What belongs to components alone, and to two columns, or to a column and a level or a factor.
OF_COMPONENTS = (
    "weight", "initial probability", "transition probability", "degrees of freedom", "size",
)  # fmt: skip
OF_TWO = ("correlation", "loading")


def key_of(coordinate: Coordinate, order: np.ndarray | None) -> str:
    """The name of a coordinate in a link, where components have the numbers they began with.

    order: as of a `Run`.
    """
    components, rest = _split(coordinate)
    began = components if order is None else [int(order[k]) for k in components]
    return " ".join([coordinate.quantity, *map(str, [*began, *rest])])


def _split(coordinate: Coordinate) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Where a coordinate is: its components, and its column with a level, factor or column."""
    quantity, place = coordinate.quantity, coordinate.place
    if quantity in OF_COMPONENTS:
        return place, ()
    two = quantity in OF_TWO or (quantity == "probability" and len(place) == 3)
    n_rest = 2 if two else 1
    return place[:-n_rest], place[-n_rest:]


def name_of(
    coordinate: Coordinate, unit: str, columns: Sequence[str], names: Sequence[str] = ()
) -> str:
    """The name of a coordinate for people. unit: what components are called; names: what each is
    called, "" or nothing for its number."""
    quantity, (components, rest) = coordinate.quantity, _split(coordinate)
    unit = unit or "component"
    numbers = [names[k] if k < len(names) else f"{unit} {k + 1}" for k in components]
    if quantity == "transition probability":
        return f"transition from {numbers[0]} to {numbers[1]}"
    if quantity == "size" and not numbers:
        return f"size of all {unit}s"
    whose = f" of {numbers[0]}" if numbers else ""
    if quantity in OF_COMPONENTS:
        return f"{quantity}{whose}"
    if quantity == "correlation":
        what = f"{columns[rest[0]]} and {columns[rest[1]]}"
    elif quantity == "loading":
        what = f"{columns[rest[0]]} on factor {rest[1] + 1}"
    elif len(rest) == 2:
        what = f"{columns[rest[0]]} = {rest[1]}"
    else:
        (column,) = rest or (0,)
        what = columns[column] if column < len(columns) else f"column {column + 1}"
    return f"{quantity}{whose}: {what}"


def axis_title(coordinate: Coordinate, name: str) -> str:
    domain = DOMAINS.get(coordinate.quantity)
    return f"{name} ({domain})" if domain else name
