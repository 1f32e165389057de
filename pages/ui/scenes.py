"""What a family makes its picture of: a run, the rows drawn, what columns and groups are called."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from em_core import HalfStep
from pages.ui.data import Selection, Table
from pages.ui.families import family_of
from pages.ui.figures.picture import Scene
from pages.ui.settings import Settings

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
    units = {} if table is None else dict(zip(table.frame.columns, table.units, strict=False))
    return Scene(
        run=run,
        model=model,
        steps=steps,
        running=running,
        opening=opening,
        data=data,
        values=selection.values,
        sample=_sample(len(selection.values), most, in_order=family.grouping == "sequence"),
        rows=selection.rows + 1,
        columns=selection.columns,
        titles=tuple(f"{c} ({units[c]})" if units.get(c) else c for c in selection.columns),
        unit=family.unit,
        components=family.components(model),
        groups=selection.groups,
        levels=selection.levels,
        settings=settings,
    )


def _sample(n_rows: int, most: int, in_order: bool) -> np.ndarray:
    """Which rows are drawn: the first of a series, of other rows any."""
    if n_rows <= most:
        return np.arange(n_rows)
    if in_order:
        return np.arange(most)
    return np.sort(np.random.default_rng(SAMPLE_SEED).choice(n_rows, most, replace=False))
