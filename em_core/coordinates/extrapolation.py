"""Where two steps point to (Varadhan & Roland 2008, scheme S3)."""

from __future__ import annotations

import numpy as np


def extrapolate(start, first, second, longest: float) -> tuple[np.ndarray, float]:
    """Where to jump, and how many times as far as EM: from 1 (to `second`) to `longest`.

    u' = u0 - 2 a r + a^2 v with r = u1 - u0, v = (u2 - u1) - r and a = -|r| / |v|.
    """
    change = first - start
    bend = (second - first) - change
    sizes = np.linalg.norm(change), np.linalg.norm(bend)
    length = float(np.clip(sizes[0] / sizes[1], 1, longest)) if sizes[1] > 0 else 1.0
    if length == 1:
        return second, 1.0
    return start + 2 * length * change + length**2 * bend, length
