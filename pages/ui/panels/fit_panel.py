"""The fit part of a page: the run, its player, and what is to be taken away."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from em_core.data import rows_that_count
from pages.ui.families.interval_columns import spread_of_means
from pages.ui.families.table import family_of, model_of, views_of
from pages.ui.panels import (
    collapse_panel,
    frame_panel,
    hands_panel,
    presets_panel,
    report,
    uncertainty,
)
from pages.ui.panels.lessons import film
from pages.ui.panels.takeaway_panel import Shown, show_takeaway
from pages.ui.pictures.payload import pack
from pages.ui.pictures.picture import View
from pages.ui.pictures.projections import two_columns
from pages.ui.player.component import player, view_chosen
from pages.ui.running.runs import Run, Runs, WholeRun
from pages.ui.running.work import progress_line, show_error, watch
from pages.ui.sharing.naming import named, opening
from pages.ui.state import shell
from pages.ui.state.beginnings import beginning, method_of, most_iterations, require_possible
from pages.ui.state.fragments import fragment, runs_alone
from pages.ui.state.memory import Full, visit
from pages.ui.state.scenes import scene_of
from pages.ui.state.session import memo, session
from pages.ui.state.settings import Settings, differing, values_of
from pages.ui.tables.selection import Selection
from pages.ui.tables.table import Table
from pages.ui.text import counted, nats, number, sentence, told

# While a fit goes on its whole picture so far is sent again and again: few points keep it light.
LIVE_POINTS = 2_000
REFRESH_SECONDS = 0.25
VIEW_FIELDS = View._fields
# What decides neither which rows are fitted nor which family is fitted to them.
_OF_THE_CLIMB = {
    *("n_components", "n_factors", "covariance", "degrees", "transitions", "initial"),
    *("frozen", "standardise", "start", "seed", "start_means", "start_params"),
    *("tolerance", "max_iterations"),
}

COVERED = (
    "**What comes is hidden.** Guess it, and go on: at the end all is shown. H, or the switch "
    "above the curve, shows it at once."
)

STOPPED = {
    "converged": "Converged after {iterations}: about {tolerance} nats or less are left to gain.",
    "max_iterations": (
        "Not converged: stopped after {iterations}, the most allowed. Raise “Most iterations” or "
        "the tolerance."
    ),
    "decreased": (
        "Stopped after {iterations}: the log-likelihood fell by more than rounding. "
        "Please report this."
    ),
    "not_finite": "Stopped after {iterations}: the log-likelihood is not a finite number.",
    "time": (
        "Ended after {iterations}: the time that one fit may take here is over. It has not "
        "converged. Use fewer rows or components, or a larger tolerance."
    ),
    "memory": (
        "Ended after {iterations}: its half-steps, kept to be played, take as much memory as one "
        "visit may hold here. It has not converged. Use fewer components or columns."
    ),
    "stopped": (
        "You stopped this fit after {iterations}. It has not converged. Who opens a link to it "
        "sees it go on to the end, unless “Most iterations” says {count}."
    ),
}


def begin_early() -> None:
    """Begin the run that a change of no more than the fit asks for, beside what comes before it.

    What is fitted is known before its widgets are drawn: it is what was fitted last.
    """
    settings, fitted = shell.settings(), session().fitted
    if fitted is None:
        return
    before, table, selection, _ = fitted
    new = differing(settings, before, "data", "preparation", "columns", "family", "fit")
    if not new or not new <= _OF_THE_CLIMB:
        return
    try:
        run_for(settings, table, selection)
    except ValueError:
        return  # `current_run` says what is wrong


def current_run(settings: Settings, table: Table, selection: Selection) -> Run | None:
    """The run these settings ask for, begun if it is new; None if they ask for what cannot be."""
    try:
        run = run_for(settings, table, selection)
    except ValueError as error:
        st.error(told(error, selection.columns))
        return None
    session().fitted = settings, table, selection, run.key
    run.await_quick_end()
    if run.error:
        show_error(run, selection.columns)
        return None
    return run


def run_for(settings: Settings, table: Table, selection: Selection) -> Run:
    """The run these settings ask for, begun if it is new. Raises ValueError if it cannot be."""
    family = family_of(settings)
    data, whole = family.data(selection), selection.whole
    weights, kind = family.weights(selection), selection.weights_kind
    model = model_of(settings, selection)
    start = beginning(model, settings, *rows_that_count(model, data, weights, kind))
    require_possible(model, start, settings, data, weights, selection)
    asked = [table.fingerprint, selection.columns, values_of(settings, "family", "fit")]
    wanted = (Run if whole is None else partial(WholeRun, whole=whole))(
        key=hashlib.sha256(repr(asked).encode()).hexdigest()[:16],
        model=model,
        data=data,
        start=start,
        tolerance=settings.tolerance,
        max_iterations=most_iterations(settings),
        weights=weights,
        weights_kind=kind,
    )
    if session().runs is None:
        session().runs = Runs()
    return session().runs.get(wanted)


def choose_axes(selection: Selection) -> None:
    """Which coordinates of the data are drawn, where there is a choice."""
    columns = selection.columns
    views = views_of(shell.settings(), len(columns))
    if len(views) < 2:
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        axes = shell.widget("axes", options=views)
        settings = shell.settings()
        if axes == "columns" and len(columns) > 2:
            across, up = two_columns(settings, columns)
            shell.widget("axis_x", options=columns, default=columns[across])
            shell.widget("axis_y", options=columns, default=columns[up])


def show_run(
    run: Run,
    selection: Selection,
    table: Table,
    alone: bool = False,
    calls: int = 0,
    **start: Any,
) -> None:
    """The player and everything about the frame it shows, brought up to date while the fit runs.

    alone: whether it is all that the page shows: it is told what there is to see, and the frame can
    be taken away; calls: as of `player`; start: settings of how
    the run began, where it is not the one that is chosen.
    """
    watch(run, _show, run, selection, table, alone, calls, start, seconds=REFRESH_SECONDS)
    _hear_of_the_view()


class _Looks:
    """In which view a session looks at its fit: also for a download that is made later."""

    def __init__(self, view: View) -> None:
        self.view = view


def _looks(view: View) -> _Looks:
    looks: _Looks = session().looks or _Looks(view)
    session().looks = looks
    looks.view = view
    return looks


@fragment
def _hear_of_the_view() -> None:
    """Another view draws nothing on the server: only the link is to know of it."""
    view = view_chosen("player")
    if view is not None and runs_alone():
        covered = shell.settings().hidden
        _looks(view)
        shell.remember("_view", **view._asdict())
        if view.hidden != covered:
            st.rerun()  # the page says more or less of what comes


def _show(
    run: Run,
    selection: Selection,
    table: Table,
    alone: bool,
    calls: int,
    start: dict[str, Any],
) -> None:
    running = run.running
    if run.error:
        show_error(run, selection.columns)
        return
    settings = replace(shell.settings(), **start)
    if not run.trace:
        _before_the_start(run, settings)
        shell.remember()
        return
    # The picture comes first, unless there is something to do or to be warned of.
    covered = is_covered(settings)
    well = covered or (
        run.stop_reason == "converged"
        and run.fit is not None
        and not (run.fit.collapsed or collapse_panel.scant(run, settings))
    )
    if not well:
        _status(run, selection, settings)
    try:
        payload, shown, sample = _picture(run, settings, selection, table, movable=not start)
    except Full as full:
        st.error(str(full))
        return
    if not running and alone:
        frame = frame_panel.frame_of(shown, settings.frame)
        film.take(run.key, payload, _view(settings), frame)
    reached = settings.frame is not None and settings.frame <= shown[-1]
    state = player(
        payload,
        key="player",
        # The half-step of a link may not have been reached yet: until the fit ends, follow it.
        frame=None if running and not reached else frame_panel.frame_of(shown, settings.frame),
        point=_position(sample, settings.point),
        marks=frame_panel.rows_typed(),
        calls=calls,
        asks=session().frames_asked,
        view=_view(settings),
    )
    if running:
        shell.remember(**state.view._asdict())
        return
    hands_panel.take(state.hand, run, selection, settings)
    if alone:
        presets_panel.show_what_to_look_for()
    at = frame_panel.remembered(shown, state.frame)
    covered = is_covered(replace(settings, frame=at))
    if covered:
        st.markdown(COVERED)
    elif well:
        _status(run, selection, settings)
    about = st.empty()
    if run.is_looked_at and not covered:
        _identification(run, about)
    index = frame_panel.half_step_at(shown, state.frame)
    marked = frame_panel.point_of(selection, settings.point)
    if state.point is None or state.point >= len(sample):
        point = marked
    else:
        point = int(sample[state.point])
    if point != marked:
        shell.change(details=frame_panel.POINTS)
    shell.remember(frame=at, point=point, **state.view._asdict())
    if not alone and covered != is_covered(settings):
        st.rerun()  # what else is on the page is shown at the end, too
    settings = shell.settings()
    frame_panel.show_frame(run, index, point, selection, settings)
    if covered:
        return
    # Beside what is looked at most, and after it: it may take half a second, once.
    _identification(run, about)
    if alone and run.fit is not None:
        looks = _looks(state.view)
        shown_now = Shown(payload, lambda: looks.view, state.frame, index)
        show_takeaway(run, shown_now, settings, selection, table)


def is_covered(settings: Settings) -> bool:
    """Whether there is more to come than is shown, and it is hidden."""
    return settings.hidden and settings.frame is not None


def _before_the_start(run: Run, settings: Settings) -> None:
    """The line of a run that has no start yet."""
    if not run.running:
        _offer_to_go_on(run, "This fit was stopped before it had begun.")
        return
    method = method_of(settings)
    progress_line(run, f"Finding a start by {method} for {counted(run.n_rows, 'row')} …")


def _position(sample: np.ndarray, row: int | None) -> int | None:
    """Where among the rows drawn a row is; None if it is not."""
    found = np.searchsorted(sample, row) if row is not None else len(sample)
    return int(found) if found < len(sample) and sample[found] == row else None


def _status(run: Run, selection: Selection, settings: Settings) -> None:
    """How the fit stands, with its log-likelihood, or first of all that it has collapsed or
    that a component has next to no rows; a button to stop or go on."""
    last = run.trace[-1]
    likelihood = f"log-likelihood **{nats(last.log_likelihood)}** nats"
    if run.fit is None:
        progress_line(run, f"Fitting: iteration {last.iteration:,}, {likelihood}{_pace(run)}")
        return
    iterations = report.iterations_of(run.trace)
    bic, size = nats(run.fit.bic), report.size_of(run.fit, selection)
    if run.fit.collapsed:
        collapse_panel.show_collapsed(run, selection, settings)
        text = (
            f"After {iterations} the {likelihood} and the BIC {bic} ({size}) are not to be "
            "compared with those of other fits."
        )
    elif run.frozen:
        collapse_panel.show_scant(run, settings)
        text = f"No iterations: the parameters are those given. {likelihood[0].upper()}" + (
            f"{likelihood[1:]}; criteria such as BIC are of fits."
        )
    else:
        collapse_panel.show_scant(run, settings)
        ended = STOPPED[run.stop_reason or "stopped"].format(
            iterations=iterations, count=last.iteration, tolerance=number(run.tolerance)
        )
        text = (
            f"{ended} {likelihood[0].upper()}{likelihood[1:]}, BIC **{bic}** "
            f"({size}; smaller is better)."
        )
    if run.stop_reason == "stopped":
        _offer_to_go_on(run, text, report.COUNTING)
    else:
        st.markdown(text, help=report.COUNTING)
    if run.fit.weights_kind == "sampling":
        st.caption(report.PSEUDO)


def _pace(run: Run) -> str:
    """By whom and how fast the rows of a data set on the server are gone over."""
    if not isinstance(run, WholeRun):
        return ""
    who = f" on {counted(run.n_workers, 'worker')}" if run.n_workers else ""
    said = f"; {counted(run.n_rows, 'row')}{who}"
    if run.rows_a_second:
        said += f", {number(run.rows_a_second / 1e6, 3)} million a second"
    if lost := run.most_workers - run.n_workers:
        was = "was" if lost == 1 else "were"
        said += f"; {counted(lost, 'worker')} {was} lost: others do its work again"
    return said


def _identification(run: Run, place: DeltaGenerator) -> None:
    """Say in a place kept for it where other parameters would do as well."""
    if run.fit is None or run.fit.collapsed:
        return
    found = run.identification
    if found is not None and found.identified is False:
        place.markdown(
            f"**{sentence(found.sentence)}** Other parameters give every row the same probability: "
            "those shown are one answer of many."
        )


def _offer_to_go_on(run: Run, text: str, more: str | None = None) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(text, help=more)
        icon, key = ":material/play_arrow:", f"go on {run.key}"
        shell.button("Go on", run.begin, key=key, icon=icon)


def _picture(
    run: Run, settings: Settings, selection: Selection, table: Table, movable: bool
) -> tuple[bytes, np.ndarray, np.ndarray]:
    """The packed picture, which half-step each frame shows, and which rows are drawn.

    movable: whether its start may be placed by hand.
    """
    running = run.running
    movable = movable and hands_panel.could_be_placed(settings, len(selection.columns))
    most = LIVE_POINTS if running else settings.drawn_rows
    steps = list(run.trace)
    look = settings.axes, settings.axis_x, settings.axis_y, settings.rotation, settings.names
    sure = None if running else uncertainty.known(run)
    # Which rows have holes depends on the coordinates drawn.
    kept = memo("watched", (run.key, look) if running else None, dict)
    asked = (run.key, len(steps), most, running, movable, look, sure is None, selection.label_name)

    def made() -> tuple[bytes, np.ndarray, np.ndarray]:
        scene = scene_of(
            run.key,
            run.model,
            run.data,
            steps,
            selection,
            settings,
            most=most,
            running=running,
            opening=opening(settings),
            table=table,
            spread=None if sure is None else spread_of_means(sure, len(selection.columns)),
            kept=kept if running else None,
        )
        picture, shown = family_of(settings).picture(scene)
        payload = pack(named(picture._replace(movable=movable), settings, table))
        # Here and with what the player was last sent.
        visit().hold("picture", 2 * len(payload))
        return payload, shown, scene.sample

    return memo("picture", asked, made)


def _view(settings: Settings) -> View:
    return View(**{name: getattr(settings, name) for name in VIEW_FIELDS})
