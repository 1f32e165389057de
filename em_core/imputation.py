"""What a model says of missing values."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Imputation(NamedTuple):
    """values (N, D), holes filled; deviations (N, D): standard deviations there, 0 elsewhere."""

    values: np.ndarray
    deviations: np.ndarray


def filled(data, values, deviations) -> Imputation:
    """The data with `values` where they are missing."""
    missing = np.isnan(data)
    return Imputation(np.where(missing, values, data), np.where(missing, deviations, 0.0))
