"""The processes of this server."""

from functools import cache

from pages.ui import environment
from pages.ui.running.presence import visitor
from pages.ui.running.workers import Limits, Pool

# What the jobs of those that read come from.
READING = ("pages.ui.compute.readings",)


@cache
def pool() -> Pool:
    """Those that fit."""
    # What speaks to a cluster takes seconds to load.
    modules = ("distributed",) if environment.cluster() else ()
    return Pool(Limits.configured(), visitor, modules)


@cache
def readers() -> Pool:
    """Those that read files: apart from the fits, so that no file waits for them."""
    return Pool(Limits.for_reading(), visitor, READING)
