"""Starts that were pinned: each with its answer, to return to, and compared with the one shown."""

from __future__ import annotations

from collections.abc import Hashable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import streamlit as st

from em_core.search.alignment import align, assignment_shares, disagreement, some_rows
from em_core.search.optima import MOST_ROWS_COMPARED
from pages.ui.families.family import EXPLICIT
from pages.ui.running.runs import Run
from pages.ui.state import shell
from pages.ui.state.beginnings import MEANS, method_of
from pages.ui.state.session import memo, session
from pages.ui.state.settings import FIELDS, STARTS, Settings
from pages.ui.tables.table import Table
from pages.ui.text import nats, percent

MOST_PINS = 12
SAME = 5e-3  # nats
# What makes one start another.
_OF_THE_START = ("start", "seed", "start_means", "start_params")


class Pin(NamedTuple):
    """of: the data and the model; start: the settings of the start, by name."""

    of: Hashable
    start: dict[str, Any]
    name: str
    log_likelihood: float
    params: Any


def show(run: Run, settings: Settings, table: Table) -> None:
    """A button to pin the start shown, and the pins of these data and this model."""
    if run.fit is None or run.running:
        return
    of = _question(settings, table)
    start = {name: getattr(settings, name) for name in _OF_THE_START}
    pins = [pin for pin in session().pins if pin.of == of]
    shown = next((pin for pin in pins if pin.start == start), None)
    with st.container(horizontal=True, vertical_alignment="center"):
        if shown is None and len(pins) < MOST_PINS:
            pin = Pin(of, start, _name(settings, len(pins)), run.fit.log_likelihood, run.fit.params)
            take = partial(session().pins.append, pin)
            shell.button("Pin this start", take, key="pin", icon=":material/keep:")
        for number, pin in enumerate(pins):
            label = f"{pin.name}: {nats(pin.log_likelihood)}"
            back = partial(_return, pin)
            kind = "primary" if pin is shown else "secondary"
            shell.button(label, back, key=f"pin {number}", type=kind)
        if pins:
            shell.button("Unpin all", partial(_unpin, of), key="unpin")
    for pin in pins:
        if pin is not shown:
            asked = run.key, pin.name, pin.log_likelihood
            st.caption(memo(f"pin {pin.name}", asked, partial(compared, run, pin)))


def _question(settings: Settings, table: Table) -> Hashable:
    """Of what data and model a start is."""
    groups = ("preparation", "columns", "family", "fit")
    asked = [
        getattr(settings, name)
        for name, about in FIELDS.items()
        if about.group in groups and name not in _OF_THE_START
    ]
    return table.fingerprint, repr(asked)


def _name(settings: Settings, n_before: int) -> str:
    """What a pin is called after so many others; a start without a seed by its number."""
    method = method_of(settings)
    drawn = method not in (MEANS, EXPLICIT)
    return f"{method}, seed {settings.seed}" if drawn else f"{n_before + 1}: {STARTS[method]}"


def _return(pin: Pin) -> None:
    """Show a pinned start where one was looking: at its end, or at its start."""
    shell.change(**pin.start, frame=shell.settings().frame)


def _unpin(of: Hashable) -> None:
    session().pins = [pin for pin in session().pins if pin.of != of]


def compared(run: Run, pin: Pin) -> str:
    """How a pinned answer stands to the one that is shown."""
    gap = pin.log_likelihood - run.finished_fit.log_likelihood
    if abs(gap) < SAME:
        said = f"{pin.name} ends at the same log-likelihood as the one shown"
    else:
        where = "higher" if gap > 0 else "lower"
        said = f"{pin.name} ends {nats(abs(gap))} nats {where} than the one shown"
    share = _difference(run, pin.params)
    if share is None:
        return f"{said}."
    if share < 5e-4:
        return f"{said}, and groups the rows alike."
    return f"{said}, and groups {percent(share, 1)} of the rows otherwise."


def _difference(run: Run, params: Any) -> float | None:
    """On what share of the rows two answers differ, their components matched."""
    rows, weights = some_rows(run.data, run.weights, MOST_ROWS_COMPARED, np.random.default_rng(0))
    here = assignment_shares(run.model, run.finished_fit.params, rows)
    there = assignment_shares(run.model, params, rows)
    if here is None or there is None:
        return None
    return disagreement(here, there[:, align(here, there, weights)], weights)
