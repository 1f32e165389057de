"""The page on how many there are: models at work, the one recommended, and what comes close."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from em_core.selection import Cell
from pages.ui import shell, tables
from pages.ui.comparison import difference, meaning, named, starts_line, units
from pages.ui.data import Selection, Table
from pages.ui.families import Family, family_of
from pages.ui.figures.criteria import Score, criterion_grid, criterion_lines, shown_range
from pages.ui.figures.landscape import COLOURS
from pages.ui.searches import (
    Grid,
    cell_settings,
    grid_of,
    offered_structures,
    recommended_start,
    seeded_starts,
    usual_structures,
)
from pages.ui.settings import CRITERIA, FIELDS, Settings
from pages.ui.text import MINUS, counted, nats, plain, sentence
from pages.ui.work import current

REFRESH_SECONDS = 0.5
MOST_LISTED = 5
FOLDS = 5
# Kass & Raftery (1995): a difference in BIC below the first is not worth a mention, one above the
# second is very strong evidence.
CLOSE, FAR = 2, 10
# The size that a chi-square test of fit no longer rejects is a candidate.
LEVEL = 0.05
AXIS = {
    "bic": "BIC",
    "icl": "ICL",
    "aic": "AIC",
    "cross_validation": f"{MINUS}2 log-likelihood held out (nats)",
}
WHAT = {
    "bic": f"BIC is {MINUS}2 log-likelihood + log(rows) for each parameter",
    "icl": "ICL is BIC with a price on overlap: it wants groups that can be told apart",
    "aic": f"AIC is {MINUS}2 log-likelihood + 2 for each parameter: it takes more than BIC does",
    "cross_validation": f"{MINUS}2 times the log-likelihood of rows that the fit has not seen",
}
EXPLORE = "pages/explore.py"


def varied(settings: Settings) -> tuple[str, ...]:
    """The fields that this page varies instead of asking for them."""
    family = family_of(settings)
    return tuple(filter(None, (family.size, family.structure)))


def choose_grid(selection: Selection | None) -> None:
    """Widgets for which models are compared, and from how many starts each."""
    settings = shell.settings()
    family = family_of(settings)
    if family.size is None:
        return
    limits = FIELDS[family.size].kind
    with st.container(horizontal=True):
        shell.widget("smallest", label=f"{units(family).capitalize()} from", max_value=limits.high)
        smallest = shell.settings().smallest
        shell.widget("largest", label="to", min_value=smallest, max_value=limits.high)
    if family.structure:
        n_columns = 2 if selection is None else len(selection.columns)
        shell.widget(
            "structures_compared",
            label=FIELDS[family.structure].label,
            options=offered_structures(settings),
            default=usual_structures(settings, n_columns),
        )
    shell.widget("n_starts_each")
    shell.widget(
        "starts_compared", options=seeded_starts(settings), default=(recommended_start(settings),)
    )
    shell.widget("seed", label="First seed")
    shell.widget("folds")


def current_grid(settings: Settings, table: Table, selection: Selection) -> Grid | None:
    """The grid these settings ask for, begun if it is new; None where it cannot be."""
    if family_of(settings).size is None:
        st.info("This model has no size to choose. Choose another model in the sidebar.")
        return None
    grid = current("grid", grid_of(settings, table, selection))
    if grid.error:
        st.error(sentence(grid.error))
        return None
    return grid


def show_grid(grid: Grid) -> None:
    """How far the grid is, and once it has ended what it says."""
    shell.widget("criterion")
    criterion = shell.settings().criterion
    st.caption(f"{WHAT[criterion][0].upper()}{WHAT[criterion][1:]}. Smaller is better.")
    every = REFRESH_SECONDS if grid.running else None
    st.fragment(_watch, run_every=every)(grid, live=grid.running)


def _watch(grid: Grid, live: bool) -> None:
    if live and not grid.running:
        st.rerun()
    settings = shell.settings()
    family, criterion = family_of(settings), settings.criterion
    if grid.running:
        _progress(grid, family)
    elif grid.stopped:
        with st.container(horizontal=True, vertical_alignment="center"):
            complete = sum(cell.status != "not run" for cell in grid.cells)
            st.markdown(f"You stopped after {complete} of {counted(len(grid.models), 'model')}.")
            if st.button("Go on", icon=":material/play_arrow:"):
                grid.begin()
                st.rerun()
    if criterion == "cross_validation" and not grid.folds:
        st.info("Rows have not been left out yet, so there is nothing to compare by.")
        if st.button(f"Cross-validate in {FOLDS} folds", icon=":material/splitscreen:"):
            shell.change(folds=FOLDS)
            st.rerun()
        return
    if not grid.cells:
        return
    scores = _scores(grid, family, criterion)
    if not grid.running:
        _recommendation(grid, family, criterion)
    elif not any(score.usable for score in scores):
        return
    picked = st.plotly_chart(
        criterion_grid(scores, units(family)),
        key=f"grid {st.session_state.get('opened', 0)}",
        on_select="ignore" if grid.running else "rerun",
        selection_mode="points",
        config={"displayModeBar": False},
    )
    _caption(scores, running=grid.running)
    if not grid.running and (points := picked.selection.points):
        structure, size = points[0]["customdata"]
        _open(next(cell for cell in grid.cells if cell.label == (structure, size)))
    st.plotly_chart(criterion_lines(scores, COLOURS, units(family), AXIS[criterion]), key="lines")
    if any(score.usable and score.value > shown_range(scores)[1] for score in scores):
        st.caption("Models far above the best are cut off. Double-click to see them all.")
    if not grid.running:
        tables.show(_table(grid, family), "Every model, in the order of the grid", index=False)


def _progress(grid: Grid, family: Family) -> None:
    latest = grid.latest
    done, now = (0, "") if latest is None else (latest.n_done, f": {named(family, latest.label)}")
    if latest is not None and latest.fold:
        now += f", without fold {latest.fold} of {grid.folds}"
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{done} of {counted(len(grid.models), 'model')} fitted**{now}")
        st.button("Stop", icon=":material/stop:", on_click=grid.stop)
    st.progress(done / len(grid.models))


def _caption(scores: Sequence[Score], running: bool) -> None:
    """What stands in the cells."""
    found = {score.status for score in scores if not score.usable}
    said = ["Each number is how far a model lies above the best."]
    said += ["✕ collapsed: a component is empty or at its floor."] * ("collapsed" in found)
    said += ["… did not converge."] * ("unconverged" in found)
    said += ["! could not be fitted."] * bool(found & {"failed", "usable"})
    said += ["None of these is ever recommended."] * bool(found - {"not run"})
    said += ["Click a cell to open it in Explore."] * (not running)
    st.caption(" ".join(said))


def _value(grid: Grid, cell: Cell, criterion: str) -> float:
    """The score for the data themselves, not for standardised ones."""
    return cell.score(criterion) - 2 * grid.offset


def _scores(grid: Grid, family: Family, criterion: str) -> list[Score]:
    ranking = grid.selection.ranking(criterion)
    best = ranking[0].score(criterion) if ranking else np.nan
    return [
        Score(
            *cell.label,
            _value(grid, cell, criterion),
            cell.score(criterion) - best,
            cell.status,
            _about(grid, family, cell, criterion),
        )
        for cell in grid.cells
    ]


def _about(grid: Grid, family: Family, cell: Cell, criterion: str) -> str:
    lines = [f"<b>{named(family, cell.label)}</b>"]
    value = _value(grid, cell, criterion)
    if np.isfinite(value):
        lines.append(f"{AXIS[criterion]}: {nats(value)}")
    return "<br>".join([*lines, cell.verdict.split(".")[0]])


def _recommendation(grid: Grid, family: Family, criterion: str) -> None:
    """The winner, what comes close, and what each of them would mean."""
    ranking = grid.selection.ranking(criterion)
    if not ranking:
        reasons = [cell.verdict for cell in grid.cells if cell.status not in ("usable", "not run")]
        st.error(sentence(" ".join(["No model can be recommended.", *reasons[:1]])))
        return
    best, criterion_name = ranking[0], CRITERIA[criterion]
    st.markdown(f"#### {criterion_name} recommends {named(family, best.label)}")
    what = meaning(family, best.label)
    with _beside_a_button() as place:
        st.markdown(
            f"{f'{what[0].upper()}{what[1:]}. ' if what else ''}"
            f"{criterion_name} **{nats(_value(grid, best, criterion))}**. {starts_line(best)}"
        )
    with place:
        _open_button(best, "winner")
    _cautions(grid, family, best)
    _runners_up(grid, family, ranking, criterion)
    _others(grid, family, criterion)
    _test_of_fit(grid, family)


@contextmanager
def _beside_a_button() -> Iterator[DeltaGenerator]:
    """Room for a long text; what it gives is the place of the button beside it."""
    text, button = st.columns([4, 1], vertical_alignment="center")
    with text:
        yield button


def _cautions(grid: Grid, family: Family, best: Cell) -> None:
    settings = shell.settings()
    if not best.replicated:
        more = min(2 * settings.n_starts_each, FIELDS["n_starts_each"].kind.high)
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown("Only one start led to this fit: a better one may have been missed.")
            _change(f"{more} starts of each model", "more starts", n_starts_each=more)
    if best.label[1] == settings.largest > settings.smallest:
        most = min(settings.largest + 4, FIELDS["largest"].kind.high)
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"It is the most {units(family)} that were tried.")
            _change(f"Try up to {most}", "more", largest=most)


def _change(label: str, key: str, **values) -> None:
    if st.button(label, key=key, icon=":material/add:"):
        shell.change(**values)
        st.rerun()


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
                said = [meaning(family, cell.label), difference(family, best, cell, grid.rows)]
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
        for other in CRITERIA
        if other != criterion and (ranking := grid.selection.ranking(other))
    }
    said = [f"{name} {named(family, cell.label)}" for name, cell in chosen.items()]
    if said:
        st.markdown(f"Other criteria choose: {'; '.join(said)}.")


def _tests(grid: Grid, family: Family) -> dict[tuple[str, int], str | tuple[float, str]]:
    """For each model the p-value of the test of fit with its words, or why there is none."""
    tests = {}
    for cell in grid.cells if family.test_of_fit else ():
        if cell.status != "usable":
            continue
        try:
            test = family.test_of_fit(cell.fit.params, grid.rows)
        except ValueError as error:
            tests[cell.label] = str(error)
        else:
            words = f"{test.statistic:,.2f} on {test.degrees_of_freedom}, p = {test.p_value:.3g}"
            tests[cell.label] = test.p_value, words
    return tests


def _test_of_fit(grid: Grid, family: Family) -> None:
    """The smallest size that suffices by a chi-square test of fit."""
    tests = _tests(grid, family)
    if not tests:
        return
    tested = {label: test for label, test in tests.items() if not isinstance(test, str)}
    enough = sorted((label for label, (p, _) in tested.items() if p >= LEVEL), key=lambda at: at[1])
    if not tested:
        st.markdown(f"Chi-square test of fit: {sentence(next(iter(tests.values())))}")
    elif enough:
        st.markdown(
            f"Chi-square test of fit: {named(family, enough[0])} are enough "
            f"({tested[enough[0]][1]}); fewer are rejected at {LEVEL:.0%}."
        )
    else:
        st.markdown(f"Chi-square test of fit: all are rejected at {LEVEL:.0%}; more are needed.")


def _open_button(cell: Cell, key: str) -> None:
    if st.button("Open in Explore", key=f"open {key}", icon=":material/open_in_new:"):
        _open(cell)


def _open(cell: Cell) -> None:
    """The cell's own fit on the Explore page: the same model from the same start."""
    st.session_state["opened"] = st.session_state.get("opened", 0) + 1
    settings = shell.settings()
    if cell.fit is None:
        shell.say(f"{named(family_of(settings), cell.label)}: {sentence(cell.verdict)}")
        st.rerun()
    chosen = cell_settings(settings, cell.label)
    shell.change(**chosen, start=cell.fit.start, seed=cell.fit.seed)
    st.switch_page(EXPLORE)


def _table(grid: Grid, family: Family) -> pd.DataFrame:
    tests = _tests(grid, family)
    rows = []
    for cell in grid.cells:
        structure, size = cell.label
        row = {"structure": structure} if structure else {}
        row |= {units(family): str(size), "status": cell.status}
        if cell.fit is not None:
            row["parameters"] = str(cell.fit.n_parameters)
            row["log-likelihood (nats)"] = nats(cell.fit.log_likelihood + grid.offset)
        for criterion in ("bic", "icl", "aic"):
            if np.isfinite(cell.score(criterion)):
                row[CRITERIA[criterion]] = nats(_value(grid, cell, criterion))
        if (held_out := cell.cross_validation) is not None:
            row["held out (nats a row)"] = held_out.problem or (
                f"{nats(held_out.per_observation + grid.offset / len(grid.data))} "
                f"± {held_out.standard_error:.2g}"
            )
        if cell.label in tests:
            test = tests[cell.label]
            row["chi-square test of fit"] = test if isinstance(test, str) else test[1]
        reached = re.match(r"\d+ of \d+", cell.verdict)
        rows.append(row | {"reached by": f"{reached[0]} starts" if reached else cell.verdict})
    return pd.DataFrame(rows).fillna("")
