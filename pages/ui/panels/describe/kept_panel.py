"""A solution that is kept, beside the one at hand."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import streamlit as st

from em_core.data import WeightsKind
from em_core.inference import CrossedPartitions
from pages.ui.compute.describing import crossed_with, without_trace
from pages.ui.families.table import family_of
from pages.ui.panels import fit_panel, tables
from pages.ui.panels.describe.side_by_side import Side, in_blocks, rows_of_both
from pages.ui.running.jobs import run_job
from pages.ui.running.runs import Run
from pages.ui.running.work import progress_line, show_error, watch
from pages.ui.sharing.report import Block, Grid
from pages.ui.state import shell
from pages.ui.state.keeping import Kept, kept_of, written
from pages.ui.state.memory import Full, kept
from pages.ui.state.session import session
from pages.ui.state.settings import MOST_KEPT, Settings
from pages.ui.tables.columns import describe
from pages.ui.tables.roles import Use
from pages.ui.tables.selection import Selection, selection_bytes
from pages.ui.tables.table import DataError, Table, require_columns
from pages.ui.tables.weights import weighted
from pages.ui.text import counted, plain, told

NUMBER_BYTES = 8
HELP = "Then change the model in the sidebar: both stand here beside each other, in the link too."


def show_kept(here: Side, table: Table) -> list[Block]:
    """The buttons, and everything about both solutions; what the report says of them."""
    st.subheader("Two solutions", anchor=False)
    at_hand = written(_spelt_out(here.settings, here.selection))
    there = kept_of(here.settings)
    with st.container(horizontal=True):
        if there is None:
            _keep("Keep to compare", at_hand)
        else:
            _keep("Keep this one instead", at_hand)
            shell.button("Go back to the kept one", lambda: _swap(at_hand), key="swap kept",
                         disabled=there.other_data, help="And keep this one.")  # fmt: skip
            shell.button("Drop the kept one", lambda: shell.change(kept=""), key="drop kept")
    if there is None:
        return []
    for complaint in there.complaints:
        st.warning(f"Of the kept solution: {complaint}")
    if there.other_data:
        st.info("The kept solution is of another example: go back to it, or drop the kept one.")
        return []
    if here.settings.kept == at_hand:
        st.info("This solution is kept: change the model in the sidebar to compare.")
        return []
    return _beside(here, there, table)


def _keep(label: str, at_hand: str) -> None:
    def take() -> None:
        if at_hand:
            shell.change(kept=at_hand)
        else:
            shell.say(
                f"This solution takes more than {MOST_KEPT:,} characters to be told of, so it is "
                "not kept: use fewer columns, or another start than explicit parameters."
            )

    shell.button(label, take, key="keep solution", icon=":material/keep:", help=HELP)


def _swap(at_hand: str) -> None:
    """The kept solution becomes the one at hand, and the other way round."""
    settings = shell.settings()
    there = kept_of(settings)
    if there is not None:
        session().settings = replace(there.settings, kept=at_hand)


def _spelt_out(settings: Settings, selection: Selection) -> Settings:
    """With what is in force as the usual."""
    use = session().use or Use()
    return replace(
        settings,
        columns=selection.columns,
        group_column=use.group or settings.group_column,
        weight_column=use.weight or settings.weight_column,
    )


def _beside(here: Side, there: Kept, table: Table) -> list[Block]:
    try:
        selection = _selection(there.settings, table)
        run = fit_panel.run_for(there.settings, table, selection)
    except (DataError, ValueError) as error:
        st.error(f"The kept solution cannot be had of this table. {told(error, ())}")
        return []
    except Full as full:
        st.error(plain(str(full)))
        return []
    run.await_quick_end()
    if run.running:
        watch(run, _progress, run)
        return []
    if run.error:
        show_error(run, selection.columns)
        return []
    if run.fit is None or run.fit.collapsed:
        st.info("The kept solution has collapsed or was stopped: there is nothing to compare with.")
        return []
    other = Side(there.settings, run, selection, _profile(there.settings, run, selection))
    crossed, both = None, rows_of_both(here, other)
    if here.family.unit and other.family.unit and len(both[0]):
        crossed = _crossed(here, other, *both)
        if crossed is None:
            return []
    blocks = [*in_blocks(here, other, crossed)]
    for block in blocks:
        if isinstance(block, Grid):
            called = re.split("[,;]", block.caption)[0]
            tables.show(block.frame, block.caption, called, "beside the kept one")
        else:
            st.markdown(plain(str(block)))
    return blocks


def _progress(run: Run) -> None:
    if run.running:
        iterations = counted(run.trace[-1].iteration, "iteration") if run.trace else "the start"
        progress_line(run, f"Fitting the kept solution: {iterations} …")


def _selection(settings: Settings, table: Table) -> Selection:
    """The rows and columns of the kept solution. Raises DataError or Full."""
    family = family_of(settings)
    names = [name for name in (settings.group_column, settings.weight_column) if name]
    require_columns(table, [*settings.columns, *names])
    for name in settings.columns:
        if not family.takes(describe(name, table.frame[name])):
            raise DataError(f"Its model cannot use column {name!r}.")

    def made() -> Selection:
        holes = family.holes and settings.missing
        found = family.read(table, settings.columns, None, settings.group_column or None, holes)
        if not settings.weight_column:
            return found
        kind: WeightsKind = "sampling" if settings.weights_kind == "sampling" else "frequencies"
        return weighted(found, table, settings.weight_column, kind, family.grouping)

    expected = len(table.frame) * (len(settings.columns) + 2) * NUMBER_BYTES
    key = table.fingerprint, settings.kept, settings.missing
    return kept("selection of the kept", key, made, selection_bytes, expected)


def _profile(settings: Settings, run: Run, selection: Selection):
    family = family_of(settings)
    if family.profile is None:
        return None
    return family.profile(run.model, run.finished_fit.params, run.data, selection, settings)


def _crossed(here: Side, kept: Side, one: np.ndarray, two: np.ndarray) -> CrossedPartitions | None:
    """How the classes of both go together in the rows of both, by their places in each; None until
    it is counted."""
    weights = here.selection.weights
    return run_job(
        "beside", f"{here.run.key} {len(here.run.trace)} {kept.run.key} {len(kept.run.trace)}",
        "setting the solutions against each other", crossed_with,
        without_trace(here.run.finished_fit), here.run.data, one,
        without_trace(kept.run.finished_fit), kept.run.data, two,
        None if weights is None else weights[one],
    )  # fmt: skip
