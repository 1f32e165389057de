"""How sure the parameters of a fit are, as jobs for a process."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import numpy as np

from em_core import inference
from em_core.data import WeightsKind
from em_core.fit import Fit
from em_core.inference import Bootstrap, Intervals, SplitHalf
from pages.ui.compute.going_over import at_hand

REPLICATES = 200
# How often rows are split in halves, and the starts of each half.
SPLITS, STARTS = 5, 10


def interval_work(
    fit: Fit, data: Any, weights: np.ndarray | None, kind: WeightsKind
) -> Generator[float, None, Intervals]:
    """Intervals by information; of sampling weights, which are no copies, by the sandwich."""
    yield 0.0
    robust = weights is not None and kind == "sampling"
    with at_hand(data) as rows:
        return inference.intervals(fit, rows, weights=weights, robust=robust)


def bootstrap_work(
    fit: Fit, data: Any, weights: np.ndarray | None
) -> Generator[float, None, Bootstrap]:
    """The same by fits to data drawn again."""
    return (yield from inference.bootstrap_steps(fit, data, REPLICATES, weights=weights))


def split_half_work(
    fit: Fit, data: Any, weights: np.ndarray | None, start: str
) -> Generator[float, None, SplitHalf]:
    """Whether fits to halves of the data agree."""
    return (
        yield from inference.split_half_steps(
            fit, data, SPLITS, starts=STARTS, start=start, weights=weights
        )
    )
