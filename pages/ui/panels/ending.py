"""Pages wait for their run to end, and say how it ended where there is nothing to draw."""

from __future__ import annotations

import streamlit as st

from pages.ui.panels import collapse_panel
from pages.ui.running.runs import Run, WholeRun
from pages.ui.running.work import progress_line, show_error, watch
from pages.ui.state import shell
from pages.ui.tables.selection import Selection


def drawable(run: Run, selection: Selection) -> bool:
    """Whether the run of the page has ended in what can be drawn; that it has collapsed, or
    has a component of next to no rows, is said before anything else."""
    if not ended(run, selection):
        return False
    if run.stop_reason == "not_finite":
        st.error(
            "The log-likelihood of this fit is not a finite number, so there is nothing to draw: "
            "choose another start."
        )
        return False
    if run.fit is not None and run.fit.collapsed:
        collapse_panel.show_collapsed(run, selection, shell.settings())
    elif run.fit is not None:
        collapse_panel.show_scant(run, shell.settings())
    return True


def all_at_hand(run: Run) -> bool:
    """Whether the page has the rows that were fitted; that it needs them is said where not."""
    if isinstance(run, WholeRun):
        st.info(
            "This page goes over its rows too often for a data set on the server: it is for data "
            "that are generated, drawn or uploaded. The other pages have this fit."
        )
        return False
    return True


def ended(run: Run, selection: Selection) -> bool:
    """Whether a run has something to show; until then the page says how far it is."""
    if run.running:
        watch(run, _wait, run)
        return False
    if run.error:
        show_error(run, selection.columns)
        return False
    return bool(run.trace)


def _wait(run: Run) -> None:
    iteration = run.trace[-1].iteration if run.trace else 0
    progress_line(run, f"Fitting: iteration {iteration:,} …")
