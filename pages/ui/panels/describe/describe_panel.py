"""The page on what the clusters of a fit are: names, words, profiles, quality, other columns."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from pages.ui.charts.axes import COLOURS
from pages.ui.charts.profiles import (
    MOST_LINES,
    explained,
    heat_figure,
    n_drawn,
    profile_figure,
)
from pages.ui.compute.describing import Described, describe, without_trace
from pages.ui.families.family import Family
from pages.ui.families.numbering import numbering_rule
from pages.ui.families.profiles import Profile
from pages.ui.families.table import family_of
from pages.ui.panels import charts, methods_panel, tables, uncertainty
from pages.ui.panels.describe import report_panel
from pages.ui.panels.describe.cross_panel import show_crossed
from pages.ui.panels.describe.halves_panel import show_halves
from pages.ui.panels.describe.kept_panel import show_kept
from pages.ui.panels.describe.names_panel import show_clusters
from pages.ui.panels.describe.quality_panel import show_quality, show_residuals
from pages.ui.panels.describe.score_panel import show_scoring
from pages.ui.panels.describe.side_by_side import Side
from pages.ui.panels.explore import second_opinion
from pages.ui.panels.explore.other_starts import others_of
from pages.ui.running.jobs import run_job
from pages.ui.running.runs import Run, WholeRun
from pages.ui.state import shell
from pages.ui.state.session import memo, session
from pages.ui.tables.selection import Selection
from pages.ui.tables.table import Table
from pages.ui.text import counted, plain, plural

# More groups are a table, and the plot has the first and the last of them by the first column.
MOST_GROUPS = 40


def show(run: Run, selection: Selection, table: Table) -> None:
    """Everything there is to say of the end of a run."""
    settings = shell.settings()
    family = family_of(settings)
    if run.fit is None or run.fit.collapsed:
        st.info("A fit that has collapsed or has not ended is no answer: nothing is described.")
        return
    _unsure(run)
    if isinstance(run, WholeRun):
        sample, rows = counted(len(selection.values), "row"), counted(run.n_rows, "row")
        if selection.groups:
            of_all = counted(selection.n_groups, family.grouping)
            sample += f", {len(selection.groups):,} of {of_all}"
        st.caption(
            f"Parameters, log-likelihood, criteria and intervals are of all {rows} of the data "
            f"set. What rows are asked for here (how well clusters are told apart, residuals, "
            f"other columns) is worked out by the sample of {sample}."
        )
    profile: Profile | None = memo(
        "profile",
        (run.key, len(run.trace), settings.rotation, settings.names),
        lambda: _profile(run, selection, family),
    )
    if profile is None:
        st.info(
            "This model does not say what single columns are like, so there are no profiles: its "
            "parameters are on the page Explore."
        )
        return
    found: Described | None = run_job(
        "description",
        f"{run.key} {len(run.trace)}",
        "working out how well they are told apart",
        describe,
        without_trace(run.fit),
        run.data,
        run.weights,
    )
    separation = None if found is None or isinstance(found.separation, str) else found.separation
    profile = profile.ordered(None if separation is None else separation.columns)
    sure = uncertainty.known(run)
    profile = profile.with_intervals(() if sure is None else sure.reported)
    show_clusters(profile, family, uncertainty.known_ways(run))
    _show_profile(run, profile, selection, family, separation is not None)
    if found is not None:
        show_quality(found, profile, family)
        show_residuals(found, selection, family)
    show_crossed(run, profile, found, selection, table, family)
    _how_sure(run, selection, table, family)
    beside = show_kept(Side(settings, run, selection, profile), table)
    show_scoring(run, selection, table, family)
    report_panel.offer(run, profile, found, selection, table, family, beside)
    methods_panel.offer()


def _how_sure(run: Run, selection: Selection, table: Table, family: Family) -> None:
    """Intervals of all numbers, both ways; and whether other starts lead here too."""
    st.subheader("How sure?", anchor=False)
    if run.frozen:
        st.markdown("Nothing was fitted, so there is nothing to be sure of: parameters that were "
                    "given have no intervals.")  # fmt: skip
        return
    uncertainty.choose(run)
    if not isinstance(run, WholeRun):
        show_halves(run, family)
    settings = shell.settings()
    if not settings.intervals:
        return
    found = uncertainty.worked_out(run)
    resampled = uncertainty.drawn_again(run)
    if found is not None:
        uncertainty.show_words(run, found, selection)
        if not family.unit and not family.grouping and settings.rotation != "varimax":
            st.caption("Loadings have intervals as they are and after varimax: to see them in the "
                       "profiles choose the rotation varimax.")  # fmt: skip
    second_opinion.show_opinion(run, settings, selection, table)
    if found is not None:
        uncertainty.show_replication(others_of(run, settings, table, selection))
        uncertainty.show_both(run, found, resampled, selection)


def _unsure(run: Run) -> None:
    """What makes all that follows less than certain."""
    if run.frozen:
        st.info("These parameters were given, not fitted: they are described as they are.")
    elif run.stop_reason != "converged":
        st.warning("This fit has not converged: what is said here may still change.")
    found = run.identification
    if found is not None and found.identified is False:
        st.warning(
            plain(
                f"{found.sentence.capitalize()}. Other parameters give every row the same "
                "probability: what is said here is one description of many."
            )
        )


def _profile(run: Run, selection: Selection, family: Family) -> Profile | None:
    if family.profile is None:
        return None
    fit = run.finished_fit
    return family.profile(run.model, fit.params, run.data, selection, shell.settings())


def _show_profile(
    run: Run, profile: Profile, selection: Selection, family: Family, by_separation: bool
) -> None:
    """The profiles as lines, or as shades where there are many cells; and as a table."""
    st.subheader("Profiles", anchor=False)
    n_parts = len(profile.names)
    many = n_parts > MOST_GROUPS
    shown = profile
    if many:
        order = np.argsort(profile.values[:, 0], kind="stable")
        kept = np.concatenate([order[: MOST_GROUPS // 2], order[-MOST_GROUPS // 2 :]])
        shown = profile.of(kept)
        st.caption(
            f"Of {counted(n_parts, 'group')} the {MOST_GROUPS // 2} lowest and the "
            f"{MOST_GROUPS // 2} highest by {plain(profile.cells[0])} are drawn; the table has all."
        )
    lines = len(profile.cells) <= MOST_LINES and n_parts <= len(COLOURS)
    figure = profile_figure(shown, COLOURS) if lines else heat_figure(shown)
    figure = explained(figure, session().titles)
    charts.show(figure, "profiles", "the profiles", config={"displayModeBar": False})
    what = plural(family.unit or "factor")
    said = f"Columns that tell the {what} apart the most stand first. " * by_separation
    if not lines and (drawn := n_drawn(profile)) < len(profile.cells):
        n_columns, of_all = (len(np.unique(profile.columns[:n])) for n in (drawn, None))
        said = f"The first {n_columns} of {of_all} columns are drawn; the table has all. {said}"
    if profile.lower is not None:
        said += "Whiskers and ranges are 95 % intervals. "
    rule = numbering_rule(run.model, selection, family)
    st.caption(plain(f"{said}{rule}"))
    frame = pd.DataFrame(
        profile.values.T * profile.scale[:, None] + profile.shift[:, None],
        index=list(profile.cells),
        columns=list(profile.names),
    )
    what = "The same in the original units" if profile.signed else "The same as numbers"
    with st.expander(f"{what}", key="profile table", on_change="rerun") as expander:
        if expander.open:
            tables.show(frame, f"{what}, {profile.title.partition(' (')[0]}", "Profiles")
