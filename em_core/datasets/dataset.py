"""What an example and a generated table have in common."""

from typing import NamedTuple

import numpy as np


class Truth(NamedTuple):
    """The Gaussian mixture a generated data set was drawn from."""

    weights: np.ndarray  # (K,)
    means: np.ndarray  # (K, D)
    covariances: np.ndarray  # (K, D, D)


class Dataset(NamedTuple):
    """A table of measurements, with known labels and known truth where there are any."""

    name: str
    columns: tuple[str, ...]
    values: np.ndarray  # (N, D) float64, NaN = missing
    labels: tuple[str, ...] | None  # (N,)
    label_name: str | None
    description: str
    source: str
    truth: Truth | None
    units: tuple[str, ...] = ()  # one for each column, "" where unknown; () if none is known
