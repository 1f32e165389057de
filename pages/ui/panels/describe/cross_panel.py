"""The clusters against any other column of the table, by posteriors."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import streamlit as st

from pages.ui.charts.axes import COLOURS
from pages.ui.charts.profiles import mosaic_figure
from pages.ui.compute.describing import Described, cross, without_trace
from pages.ui.families.family import Family
from pages.ui.families.numbers import known
from pages.ui.families.profiles import Profile
from pages.ui.families.table import family_of
from pages.ui.panels import charts, tables
from pages.ui.running.jobs import run_job
from pages.ui.running.runs import Run
from pages.ui.state import shell
from pages.ui.tables.columns import MAX_LABELS
from pages.ui.tables.columns import describe as report_on
from pages.ui.tables.levels import coded
from pages.ui.tables.selection import Selection
from pages.ui.tables.table import Table
from pages.ui.text import number, percent, plain

# Whole numbers of no more values than this are levels.
FEW_VALUES = 10


def show_crossed(
    run: Run,
    profile: Profile,
    found: Described | None,
    selection: Selection,
    table: Table,
    family: Family,
) -> None:
    """Which column, and how the clusters go with it."""
    if not family_of(shell.settings()).unit:
        return
    used = (*selection.columns, selection.weight_name)
    others = [name for name in table.frame if name not in used]
    st.subheader("What they go with", anchor=False)
    if not others:
        st.markdown("Every column is used by the fit: there is no other to compare with.")
        return

    @cache
    def values_in_use(name: str) -> tuple[np.ndarray, tuple[str, ...], str]:
        return values_of(name, table.frame[name].iloc[selection.rows].reset_index(drop=True))

    usable = (name for name in others if not values_in_use(name)[-1])
    usual = selection.label_name if selection.label_name in others else next(usable, others[0])
    name = shell.widget("crossed", options=others, default=usual)
    values, levels, problem = values_in_use(name)
    if problem:
        st.info(plain(problem))
        return
    key = f"{run.key} {len(run.trace)} {table.fingerprint} {name}"
    crossed = run_job(
        "crossed", key, "counting by posteriors", cross,
        without_trace(run.finished_fit), run.data, selection.weights, values, len(levels),
    )  # fmt: skip
    if crossed is None:
        return
    missing = int((values < 0).sum() if levels else np.isnan(values).sum())
    if levels:
        strength = f"Cramér's V **{number(crossed.cramers_v, 3)}** (0: nothing, 1: all)"
    else:
        strength = (
            f"Eta squared **{number(crossed.eta_squared, 3)}**: the share of its variance that "
            f"lies between them"
        )
    wrong = ""
    if found is not None and not isinstance(found.quality, str):
        wrong = f" Classification error {percent(found.quality.classification_error, 1)}."
    st.markdown(
        f"**{plain(name)}**: {strength}.{wrong} Rows count by their posteriors, not by where they "
        "are assigned. There is no p-value: the groups were made from these rows."
    )
    left_out = f"; {missing:,} without a value left out" if missing else ""
    if not levels:
        rows = {
            "rows": crossed.rows, "mean": crossed.means, "standard deviation": crossed.deviations
        }  # fmt: skip
        frame = pd.DataFrame.from_dict(rows, orient="index", columns=list(profile.names))
        tables.show(frame, f"{name} in each {family.unit}{left_out}", "Means", name)
        return
    # A row counts 1: picture, words and tables have 0 for what is rounding beside it.
    crossed = crossed._replace(counts=known(crossed.counts, 1), shares=known(crossed.shares, 1))
    charts.show(
        mosaic_figure(crossed, levels, profile.names, name, COLOURS),
        "mosaic",
        f"{name} by {family.unit}",
        config={"displayModeBar": False},
    )
    names = list(profile.names)
    counts = pd.DataFrame(crossed.counts, list(levels), names)
    caption = f"Expected rows by {name} and {family.unit}{left_out}"
    tables.show(counts, caption, "Expected rows", name)
    shares = pd.DataFrame(crossed.shares, list(levels), names)
    tables.show(shares, f"Shares of {name} in each {family.unit}", "Shares", name)


def values_of(name: str, column: pd.Series) -> tuple[np.ndarray, tuple[str, ...], str]:
    """A column as codes with the names of its levels, or as numbers without; or why not."""
    report = report_on(name, column)
    nothing = np.zeros(0), ()
    if not report.distinct:
        return *nothing, f"Column “{name}” has no value in the rows that are fitted."
    of_numbers = report.type in ("number", "whole number")
    few = report.type == "whole number" and report.distinct <= FEW_VALUES
    if of_numbers and not few:
        values = column.to_numpy(dtype=float, na_value=np.nan)
        return np.where(np.isfinite(values), values, np.nan), (), ""
    if report.distinct > MAX_LABELS:
        return *nothing, (
            f"Column “{name}” has {report.distinct:,} different values: choose one with at most "
            f"{MAX_LABELS}, or a column of numbers."
        )
    codes, levels = coded(column)
    return np.nan_to_num(codes, nan=-1), levels, ""
