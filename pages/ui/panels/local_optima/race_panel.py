"""The race: two runs of one search side by side, on one clock."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import streamlit as st

from em_core.search.alignment import (
    align,
    assignment_shares,
    disagreement,
    in_order,
    some_rows,
)
from em_core.search.optima import MOST_ROWS_COMPARED, StartedFit
from pages.ui.families.family import listed
from pages.ui.families.table import family_of
from pages.ui.panels.fit_panel import is_covered
from pages.ui.panels.frame_panel import frame_of, remembered
from pages.ui.pictures.payload import pack
from pages.ui.pictures.picture import View
from pages.ui.pictures.race import on_one_clock, race
from pages.ui.player.component import player
from pages.ui.running.searches import Search
from pages.ui.sharing.naming import stem, title
from pages.ui.state import shell
from pages.ui.state.fragments import fragment
from pages.ui.state.scenes import scene_of
from pages.ui.state.session import memo
from pages.ui.state.settings import Settings
from pages.ui.tables.selection import Selection
from pages.ui.tables.table import Table
from pages.ui.text import nats, percent

COVERED = (
    "**What comes is hidden.** Say which of the two ends higher, and press *See*. H, or the switch "
    "above the curve, shows it at once."
)
# Two pictures travel: fewer points than of one.
MOST_POINTS = 5_000


def show_race(
    settings: Settings, search: Search, selection: Selection, table: Table, calls: int
) -> None:
    """The two runs that were picked, in the player. calls: as of `player`."""
    fits = {(fit.start, fit.seed): fit for fit in search.found.fits}
    picked = (
        (settings.picked_start, settings.picked_seed),
        (settings.rival_start, settings.rival_seed),
    )
    names = tuple(f"{start}, seed {seed}" for start, seed in picked)
    st.subheader(f"The race: {names[0]} against {names[1]}", anchor=False)
    for name, run in zip(names, picked, strict=True):
        if run not in fits:
            st.info(f"There is no run from {name} among these starts. Pick two others above.")
            return
    _watch(search, (fits[picked[0]], fits[picked[1]]), names, selection, table, calls)


@fragment
def _watch(search: Search, fits, names, selection: Selection, table: Table, calls: int) -> None:
    settings = shell.settings()
    order, difference = _compared(search, fits)
    covered = is_covered(settings)
    st.markdown(COVERED if covered else _outcome(fits, difference))
    if order is not None:
        st.caption(_renumbered(order, family_of(settings).unit))
    first, second, shown = _pictures(search, fits, names, order, selection, table, settings)
    state = player(
        first,
        rival=second,
        key="race",
        calls=calls,
        frame=frame_of(shown, settings.frame),
        view=View(**{name: getattr(settings, name) for name in View._fields}),
    )
    shell.remember(frame=remembered(shown, state.frame), **state.view._asdict())
    if is_covered(shell.settings()) != covered:
        st.rerun()  # the page says more or less of what comes


def _compared(search: Search, fits) -> tuple[np.ndarray | None, float | None]:
    """Which component of the second run matches each of the first, None where it is the one of the
    same number; and on what share of the rows they differ."""
    rng = np.random.default_rng(0)
    rows, weights = some_rows(search.data, search.weights, MOST_ROWS_COMPARED, rng)
    first, second = (assignment_shares(search.model, fit.params, rows) for fit in fits)
    if first is None or second is None:
        return None, None
    order = align(first, second, weights)
    difference = disagreement(first, second[:, order], weights)
    alike = not search.model.DIMS or (order == np.arange(len(order))).all()
    return None if alike else order, difference


def _renumbered(order: np.ndarray, unit: str) -> str:
    """That the second run has other numbers here than elsewhere: runs are compared by colour."""
    elsewhere = [
        f"{unit} {k + 1} is its {unit} {own + 1} on other pages"
        for k, own in enumerate(order)
        if k != own
    ]
    return (
        f"To be compared, the second run has the numbers and colours of what it matches in the "
        f"first: {listed(elsewhere)}."
    )


def _outcome(fits: tuple[StartedFit, StartedFit], difference: float | None) -> str:
    gap = fits[0].log_likelihood - fits[1].log_likelihood
    if abs(gap) < 5e-3:
        said = "Both end at the same log-likelihood"
    else:
        said = f"The {'first' if gap > 0 else 'second'} ends {nats(abs(gap))} nats higher"
    if difference is None:
        return f"{said}."
    if difference < 5e-4:
        return f"{said}, and they group the rows alike."
    share = percent(difference, 1)
    return f"{said}; they differ on {share} of the rows. Points on which they do are ringed."


def _pictures(
    search: Search, fits, names, order, selection: Selection, table: Table, settings: Settings
) -> tuple[bytes, bytes, np.ndarray]:
    """Both packed pictures, and which half-step each of their frames shows."""
    look = settings.axes, settings.axis_x, settings.axis_y, settings.rotation
    asked = (search.key, names, look, selection.label_name)

    def made() -> tuple[bytes, bytes, np.ndarray]:
        first, second = (list(fit.trace) for fit in fits)
        if order is not None:
            second = in_order(second, order, search.model.DIMS)
        traces = on_one_clock(first, second)
        drawn = [
            family_of(settings).picture(
                scene_of(
                    f"{search.key} {' '.join(names)}",
                    search.model,
                    search.data,
                    trace,
                    selection,
                    settings,
                    most=min(settings.drawn_rows, MOST_POINTS),
                    table=table,
                )
            )
            for trace in traces
        ]
        (first, shown), (second, _) = drawn
        ends = len(fits[0].trace) - 1, len(fits[1].trace) - 1
        both = race((first, second), ends, names, shown)
        headed = both[0]._replace(
            title=f"{title(settings, table)}: a race",
            opening=f"First: {names[0]}. Second: {names[1]}.",
            file=stem(
                replace(settings, seed=settings.picked_seed), table.name, "against", names[1]
            ),
        )
        return pack(headed), pack(both[1]), shown

    return memo("race pictures", asked, made)
