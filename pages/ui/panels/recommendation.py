"""The model that a criterion recommends, what comes close, and what each would mean."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from em_core.selection import Cell
from pages.ui import shell
from pages.ui.models.families import Family, family_of
from pages.ui.panels.comparison import difference, meaning, named, starts_line, units
from pages.ui.settings import CRITERIA, FIELDS
from pages.ui.text import nats, number, percent, plain, sentence, told
from pages.ui.work.searches import Grid, cell_settings

MOST_LISTED = 5
# Kass & Raftery (1995): a difference in BIC below the first is not worth a mention, one above the
# second is very strong evidence.
CLOSE, FAR = 2, 10
# The size that a chi-square test of fit no longer rejects is a candidate.
LEVEL = 0.05
EXPLORE = "explore.py"


def show_recommendation(grid: Grid, family: Family, criterion: str, columns: Sequence[str]) -> None:
    """The winner, what comes close, and what each of them would mean."""
    ranking = grid.selection.ranking(criterion)
    if not ranking:
        reasons = [cell.verdict for cell in grid.cells if cell.status not in ("usable", "not run")]
        st.error(told(" ".join(["No model can be recommended.", *reasons[:1]]), columns))
        return
    best, criterion_name = ranking[0], CRITERIA[criterion]
    st.markdown(f"#### {criterion_name} recommends {named(family, best.label)}")
    what = meaning(family, best.label)
    with _beside_a_button() as place:
        st.markdown(
            f"{f'{what[0].upper()}{what[1:]}. ' if what else ''}"
            f"{criterion_name} **{nats(best.score(criterion))}**. {starts_line(best)}"
        )
    with place:
        _open_button(best, "winner")
    _cautions(grid, family, best, columns)
    _runners_up(grid, family, ranking, criterion)
    _others(grid, family, criterion)
    _test_of_fit(grid, family)


def _cautions(grid: Grid, family: Family, best: Cell, columns: Sequence[str]) -> None:
    settings = shell.settings()
    for flag in best.fit.flags:
        st.caption(told(flag, columns))
    if best.verdict.startswith("1 of ") and len(grid.seeds) > 1:
        more = min(2 * settings.n_starts_each, FIELDS["n_starts_each"].kind.high)
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown("Only one start led to this fit: a better one may have been missed.")
            _change(f"{more} starts of each model", "more starts", n_starts_each=more)
    if best.label[1] == settings.largest > settings.smallest:
        most = min(settings.largest + 4, FIELDS["largest"].kind.high)
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"It is the most {units(family)} that were tried.")
            _change(f"Try up to {most}", "more", largest=most)


def _runners_up(grid: Grid, family: Family, ranking: Sequence[Cell], criterion: str) -> None:
    best = ranking[0]
    above = {cell.label: cell.score(criterion) - best.score(criterion) for cell in ranking[1:]}
    close = [cell for cell in ranking[1:] if above[cell.label] <= CLOSE]
    within = [cell for cell in ranking[1:] if CLOSE < above[cell.label] <= FAR]
    for cells, words in (
        (close, f"**Hardly worse** (less than {CLOSE} above)"),
        (within, f"**Worse, but not ruled out** (less than {FAR} above)"),
    ):
        if not cells:
            continue
        st.markdown(f"{words}:")
        for cell in cells[:MOST_LISTED]:
            with _beside_a_button() as place:
                said = [meaning(family, cell.label), difference(family, best, cell, grid.data)]
                st.markdown(
                    f"- **{named(family, cell.label)}**, {nats(above[cell.label])} above: "
                    f"{plain('; '.join(filter(None, said)) or 'the same but for its size')}."
                )
            with place:
                _open_button(cell, f"runner-up {cell.label}")
        if len(cells) > MOST_LISTED:
            st.caption(f"And {len(cells) - MOST_LISTED} more, in the table below.")
    if not close and not within and len(ranking) > 1:
        st.markdown(f"No other model comes within {FAR}: of those compared, this one stands out.")


def _others(grid: Grid, family: Family, criterion: str) -> None:
    """What the other criteria would choose."""
    chosen = {
        CRITERIA[other]: ranking[0]
        for other in criteria(family)
        if other != criterion and (ranking := grid.selection.ranking(other))
    }
    said = [f"{name} {named(family, cell.label)}" for name, cell in chosen.items()]
    if said:
        st.markdown(f"Other criteria choose: {'; '.join(said)}.")


def _test_of_fit(grid: Grid, family: Family) -> None:
    """The smallest size that suffices by a chi-square test of fit."""
    tests = tests_of_fit(grid, family)
    if not tests:
        return
    tested = {label: test for label, test in tests.items() if not isinstance(test, str)}
    enough = sorted((label for label, (p, _) in tested.items() if p >= LEVEL), key=lambda at: at[1])
    if not tested:
        st.markdown(f"Chi-square test of fit: {sentence(next(iter(tests.values())))}")
    elif enough:
        st.markdown(
            f"Chi-square test of fit: {named(family, enough[0])} are enough "
            f"({tested[enough[0]][1]}); fewer are rejected at {percent(LEVEL)}."
        )
    else:
        st.markdown(
            f"Chi-square test of fit: all are rejected at {percent(LEVEL)}; more are needed."
        )


def tests_of_fit(grid: Grid, family: Family) -> dict[tuple[str, int], str | tuple[float, str]]:
    """For each model the p-value of the test of fit with its words, or why there is none."""
    tests = {}
    for cell in grid.cells if family.test_of_fit else ():
        if cell.status != "usable":
            continue
        try:
            test = family.test_of_fit(cell.fit.params, grid.data)
        except ValueError as error:
            tests[cell.label] = str(error)
        else:
            words = (
                f"{number(test.statistic)} on {test.degrees_of_freedom}, "
                f"p = {number(test.p_value, 3)}"
            )
            tests[cell.label] = test.p_value, words
    return tests


def criteria(family: Family) -> list[str]:
    """By what models of a family can be compared: ICL is about a grouping."""
    return [name for name in CRITERIA if name != "icl" or family.unit]


@contextmanager
def _beside_a_button() -> Iterator[DeltaGenerator]:
    """Room for a long text; what it gives is the place of the button beside it."""
    text, button = st.columns([3, 1], vertical_alignment="center")
    with text:
        yield button


def _change(label: str, key: str, **values) -> None:
    if st.button(label, key=key, icon=":material/add:"):
        shell.change(**values)
        st.rerun()


def _open_button(cell: Cell, key: str) -> None:
    if st.button("Open in Explore", key=f"open {key}"):
        open_in_explore(cell)


def open_in_explore(cell: Cell) -> None:
    """The cell's own fit on the Explore page: the same model from the same start."""
    st.session_state["opened"] = st.session_state.get("opened", 0) + 1
    settings = shell.settings()
    if cell.fit is None:
        shell.say(f"{named(family_of(settings), cell.label)}: {sentence(cell.verdict)}")
        st.rerun()
    chosen = cell_settings(settings, cell.label)
    shell.change(**chosen, start=cell.fit.start, seed=cell.fit.seed)
    st.switch_page(EXPLORE)
