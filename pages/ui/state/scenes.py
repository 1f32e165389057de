"""What a family makes its picture of: a run, the rows drawn, what columns and groups are called."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from em_core import HalfStep
from em_core.standardised import as_it_is
from pages.ui.families.table import axes_of, family_of
from pages.ui.pictures.picture import Scene
from pages.ui.state.settings import Settings
from pages.ui.tables.selection import Selection
from pages.ui.tables.table import Table

SAMPLE_SEED = 0


def scene_of(
    run: str,
    model: Any,
    data: Any,
    steps: Sequence[HalfStep],
    selection: Selection,
    settings: Settings,
    *,
    most: int,
    running: bool = False,
    opening: str = "",
    table: Table | None = None,
) -> Scene:
    """The scene of a run on a selection, with at most `most` rows drawn.

    table: where the units of the columns stand.
    """
    family = family_of(settings)
    in_order = family.grouping == "sequence"
    clock, times = _clock(table if in_order else None, selection)
    units = {} if table is None else dict(zip(table.frame.columns, table.units, strict=False))
    return Scene(
        run=run,
        model=as_it_is(model),
        steps=steps,
        running=running,
        opening=opening,
        data=data,
        values=selection.values,
        sample=_sample(len(selection.values), most, in_order),
        rows=selection.rows + 1,
        columns=selection.columns,
        titles=tuple(f"{c} ({units[c]})" if units.get(c) else c for c in selection.columns),
        unit=family.unit,
        components=family.components(model),
        times=times,
        clock=clock,
        groups=selection.groups,
        levels=selection.levels,
        axes=axes_of(settings, len(selection.columns)),
        look=settings,
    )


def _clock(table: Table | None, selection: Selection) -> tuple[str, np.ndarray]:
    """What the rows of one series are counted by: a column of years, say, or else their number."""
    if table is not None and not selection.groups:
        for name in table.frame.columns.difference(selection.columns, sort=False):
            if _counts(table.frame[name]):
                return name, table.frame[name].to_numpy(float)[selection.rows]
    return "row", np.arange(len(selection.rows)) + 1.0


def _counts(column: pd.Series) -> bool:
    """Whether a column goes up by one from row to row; most are found out by their first rows."""
    if not pd.api.types.is_numeric_dtype(column) or column.isna().any():
        return False
    return all((np.diff(part.to_numpy(float)) == 1).all() for part in (column.head(5), column))


def _sample(n_rows: int, most: int, in_order: bool) -> np.ndarray:
    """Which rows are drawn: the first of a series, of other rows any."""
    if n_rows <= most:
        return np.arange(n_rows)
    if in_order:
        return np.arange(most)
    return np.sort(np.random.default_rng(SAMPLE_SEED).choice(n_rows, most, replace=False))
