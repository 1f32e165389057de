"""How sure the parameters of a fit are: on request, by information and by drawing rows again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pandas as pd
import streamlit as st

from em_core.inference import Bootstrap, Intervals
from pages.ui.compute.describing import without_trace
from pages.ui.compute.uncertainty import REPLICATES, bootstrap_work, interval_work
from pages.ui.families.interval_columns import (
    Ways,
    called,
    differences,
    estimates,
    said_once,
    ways_of,
)
from pages.ui.families.table import family_of
from pages.ui.panels import tables
from pages.ui.panels.explore.other_starts import Others, others_of
from pages.ui.running.jobs import begin_job, finished_job, run_job
from pages.ui.running.runs import Run, WholeRun
from pages.ui.state import shell
from pages.ui.state.settings import Settings
from pages.ui.tables.preparation.said import units_said
from pages.ui.tables.selection import Selection
from pages.ui.tables.table import Table
from pages.ui.text import number, percent, plain, told

MOST_NAMED = 3
INFORMATION, RESAMPLED = "intervals", "bootstrap"


def choose(run: Run) -> None:
    """Whether intervals are asked for, and the second kind beside them."""
    with st.container(horizontal=True, vertical_alignment="center"):
        if shell.widget("intervals") and not isinstance(run, WholeRun):
            shell.widget("resampled")


def worked_out(run: Run) -> Intervals | None:
    """The intervals of a run, begun where they are asked for and new; None until they are there."""
    if not _asked(run):
        return None
    what = "working out how sure the parameters are"
    return run_job(INFORMATION, _key(run), what, interval_work, *_of(run), run.weights_kind)


def begin(run: Run) -> None:
    """Begin what `worked_out` and `drawn_again` show, so that tables before them have what is soon
    there."""
    if _asked(run):
        begin_job(INFORMATION, _key(run), interval_work, *_of(run), run.weights_kind)
        if _again(run):
            begin_job(RESAMPLED, _key(run), bootstrap_work, *_of(run))


def _asked(run: Run) -> bool:
    asked = shell.settings().intervals and run.fit is not None
    return asked and not (run.frozen or run.fit.collapsed)


def _again(run: Run) -> bool:
    """Whether tables drawn again are asked for: not of a data set on the server."""
    return shell.settings().resampled and not isinstance(run, WholeRun)


def _of(run: Run) -> tuple:
    """The fit, and all rows that it is of."""
    rows = (run.whole, None) if isinstance(run, WholeRun) else (run.data, run.weights)
    return without_trace(run.finished_fit), *rows


def show(run: Run, selection: Selection, table: Table) -> None:
    """Beside tables that have the intervals in them: whether they are asked for, and words."""
    if run.frozen:
        return
    choose(run)
    if run.fit is not None and run.fit.collapsed and shell.settings().intervals:
        st.info("A fit that has collapsed is no answer: it has no intervals.")
    found, resampled = worked_out(run), drawn_again(run)
    if found is not None:
        show_words(run, found, selection)
        show_difference(run, found, resampled, selection)
        show_replication(others_of(run, shell.settings(), table, selection))


def show_replication(others: Others | None) -> None:
    """Whether other starts lead to this fit too, as far as that is known."""
    if others is None:
        st.caption("Whether other starts lead here too is not known yet: the button finds out.")
    elif others.doubtful:
        st.warning(f"{others.in_words} The intervals are about this answer only.")
    else:
        st.caption(others.in_words)


def known(run: Run) -> Intervals | None:
    """The intervals of a run, if they are asked for and there."""
    return finished_job(INFORMATION, _key(run)) if shell.settings().intervals else None


def known_again(run: Run) -> Bootstrap | None:
    """As `known`, of the bootstrap."""
    settings = shell.settings()
    asked = settings.intervals and settings.resampled
    return finished_job(RESAMPLED, _key(run)) if asked else None


def drawn_again(run: Run) -> Bootstrap | None:
    """As `worked_out`, of the bootstrap."""
    if not (_asked(run) and _again(run)):
        return None
    what = f"fitting to {REPLICATES} tables drawn from this one"
    return run_job(RESAMPLED, _key(run), what, bootstrap_work, *_of(run))


def known_ways(run: Run) -> Ways:
    """What is there of both."""
    return ways_of(known(run), known_again(run))


def _key(run: Run) -> str:
    return f"{run.key} {len(run.trace)}"


def show_words(run: Run, found: Intervals, selection: Selection) -> None:
    """What a person should know of the intervals."""
    how = (
        "by the sandwich of information and scores, as the weights are no copies of rows"
        if found.robust
        else "by the curvature of the log-likelihood at its top"
    )
    st.markdown(
        f"{percent(found.level)} intervals {how}. They say how far the parameters of this optimum "
        "may be off if the model is right; not whether another start would have led elsewhere."
    )
    if found.moved > 0.05:
        st.caption(
            f"EM stopped {number(found.moved, 2)} standard errors from the top: the intervals are "
            "about the top."
        )
    else:
        st.caption(
            "The intervals, and the estimates in their table, are of the very top, to which EM "
            "comes near: last digits may differ from those of the parameters elsewhere."
        )
    for said in found.sentences:
        st.caption(_in_their_words(said, found, run, selection))


def _in_their_words(said: str, found: Intervals, run: Run, selection: Selection) -> str:
    """A sentence of the engine's with the names of what it lists."""
    components = components_of(run, shell.settings())
    rows = {row.name: row for row in found.reported}
    for name in sorted(found.at_limit, key=len, reverse=True):
        if name in rows:
            said = said.replace(name, called(rows[name], components, selection))
    return told(said, selection.columns)


def show_both(run: Run, found: Intervals, other: Bootstrap | None, selection: Selection) -> None:
    """Every number with its intervals; and where the two ways differ."""
    show_difference(run, found, other, selection)
    frame = interval_table(run, found, other, selection, shell.settings())
    caption = f"Every number with its interval, {units_said(selection)}"
    tables.show(frame, caption, "Intervals")


def interval_table(
    run: Run, found: Intervals, other: Bootstrap | None, selection: Selection, settings: Settings
) -> pd.DataFrame:
    """A row for each number that people report."""
    components = components_of(run, settings)
    once = said_once(found.reported)
    told = [row for row in found.reported if (row.quantity, row.place) in once]
    rows = {
        "estimate": estimates(told),
        "standard error": [row.standard_error for row in told],
        "95 % from": [row.lower for row in told],
        "to": [row.upper for row in told],
    }
    if other is not None:
        resampled = {(row.quantity, row.place): row for row in other.reported}
        there = [resampled.get((row.quantity, row.place)) for row in told]
        for name, field in (("standard error", "standard_error"), ("95 % from", "lower"),
                            ("to", "upper")):  # fmt: skip
            rows[f"bootstrap: {name}"] = [
                float("nan") if row is None else getattr(row, field) for row in there
            ]
    names = [called(row, components, selection, once[row.quantity, row.place]) for row in told]
    frame = pd.DataFrame(rows, index=names)
    return frame.astype(object).where(frame.notna(), "none")


def components_of(run: Run, settings: Settings) -> tuple[str, ...]:
    """What the clusters of a run are called; of a model without clusters nothing."""
    return family_of(settings).components(run.model, settings.names)


def show_difference(
    run: Run, found: Intervals, other: Bootstrap | None, selection: Selection
) -> None:
    """Where the two ways differ, once both are there."""
    if other is None:
        return
    for said in difference_in_words(found, other, components_of(run, shell.settings()), selection):
        st.markdown(plain(said))
    for said in other.sentences:
        st.caption(told(said, selection.columns))


def difference_in_words(
    found: Intervals, other: Bootstrap, components: Sequence[str], selection: Selection
) -> Iterator[str]:
    """How many tables of the bootstrap led back, and where its standard errors are others."""
    drawn = "drawn from the model" if other.parametric else "drawn from this one"
    unstable = "" if other.stable else ", so the answer is not stable and has no such intervals"
    yield (
        f"Bootstrap: {other.stayed} of {other.replicates} tables {drawn} led to this optimum again"
        f"{unstable}."
    )
    if not other.stable:
        return
    once = said_once(found.reported)
    differing = differences(found.reported, other.reported)
    apart = [pair for pair in differing if (pair[0].quantity, pair[0].place) in once]
    if not apart:
        yield "No standard error differs by more than a quarter between the two ways."
        return
    names = "; ".join(
        f"{called(one, components, selection, once[one.quantity, one.place])} "
        f"({number(one.standard_error, 3)} by information, "
        f"{number(two.standard_error, 3)} by bootstrap)"
        for one, two in apart[:MOST_NAMED]
    )
    more = len(apart) - MOST_NAMED
    yield (
        f"By more than a quarter the standard errors differ of {names}"
        f"{f'; and of {more} more' if more > 0 else ''}. Where they do, the log-likelihood is not "
        "like a parabola there: the bootstrap is the safer one."
    )
