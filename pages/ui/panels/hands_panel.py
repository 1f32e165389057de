"""The means that a run starts from, placed by hand in the picture of the run."""

from __future__ import annotations

import numpy as np
import streamlit as st

from pages.ui.families.table import axes_of, family_of
from pages.ui.pictures.picture import BEGINNING
from pages.ui.pictures.projections import two_columns
from pages.ui.player.component import Deed
from pages.ui.running.runs import Run
from pages.ui.state import shell
from pages.ui.state.beginnings import MEANS
from pages.ui.state.session import session
from pages.ui.state.settings import Settings, limits
from pages.ui.tables.selection import Selection


def could_be_placed(settings: Settings, n_columns: int) -> bool:
    """Whether the picture shows columns as they are, of a model that starts from means."""
    as_they_are = n_columns <= 2 or axes_of(settings, n_columns) == "columns"
    return MEANS in family_of(settings).starts and as_they_are


def take(deed: Deed | None, run: Run, selection: Selection, settings: Settings) -> None:
    """Begin anew from what a person has just placed; nothing where it was heard before."""
    if deed is None or deed.number == session().hand_heard:
        return
    session().hand_heard = deed.number
    if not could_be_placed(settings, len(selection.columns)):
        return  # what is told of a picture that is there no more
    means = placed(deed, run.trace[0].params.means, selection, settings)
    if means is None:
        return
    shell.change(
        start=MEANS,
        n_components=len(means),
        start_means=tuple(map(tuple, means.tolist())),
        frame=BEGINNING,
    )
    st.rerun()


def placed(
    deed: Deed, means: np.ndarray, selection: Selection, settings: Settings
) -> np.ndarray | None:
    """(K, D) means (K, D) after a deed; None where there can be no more or no fewer.

    A mean that is added is at the average of the columns that are not drawn.
    """
    n_components, n_columns = means.shape
    drawn = [0] if n_columns == 1 else list(two_columns(settings, selection.columns))
    if deed.kind == "remove":
        possible = 0 <= deed.index < n_components > 1
        return np.delete(means, deed.index, axis=0) if possible else None
    if len(deed.place) != len(drawn):
        return None
    if deed.kind == "add":
        if n_components >= limits("n_components").high:
            return None
        means = np.vstack([means, np.nanmean(selection.values, axis=0)])
    elif not 0 <= deed.index < n_components:
        return None
    means = means.copy()
    means[-1 if deed.kind == "add" else deed.index, drawn] = deed.place
    return means
