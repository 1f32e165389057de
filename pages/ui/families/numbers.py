"""Numbers of a model for tables: what is rounding, what nothing tells, what is at a bound."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from em_core import TRANSFORMATIONS
from pages.ui.tables.selection import Selection
from pages.ui.text import NO_DATA, number

Tables = list[tuple[str, pd.DataFrame]]


# A number this small in a unit of its own, such as 1 for a probability, is rounding.
NOTHING = 1e-12


# At a bound, give or take this share: weighted or in other units it is rounded otherwise.
NEAR_BOUND = 1e-3


def arrays(params) -> dict[str, np.ndarray]:
    """The arrays of parameters by name, as `model.params(**arrays)` takes them."""
    named = {}
    for name, value in zip(params._fields, params, strict=True):
        named |= arrays(value) if hasattr(value, "_fields") else {name: np.asarray(value)}
    return named


def known(values: np.ndarray, unit: np.ndarray | float) -> np.ndarray:
    """Values with 0 for what is rounding in this unit, if there is one (finite)."""
    unit = np.where(np.isfinite(unit), unit, 0)
    return np.where(np.abs(values) < NOTHING * unit, 0.0, values)


def without(values: np.ndarray, unknown: np.ndarray) -> np.ndarray:
    """Values, but where nothing in the data tells them `NO_DATA`."""
    if not unknown.any():
        return values
    return np.where(unknown, np.array(NO_DATA, object), values.astype(object))


def bounded(values: np.ndarray, at_bound: np.ndarray) -> np.ndarray:
    """Values, those at their bound with these words."""
    if not at_bound.any():
        return values
    words = np.array([f"{number(value)}, at its bound" for value in values], object)
    return np.where(at_bound, words, values.astype(object))


# Of the columns before they were transformed.
MEDIAN_BEFORE = "median before transformation"


def medians_before(selection: Selection, means: np.ndarray) -> np.ndarray:
    """Of means (..., D) of symmetric distributions the medians, which any increasing function takes
    along, of the columns before they were transformed."""
    names = selection.transformations or ("",) * means.shape[-1]
    columns = zip(names, np.moveaxis(means, -1, 0), strict=True)
    return np.stack([TRANSFORMATIONS[n].inverse(m) if n else m for n, m in columns], axis=-1)


# What is under the logarithm of a transformation. The exponential of a standard deviation of
# logarithms is the geometric one of that, a factor; other transformations take none back.
_UNDER_THE_LOG = {
    "log": "{}",
    "log1p": "1 + {}",
    "logit": "the odds of {}",
    "logit_percent": "the odds of {}",
}


def geometric(selection: Selection, column: int) -> str:
    """What has a geometric standard deviation, where a column is a logarithm; "" elsewhere."""
    how = selection.transformations[column] if selection.transformations else ""
    scale = selection.scales[column] if how else None
    return _UNDER_THE_LOG.get(how, "").format(scale.of if scale else "")


def geometric_deviations(selection: Selection, deviations: np.ndarray) -> np.ndarray:
    """(..., D) the geometric standard deviations; NaN where a column is no logarithm."""
    logs = [bool(geometric(selection, d)) for d in range(deviations.shape[-1])]
    return np.where(logs, np.exp(np.where(logs, deviations, 0)), np.nan)


def frame(rows: dict[str, np.ndarray], columns: Sequence[str]) -> pd.DataFrame:
    return pd.DataFrame.from_dict(rows, orient="index", columns=list(columns))
