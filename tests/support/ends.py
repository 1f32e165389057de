"""Where EM by itself ends: a fit goes on where EM only slowed down, along its last steps, which in
other coordinates are others; so it ends elsewhere, though by less than its tolerance."""

import numpy as np

from em_core.em import em
from em_core.half_steps import HalfStep


def end_of_em(model, data, start: str, seed: int = 0, tolerance: float = 1e-3) -> HalfStep:
    """The last half-step from a named start."""
    data = model.check(data)
    params = model.initial_params(data, start, np.random.default_rng(seed))
    return list(em(model, data, params, tolerance=tolerance))[-1]
