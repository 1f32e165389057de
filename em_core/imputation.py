"""What a model says of missing values."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np


class Imputation(NamedTuple):
    """values (N, D), holes filled; deviations (N, D): standard deviations there, 0 elsewhere. Of
    sequences a list of them."""

    values: Any
    deviations: Any


def filled(data, values, deviations) -> Imputation:
    """The data with `values` where they are missing."""
    missing = np.isnan(data)
    return Imputation(np.where(missing, values, data), np.where(missing, deviations, 0.0))
