"""The page on the bound: which slice, its player, and the numbers of the half-step shown."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from em_core.coordinates.coordinates import Coordinate, Coordinates
from em_core.search.alignment import align, assignment_shares, relabelled
from pages.ui.charts.axes import COLOURS
from pages.ui.charts.surface import surface_figure
from pages.ui.compute.slicing import Asked, Numbers, Slices, slice_work
from pages.ui.compute.surfaces import seconds_for, surface_work
from pages.ui.families.numbering import numbering_rule
from pages.ui.families.parameter_names import axis_title, key_of, name_of
from pages.ui.families.table import family_of
from pages.ui.panels import charts, fit_panel, report, tables
from pages.ui.panels.ending import ended
from pages.ui.panels.frame_panel import frame_of, remembered
from pages.ui.pictures.payload import pack
from pages.ui.pictures.picture import BEGINNING, View
from pages.ui.player.component import player
from pages.ui.running.jobs import run_job
from pages.ui.running.runs import Run
from pages.ui.sharing.naming import half_step, named
from pages.ui.state import shell
from pages.ui.state.fragments import fragment
from pages.ui.state.session import memo, session
from pages.ui.state.settings import FIELDS
from pages.ui.tables.selection import Selection
from pages.ui.tables.table import Table
from pages.ui.text import gap, name_columns, nats, number, plain, told

PAGE = "lower_bound"
FIRST_M_STEP = 1  # half-step 0 is the first E-step
# A list of more is no choice any more.
MOST_PARAMETERS = 400
# A log-odds beyond this is all but that of 0 or 1.
LIMIT = 6.0
FIRST = ("mean", "rate", "probability")
# What is this small is rounding: a slope beside the other one, and, of the log-likelihood, what a
# slope comes to over the whole width of the picture.
ROUNDING = 1e-8
ROUNDING_OF_TOTAL = 1e-11
# Along these lines the end of a fit is seen.
TO_AN_END = "end", "other"
TITLES = {
    "next": "share of the way to the next iterate",
    "end": "share of the way to the end of the fit",
    "other": "share of the way to the other optimum",
}


def open_where_they_part() -> None:
    """Bound and likelihood are seen apart after the first M half-step, on its own way: there a
    visitor begins, unless a link to this page or they themselves said otherwise."""
    settings, here = shell.settings(), session()
    if here.bound_opened:
        return
    here.bound_opened = True
    if here.linked_page == PAGE:
        return
    if settings.line == FIELDS["line"].default:
        shell.change(line="next")
    if settings.frame in (None, BEGINNING):
        shell.change(frame=FIRST_M_STEP)


def choose_line(run: Run, selection: Selection, table: Table) -> Asked | None:
    """The widgets that choose a slice, and what was chosen; None where there is nothing to draw."""
    try:
        coordinates = Coordinates(run.model, run.trace[-1].params)
    except ValueError as error:
        st.error(told(error, selection.columns))
        return None
    named = parameters(coordinates, run)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        kind = shell.widget("line")
        if kind == "parameter":
            usual = _most_moved(run, coordinates)
            rule = numbering_rule(run.model, selection, family_of(shell.settings()))
            chosen = _choose(
                "line_parameter", named, selection, run, usual, help=plain(rule) or None
            )
            title = axis_title(chosen, _name(chosen, selection, run))
            return Asked(kind, chosen, None, title)
        if kind != "other":
            return Asked(kind, None, None, TITLES[kind])
        seed = shell.widget("line_seed")
    other = fit_panel.current_run(replace(shell.settings(), seed=seed), table, selection)
    if other is None or not ended(other, selection):
        return None
    gap = other.trace[-1].log_likelihood - run.trace[-1].log_likelihood
    said = f"Seed {seed} ends {nats(abs(gap))} nats {'higher' if gap > 0 else 'lower'}."
    if fit_panel.is_covered(shell.settings()):
        said = "Which of the two ends higher is hidden, too."
    there = other.trace[-1].params
    rows, _ = run.counted
    here = assignment_shares(run.model, run.trace[-1].params, rows)
    shares = assignment_shares(run.model, there, rows)
    if here is not None and shares is not None and run.model.DIMS:
        # Otherwise one and the same optimum would seem two, with a valley between them.
        there = relabelled(there, align(here, shares), run.model.DIMS)
        said += " Its components are numbered as here."
    st.caption(said)
    return Asked(kind, None, there, TITLES[kind])


def parameters(coordinates: Coordinates, run: Run) -> Mapping[str, Coordinate]:
    """The parameters to choose from by their names in links, the most telling first."""
    ordered = sorted(coordinates.named, key=lambda c: c.quantity not in FIRST)
    return {key_of(coordinate, run.order): coordinate for coordinate in ordered[:MOST_PARAMETERS]}


def _name(coordinate: Coordinate, selection: Selection, run: Run) -> str:
    settings = shell.settings()
    family = family_of(settings)
    names = family.components(run.model, settings.names)
    return name_of(coordinate, family.unit, selection.columns, names)


def _most_moved(run: Run, coordinates: Coordinates) -> str:
    """Of the first parameters the one that the fit moved the most, unless to a limit."""
    ends = np.array([coordinates.vector(run.trace[i].params) for i in (0, -1)])
    moved = np.where(np.abs(ends).max(axis=0) < LIMIT, np.abs(ends[1] - ends[0]), -1.0)
    first = [c for c in coordinates.named if c.quantity in FIRST] or coordinates.named
    return key_of(max(first, key=lambda c: moved[c.position]), run.order)


def _choose(
    field: str,
    named: Mapping[str, Coordinate],
    selection: Selection,
    run: Run,
    usual: str | None = None,
    **more: Any,
) -> Coordinate:
    names = {key: _name(coordinate, selection, run) for key, coordinate in named.items()}
    default = usual if usual in named else None
    return named[
        shell.widget(field, options=list(named), default=default, format_func=names.get, **more)
    ]


def show_slice(run: Run, asked: Asked, selection: Selection, table: Table) -> None:
    """The player, and the numbers of its half-step."""
    if asked.kind in TO_AN_END and fit_panel.is_covered(shell.settings()):
        st.markdown("**What comes is hidden**, and this line leads there. Choose another one, or:")
        shell.button("Show what comes", partial(shell.change, hidden=False), key="show what comes")
        return
    key = _key(run, asked)
    made = run_job(
        "slice",
        key,
        "drawing the slices",
        slice_work,
        run.ended,
        asked,
        "The start.",
    )
    if made is not None:
        fragment(_play)(run, key, made, selection, table)


def _key(run: Run, asked: Asked, *more) -> str:
    other = None if asked.other is None else hashlib.sha256(repr(asked.other).encode()).hexdigest()
    asked_for = [run.key, len(run.trace), asked.kind, asked.coordinate, asked.title]
    asked_for += [other, *more]
    return hashlib.sha256(repr(asked_for).encode()).hexdigest()[:16]


def _play(run: Run, key: str, slices: Slices, selection: Selection, table: Table) -> None:
    settings, shown = shell.settings(), slices.shown
    covered = fit_panel.is_covered(settings)

    def payload() -> bytes:
        columns = selection.columns
        flags = [[name_columns(flag, columns) for flag in said] for said in slices.picture.flags]
        picture = slices.picture._replace(run=key, flags=tuple(map(tuple, flags)))
        return pack(named(picture, settings, table, "bound"))

    state = player(
        memo("slice payload", key, payload),
        key="slice player",
        asks=session().frames_asked,
        frame=frame_of(shown, settings.frame),
        view=View(**{name: getattr(settings, name) for name in fit_panel.VIEW_FIELDS}),
    )
    last = len(shown) - 1
    frame = last if state.frame is None else min(max(state.frame, 0), last)
    index = int(shown[frame])
    shell.remember(frame=remembered(shown, frame), **state.view._asdict())
    if fit_panel.is_covered(shell.settings()) != covered:
        st.rerun()  # the page says more or less of what comes
    if covered:
        st.markdown(fit_panel.COVERED)
    st.markdown(report.gain_sentence(run.trace, index))
    heading = _heading(run, index)
    assert slices.picture.slice is not None, "it is a picture of slices"
    numbers = _numbers(run, index, slices.numbers[frame], slices.picture.slice.range, covered)
    tables.show(numbers, heading, "Bound", heading)


def _heading(run: Run, index: int) -> str:
    step = run.trace[index]
    return "At the start" if step.phase == "start" else f"At {half_step(step)}"


def _numbers(
    run: Run, index: int, numbers: Numbers, across: tuple[float, float], covered: bool
) -> pd.DataFrame:
    """Bound and likelihood, their slopes where the line passes, and what the next M-step gains, if
    what comes is not covered. across: from where to where the picture reaches."""
    step = run.trace[index]
    of_likelihood, of_bound = slopes_in_words(numbers, across, step.log_likelihood)
    rows = {
        "log-likelihood": nats(step.log_likelihood),
        "ELBO": nats(step.elbo),
        "KL(q ‖ posterior)": gap(step),
        f"slope of the log-likelihood, per {numbers.per}": of_likelihood,
        f"slope of the bound, per {numbers.per}": of_bound,
    }
    move = index if step.phase == "M" else index + 1
    if move < len(run.trace) and not (covered and move > index):
        before, after = run.trace[move - 1], run.trace[move]
        which = half_step(after)
        rows[f"{which}: gain of the bound"] = nats(after.elbo - before.elbo)
        gain = after.log_likelihood - before.log_likelihood
        rows[f"{which}: gain of the log-likelihood"] = nats(gain)
    return pd.DataFrame({"nats": rows.values()}, index=list(rows))


def slopes_in_words(
    numbers: Numbers, across: tuple[float, float], log_likelihood: float
) -> tuple[str, str]:
    """The slopes of log-likelihood and bound to six digits, 0 where they are rounding. across: from
    where to where the picture reaches."""
    slopes = numbers.slope_of_likelihood, numbers.slope_of_bound
    width = 1.0 if numbers.per == "log unit" else across[1] - across[0]
    least = ROUNDING_OF_TOTAL * abs(log_likelihood) / width
    least = max(least, ROUNDING * max(map(abs, slopes)))
    first, second = ("0" if abs(slope) <= least else number(slope, 6) for slope in slopes)
    return first, second


def show_surface(run: Run, asked: Asked, selection: Selection) -> None:
    """Over two parameters at once, for those who ask."""
    if asked.coordinate is None:
        return
    with st.expander("As a surface over two parameters", key="surface", on_change="rerun") as part:
        if not part.open:
            return
        settings = shell.settings()
        index = len(run.trace) - 1 if settings.frame is None else settings.frame
        index = min(max(index, 0), len(run.trace) - 1)
        coordinates = Coordinates(run.model, run.trace[index].params)
        first = asked.coordinate
        others = seconds_for(first, coordinates)
        if not others:
            st.info("There is no second parameter that could move by itself.")
            return
        # The same quantity elsewhere makes the best picture.
        others = sorted(others, key=lambda c: c.quantity != first.quantity)
        named = {key_of(other, run.order): other for other in others[:MOST_PARAMETERS]}
        second = _choose("line_second", named, selection, run)
        names = [_name(coordinate, selection, run) for coordinate in (first, second)]
        made = run_job(
            "surface",
            _key(run, asked, index, second),
            "drawing the surface",
            surface_work,
            run.ended,
            index,
            asked.coordinate,
            second,
        )
        if made is None:
            return
        note = (
            f"{_heading(run, index)}: shades are the log-likelihood with all other parameters "
            "held, dashed lines the bound of the current q, the path all iterates so far. "
            "Iterates differ in the other parameters too."
        )
        figure = surface_figure(made, names, COLOURS)
        charts.show(figure, "surface figure", "the surface", note=note)
