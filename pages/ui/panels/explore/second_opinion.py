"""Whether the fit on screen is the best there is, as far as many other starts can tell."""

from __future__ import annotations

from dataclasses import replace
from math import inf, isfinite

import streamlit as st

from em_core.half_steps import has_collapsed
from em_core.search.optima import place
from pages.ui.families.family import listed
from pages.ui.panels.explore.other_starts import others_among
from pages.ui.running.runs import Run
from pages.ui.running.searches import Search, search_of
from pages.ui.running.work import current, progress_line, show_error, watch
from pages.ui.state import shell
from pages.ui.state.beginnings import beginning_of
from pages.ui.state.session import session
from pages.ui.state.settings import Settings
from pages.ui.tables.selection import Selection
from pages.ui.tables.table import Table
from pages.ui.text import counted, nats

N_STARTS = 30
MOST_STARTS = 480
# What the plan of `restarts` takes, in a few words.
PLAN = "of several kinds"


def show_opinion(run: Run, settings: Settings, selection: Selection, table: Table) -> None:
    """On request: other starts of the same model, then one line on how this fit compares."""
    asked = session().opinion_asked
    if asked[0] != run.key:
        if st.button(
            "Is this the best answer?",
            icon=":material/travel_explore:",
            help=f"Runs {N_STARTS} other starts of the same model, {PLAN}, and compares.",
        ):
            session().opinion_asked = (run.key, N_STARTS)
            st.rerun()
        return
    others = replace(settings, n_starts=asked[1], seed=0)
    search = current("opinion", search_of(others, table, selection, starts=()))
    watch(search, _show, run, search, selection)


def _show(run: Run, search: Search, selection: Selection) -> None:
    if search.running:
        ended = f"{search.n_ended} of {counted(search.n_starts, 'start')} have ended."
        progress_line(search, ended)
        return
    if search.error:
        show_error(search, selection.columns)
        return
    words, better = opinion(run, search)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(words)
        if better is not None and st.button("Show the better one", icon=":material/arrow_upward:"):
            shell.change(**beginning_of(better, shell.settings()))
            st.rerun()
        if search.n_starts < MOST_STARTS and st.button("More starts", icon=":material/add:"):
            session().opinion_asked = (run.key, 2 * search.n_starts)
            st.rerun()


def opinion(run: Run, search: Search):
    """How a fit stands among the runs of a search, in words; and a better fit if there is one."""
    found = search.found.landscape
    if not found.optima:
        return f"The other starts cannot tell: {found.verdict}", None
    best = found.optima[0]
    n_others = others_among(run, (*found.fits, *found.failures))
    reached, others = others_among(run, best.fits), _others(n_others, search)
    fit = run.finished_fit
    log_likelihood = fit.log_likelihood
    among = f"{reached} of {others}"
    if has_collapsed(fit.flags):
        return f"No: in this fit a component has collapsed. {among} reached one that has not.", (
            best.fit
        )
    tolerance = max(run.tolerance, search.tolerance)
    home = place(
        found, search.model, search.data, fit.params, log_likelihood, search.weights,
        tolerance=tolerance,
    )  # fmt: skip
    if home == 0 and found.ahead:
        higher = found.ahead[0]
        return (
            f"**Not decided:** {among} reached this answer as well, but one that has not finished "
            f"is {nats(higher.log_likelihood - best.log_likelihood)} nats better already."
        ), higher
    if home == 0 and found.identification and not found.is_identified:
        return (
            f"**{found.identification.sentence.capitalize()}.** {among} reached the same "
            "likelihood, each with parameters of its own: none of these answers is the one."
        ), None
    if home == 0 and reached:
        return (
            f"**Yes, as far as {others} can tell:** {reached} of them reached "
            "this answer as well, and none a better one."
        ), None
    gap = best.log_likelihood - log_likelihood
    if gap > 0:
        unfinished = "" if run.stop_reason == "converged" else "this fit has not converged, and "
        said = f"**No:** {unfinished}{among} reached an answer that is {nats(gap)} nats better."
        return said, best.fit
    if home == 0:  # by the fit's own start alone
        below = [optimum for optimum in found.optima[1:] if others_among(run, optimum.fits)]
        gap = -below[0].gap if below else -inf
    ends = f"; the best of them is {nats(-gap)} nats below" if isfinite(gap) else ""
    return f"**Not replicated:** none of {others} reached this answer{ends}.", None


def _others(n_starts: int, search: Search) -> str:
    """So many starts to compare with, and how they are made."""
    how = f"by {listed(search.starts)}" if search.starts else PLAN
    return f"{counted(n_starts, 'other start')} {how}"
