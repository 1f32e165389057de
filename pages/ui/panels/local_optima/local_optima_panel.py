"""The page on local optima: the starts at work, the optima found, and the run played."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import streamlit as st

from em_core.half_steps import called
from em_core.search.batching.packed import climbed
from em_core.search.optima import Landscape, Optimum, StartedFit
from em_core.search.success import Interval
from pages.ui.charts.axes import COLOURS
from pages.ui.charts.landscape import COLLAPSED, Climb, curves, strip
from pages.ui.families.numbering import numbering_rule
from pages.ui.families.table import family_of
from pages.ui.panels import collapse_panel, fit_panel, presets_panel, tables
from pages.ui.panels.local_optima.race_panel import show_race
from pages.ui.pictures.thumbnail import thumbnail
from pages.ui.running.searches import (
    Search,
    recommended_start,
    search_of,
    seeded_starts,
    usual_starts,
)
from pages.ui.running.work import CHARTS_SECONDS, current, progress_line, show_error, watch
from pages.ui.state import shell
from pages.ui.state.kinds import quoted
from pages.ui.state.presets import PRESETS
from pages.ui.state.scenes import scene_of
from pages.ui.state.session import session
from pages.ui.state.settings import FIELDS, Settings, limits
from pages.ui.tables.selection import Selection
from pages.ui.tables.table import Table
from pages.ui.text import nats, number, percent, plain, told

MOST_PICTURES = 8
PICTURES_ACROSS = 4
THUMBNAIL_POINTS = 300
SEEDS_LISTED = 3  # of each start


def choose_starts(selection: Selection | None) -> None:
    """Widgets for which starts are made."""
    settings = shell.settings()
    shell.widget("starts_compared", options=seeded_starts(settings), default=usual_starts(settings))
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
        if start and start not in seeded_starts(settings):
            said = f"{quoted(start)} is not among the starts of this model, so {usual} is used"
            shell.say(f"{FIELDS[name].label}: {said}.")
            shell.change(**{name: usual})


def show_search(search: Search, selection: Selection) -> None:
    """All starts as they climb, and once they have ended what they found."""
    presets_panel.show_what_to_look_for()
    watch(search, _show, search, selection, seconds=CHARTS_SECONDS)


def _show(search: Search, selection: Selection) -> None:
    if search.running:
        _progress(search)
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
    climbs = _climbs(search, landscape)
    if not climbs:
        return
    picked = st.plotly_chart(
        strip(climbs, COLOURS), key="strip", on_select="rerun", selection_mode="points"
    )
    st.caption("Click a mark to play that start; with Shift a second one, to race the two.")
    _pick([tuple(point["customdata"]) for point in picked.selection.points])
    _gallery(search, landscape, selection)
    st.plotly_chart(curves(climbs, COLOURS), key="curves")
    tables.show(_optima_table(search, landscape), "Optima, best first", index=False)
    if len(search.starts) > 1:
        tables.show(_success_table(search), "Which start is better?", index=False)
        st.caption("Seconds count the making of the starts; iterations, for short runs, do not.")


def _verdict(search: Search, landscape: Landscape, selection: Selection) -> None:
    """How the starts ended; of those that collapsed the highest says why they do."""
    if not landscape.collapsed:
        st.markdown(f"#### {landscape.verdict}")
        return
    st.markdown(f"#### {landscape.verdict if landscape.optima else landscape.tally}")
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
    which = f"The highest that collapsed ({_name(fit.start, fit.seed)}) is no answer."
    (st.caption if landscape.optima else st.warning)(plain(f"{which} {words}"))


def _pick(selected: list[tuple[str, int]]) -> None:
    """Play the start that was clicked, or race the first against the second."""
    if not selected or selected == session().picked:
        return
    session().picked = selected
    runs = dict(enumerate(selected))
    _choose(runs[0], runs.get(1))
    st.rerun()


def _choose(run: tuple[str, int], rival: tuple[str, int] | None) -> None:
    """Play a start, or race two. The player is far below: it is called for."""
    session().calls += 1
    start, seed = rival or ("", None)
    shell.change(
        picked_start=run[0],
        picked_seed=int(run[1]),
        rival_start=start,
        rival_seed=None if seed is None else int(seed),
        frame=None,
    )


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
        _button(f"Stop at a tolerance of {less:g}", "stairs", "tolerance", tolerance=less)
        return
    more = min(4 * settings.max_iterations, limits("max_iterations").high)
    _button(f"Allow {more:,} iterations", "add", "iterations", max_iterations=more)


def _button(label: str, icon: str, key: str, **values) -> None:
    """A button that changes settings, for the whole page and not only for this fragment."""
    if st.button(label, key=key, icon=f":material/{icon}:"):
        shell.change(**values)
        st.rerun()


def _name(start: str, seed: int) -> str:
    return f"{start}, seed {seed}"


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


def _gallery(search: Search, landscape: Landscape, selection: Selection) -> None:
    """A small picture of each distinct optimum, best first, with its share and its seeds."""
    shown = landscape.optima[:MOST_PICTURES]
    for place, optimum in enumerate(shown):
        if place % PICTURES_ACROSS == 0:
            columns = st.columns(PICTURES_ACROSS)
        with columns[place % PICTURES_ACROSS]:
            st.markdown(f"**Optimum {place + 1}** · {_share(optimum)}")
            st.plotly_chart(
                _thumbnail(search, optimum, selection),
                key=f"thumbnail {place}",
                config={"staticPlot": True},
            )
            st.caption(_optimum_line(search, place, optimum, selection))
            if not place and not landscape.is_identified:
                st.caption("One of many with this likelihood; another start has another picture.")
            _play_or_race(landscape, place)
    rule = numbering_rule(search.model, selection, family_of(shell.settings()))
    if rule and shown:
        st.caption(plain(rule))
    if len(landscape.optima) > MOST_PICTURES:
        st.caption(f"The best {MOST_PICTURES} of {len(landscape.optima)} optima are drawn.")


def _play_or_race(landscape: Landscape, number: int) -> None:
    """Buttons under the picture of an optimum."""
    settings = shell.settings()
    run = _longest_climb(landscape.optima[number])
    start, seed = settings.picked_start, settings.picked_seed
    with st.container(horizontal=True):
        if st.button("Play", key=f"play {number}", icon=":material/play_arrow:"):
            _choose(run, None)
            st.rerun()
        if len(landscape.optima) < 2:
            return
        if seed is None or (start, seed) == run:
            played = _longest_climb(landscape.optima[0 if number else 1])
            against = f"optimum {1 if number else 2}"
        else:
            played, against = (start, seed), _name(start, seed)
        if st.button(
            "Race", key=f"race {number}", icon=":material/sports_score:", help=f"Against {against}"
        ):
            _choose(played, run)
            st.rerun()


def _longest_climb(optimum: Optimum) -> tuple[str, int]:
    """Of the starts that lead to an optimum the one from furthest below: another may begin at the
    top, and have nothing to show."""
    fit = max(optimum.fits, key=lambda fit: fit.log_likelihood - climbed(fit.trace)[0])
    return fit.start, fit.seed


def _share(optimum: Optimum) -> str:
    return f"{_with_interval(optimum.share, optimum.interval)} of starts"


def _with_interval(share: float, interval: Interval) -> str:
    return f"{percent(share)} ({percent(interval.low)} to {percent(interval.high)})"


def _optimum_line(search: Search, number: int, optimum: Optimum, selection: Selection) -> str:
    unit = family_of(shell.settings()).unit
    flags = "".join(
        f" {told(called(flag, unit), selection.columns)}" for flag in optimum.fit.flags[:1]
    )
    if number == 0:
        which = "that is finished" if search.found.landscape.ahead else "of these starts"
        return f"The best {which}: {nats(optimum.log_likelihood)} nats.{flags}"
    line = f"{nats(optimum.gap)} nats below the best"
    if optimum.disagreement is not None:
        line += f"; {percent(optimum.disagreement, 1)} of the rows are grouped otherwise"
    return f"{line}.{flags}"


def _thumbnail(search: Search, optimum: Optimum, selection: Selection):
    settings = shell.settings()
    fit = optimum.fit
    last = fit.trace[-1]
    scene = scene_of(
        search.key,
        search.model,
        search.data,
        [last._replace(phase="start")],
        selection,
        settings,
        most=THUMBNAIL_POINTS,
    )
    picture, _ = family_of(settings).picture(scene)
    return thumbnail(picture, COLOURS)


def _optima_table(search: Search, landscape: Landscape) -> pd.DataFrame:
    rows = [
        {
            "optimum": str(number + 1),
            "reached by": _seeds(optimum.fits),
            "log-likelihood (nats)": nats(optimum.log_likelihood),
            "below the best": nats(optimum.gap),
            "starts": optimum.count,
            f"share ({percent(0.95)} interval)": _with_interval(optimum.share, optimum.interval),
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
                f"rate ({percent(0.95)} interval)": _with_interval(rate.rate, rate.interval),
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
    one = replace(
        settings,
        seed=settings.picked_seed,
        start=settings.picked_start or recommended_start(settings),
    )
    st.subheader(f"Played: {_name(one.start, one.seed)}", anchor=False)
    run = fit_panel.current_run(one, table, selection)
    if run is not None:
        fit_panel.show_run(
            run, selection, table, calls=session().calls, start=one.start, seed=one.seed
        )
