"""What one sweep does to one of many runs."""

from __future__ import annotations

from typing import NamedTuple

from em_core.half_steps import HalfStep


class Advance(NamedTuple):
    """What one sweep did to one run, named by its place among the starts.

    half_steps: the new ones, an M and an E (first the start). stop_reason: why it has ended, with
    this sweep or the one before; failure: the error's sentence where the reason is "failed".
    """

    run: int
    half_steps: tuple[HalfStep, ...]
    stop_reason: str | None = None
    failure: str = ""
