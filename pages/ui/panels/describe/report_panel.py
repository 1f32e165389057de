"""The report on a fit, put together of what the pages say, to be taken away as one file."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from urllib.parse import urlencode

import numpy as np
import pandas as pd
import scipy
import streamlit as st

import em_core
from pages.ui.charts.criteria import Score
from pages.ui.charts.profiles import residual_shades
from pages.ui.charts.still import certainty_svg, profile_svg, shades_svg
from pages.ui.charts.still_pictures import criteria_svg, picture_svg
from pages.ui.compute.describing import Described
from pages.ui.families.family import Family, listed
from pages.ui.families.interval_columns import ways_of, with_intervals
from pages.ui.families.numbering import numbering_rule
from pages.ui.families.profiles import Profile, observed
from pages.ui.families.table import standardises
from pages.ui.panels import report, uncertainty
from pages.ui.panels.describe.checklist import checklist
from pages.ui.panels.describe.facts import MOST_PLOTTED, Facts
from pages.ui.panels.describe.halves_panel import in_words, known_halves, split_table
from pages.ui.panels.describe.quality_panel import (
    fit_in_words,
    overall_in_words,
    quality_table,
    worst_in_words,
)
from pages.ui.panels.explore.other_starts import others_of
from pages.ui.panels.methods_panel import METHODS
from pages.ui.panels.model_selection import model_selection_panel
from pages.ui.panels.model_selection.comparison import named
from pages.ui.panels.model_selection.finished import finished_grid
from pages.ui.running.runs import Run
from pages.ui.running.searches import cell_settings
from pages.ui.sharing import takeaway
from pages.ui.sharing.naming import opening, stem, title
from pages.ui.sharing.report import Block, Code, Drawing, Grid, Points, Section, colours, page
from pages.ui.state import shell
from pages.ui.state.links import to_query
from pages.ui.state.scenes import scene_of
from pages.ui.state.session import session
from pages.ui.state.settings import CRITERIA
from pages.ui.tables.preparation.said import rows_said, scales_said, units_said
from pages.ui.tables.selection import Selection
from pages.ui.tables.table import Table
from pages.ui.tables.titles import titles_in
from pages.ui.text import counted, name_columns, nats, number, percent, plural, sentence, unmarked

MOST_CELLS = 20_000
MOST_DRAWN = 2_000  # rows
CITE = (
    "The EM Explorer authors. EM Explorer, version {}. (CITATION.cff, beside its code, has this "
    "for programs that manage references.)"
)


def offer(
    run: Run,
    profile: Profile,
    found: Described | None,
    selection: Selection,
    table: Table,
    family: Family,
    beside: Sequence[Block] = (),
) -> None:
    """The button that gives the report."""
    st.subheader("Report", anchor=False)
    settings = shell.settings()
    facts = Facts(
        run,
        settings,
        selection,
        table,
        family,
        profile,
        found,
        uncertainty.known(run),
        uncertainty.known_again(run),
        model_selection_panel.models_of(settings, table, selection),
        model_selection_panel.tested_of(settings, table, selection),
        others_of(run, settings, table, selection),
        f"{(st.context.url or '').partition('?')[0]}?{urlencode(to_query(settings))}",
        session().notes,
        beside,
        known_halves(run),
        model_selection_panel.scores_of(settings, table, selection),
        finished_grid(settings, table, selection),
    )
    st.download_button(
        "Report (HTML)",
        data=lambda: written(facts),
        file_name=f"{stem(settings, table.name, 'report')}.html",
        mime="text/html",
        on_click="ignore",
        key="report",
        icon=":material/description:",
    )
    missing = [
        words
        for there, words in (
            (facts.sure, "intervals (“How sure?” above)"),
            (facts.others, "other starts (“Is this the best answer?”)"),
            (facts.models, "a comparison of models (the page How many?)"),
        )
        if there is None and (words[0] != "a" or family.size)
    ]
    if missing:
        st.caption(f"Not in it yet, as it was not asked for: {listed(missing)}.")


def written(facts: Facts) -> bytes:
    """The report as a file."""
    heading = f"Report: {title(facts.settings, facts.table)}"
    return page(heading, list(sections(facts)), dict(facts.table.titles))


def sections(facts: Facts) -> Iterator[Section]:
    """Everything in the order of a paper."""
    yield "Notes", [line for line in facts.notes.splitlines() if line.strip()]
    yield "Data", list(_data(facts))
    yield "Model and fit", list(_model(facts))
    yield "How many", list(_how_many(facts))
    yield f"The {plural(facts.family.unit or 'factor')}", list(_parts(facts))
    yield "How well they are told apart", list(_quality(facts))
    yield "What the model leaves over", list(_residuals(facts))
    yield "Parameters", list(_parameters(facts))
    yield "Beside another solution", facts.beside
    yield "Warnings", list(_warnings(facts))
    yield "To repeat it", list(_repeat(facts))
    yield "Methods", [_methods()]
    yield "Checklist", [checklist(facts)]


def _data(facts: Facts) -> Iterator[Block]:
    table, selection = facts.table, facts.selection
    n_rows, width = table.frame.shape
    yield f"{table.name}: {counted(n_rows, 'row')}, {counted(width, 'column')}."
    yield Points(table.parsing)
    if rows_kept := rows_said(table):
        yield rows_kept
    values = selection.values
    missing = np.isnan(values)
    rows = np.ones(len(values)) if selection.frequencies is None else selection.frequencies
    means, deviations = observed(selection)
    told = {
        "rows with a value": rows @ ~missing,
        "missing": rows @ missing,
        "mean": means,
        "standard deviation": deviations,
        "smallest": np.nanmin(values, axis=0),
        "largest": np.nanmax(values, axis=0),
    }
    frame = pd.DataFrame(told, index=list(selection.columns))
    counted_as = report.rows_of(facts.run.finished_fit.n_observations, selection)
    yield Grid(frame, f"The columns of the fit, {counted_as}")
    titles = dict(table.titles)
    if asked := [line for name in selection.columns for line in titles_in(name, titles)]:
        yield "In words:"
        yield Points(asked)
    if any(selection.levels):
        levels = [
            f"{name}: {', '.join(f'{code} = {level}' for code, level in enumerate(of_name))}"
            for name, of_name in zip(selection.columns, selection.levels, strict=True)
            if of_name
        ]
        yield Points(levels)
    left = len(selection.left_out)
    yield f"{counted(left, 'row')} left out." if left else "No row was left out."
    if missing.any():
        holes = f"{int(missing.sum()):,} of {counted(missing.size, 'cell')}"
        yield (
            f"Missing: {holes} ({percent(float(missing.mean()), 1)}). Rows count for what they "
            "have, which is right where values are missing at random."
        )
    if selection.weight_name:
        yield f"Weights: {selection.weight_name}, as {selection.weights_kind}."
    if selection.group_name:
        yield f"Rows are in {counted(selection.n_groups, 'group')} by {selection.group_name}."


def _model(facts: Facts) -> Iterator[Block]:
    run, settings, family = facts.run, facts.settings, facts.family
    fit = run.finished_fit
    yield f"{family.label}. In Python: {family.code(settings)}."
    if run.frozen:
        yield "The parameters were given: nothing was fitted, and no criterion applies."
        yield f"Log-likelihood {nats(fit.log_likelihood)} nats."
        return
    yield (
        f"{opening(settings)} Tolerance {number(settings.tolerance)} nats, at most "
        f"{settings.max_iterations:,} iterations."
        f"{' Columns were standardised for the fit.' if standardises(settings) else ''}"
    )
    ended = "converged" if run.stop_reason == "converged" else "NOT converged"
    yield f"EM has {ended} after {report.iterations_of(fit.trace)}."
    rows = {"log-likelihood (nats)": fit.log_likelihood, "parameters": fit.n_parameters}
    rows |= {"n": fit.n_observations}
    names = ["aic", "bic", "sabic", "caic", "aic3", *(["icl"] if family.unit else [])]
    rows |= {CRITERIA[name]: getattr(fit, name) for name in names}
    yield Grid(
        pd.DataFrame({"": rows.values()}, index=list(rows)), "Of this fit; natural logarithms"
    )
    yield report.COUNTING
    yield from scales_said(facts.selection)
    if facts.others is None:
        yield "Other starts were not tried, so whether this is the best answer is not known."
    else:
        yield facts.others.in_words


def _how_many(facts: Facts) -> Iterator[Block]:
    if facts.models is None:
        if facts.family.size:
            yield "Other numbers were not compared."
        return
    frame, criterion = facts.models
    if facts.scores is not None:
        scores, sizes, axis = facts.scores
        if drawn := criteria_svg(scores, colours(), sizes, axis):
            yield Drawing(drawn, "The best model has a ring.")
        yield from _chosen(facts, scores, criterion)
    yield Grid(frame, "All models compared", index=False)
    yield f"Compared by {criterion}. Relative entropy measures separation; nothing is ranked by it."
    if facts.tested:
        yield facts.tested


def _chosen(facts: Facts, scores: Sequence[Score], criterion: str) -> Iterator[str]:
    """Whether this fit is of the model that is best, and by how much it is not."""
    family = facts.family
    own = [
        score
        for score in scores
        if all(
            getattr(facts.settings, name) == value
            for name, value in cell_settings(facts.settings, (score.structure, score.size)).items()
        )
    ]
    best = next((score for score in scores if score.usable and score.above == 0), None)
    if best is None or not own:
        return
    called = named(family, (best.structure, best.size))
    if best in own:
        yield f"The best by {criterion} is {called}: the model of this report."
        return
    here = named(family, (own[0].structure, own[0].size))
    apart = f", {nats(own[0].above)} above it" if np.isfinite(own[0].above) else ""
    yield f"The best by {criterion} is {called}; this report is on {here}{apart}."


def _parts(facts: Facts) -> Iterator[Block]:
    profile = facts.profile
    most = 50
    yield Points(
        [
            f"{name}, {percent(share, 1)} {profile.share_of}: {words}."
            for name, share, words in zip(
                profile.names[:most], profile.shares, profile.said, strict=False
            )
        ]
    )
    yield from _drawn(facts)
    if len(profile.names) <= MOST_PLOTTED:
        yield Drawing(profile_svg(profile, colours()))
    values = profile.values.T * profile.scale[:, None] + profile.shift[:, None]
    frame = pd.DataFrame(values, index=list(profile.cells), columns=list(profile.names))
    if frame.size <= MOST_CELLS:
        yield Grid(frame, f"The profiles, {units_said(facts.selection)}")
    if rule := numbering_rule(facts.run.model, facts.selection, facts.family):
        yield rule


def _drawn(facts: Facts) -> Iterator[Block]:
    """The picture of the player at the last half-step, where it has points."""
    if not facts.family.unit:
        return
    run = facts.run
    scene = scene_of(
        run.key, run.model, run.data, run.trace[-1:], facts.selection, facts.settings,
        most=MOST_DRAWN, table=facts.table,
    )  # fmt: skip
    picture, _ = facts.family.picture(scene)
    drawn = picture_svg(picture, colours())
    if not drawn:
        return
    said = "Each row has the colour of where it is most probable."
    if picture.time:
        said += " Lines: means."
    elif picture.covariances.shape[-1] > 1:
        unit = "standard deviations" if picture.degrees is None else "scales"
        said += f" Ellipses: one and two {unit} from the mean."
    yield Drawing(drawn, said)


def _quality(facts: Facts) -> Iterator[Block]:
    found, family = facts.found, facts.family
    if found is None:
        return
    if not isinstance(found.quality, str):
        yield unmarked(overall_in_words(found.quality, family))
        yield Grid(quality_table(found.quality, facts.profile, family), f"Each {family.unit}")
        if found.certainty is not None and 1 < len(facts.profile.names) <= MOST_PLOTTED:
            yield Drawing(
                certainty_svg(found.certainty, facts.profile.names, family.unit, colours())
            )
    for words in fit_in_words(found):
        yield unmarked(words)
    if facts.halves is not None:
        yield in_words(facts.halves, family)
        yield Grid(split_table(facts.halves), "Each split", index=False)


def _residuals(facts: Facts) -> Iterator[Block]:
    found, columns = facts.found, facts.selection.columns
    if found is None or isinstance(found.residuals, str) or len(columns) < 2:
        return
    yield unmarked(worst_in_words(found, facts.selection))
    yield from (name_columns(sentence(said), columns) for said in found.residuals.sentences)
    if len(columns) <= 20:
        signed = found.residuals.is_correlation
        shown, reach = residual_shades(found.residuals.statistics, signed)
        yield Drawing(shades_svg(shown, columns, "Residuals of pairs of columns", reach, signed))


def _parameters(facts: Facts) -> Iterator[Block]:
    run, selection, settings = facts.run, facts.selection, facts.settings
    params, ways = run.finished_fit.params, ways_of(facts.sure, facts.resampled)
    for name, frame in facts.family.tables(run.model, params, selection, settings):
        if frame.size > MOST_CELLS:
            continue
        frame = with_intervals(name, frame, ways, run.model, params, selection, facts.profile)
        yield Grid(frame, f"{name}, {units_said(selection)}")
    if facts.sure is None:
        yield "Intervals were not asked for."
        return
    if facts.others is None or facts.others.doubtful:
        known = "" if facts.others is None else facts.others.in_words
        yield known or "Whether other starts lead to this answer is not known."
    yield (
        "Intervals are 95 %, by the curvature of the log-likelihood at its top"
        f"{', by the sandwich of information and scores' if facts.sure.robust else ''}; they are "
        "about this optimum."
    )
    if facts.resampled is not None:
        components = uncertainty.components_of(run, settings)
        yield from uncertainty.difference_in_words(
            facts.sure, facts.resampled, components, selection
        )
    frame = uncertainty.interval_table(run, facts.sure, facts.resampled, selection, settings)
    if frame.size <= MOST_CELLS:
        yield Grid(frame, "Every number with its interval")


def _warnings(facts: Facts) -> Iterator[Block]:
    run, columns = facts.run, facts.selection.columns
    said = [sentence(name_columns(flag, columns)) for flag in run.finished_fit.flags]
    found = run.identification
    if found is not None and found.identified is False:
        said.append(sentence(found.sentence))
    if run.stop_reason != "converged" and not run.frozen:
        said.append("The fit has not converged.")
    if facts.others is not None and facts.others.doubtful:
        said.append(facts.others.in_words)
    if facts.sure is not None:
        said += [sentence(one) for one in facts.sure.sentences]
    if facts.resampled is not None:
        said += [sentence(one) for one in facts.resampled.sentences]
    yield Points(said or ["None."])


def _repeat(facts: Facts) -> Iterator[Block]:
    run, settings = facts.run, facts.settings
    yield f"Link: {facts.link}"
    now = datetime.now(UTC)
    yield (
        f"Written on {now:%d %B %Y} by em_core {em_core.__version__}, NumPy {np.__version__}, "
        f"SciPy {scipy.__version__}, Python {platform.python_version()}. Seed of the start "
        f"{settings.seed}; fingerprint of the table {facts.table.fingerprint[:16]}."
    )
    yield Code(
        takeaway.script(
            settings,
            facts.selection,
            facts.table,
            run,
            len(run.trace) - 1,
            f"{stem(settings, facts.table.name)}.parquet",
            facts.found,
            facts.grid,
        )
    )
    yield CITE.format(em_core.__version__)


def _methods() -> Points:
    sources = (f" ({method.reference})" if method.reference else "" for method in METHODS)
    methods = zip(METHODS, sources, strict=True)
    return Points([f"{method.name}: {method.formula}{source}." for method, source in methods])
