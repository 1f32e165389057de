"""The processes of this server."""

from functools import cache

from pages.ui.running.presence import visitor
from pages.ui.running.workers import Limits, Pool

# What the jobs of those that read come from.
READING = ("pages.ui.compute.readings",)


@cache
def pool() -> Pool:
    """Those that fit."""
    return Pool(Limits.configured(), visitor)


@cache
def readers() -> Pool:
    """Those that read files: apart from the fits, so that no file waits for them."""
    return Pool(Limits.for_reading(), visitor, READING)
