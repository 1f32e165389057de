"""The page on EM's relatives: the race, what was promised and seen, and one of them played."""

from __future__ import annotations

import hashlib
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from em_core import HalfStep
from em_core.checks.laws import TOUCH
from em_core.em import size
from em_core.half_steps import called
from em_core.variants.table import VARIANTS
from pages.ui.charts.axes import COLOURS
from pages.ui.charts.relatives import race_figure
from pages.ui.compute.racing import (
    IN_WORDS,
    USUAL,
    Lane,
    applicable,
    each_as_often,
    observed,
    race_work,
)
from pages.ui.families.table import family_of
from pages.ui.panels import charts, fit_panel, tables
from pages.ui.pictures.payload import pack
from pages.ui.pictures.picture import BEGINNING, View
from pages.ui.player.component import player
from pages.ui.running.jobs import run_job
from pages.ui.running.runs import Run
from pages.ui.sharing.naming import named
from pages.ui.state import shell
from pages.ui.state.fragments import fragment
from pages.ui.state.scenes import scene_of
from pages.ui.state.session import memo
from pages.ui.tables.selection import Selection
from pages.ui.tables.table import Table
from pages.ui.text import nats, number, sentence

COVERED = (
    "**What comes is hidden**: how they climb, and where each of them ends. H, or the switch above "
    "the curve below, shows it."
)


def current_race(run: Run) -> list[Lane] | None:
    """The widgets that choose who runs, and the finished race; None until it is."""
    try:
        data = rows_run(run)
        possible = applicable(run.model, data)
    except ValueError as error:
        st.error(sentence(error))
        return None
    usual = tuple(key for key in USUAL if key in possible)
    labels = {key: VARIANTS[key].label for key in possible}
    chosen = shell.widget("raced", options=possible, default=usual, format_func=labels.get) or usual
    shell.widget("race_passes")
    passes = shell.settings().race_passes
    key = hashlib.sha256(repr([run.key, len(run.trace), chosen, passes]).encode()).hexdigest()[:16]
    start = run.trace[0].params
    lanes = run_job(
        "race",
        key,
        "running all of them",
        race_work,
        run.model,
        data,
        start,
        chosen,
        passes,
    )
    if lanes is not None and not lanes:
        st.error("None of these could take a step from this start: choose another start.")
        return None
    return lanes


def rows_run(run: Run) -> Any:
    """The rows, each as often as its weight says. Raises ValueError where that cannot be."""
    if run.weights_kind == "sampling" and run.weights is not None:
        raise ValueError(
            "EM's relatives know no sampling weights: choose “none” under “Weights” to see them"
        )
    return each_as_often(*run.counted)


def show_race(lanes: list[Lane], run: Run) -> None:
    """The curves, and the table of promises; nothing of how they end where that is hidden."""
    hidden = shell.settings().hidden
    if hidden:
        st.markdown(COVERED)
    else:
        _show_curves(lanes, run)
    st.markdown("##### Promised" + ("" if hidden else ", and seen here"))
    n_rows = len(rows_run(run))
    for lane in lanes:
        if lane.seed:
            continue
        variant = VARIANTS[lane.key]
        promises = "; ".join(words for law, words in IN_WORDS.items() if law in variant.laws)
        seen = "" if hidden else f".  \n:gray[Seen:] {observed(lane, n_rows)}; {lane.ended}"
        st.markdown(
            f"**{variant.label}**: {variant.meaning}.  \n"
            f":gray[Promises:] {promises or 'nothing'}{seen}."
        )


def _show_curves(lanes: list[Lane], run: Run) -> None:
    """How they climbed, and where each of them ended."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        axis = shell.widget("race_axis")
        scale = shell.widget("race_scale")
    if run.weights is not None:
        st.caption("Here each row is there as often as its weight says.")
    note = (
        "Faint lines: the same algorithm with other draws. Dotted: its own bound, where it stays "
        "below the likelihood. Passes and seconds are those the algorithm needs; pricing its "
        "steps for this picture does not count."
    )
    charts.show(race_figure(lanes, axis, scale, COLOURS), "race", "the race", note=note)
    ends = _ends(lanes, len(rows_run(run)))
    tables.show(ends, "Where each of them ended", "Relatives", index=False)


def _ends(lanes: list[Lane], n_rows: int) -> pd.DataFrame:
    best = max(float(np.nanmax(lane.log_likelihoods)) for lane in lanes)
    rows = []
    for lane in lanes:
        if lane.seed:
            continue
        last = lane.steps[-1]
        rows.append(
            {
                "algorithm": lane.label,
                "log-likelihood (nats)": nats(last.log_likelihood),
                "below the best": nats(max(best - last.log_likelihood, 0)),
                "passes": number(last.passes, 4),
                "seconds": number(last.seconds, 2),
                "gap at the end": _gap(lane, n_rows),
            }
        )
    return pd.DataFrame(rows)


def _gap(lane: Lane, n_rows: int) -> str:
    """How far the own bound ends below the likelihood."""
    if lane.key == "bayes":
        return "bounds the evidence"
    last = lane.steps[-1]
    if np.isnan(last.elbo):
        return "no bound"
    return nats(last.kl) if last.kl > TOUCH * size(last.log_likelihood, n_rows) else "0"


def show_played(lanes: list[Lane], run: Run, selection: Selection, table: Table) -> None:
    """One of them in the player."""
    names = {lane.key: lane.label for lane in lanes if lane.seed == 0}
    st.subheader("Played", anchor=False)
    shown = shell.widget("race_played", options=list(names), format_func=names.get)
    lane = next(lane for lane in lanes if lane.key == shown and lane.seed == 0)
    family = family_of(shell.settings())
    if len(family.components(run.model)) > 1:
        words = "Components have the numbers and colours that they have in the run of “Explore”."
        st.caption(called(words, family.unit))
    fragment(_play)(lane, run, selection, table)


def _play(lane: Lane, run: Run, selection: Selection, table: Table) -> None:
    settings = shell.settings()
    asked = (run.key, lane.key, len(lane.steps), settings.axes, settings.axis_x, settings.axis_y)
    payload = memo("race picture", asked, partial(_picture, lane, run, selection, table))
    view = View(**{name: getattr(settings, name) for name in fit_panel.VIEW_FIELDS})
    # Where the end is hidden it is not where one begins.
    frame = BEGINNING if settings.hidden else None
    state = player(payload, key="race player", frame=frame, view=view)
    shell.remember(**state.view._asdict())
    if state.view.hidden != settings.hidden:
        st.rerun()  # the page says more or less of what comes


def _picture(lane: Lane, run: Run, selection: Selection, table: Table) -> bytes:
    """Steps without a bound are drawn with the log-likelihood in its place."""
    settings = shell.settings()
    steps = [
        HalfStep(
            step.iteration,
            step.phase,
            step.params,
            step.posterior_params,
            step.log_likelihood if np.isnan(step.elbo) else step.elbo,
            step.log_likelihood,
            step.flags,
            np.nan,
        )
        for step in lane.steps
    ]
    scene = scene_of(
        f"{run.key} {lane.key}",
        run.model,
        run.data,
        steps,
        selection,
        settings,
        most=fit_panel.LIVE_POINTS,
        opening=f"{lane.label} starts here.",
        table=table,
    )
    picture, _ = family_of(settings).picture(scene)
    called = named(picture, settings, table, lane.label)
    return pack(called._replace(title=f"{called.title}: {lane.label}"))
