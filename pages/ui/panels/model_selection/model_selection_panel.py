"""The page on how many there are: models at work, the one recommended, and what comes close."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
import pandas as pd
import streamlit as st

from em_core.half_steps import called
from em_core.search.selection import Cell, Criterion
from pages.ui.charts.axes import COLOURS
from pages.ui.charts.criteria import Score, criterion_grid, criterion_lines, shown_range
from pages.ui.compute.comparing import Label, Told, quality_work
from pages.ui.compute.describing import without_trace
from pages.ui.families.family import Family
from pages.ui.families.table import family_of
from pages.ui.panels import charts, collapse_panel, methods_panel, report, tables
from pages.ui.panels.model_selection.comparison import named, no_value, unit, units
from pages.ui.panels.model_selection.finished import finished_grid
from pages.ui.panels.model_selection.ratio_panel import ratio_in_words, show_test
from pages.ui.panels.model_selection.recommendation import (
    criteria,
    criterion_of,
    open_in_explore,
    show_recommendation,
    tests_of_fit,
)
from pages.ui.panels.model_selection.waiting import may_begin
from pages.ui.running.duration import in_words, seconds_left
from pages.ui.running.jobs import finished_job, run_job
from pages.ui.running.searches import (
    Grid,
    described,
    grid_of,
    offered_searches,
    offered_structures,
    recommended_start,
    structure_sets,
    usual_structures,
)
from pages.ui.running.work import CHARTS_SECONDS, current, progress_line, show_error, watch
from pages.ui.state import shell
from pages.ui.state.session import session
from pages.ui.state.settings import CRITERIA, FIELDS, Settings, limits
from pages.ui.tables.selection import Selection
from pages.ui.tables.table import Table
from pages.ui.text import MINUS, counted, name_columns, nats, number, percent, plain, sentence

FOLDS = 5
NO_FOLDS = (
    "Of a data set on the server no rows are left out, so its models are not cross-validated: "
    "compare them by another criterion, or cross-validate a part of the rows as a table."
)
SOON = 10  # seconds: what ends sooner says nothing of its end
QUALITIES = "qualities"
AXIS = CRITERIA | {"cross_validation": f"{MINUS}2 log-likelihood held out (nats)"}
WHAT = {
    "bic": f"BIC is {MINUS}2 log-likelihood + log(n) for each parameter; {{rows}}. It "
    "finds the right number as rows grow, and with few rows too small a one",
    "icl": "ICL is BIC with a price on overlap: it wants groups that can be told apart, and so "
    "prefers fewer where they overlap",
    "aic": f"AIC is {MINUS}2 log-likelihood + 2 for each parameter: it takes more than BIC does, "
    "mostly too many for clusters",
    "sabic": f"SABIC is {MINUS}2 log-likelihood + log((n + 2) / 24) for each parameter: a price "
    "between those of AIC and BIC, for classes that are small or hard to tell; {rows}",
    "caic": f"CAIC is {MINUS}2 log-likelihood + log(n) + 1 for each parameter: it takes no more "
    "than BIC does, and the fewest of all; {rows}",
    "aic3": f"AIC3 is {MINUS}2 log-likelihood + 3 for each parameter: a stiffer price than AIC's, "
    "good for latent classes with few rows",
    "cross_validation": f"{MINUS}2 times the log-likelihood of rows that the fit has not seen: it "
    "takes as many as help to predict",
}


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
    most = limits(family.size).high
    with st.container(horizontal=True):
        shell.widget("smallest", label=f"{units(family).capitalize()} from", max_value=most)
        smallest = shell.settings().smallest
        shell.widget("largest", label="to", min_value=smallest, max_value=most)
    if family.structure:
        n_columns = 2 if selection is None else len(selection.columns)
        shell.widget(
            "structures_compared",
            label=FIELDS[family.structure].label,
            options=offered_structures(settings),
            default=usual_structures(settings, n_columns),
        )
        _sets_of_structures(settings)
    shell.widget("n_starts_each")
    shell.widget(
        "starts_compared",
        options=offered_searches(settings),
        default=(recommended_start(settings),),
        format_func=described,
    )
    shell.widget("first_seed", default=settings.seed)
    if selection is None or selection.whole is None:
        shell.widget("folds")
    elif settings.folds:
        st.caption(NO_FOLDS)


def _sets_of_structures(settings: Settings) -> None:
    """Buttons for many structures at once, where there are as many."""
    sets = structure_sets(settings)
    if not sets:
        return
    with st.container(horizontal=True):
        for name, structures in sets.items():
            choose = partial(shell.change, structures_compared=structures)
            shell.button(name, choose, key=f"structures {name}", help=", ".join(structures))


def current_grid(settings: Settings, table: Table, selection: Selection) -> Grid | None:
    """The grid these settings ask for, begun if it is new; None where it cannot be."""
    if family_of(settings).size is None:
        st.info("This model has no size to choose. Choose another model in the sidebar.")
        return None
    wanted = grid_of(settings, table, selection)
    if not may_begin(wanted):
        return None
    grid = current("grid", wanted)
    if grid.times < settings.gone_on and not grid.running:
        grid.times = settings.gone_on
        grid.begin()
    if grid.error and not grid.n_done:
        show_error(grid, selection.columns)
        return None
    return grid


def show_grid(grid: Grid, selection: Selection) -> None:
    """How far the grid is, and once it has ended what it says."""
    criterion = shell.widget("criterion", options=criteria(family_of(shell.settings())))
    what = sentence(WHAT[criterion].format(rows=report.rows_of(selection.total, selection)))
    counting = None if criterion == "cross_validation" else report.COUNTING
    st.caption(f"{what} Smaller is better.", help=counting)
    if selection.weights_kind == "sampling":
        st.caption(report.PSEUDO)
    if not grid.running and family_of(shell.settings()).unit:
        show_qualities(grid)
    watch(grid, _show, grid, selection, seconds=CHARTS_SECONDS)
    if not grid.running:
        show_test(grid, family_of(shell.settings()))
    methods_panel.offer()


def _offer_folds(selection: Selection) -> None:
    if selection.whole is not None:
        st.info(NO_FOLDS)
        return
    st.info("Rows have not been left out yet, so there is nothing to compare by.")
    if st.button(f"Cross-validate in {FOLDS} folds", icon=":material/splitscreen:"):
        shell.change(folds=FOLDS)
        st.rerun()


def _show(grid: Grid, selection: Selection) -> None:
    settings = shell.settings()
    family, criterion = family_of(settings), criterion_of(settings)
    running = grid.running  # which it may cease to be while this is drawn
    if running:
        _progress(grid, family)
    elif not grid.complete:
        _interrupted(grid)
    if criterion == "cross_validation" and not grid.folds:
        _offer_folds(selection)
        return
    if not grid.cells:
        return
    if not running and all(cell.status == "not run" for cell in grid.cells):
        st.info("No model is complete yet, so there is nothing to compare.")
        return
    scores = _scores(grid, family, criterion)
    if not running:
        if not any(score.usable or score.bound for score in scores):
            _why_collapsed(grid, family, selection)
        show_recommendation(grid, family, criterion, selection)
    elif not any(score.usable or score.bound for score in scores):
        return
    draw = partial(
        charts.show,
        criterion_grid(scores, units(family)),
        f"grid {session().opened}",
        "the grid",
        ["The table below has every model."],
        selection_mode="points",
        config={"displayModeBar": False},
    )
    picks = []
    if running:
        draw()
    else:
        picks = shell.marks_of(draw(on_select="rerun").selection)
    _caption(scores, family, criterion, running=running)
    if not running and any(score.usable or score.bound for score in scores):
        _why_collapsed(grid, family, selection)
    # None of them where the click was on the grid before this one.
    for cell in [cell for cell in grid.cells if [cell.label] == picks[:1]]:
        open_in_explore(cell)
    if any(score.usable or score.bound for score in scores):
        lines = criterion_lines(scores, COLOURS, units(family), AXIS[criterion], _ends(criterion))
        charts.show(lines, "lines", "the criterion by size")
    if any(score.usable and score.value > shown_range(scores)[1] for score in scores):
        st.caption("Models far above the best are cut off. Double-click to see them all.")
    if not running:
        frame = _table(grid, family, selection)
        tables.show(frame, "Every model, in the order of the grid", "Models", index=False)
        if family.unit:
            st.caption(
                "Relative entropy says how well the groups are told apart, not whether their "
                "number is right: nothing is ranked by it."
            )


def _why_collapsed(grid: Grid, family: Family, selection: Selection) -> None:
    """What the smallest of the collapsed models sits on: a warning where nothing else is left."""
    collapsed = [cell for cell in grid.cells if cell.status == "collapsed"]
    if not collapsed:
        return
    cell = min(collapsed, key=lambda cell: cell.label[1])
    fit = cell.fitted
    words = collapse_panel.why(
        f"{grid.key} {cell.label}",
        cell.model,
        fit.params,
        fit.flags,
        grid.data,
        selection,
        shell.settings(),
    )
    usable = any(cell.status == "usable" for cell in grid.cells)
    (st.caption if usable else st.warning)(plain(f"{named(family, cell.label)} collapsed. {words}"))


def _progress(grid: Grid, family: Family) -> None:
    latest = grid.latest
    done, now = (0, "") if latest is None else (latest.n_done, f": {named(family, latest.label)}")
    if latest is not None and latest.fold:
        now += f", without fold {latest.fold} of {grid.folds}"
    left = seconds_left(grid)
    about = "" if left is None or left < SOON else f"; about {in_words(left)} left"
    progress_line(grid, f"**{done} of {counted(len(grid.models), 'model')} fitted**{now}{about}")
    st.progress(done / len(grid.models))


def _interrupted(grid: Grid) -> None:
    """Why a grid has ended early, and the way on: what it has is kept."""
    left = len(grid.selection.waiting) if grid.selection else len(grid.models)
    why = "You stopped this." if grid.stopped else sentence(grid.error)
    with st.container(horizontal=True, vertical_alignment="center"):
        still = f"{left} of {counted(len(grid.models), 'model')} "
        st.markdown(plain(f"{why} {still}{'is' if left == 1 else 'are'} still to be fitted."))
        if st.button("Go on", key=f"go on {grid.key}", icon=":material/play_arrow:"):
            grid.begin()
            st.rerun()


def _ends(criterion: Criterion) -> str:
    """What the number of a model that has not finished says: EM only climbs, but the price that ICL
    puts on overlap may rise as it does."""
    ends = "may end anywhere" if criterion == "icl" else "ends here or lower"
    return f"has not finished: {ends}"


def _caption(scores: Sequence[Score], family: Family, criterion: Criterion, running: bool) -> None:
    """What stands in the cells."""
    found = {score.status for score in scores if not score.usable}
    finished = " that has finished" * ("unconverged" in found)
    bounds = any(score.bound for score in scores)
    said = [f"Each number is how far a model lies above the best{finished}."]
    said *= any(score.usable for score in scores)
    said += [f"✕ collapsed: a {unit(family)} has degenerated."] * ("collapsed" in found)
    said += [
        "≡ not identified: other parameters give the same distribution; "
        f"fewer {units(family)} say as much."
    ] * ("not identified" in found)
    said += ["! could not be fitted."] * ("failed" in found)
    said += ["∅ has no value: the table below says why."] * ("no value" in found)
    said += ["None of these is ever recommended."] * bool(found - {"not run", "unconverged"})
    said += [
        f"▽ {_ends(criterion)}." if bounds else "▽ has not finished, and has no number yet."
    ] * ("unconverged" in found)
    said += ["Click a cell to open it in Explore."] * (not running)
    st.caption(" ".join(said))


def _scores(grid: Grid, family: Family, criterion: Criterion) -> list[Score]:
    ranking = grid.found.ranking(criterion)
    best = ranking[0].score(criterion) if ranking else np.nan
    return [
        Score(
            *cell.label,
            cell.score(criterion),
            cell.score(criterion) - best,
            _fate(cell, criterion),
            _about(grid, family, cell, criterion),
        )
        for cell in grid.cells
    ]


def _fate(cell: Cell, criterion: Criterion) -> str:
    """The status of a cell; where rows were held out, that of their log-likelihood."""
    if cell.status != "usable" or np.isfinite(cell.score(criterion)):
        return cell.status
    return "unconverged" if cell.climbing else "no value"


def _about(grid: Grid, family: Family, cell: Cell, criterion: Criterion) -> str:
    lines = [f"<b>{named(family, cell.label)}</b>"]
    value = cell.score(criterion)
    if np.isfinite(value):
        lines.append(f"{AXIS[criterion]}: {nats(value)}")
    return "<br>".join([*lines, cell.verdict.split(".")[0]])


def models_of(
    settings: Settings, table: Table, selection: Selection
) -> tuple[pd.DataFrame, str] | None:
    """The table of all models of the grid that these settings ask for, and by what they are
    compared; None where it was not run to its end."""
    grid = finished_grid(settings, table, selection)
    if grid is None:
        return None
    return _table(grid, family_of(settings), selection), CRITERIA[criterion_of(settings)]


def scores_of(
    settings: Settings, table: Table, selection: Selection
) -> tuple[list[Score], str, str] | None:
    """What is drawn of that grid: the scores, what sizes are called, and what the criterion is."""
    grid = finished_grid(settings, table, selection)
    if grid is None:
        return None
    family, criterion = family_of(settings), criterion_of(settings)
    return _scores(grid, family, criterion), units(family), AXIS[criterion]


def tested_of(settings: Settings, table: Table, selection: Selection) -> str:
    """What the test of two neighbours in this grid has said, "" without one."""
    grid = finished_grid(settings, table, selection)
    return "" if grid is None else ratio_in_words(grid, family_of(settings), settings.tested)


def _qualities(grid: Grid, family: Family) -> dict[Label, Told]:
    """How well the classes of every model are told apart, as far as that is known yet."""
    return (finished_job(QUALITIES, _quality_key(grid)) or {}) if family.unit else {}


def _quality_key(grid: Grid) -> str:
    return f"{grid.key} {grid.times} {grid.n_done}"


def show_qualities(grid: Grid) -> None:
    """Work on how well the classes of every model are told apart."""
    fits = {
        cell.label: without_trace(cell.fit)
        for cell in grid.cells
        if cell.fit is not None and cell.status != "collapsed"
    }
    if not fits:
        return
    key, what = _quality_key(grid), "working out how well the groups of each are told apart"
    run_job(QUALITIES, key, what, quality_work, fits, grid.data, grid.weights)


def _status(cell: Cell) -> str:
    """The status; where something else is to be known of a fit, that too."""
    if cell.status == "not identified":
        # "Not identified: 11 parameters, 7 cells", and how the starts ended.
        said = cell.verdict.split(". ")[0]
        return said[0].lower() + said[1:]
    flags = cell.fitted.flags if cell.status == "usable" else ()
    return f"usable, but {flags[0].split(':')[0]}" if flags else cell.status


def _table(grid: Grid, family: Family, selection: Selection) -> pd.DataFrame:
    tests, qualities = tests_of_fit(grid, family), _qualities(grid, family)
    rows, why = [], {}
    for cell in grid.cells:
        structure, size = cell.label
        row = {"structure": structure} if structure else {}
        by = "none" if cell.reached is None else cell.reached.in_words
        row |= {units(family): str(size), "reached by": by}
        row["status"] = name_columns(called(_status(cell), family.unit), selection.columns)
        if cell.fit is not None:
            ended = cell.fit.stop_reason == "converged" and cell.status != "unconverged"
            row["converged"] = "yes" if ended else "no"
            row["parameters"] = str(cell.fit.n_parameters)
            if cell.fit.n_parameters:  # one class of items with one level has none
                each = cell.fit.n_observations / cell.fit.n_parameters
                row["rows a parameter"] = number(each, 3)
            row["log-likelihood (nats)"] = nats(cell.fit.log_likelihood)
        for criterion in criteria(family)[:-1]:
            if np.isfinite(cell.score(criterion)):
                row[CRITERIA[criterion]] = nats(cell.score(criterion))
        if (of_classes := qualities.get(cell.label)) is not None:
            entropy = of_classes.relative_entropy
            row["relative entropy"] = "" if np.isnan(entropy) else number(entropy, 3)
            row["smallest share"] = percent(of_classes.smallest_share, 1)
        if (held_out := cell.cross_validation) is not None:
            row["held out (nats a row)"] = (
                no_value(held_out, selection)
                if held_out.problem
                else f"{nats(held_out.per_observation)} ± {number(held_out.standard_error, 2)}"
            )
        if cell.label in tests:
            test = tests[cell.label]
            row["chi-square test of fit (Bartlett)"] = (
                "not possible" if isinstance(test, str) else test[1]
            )
        if cell.reached is None:
            # At the end: a sentence leaves no room beside it for numbers.
            why[len(rows)] = name_columns(cell.verdict, selection.columns)
        rows.append(row)
    frame = pd.DataFrame(rows)
    if why:
        frame["why none"] = pd.Series(why)
    return frame.fillna("")
