"""What a grid of models leaves to be worked out, as jobs for a process."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any, NamedTuple

import numpy as np

from em_core import inference
from em_core.fit import Fit
from em_core.inference import LikelihoodRatio

REPLICATES = 99
Label = tuple[str, int]


class Told(NamedTuple):
    """How well the classes of a model are told apart, and how small the smallest is."""

    relative_entropy: float
    smallest_share: float


def quality_work(
    fits: Mapping[Label, Fit], data: Any, weights: np.ndarray | None
) -> Generator[float, None, dict[Label, Told]]:
    """The quality of the classes of several fits; without those that have none."""
    told = {}
    for place, (label, fit) in enumerate(fits.items()):
        yield place / len(fits)
        try:
            quality = inference.class_quality(fit, data, weights)
        except ValueError:
            continue
        told[label] = Told(quality.relative_entropy, quality.smallest_share)
    return told


def ratio_work(
    smaller: Any, larger: Any, data: Any, weights: np.ndarray | None, starts: int, seed: int
) -> Generator[float, None, LikelihoodRatio]:
    """The bootstrap likelihood-ratio test of a model against one of the next size."""
    return (
        yield from inference.likelihood_ratio_steps(
            smaller, larger, data, REPLICATES, seed, starts, weights=weights
        )
    )
