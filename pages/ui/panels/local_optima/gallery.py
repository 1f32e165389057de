"""A picture of each optimum: how often it is reached, why it is worse, and its race."""

from __future__ import annotations

import numpy as np
import streamlit as st

from em_core.half_steps import called
from em_core.search.alignment import assignment_shares, some_rows
from em_core.search.batching.packed import climbed
from em_core.search.divided import Divided, divided
from em_core.search.optima import MOST_ROWS_COMPARED, Landscape, Optimum, StartedFit
from em_core.search.success import Interval
from pages.ui.charts.axes import COLOURS
from pages.ui.families.numbering import numbering_rule
from pages.ui.families.table import family_of
from pages.ui.panels import collapse_panel
from pages.ui.panels.local_optima.why import Why, marks, why
from pages.ui.pictures.picture import BEGINNING, Picture
from pages.ui.pictures.places import places_of_means
from pages.ui.pictures.thumbnail import outlined, thumbnail
from pages.ui.running.searches import Search
from pages.ui.state import shell
from pages.ui.state.scenes import scene_of
from pages.ui.state.session import memo, session
from pages.ui.tables.selection import Selection
from pages.ui.tables.table import Table
from pages.ui.text import nats, percent, plain, told

MOST_PICTURES = 8
PICTURES_ACROSS = 4
THUMBNAIL_POINTS = 300
# An iteration that climbs by less than this share of the run's climb, or by less than these nats,
# is not seen; and a run with fewer that are stands still in a race.
LEAST_SHARE = 0.01
LEAST_CLIMB = 0.1
FEWEST_ITERATIONS = 3


def show_gallery(search: Search, landscape: Landscape, selection: Selection, table: Table) -> None:
    """A small picture of each distinct optimum, best first, with its share and its seeds."""
    shown = landscape.optima[:MOST_PICTURES]
    compared = _compared(search, landscape)
    pictures = [_picture(search, optimum, selection, table) for optimum in shown]
    reasons = [_why(found, pictures[0]) for found in compared]
    for place, optimum in enumerate(shown):
        if place % PICTURES_ACROSS == 0:
            columns = st.columns(PICTURES_ACROSS)
        with columns[place % PICTURES_ACROSS]:
            st.markdown(f"**Optimum {place + 1}** · {_share(optimum, landscape)}")
            reason = reasons[place]
            missing = _outlines(pictures[0], reason.without)
            st.plotly_chart(
                thumbnail(pictures[place], COLOURS, reason.sharing, missing),
                key=f"thumbnail {place}",
                config={"staticPlot": True},
            )
            st.caption(_optimum_line(search, place, optimum, selection))
            if reason.words:
                st.markdown(f":small[**Why it is worse**: {reason.words}]")
            if not place and not landscape.is_identified:
                st.caption("One of many with this likelihood; another start has another picture.")
            _play_or_race(landscape, place)
    family = family_of(shell.settings())
    if shown and outlined(pictures[0]) and (words := marks(reasons, family.unit)):
        st.caption(words)
    rule = numbering_rule(search.model, selection, family)
    if rule and shown:
        st.caption(plain(rule))
    if len(landscape.optima) > MOST_PICTURES:
        st.caption(f"The best {MOST_PICTURES} of {len(landscape.optima)} optima are drawn.")


def _compared(search: Search, landscape: Landscape) -> list[Divided | None]:
    """How each optimum drawn holds the groups of the best; None for that one, and where rows belong
    to no components."""

    def made() -> list[Divided | None]:
        rows, weights = some_rows(
            search.data, search.weights, MOST_ROWS_COMPARED, np.random.default_rng(0)
        )
        shares = [
            assignment_shares(search.model, optimum.fit.params, rows)
            for optimum in landscape.optima[:MOST_PICTURES]
        ]
        return [
            None if not place or one is None or shares[0] is None
            else divided(shares[0], one, weights)
            for place, one in enumerate(shares)
        ]  # fmt: skip

    return memo("optima compared", (search.key, landscape.n_starts), made)


def _why(found: Divided | None, best: Picture) -> Why:
    if found is None:
        return Why("")
    return why(found, family_of(shell.settings()).unit, places_of_means(best))


def _outlines(best: Picture, groups: tuple[int, ...]) -> list[tuple[np.ndarray, np.ndarray]]:
    """Means and covariances of components of the best, as drawn."""
    return [(best.means[-1, group], best.covariances[-1, group]) for group in groups]


def _play_or_race(landscape: Landscape, number: int) -> None:
    """Buttons under the picture of an optimum."""
    with st.container(horizontal=True):
        if st.button("Play", key=f"play {number}", icon=":material/play_arrow:"):
            choose(_run(_moving(landscape.optima[number])), None)
            st.rerun()
        if len(landscape.optima) < 2:
            return
        first, second = rivals(landscape, number)
        if st.button(
            "Race",
            key=f"race {number}",
            icon=":material/sports_score:",
            help=f"{run_name(*first)} against {run_name(*second)}",
        ):
            choose(first, second)
            st.rerun()


def rivals(landscape: Landscape, number: int = 0) -> tuple[tuple[str, int], tuple[str, int]]:
    """Which runs race: one to the best optimum against one to this one; for the best one against
    the most frequent other. Both of one start where there are such, and both moving."""
    best, *others = landscape.optima
    if number:
        others = [landscape.optima[number]]
    pairs = []
    for other in others:
        for start in dict.fromkeys(fit.start for fit in other.fits):
            pair = _moving(best, start), _moving(other, start)
            if None not in pair:
                of_start = sum(fit.start == start for fit in other.fits)
                pairs.append((all(map(_moves, pair)), of_start, pair))
    if not pairs:
        other = max(others, key=lambda optimum: optimum.count)
        return _run(_moving(best)), _run(_moving(other))
    *_, (first, second) = max(pairs, key=lambda pair: pair[:2])
    return _run(first), _run(second)


def _moving(optimum: Optimum, start: str | None = None) -> StartedFit | None:
    """Of the runs that lead to an optimum, or those of one start, the one that moves in the most
    iterations: another may begin at the top, and have nothing to show."""
    fits = [fit for fit in optimum.fits if start in (None, fit.start)]
    return max(fits, key=_motion, default=None)


def _moves(fit: StartedFit | None) -> bool:
    return fit is not None and _motion(fit)[0] >= FEWEST_ITERATIONS


def _motion(fit: StartedFit) -> tuple[int, float]:
    """In how many iterations a run climbs by a share of its whole climb, and the latter in nats."""
    values = climbed(fit.trace)
    climb = float(values[-1] - values[0])
    return int((np.diff(values) > max(LEAST_SHARE * climb, LEAST_CLIMB)).sum()), climb


def _run(fit: StartedFit | None) -> tuple[str, int]:
    assert fit is not None, "every optimum has runs"
    return fit.start, fit.seed


def choose(run: tuple[str, int], rival: tuple[str, int] | None) -> None:
    """Play a start from its beginning, or race two. The player is called for."""
    session().calls += 1
    start, seed = rival or ("", None)
    shell.change(
        picked_start=run[0],
        picked_seed=int(run[1]),
        rival_start=start,
        rival_seed=None if seed is None else int(seed),
        frame=BEGINNING,
    )


def run_name(start: str, seed: int) -> str:
    """What a run is called."""
    return f"{start}, seed {seed}"


def named_with_parent(fit: StartedFit) -> str:
    """What a run is called, and which answer it was made from, if it was."""
    made = f", made from what {run_name(*fit.parent)} found" if fit.parent else ""
    return f"{run_name(fit.start, fit.seed)}{made}"


def fit_of(landscape: Landscape, start: str, seed: int) -> StartedFit | None:
    """The run with this name and seed; None where there is none."""
    fits = (fit for fit in landscape.fits if (fit.start, fit.seed) == (start, seed))
    return next(fits, None)


def _share(optimum: Optimum, landscape: Landscape) -> str:
    """On what share of starts an optimum was found; of independent ones where there are others."""
    kind = "starts" if all(fit.is_independent for fit in landscape.fits) else "independent starts"
    return f"{with_interval(optimum.share, optimum.interval)} of {kind}"


def with_interval(share: float, interval: Interval) -> str:
    """A share of starts, and its interval."""
    return f"{percent(share)} ({percent(interval.low)} to {percent(interval.high)})"


def _optimum_line(search: Search, number: int, optimum: Optimum, selection: Selection) -> str:
    unit = family_of(shell.settings()).unit
    flags = "".join(
        f" {told(called(flag, unit), selection.columns)}" for flag in optimum.fit.flags[:1]
    )
    if words := collapse_panel.scant_of(optimum.fit, search, shell.settings()):
        flags += f" {words.partition(':')[0]}."
    if number == 0:
        which = "that is finished" if search.found.landscape.ahead else "of these starts"
        return f"The best {which}: {nats(optimum.log_likelihood)} nats.{flags}"
    line = f"{nats(optimum.gap)} nats below the best"
    if optimum.disagreement is not None:
        line += f"; {percent(optimum.disagreement, 1)} of the rows are grouped otherwise"
    return f"{line}.{flags}"


def _picture(search: Search, optimum: Optimum, selection: Selection, table: Table) -> Picture:
    """The end of a run to this optimum."""
    settings = shell.settings()
    scene = scene_of(
        search.key,
        search.model,
        search.data,
        [optimum.fit.trace[-1]._replace(phase="start")],
        selection,
        settings,
        most=THUMBNAIL_POINTS,
        table=table,
    )
    picture, _ = family_of(settings).picture(scene)
    return picture._replace(leaders=tuple(picture.leaders))
