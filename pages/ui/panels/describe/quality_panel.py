"""How well the clusters of a fit are told apart, and what pairs of columns have left over."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
import streamlit as st

from em_core.inference import ClassQuality
from pages.ui.charts.axes import COLOURS
from pages.ui.charts.profiles import certainty_figure, explained, residuals_figure
from pages.ui.compute.describing import Described
from pages.ui.families.family import Family, listed
from pages.ui.families.profiles import Profile
from pages.ui.panels import charts, tables
from pages.ui.state.session import session
from pages.ui.tables.selection import Selection
from pages.ui.text import counted, nats, number, percent, plain, sentence, told

MOST_PAIRS = 3
# A table of more patterns is all but empty whatever the rows.
MOST_PATTERNS = 100_000
# Bivariate residuals from here on, and residual correlations, are worth naming.
LARGE, LARGE_CORRELATION = 3.84, 0.1


def show_quality(found: Described, profile: Profile, family: Family) -> None:
    """The quality table, and how sure the rows are; or why there is none."""
    st.subheader("How well they are told apart", anchor=False)
    quality = found.quality
    if isinstance(quality, str):
        what = "Factors are scores" if not family.grouping else "The groups are given"
        st.markdown(
            f"{what}: no row is assigned to one, so there is no classification to be wrong, and "
            "relative entropy and the like do not apply."
        )
        _whole_fit(found)
        return
    st.markdown(overall_in_words(quality, family))
    tables.show(quality_table(quality, profile, family), f"Each {family.unit}", "Quality")
    if len(profile.names) > 1:
        pages = st.expander(
            "Average posteriors, and the errors of every two", key="posteriors", on_change="rerun"
        )
        with pages as expander:
            if expander.open:
                _matrices(found, quality, profile, family)
    if found.certainty is not None and len(profile.names) > 1:
        charts.show(
            certainty_figure(found.certainty, profile.names, family.unit, COLOURS),
            "certainty",
            "how sure the rows are",
            note=f"Rows by the {family.unit} they are assigned to, the surest first: how far to "
            f"the right is how probable that {family.unit} is for the row.",
            config={"displayModeBar": False},
        )
    _whole_fit(found)


def overall_in_words(quality: ClassQuality, family: Family) -> str:
    """The numbers on all clusters together, with what they mean."""
    if np.isnan(quality.relative_entropy):
        return f"There is one {family.unit} only, so there is nothing to tell apart."
    paths = ""
    if quality.path_entropy is not None:
        paths = (
            f" Entropies are those of each row's state by itself, {nats(quality.entropy)} nats in "
            f"all; that of the paths, which ICL uses, is {nats(quality.path_entropy)} nats."
        )
    return (
        f"Relative entropy **{number(quality.relative_entropy, 3)}** (1: no doubt about any row; "
        "it measures separation, not whether the number is right). Classification error "
        f"**{percent(quality.classification_error, 1)}**: so many rows are expected in the wrong "
        f"{family.unit} where each goes to its most probable one. Smallest share "
        f"**{percent(quality.smallest_share, 1)}**.{paths}"
    )


def quality_table(quality: ClassQuality, profile: Profile, family: Family) -> pd.DataFrame:
    """A column for each cluster."""
    rows = {
        "share (average posterior)": quality.shares,
        "share of the rows assigned": quality.assigned_shares,
        "rows assigned": quality.rows,
        "their average posterior": np.diag(quality.average_posteriors),
        "odds of correct classification (above 5 is good)": (
            quality.odds_of_correct_classification
        ),
    }
    if quality.parameters is not None:
        rows["parameters that describe it"] = quality.parameters
        with np.errstate(divide="ignore", invalid="ignore"):
            rows["rows for each of them"] = quality.rows / quality.parameters
    return pd.DataFrame.from_dict(rows, orient="index", columns=list(profile.names))


def _matrices(found: Described, quality: ClassQuality, profile: Profile, family: Family) -> None:
    names = list(profile.names)
    of = [f"rows assigned to {name}" for name in names]
    table = pd.DataFrame(quality.average_posteriors, of, names)
    tables.show(table, f"Average posterior of each {family.unit}", "Average posteriors")
    if isinstance(found.separation, str):
        return
    errors = pd.DataFrame(found.separation.bayes_errors, names, names)
    tables.show(
        errors,
        "Of rows of these two alone, the share that the best rule gives the wrong one (good to "
        "about 0.003)",
        "Errors of pairs",
    )


def _whole_fit(found: Described) -> None:
    """Tests of the model as a whole, where there are some."""
    for words in fit_in_words(found):
        st.markdown(words)


def fit_in_words(found: Described) -> Iterator[str]:
    """What tests of the model as a whole say."""
    if not isinstance(found.patterns, str):
        fit = found.patterns
        freedom = fit.degrees_of_freedom
        if freedom > MOST_PATTERNS:
            yield (
                "There are so many patterns of answers that nearly all are seen once or never: a "
                "table of them says nothing of the fit."
            )
            return
        yield (
            f"Table of patterns: G-squared **{nats(fit.g_squared)}**, Pearson's chi-square "
            f"{nats(fit.pearson)}, on {number(freedom)} degrees of freedom. Such tables are mostly "
            "too sparse for a p-value by chi-square, so there is none."
        )
    if not isinstance(found.factors, str):
        fit = found.factors
        yield (
            f"Chi-square **{nats(fit.chi_square)}** on {number(fit.degrees_of_freedom)} degrees of "
            f"freedom (p = {number(fit.p_value, 3)}; without Bartlett's correction); RMSEA "
            f"**{number(fit.rmsea, 3)}** (90 % interval {number(fit.rmsea_lower, 3)} to "
            f"{number(fit.rmsea_upper, 3)}; below 0.05 is close, above 0.1 poor); KMO "
            f"{number(fit.kmo, 3)}."
        )


def show_residuals(found: Described, selection: Selection, family: Family) -> None:
    """What pairs of columns have in common beyond what the model says."""
    if len(selection.columns) < 2:
        return
    st.subheader("What the model leaves over", anchor=False)
    residuals = found.residuals
    if isinstance(residuals, str):
        st.markdown(
            "Residuals of pairs of columns are not defined for this model: its covariances between "
            "and within groups are free to be those of the data."
            if family.grouping == "group"
            else told(residuals, selection.columns)
        )
        return
    st.markdown(worst_in_words(found, selection))
    for said in residuals.sentences:
        st.caption(told(said, selection.columns))
    charts.show(
        explained(
            residuals_figure(residuals.statistics, selection.columns, residuals.is_correlation),
            session().titles,
        ),
        "residuals",
        "what pairs of columns leave over",
        config={"displayModeBar": False},
    )
    if np.isfinite(residuals.columns).any():
        rows = {"largest distance of its distribution from that of the model": residuals.columns}
        if np.isfinite(residuals.dispersion).any():
            rows["variance over that of the model"] = residuals.dispersion
        frame = pd.DataFrame.from_dict(rows, orient="index", columns=list(selection.columns))
        tables.show(frame, "Each column by itself (Kolmogorov distance, from 0 to 1)", "Columns")


def worst_in_words(found: Described, selection: Selection) -> str:
    """The pairs that the model explains the least."""
    residuals = found.residuals
    assert not isinstance(residuals, str)
    columns, worst = selection.columns, residuals.worst[:MOST_PAIRS]
    limit = LARGE_CORRELATION if residuals.is_correlation else LARGE
    large = [pair for pair in worst if abs(residuals.statistics[pair]) >= limit]
    what = (
        "Residual correlations: observed less what the model says"
        if residuals.is_correlation
        else "Bivariate residuals: Pearson's statistic of each two items over its degrees of "
        "freedom, about 1 where the model holds for them"
    )
    if not large:
        return f"{what}. None is {number(limit, 3)} or more."
    pairs = [
        f"{plain(columns[d])} and {plain(columns[e])} "
        f"({number(residuals.statistics[d, e], 3, signed=residuals.is_correlation)})"
        for d, e in large
    ]
    more = sum(abs(residuals.statistics[pair]) >= limit for pair in residuals.worst) - len(large)
    others = f", and {counted(more, 'more pair')}" if more > 0 else ""
    return sentence(f"{what}. The largest: {listed(pairs)}{others}")
