"""The page on local optima: the starts at work, the optima found, and the run played."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd
import streamlit as st

from em_core.search.batching.packed import climbed
from em_core.search.evidence import evidence
from em_core.search.optima import Landscape, StartedFit
from em_core.search.plan import SPLIT_AND_MERGE
from pages.ui.charts.axes import COLOURS
from pages.ui.charts.landscape import COLLAPSED, Climb, curves, strip
from pages.ui.panels import charts, collapse_panel, fit_panel, presets_panel, tables
from pages.ui.panels.local_optima.gallery import (
    choose,
    fit_of,
    named_with_parent,
    run_name,
    show_gallery,
    with_interval,
)
from pages.ui.panels.local_optima.race_panel import show_race
from pages.ui.running.searches import (
    Search,
    described,
    offered_searches,
    recommended_start,
    search_of,
    seeded_starts,
    usual_starts,
)
from pages.ui.running.work import CHARTS_SECONDS, current, progress_line, show_error, watch
from pages.ui.state import shell
from pages.ui.state.beginnings import beginning_of
from pages.ui.state.kinds import quoted
from pages.ui.state.presets import PRESETS
from pages.ui.state.session import session
from pages.ui.state.settings import FIELDS, Settings, limits
from pages.ui.tables.selection import Selection
from pages.ui.tables.table import Table
from pages.ui.text import nats, number, percent, plain, told

SEEDS_LISTED = 3  # of each start


def choose_starts(selection: Selection | None) -> None:
    """Widgets for which starts are made."""
    settings = shell.settings()
    shell.widget(
        "starts_compared",
        options=offered_searches(settings),
        default=usual_starts(settings),
        format_func=described,
    )
    shell.widget("n_starts")
    shell.widget("seed", label="First seed")
    presets_panel.offer("Data that trap EM", PRESETS)


def current_search(settings: Settings, table: Table, selection: Selection) -> Search | None:
    """The search these settings ask for, begun if it is new; None where it cannot be."""
    _check_picked(settings)
    search = current("search", search_of(settings, table, selection))
    if search.error:
        show_error(search, selection.columns)
        return None
    return search


def _check_picked(settings: Settings) -> None:
    """Say so where a link plays or races a start that this model does not have."""
    usual = recommended_start(settings)
    for name in ("picked_start", "rival_start"):
        start = getattr(settings, name)
        if start and start not in [*seeded_starts(settings), SPLIT_AND_MERGE]:
            said = f"{quoted(start)} is not among the starts of this model, so {usual} is used"
            shell.say(f"{FIELDS[name].label}: {said}.")
            shell.change(**{name: usual})


def show_search(search: Search, selection: Selection, table: Table) -> None:
    """All starts as they climb, and once they have ended what they found."""
    watch(search, _show, search, selection, table, seconds=CHARTS_SECONDS)


def _show(search: Search, selection: Selection, table: Table) -> None:
    if search.running:
        _progress(search)
        return
    settings = shell.settings()
    if settings.picked_seed is not None and fit_panel.is_covered(settings):
        st.caption("How all starts end is hidden, too.")
        return
    landscape = search.found.landscape
    if not landscape.fits and landscape.failures:
        st.error(told(landscape.failures[0].message, selection.columns))
        return
    _verdict(search, landscape, selection)
    if search.stopped:
        if st.button("Go on", key=f"go on {search.key}", icon=":material/play_arrow:"):
            search.begin()
            st.rerun()
    else:
        if landscape.ahead:
            _offer_to_climb_on(landscape.ahead[0])
        if not landscape.replicated and landscape.is_identified:
            _offer_more()
    presets_panel.show_what_to_look_for()
    if len(landscape.optima) == 1 and not search.stopped:
        presets_panel.offer_as_pictures(
            "To see local optima, choose **data that trap EM**:", PRESETS
        )
    climbs = _climbs(search, landscape)
    if not climbs:
        return
    picked = charts.show(
        strip(climbs, COLOURS),
        "strip",
        "where the starts ended",
        note="Click a mark to play that start; with Shift a second one, to race the two.",
        on_select="rerun",
        selection_mode="points",
    )
    _pick(shell.marks_of(picked.selection))
    show_gallery(search, landscape, selection, table)
    charts.show(curves(climbs, COLOURS), "curves", "how the starts climbed")
    tables.show(_optima_table(search, landscape), "Optima, best first", "Optima", index=False)
    if len(search.found.success_rates) > 1:
        tables.show(_success_table(search), "Which start is better?", "Starts", index=False)
        st.caption("Seconds count the making of the starts; iterations, for short runs, do not.")


def _verdict(search: Search, landscape: Landscape, selection: Selection) -> None:
    """How the starts ended, and what that is evidence of; of those that collapsed the highest says
    why they do."""
    best = landscape.optima[0].fit if landscape.optima else None
    if best is not None and (words := collapse_panel.scant_of(best, search, shell.settings())):
        st.warning(f"Of the best optimum: {words[0].lower()}{words[1:]}")
    said = landscape.verdict if landscape.optima or not landscape.collapsed else landscape.tally
    st.markdown(f"#### {said}")
    if words := evidence(landscape):
        st.caption(plain(" ".join(words)))
    if not landscape.collapsed:
        return
    fit = max(landscape.collapsed, key=lambda fit: fit.log_likelihood)
    words = collapse_panel.why(
        search.key,
        search.model,
        fit.params,
        fit.flags,
        search.data,
        selection,
        shell.settings(),
    )
    which = f"The highest that collapsed ({run_name(fit.start, fit.seed)}) is no answer."
    (st.caption if landscape.optima else st.warning)(plain(f"{which} {words}"))


def _pick(selected: list[tuple[str, int]]) -> None:
    """Play the start that was clicked, or race the first against the second."""
    if not selected or selected == session().picked:
        return
    session().picked = selected
    runs = dict(enumerate(selected))
    choose(runs[0], runs.get(1))
    st.rerun()


def _progress(search: Search) -> None:
    traces = search.runs.traces if search.runs else ()
    progress_line(search, f"**{search.n_ended} of {search.n_starts} starts have ended.**")
    st.progress(search.n_ended / search.n_starts)
    climbs = [
        Climb(trace.start, trace.seed, trace.log_likelihoods, None, "still climbing")
        for trace in traces
        if len(trace.log_likelihoods)
    ]
    # Also while it is empty: the first chart of a page takes a browser a while to load.
    st.plotly_chart(curves(climbs, COLOURS, live=True), key="climbing")


def _offer_more() -> None:
    more = min(2 * shell.settings().n_starts, limits("n_starts").high)
    _button(f"Try {more} starts", "add", "more", n_starts=more)


def _offer_to_climb_on(highest: StartedFit) -> None:
    """The setting that lets the highest start, which has not finished, get further."""
    settings = shell.settings()
    if highest.plateau:
        less = max(settings.tolerance / 100, limits("tolerance").low)
        _button(f"Stop at a tolerance of {number(less)}", "stairs", "tolerance", tolerance=less)
        return
    more = min(4 * settings.max_iterations, limits("max_iterations").high)
    _button(f"Allow {more:,} iterations", "add", "iterations", max_iterations=more)


def _button(label: str, icon: str, key: str, **values) -> None:
    """A button that changes settings, for the whole page and not only for this fragment."""
    if st.button(label, key=key, icon=f":material/{icon}:"):
        shell.change(**values)
        st.rerun()


def _climbs(search: Search, landscape: Landscape) -> list[Climb]:
    groups: list[tuple[int | None, str, tuple[StartedFit, ...]]] = [
        (number, f"optimum {number + 1}", optimum.fits)
        for number, optimum in enumerate(landscape.optima)
    ]
    groups += [(None, COLLAPSED, landscape.collapsed)]
    groups += [(None, "did not converge", landscape.cut_short)]
    groups += [(None, "on a plateau", landscape.on_plateaus)]
    return [
        Climb(
            fit.start,
            fit.seed,
            climbed(fit.trace),
            number,
            fate,
        )
        for number, fate, fits in groups
        for fit in fits
    ]


def _optima_table(search: Search, landscape: Landscape) -> pd.DataFrame:
    rows = [
        {
            "optimum": str(number + 1),
            "reached by": _seeds(optimum.fits),
            "log-likelihood (nats)": nats(optimum.log_likelihood),
            "below the best": nats(optimum.gap),
            "starts": optimum.count,
            f"share ({percent(0.95)} interval)": with_interval(optimum.share, optimum.interval),
            "rows grouped otherwise": ""
            if optimum.disagreement is None
            else percent(optimum.disagreement, 1),
        }
        for number, optimum in enumerate(landscape.optima)
    ]
    for what, fits in (
        ("collapsed", landscape.collapsed),
        ("not converged", landscape.cut_short),
        ("on a plateau", landscape.on_plateaus),
    ):
        if fits:
            rows.append({"optimum": what, "reached by": _seeds(fits), "starts": len(fits)})
    return pd.DataFrame(rows).fillna("")


def _seeds(fits: tuple[StartedFit, ...]) -> str:
    """The seeds of each start: "k-means++: 0, 3, 5 and 7 more"."""
    seeds: dict[str, list[str]] = {}
    for fit in sorted(fits, key=lambda fit: fit.seed):
        seeds.setdefault(fit.start, []).append(str(fit.seed))
    return "; ".join(
        f"{start}: {', '.join(listed[:SEEDS_LISTED])}"
        + (f" and {len(listed) - SEEDS_LISTED} more" if len(listed) > SEEDS_LISTED else "")
        for start, listed in seeds.items()
    )


def _success_table(search: Search) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "start": rate.start,
                "reached the best of these": f"{rate.n_successes} of {rate.n_starts}",
                # What was made of the best answers is no independent trial.
                f"rate ({percent(0.95)} interval)": percent(rate.rate)
                if rate.start == SPLIT_AND_MERGE
                else with_interval(rate.rate, rate.interval),
                "iterations per success": "never"
                if not rate.n_successes
                else number(round(rate.iterations_per_success)),
                "seconds per success": "never"
                if not rate.n_successes
                else number(rate.seconds_per_success, 2),
            }
            for rate in search.found.success_rates
        ]
    )


def show_picked(settings: Settings, search: Search, selection: Selection, table: Table) -> None:
    """The run that was picked, in the player; or the two that race."""
    if settings.picked_seed is None:
        return
    if settings.rival_seed is not None:
        if not search.running:
            show_race(settings, search, selection, table, session().calls)
        return
    start, seed = settings.picked_start or recommended_start(settings), settings.picked_seed
    began: dict[str, Any] = {"start": start, "seed": seed}
    said = run_name(start, seed)
    if start == SPLIT_AND_MERGE:
        if search.running:
            return
        fit = fit_of(search.found.landscape, start, seed)
        if fit is None:
            st.info(f"There is no run from {said} among these starts. Pick another above.")
            return
        began, said = beginning_of(fit, settings), named_with_parent(fit)
    st.subheader(f"Played: {said}", anchor=False)
    run = fit_panel.current_run(replace(settings, **began), table, selection)
    if run is not None:
        fit_panel.show_run(run, selection, table, calls=session().calls, **began)
