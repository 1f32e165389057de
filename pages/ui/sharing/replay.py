"""Whether a link shows here what it showed where it was made."""

from __future__ import annotations

import math
from collections.abc import Callable

import streamlit as st

import em_core
from pages.ui.running.runs import Run
from pages.ui.running.searches import Grid, Search
from pages.ui.state import shell
from pages.ui.state.kinds import Result
from pages.ui.text import counted, nats


def check(run: Run) -> None:
    """Put the fingerprint of a finished run into the link; say so where it brought another."""
    if run.fit is None or run.stop_reason in ("stopped", "memory"):
        return
    here = Result(run.fit.log_likelihood, run.fit.n_iterations, em_core.__version__)
    _compare("result", here, lambda count: f"after {counted(count, 'iteration')}")


def check_search(search: Search) -> None:
    """The same for the best of many starts."""
    if search.running or search.stopped or not search.found.landscape.optima:
        return
    best = search.found.landscape.optima[0]
    here = Result(float(best.log_likelihood), len(best.fits), em_core.__version__)
    starts = f"of {counted(search.n_starts, 'start')}"
    _compare("search_result", here, lambda count: f"reached by {count} {starts}")


def check_grid(grid: Grid) -> None:
    """The same for the model that BIC recommends."""
    if grid.running or not grid.complete or grid.found.undecided("bic"):
        return
    if not (ranking := grid.found.ranking("bic")):
        return
    best = ranking[0].fitted
    here = Result(float(best.log_likelihood), best.n_parameters, em_core.__version__)
    what = "of the model with the smallest BIC, which has"
    _compare("grid_result", here, lambda count: f"{what} {counted(count, 'parameter')}")


def _compare(name: str, here: Result, about: Callable[[int], str]) -> None:
    """The link's own stays in it: whoever gets it next should learn of the difference too."""
    there = getattr(shell.settings(), name)
    if there is None:
        # A fit that did not end in a number is nothing to compare with.
        if math.isfinite(here.log_likelihood):
            shell.change(**{name: here})
    elif not there.same(here):
        st.warning(
            f"This is not what the link was made with: there {_told(there, about)}, here "
            f"{_told(here, about)}. The data, the settings or the engine are not the same."
        )


def _told(result: Result, about: Callable[[int], str]) -> str:
    return (
        f"log-likelihood **{nats(result.log_likelihood)}** nats {about(result.count)} "
        f"(em_core {result.engine})"
    )
