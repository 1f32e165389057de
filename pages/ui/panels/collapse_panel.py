"""What the page says first where a fit has collapsed, and before any fit of rows that invite it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from em_core.data import rows_that_count
from em_core.fit import Fit
from pages.ui.families.collapse import heap, too_few, why_collapsed
from pages.ui.families.table import FAMILIES
from pages.ui.running.runs import Run, standing_for
from pages.ui.running.searches import Grid, Search
from pages.ui.state.session import memo
from pages.ui.state.settings import Settings
from pages.ui.tables.columns import measured
from pages.ui.tables.selection import Selection
from pages.ui.tables.table import Table
from pages.ui.text import plain


def show_collapsed(run: Run, selection: Selection, settings: Settings) -> None:
    """That a finished fit is no answer, why, and what to do; nothing where it may be one."""
    fit = run.finished_fit
    words = why(run.key, run.model, fit.params, fit.flags, run.data, selection, settings)
    st.warning(f"**Collapsed: this is no answer.** {plain(words)}")


def scant(run: Run, settings: Settings) -> str:
    """`too_few` of a finished fit that has not collapsed."""
    fit = run.finished_fit
    family = FAMILIES[settings.family]
    key = f"{run.key} {len(run.trace)}"
    return memo("scant", key, lambda: too_few(run.model, fit.params, *run.counted, family))


def scant_of(fit: Fit, of: Search | Grid, settings: Settings) -> str:
    """`too_few` of one of many fits."""
    counted = rows_that_count(fit.model, of.data, of.weights, of.weights_kind)
    if of.whole is not None:
        counted = standing_for(fit.model, of.whole, *counted)
    return too_few(fit.model, fit.params, *counted, FAMILIES[settings.family])


def show_scant(run: Run, settings: Settings) -> None:
    """That a component of a fit rests on next to no rows, where it does."""
    if words := scant(run, settings):
        st.warning(words)


def why(
    key: str,
    model: Any,
    params: Any,
    flags: Sequence[str],
    data: Any,
    selection: Selection,
    settings: Settings,
) -> str:
    """`why_collapsed` of a fit; key: what stands for the fit and its data."""
    return _why(key, tuple(flags), settings.family, model, params, data, selection)


# It takes a pass over the data.
@st.cache_data(max_entries=64, show_spinner=False)
def _why(key: str, flags: tuple[str, ...], family: str, _model, _params, _data, _selection) -> str:
    return why_collapsed(_model, _params, flags, _data, _selection, FAMILIES[family])


def show_heap(table: Table, selection: Selection, settings: Settings) -> None:
    """That many rows are equal, to those who are about to fit components to measurements."""
    family = FAMILIES[settings.family]
    if family.takes is measured and family.unit:
        rows = len(selection.values), selection.weight_name
        words = _heap(table.fingerprint, selection.columns, rows, selection)
        if words:
            st.caption(plain(words))


@st.cache_data(max_entries=16, show_spinner=False)
def _heap(table: str, columns: tuple[str, ...], rows: tuple, _selection: Selection) -> str:
    return heap(_selection)
