"""The model that a criterion recommends, what comes close, and what each would mean."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import get_args

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from em_core.half_steps import called
from em_core.search.selection import Cell, Criterion
from pages.ui.families.family import Family, listed
from pages.ui.families.table import family_of
from pages.ui.panels.collapse_panel import scant_of
from pages.ui.panels.model_selection.comparison import (
    difference,
    meaning,
    named,
    no_value,
    starts_line,
    units,
)
from pages.ui.running.searches import Grid, cell_settings, first_seed
from pages.ui.state import shell
from pages.ui.state.beginnings import beginning_of
from pages.ui.state.changes import changed
from pages.ui.state.session import session
from pages.ui.state.settings import CRITERIA, Settings, limits
from pages.ui.tables.selection import Selection
from pages.ui.text import counted, nats, number, percent, plain, sentence, told

MOST_LISTED = 5
# Kass & Raftery (1995): a difference in BIC below the first is not worth a mention, one above the
# second is very strong evidence.
CLOSE, FAR = 2, 10
# On the page What are they? stands the statistic without the correction, of which RMSEA is made.
TEST_OF_FIT = "Chi-square test of fit, with Bartlett's correction"
# The size that a chi-square test of fit no longer rejects is a candidate.
LEVEL = 0.05
EXPLORE = "explore.py"


def show_recommendation(
    grid: Grid, family: Family, criterion: Criterion, selection: Selection
) -> None:
    """The winner, what comes close, and what each of them would mean; none while a model that has
    not finished may be better."""
    ranking = grid.found.ranking(criterion)
    if undecided := grid.found.undecided(criterion):
        _undecided(grid, family, criterion, undecided)
        return
    if not ranking:
        reasons = [
            *_without_a_value(grid, family, criterion, selection),
            *(cell.verdict for cell in grid.cells if cell.status not in ("usable", "not run")),
        ]
        words = " ".join(["No model can be recommended.", *reasons[:1]])
        st.error(told(words, selection.columns))
        _unfinished(grid, family, criterion)
        return
    best, criterion_name = ranking[0], CRITERIA[criterion]
    if words := scant_of(best.fitted, grid, shell.settings()):
        st.warning(f"Of what is recommended: {words[0].lower()}{words[1:]}")
    among = "" if grid.complete else f"Of the {counted(grid.n_done, 'model')} fitted so far, "
    st.markdown(f"#### {among}{criterion_name} recommends {named(family, best.label)}")
    what = meaning(family, best.label)
    with _beside_a_button() as place:
        st.markdown(
            f"{f'{what[0].upper()}{what[1:]}. ' if what else ''}"
            f"{criterion_name} **{nats(best.score(criterion))}**. {starts_line(best)}"
        )
    with place:
        _open_button(best, "winner")
    _cautions(grid, family, best, selection.columns)
    _unfinished(grid, family, criterion)
    for line in _without_a_value(grid, family, criterion, selection)[:MOST_LISTED]:
        st.markdown(plain(line))
    _runners_up(grid, family, ranking, criterion)
    _others(grid, family, criterion)
    _test_of_fit(grid, family)


def _undecided(grid: Grid, family: Family, criterion: Criterion, undecided: Sequence[Cell]) -> None:
    """What may still be better than all that have finished, and the way on."""
    one = len(undecided) == 1
    st.markdown(
        f"#### {CRITERIA[criterion]} recommends nothing yet: "
        f"{counted(len(undecided), 'model')} {'has' if one else 'have'} not finished"
    )
    names = _named_so_far(family, criterion, undecided)
    if criterion == "cross_validation":
        said = f"{names}: what rows held out are worth is known once EM has ended without each fold"
    else:
        said = f"{names}. EM only climbs, so that {'it ends' if one else 'they end'} there or lower"
        if criterion == "icl":
            said = (
                f"{names}. EM still climbs, and may end lower or, by the price on overlap, higher"
            )
        if ranking := grid.found.ranking(criterion):
            best = ranking[0]
            said = (
                f"{said}. The best that has finished, {named(family, best.label)}, is worth "
                f"{nats(best.score(criterion))}"
            )
    _with_the_way_on(grid, f"{said}.")


def _unfinished(grid: Grid, family: Family, criterion: Criterion) -> None:
    """What has not finished beside a recommendation: left out after all, or worse so far."""
    whole = criterion != "cross_validation"
    left_out = grid.found.contenders(criterion)
    others = [
        cell
        for cell in grid.cells
        if cell not in left_out and (0 in cell.climbing if whole else cell.climbing)
    ]
    said = []
    if left_out:
        names = _named_so_far(family, criterion, left_out)
        times = {1: "once", 2: "twice"}.get(times := left_out[0].times, f"{times} times")
        said += [f"Still climbing after going on {times}: {names}"]
        said += ["What is said here is about those that have finished; these may be better"]
    above = [cell for cell in others if cell.status == "unconverged"]
    if above:
        names = _named_so_far(family, criterion, above)
        said += [f"Not finished, and worse so far: {names}"]
    if within := [cell for cell in others if cell.status == "usable"]:
        names = _listed([named(family, cell.label) for cell in within])
        said += [f"Of {names} a start that still climbs is higher than the best that has ended"]
    if not said:
        return
    _with_the_way_on(grid, f"{'. '.join(said)}.")


def _named_so_far(family: Family, criterion: Criterion, cells: Sequence[Cell]) -> str:
    """Models that have not finished, with what they are worth so far."""

    def so_far(cell: Cell) -> str:
        value = cell.score(criterion)
        worth = f" ({nats(value)} so far)" if np.isfinite(value) else ""
        return f"{named(family, cell.label)}{worth}"

    return _listed(list(map(so_far, cells)))


def _listed(names: Sequence[str]) -> str:
    """The first of some names, and how many more there are."""
    more = len(names) - MOST_LISTED
    return "; ".join(names[:MOST_LISTED]) + (f"; and {more} more" if more > 0 else "")


def _with_the_way_on(grid: Grid, text: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(plain(text))
        if grid.times < limits("gone_on").high and st.button(
            "Go on with the unfinished",
            icon=":material/play_arrow:",
            help="From where they have come to, for as many iterations as they have had.",
        ):
            shell.change(gone_on=grid.times + 1)
            st.rerun()


def _without_a_value(
    grid: Grid, family: Family, criterion: Criterion, selection: Selection
) -> list[str]:
    """Of each model that was cross-validated in vain, why."""
    return [
        f"{sentence(named(family, cell.label)).removesuffix('.')}: {no_value(held_out, selection)}."
        for cell in grid.cells
        if criterion == "cross_validation"
        and (held_out := cell.cross_validation) is not None
        and cell.status == "usable"
        and not (cell.climbing or np.isfinite(cell.score(criterion)))
    ]


def _cautions(grid: Grid, family: Family, best: Cell, columns: Sequence[str]) -> None:
    settings = shell.settings()
    for flag in best.fitted.flags:
        st.caption(told(called(flag, family.unit), columns))
    if best.reached is not None and best.reached.n_reached == 1 < best.reached.n_starts:
        more = min(2 * settings.n_starts_each, limits("n_starts_each").high)
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown("Only one start led to this fit: a better one may have been missed.")
            _change(f"{more} starts of each model", "more starts", n_starts_each=more)
    if best.label[1] == settings.largest > settings.smallest:
        most = min(settings.largest + 4, limits("largest").high)
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"It is the most {units(family)} that were tried.")
            _change(f"Try up to {most}", "more", largest=most)


def _runners_up(grid: Grid, family: Family, ranking: Sequence[Cell], criterion: Criterion) -> None:
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
                differ = difference(family, best, cell, grid.data, grid.weights)
                few = scant_of(cell.fitted, grid, shell.settings()).partition(":")[0]
                said = [meaning(family, cell.label), differ, few and f"{few[0].lower()}{few[1:]}"]
                st.markdown(
                    f"- **{named(family, cell.label)}**, {nats(above[cell.label])} above: "
                    f"{plain('; '.join(filter(None, said)) or 'the same but for its size')}."
                )
            with place:
                _open_button(cell, f"runner-up {cell.label}")
        if len(cells) > MOST_LISTED:
            st.caption(f"And {len(cells) - MOST_LISTED} more, in the table below.")
    if close or within or len(ranking) < 2:
        return
    if any(cell.climbing for cell in grid.cells):
        st.markdown(f"No other model that has finished comes within {FAR}.")
    else:
        st.markdown(f"No other model comes within {FAR}: of those compared, this one stands out.")


def _others(grid: Grid, family: Family, criterion: Criterion) -> None:
    """What the other criteria would choose."""
    chosen = {
        CRITERIA[other]: ranking[0]
        for other in criteria(family)
        if other != criterion
        and not grid.found.undecided(other)
        and (ranking := grid.found.ranking(other))
    }
    said = [
        f"{name} {named(family, cell.label)}"
        + " (its smallest has next to no rows)"
        * bool(scant_of(cell.fitted, grid, shell.settings()))
        for name, cell in chosen.items()
    ]
    if said:
        st.markdown(f"Other criteria choose: {'; '.join(said)}.")
    waiting = [
        CRITERIA[other]
        for other in criteria(family)
        if other != criterion and grid.found.undecided(other) and grid.found.ranking(other)
    ]
    if waiting and not grid.running:
        st.markdown(f"By {listed(waiting)} a model that has not finished may be better.")


def _test_of_fit(grid: Grid, family: Family) -> None:
    """The smallest size that suffices by a chi-square test of fit."""
    tests = tests_of_fit(grid, family)
    if not tests:
        return
    tested = {label: test for label, test in tests.items() if not isinstance(test, str)}
    enough = sorted((label for label, (p, _) in tested.items() if p >= LEVEL), key=lambda at: at[1])
    if not tested:
        st.markdown(f"{TEST_OF_FIT}: {sentence(next(iter(tests.values())))}")
    elif enough:
        st.markdown(
            f"{TEST_OF_FIT}: {named(family, enough[0])} are enough "
            f"({tested[enough[0]][1]}); fewer are rejected at {percent(LEVEL)}."
        )
    else:
        st.markdown(f"{TEST_OF_FIT}: all are rejected at {percent(LEVEL)}; more are needed.")


def tests_of_fit(grid: Grid, family: Family) -> dict[tuple[str, int], str | tuple[float, str]]:
    """For each model the p-value of the test of fit with its words, or why there is none."""
    tests: dict[tuple[str, int], str | tuple[float, str]] = {}
    test_of_fit = family.test_of_fit
    if test_of_fit is None:
        return tests
    for cell in grid.cells:
        if cell.status != "usable":
            continue
        try:
            weights = grid.weights, grid.weights_kind
            test = test_of_fit(cell.fitted.params, grid.data, *weights)
        except ValueError as error:
            tests[cell.label] = str(error)
        else:
            words = (
                f"{nats(test.statistic)} on {test.degrees_of_freedom}, "
                f"p = {number(test.p_value, 3)}"
            )
            tests[cell.label] = test.p_value, words
    return tests


def criterion_of(settings: Settings) -> Criterion:
    """The criterion in force."""
    return next(name for name in get_args(Criterion) if name == settings.criterion)


def criteria(family: Family) -> list[Criterion]:
    """By what models of a family can be compared: ICL is about a grouping."""
    return [name for name in get_args(Criterion) if name != "icl" or family.unit]


@contextmanager
def _beside_a_button() -> Generator[DeltaGenerator]:
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
    """The cell's own fit on the Explore page: the same model from the same start. The seeds of the
    grid stay as they are, so that it is there for who comes back, and for the report."""
    session().opened += 1
    settings = shell.settings()
    if cell.fit is None:
        shell.say(f"{named(family_of(settings), cell.label)}: {sentence(cell.verdict)}")
        st.rerun()
    chosen = cell_settings(settings, cell.label)
    if cell.fit.n_iterations > settings.max_iterations:
        chosen["max_iterations"] = cell.fit.n_iterations
    chosen |= beginning_of(cell.fit, changed(settings, **chosen))
    shell.change(**chosen, first_seed=first_seed(settings))
    st.switch_page(EXPLORE)
