"""The test of a number of components against the next: the bootstrap likelihood ratio."""

from __future__ import annotations

import streamlit as st

from em_core.inference import LikelihoodRatio
from em_core.search.selection import Cell
from pages.ui.compute.comparing import REPLICATES, Label, ratio_work
from pages.ui.families.family import Family
from pages.ui.panels.model_selection.comparison import named, units
from pages.ui.running.jobs import finished_job, run_job
from pages.ui.running.searches import Grid
from pages.ui.state import shell
from pages.ui.text import counted, nats, number, plain, told

# A test with as many starts as a grid may take for each replicate would take hours.
MOST_STARTS = 10
NO_ANALYTIC_TEST = (
    "There is no Vuong-Lo-Mendell-Rubin test here: its conditions do not hold for mixtures, so "
    "that its p-values are not what they say (Jeffries 2003)."
)


def show_test(grid: Grid, family: Family) -> None:
    """Which two neighbours are tested, and what came of it."""
    pairs = {key_of(cell.label): (cell.label, above) for cell, above in neighbours(grid)}
    if not pairs:
        return
    st.subheader(f"Test a number of {units(family)} against the next", anchor=False)
    if grid.weights is not None and grid.weights_kind == "sampling":
        st.caption(
            "With sampling weights there is none: the ratio of pseudo-likelihoods does not have "
            "the distribution of tables drawn from the model. Compare by BIC instead."
        )
        return
    if grid.whole is not None:
        st.caption("It is for rows at hand, not for a data set on the server: compare by BIC.")
        return
    names = {"": "no test"} | {
        key: f"{named(family, one)} against {named(family, two)}"
        for key, (one, two) in pairs.items()
    }
    tested = shell.widget("tested", options=list(names), format_func=names.get)
    st.caption(
        f"The parametric bootstrap of the likelihood ratio: {REPLICATES} tables drawn from the "
        "smaller model, both fitted to each as to the data. It stops early where it is clear that "
        f"the smaller model suffices. {NO_ANALYTIC_TEST}"
    )
    if tested not in pairs:
        return
    smaller, larger = (grid.models[label] for label in pairs[tested])
    starts = min(MOST_STARTS, len(grid.seeds))
    found = run_job(
        "ratio", f"{grid.key} {tested}", f"testing {names[tested]}", ratio_work,
        smaller, larger, grid.data, grid.weights, starts, grid.seeds[0],
    )  # fmt: skip
    if found is not None:
        st.markdown(plain(in_words(found, names[tested])))
        for said in found.sentences:
            st.caption(told(said, ()))


def ratio_in_words(grid: Grid, family: Family, tested: str) -> str:
    """What the test of a pair has said, if it was done and is at hand; else ""."""
    for cell, above in neighbours(grid):
        if key_of(cell.label) == tested:
            found = finished_job("ratio", f"{grid.key} {tested}")
            pair = f"{named(family, cell.label)} against {named(family, above)}"
            return "" if found is None else in_words(found, pair)
    return ""


def in_words(found: LikelihoodRatio, pair: str) -> str:
    """What the test says of two models."""
    if found.p_value != found.p_value:
        return f"{pair}: there is no test."
    n = len(found.statistics)
    verdict = (
        "the data call for the larger one" if found.p_value < 0.05 else "the smaller one suffices"
    )
    return (
        f"{pair}: likelihood ratio {nats(found.statistic)}, p = {number(found.p_value, 3)} "
        f"({found.exceeding} of {counted(n, 'replicate')} had one as large), so by this test "
        f"{verdict} at 5 %."
    )


def neighbours(grid: Grid) -> list[tuple[Cell, Label]]:
    """Models that can be tested, each with the label of the next of its structure."""
    sound = {cell.label: cell for cell in grid.cells if cell.status in ("usable", "unconverged")}
    return [
        (cell, (structure, size + 1))
        for (structure, size), cell in sound.items()
        if (structure, size + 1) in sound
    ]


def key_of(label: Label) -> str:
    structure, size = label
    return f"{structure} {size}".strip()
