"""What a family makes its picture of: a run, the rows drawn, what columns and groups are called."""

from __future__ import annotations

from collections.abc import MutableMapping, Sequence
from typing import Any

import numpy as np

from em_core import HalfStep
from em_core.standardised import as_it_is
from pages.ui.families.table import axes_of, family_of
from pages.ui.pictures.picture import Scene
from pages.ui.state.clocks import Along, along
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
    spread: np.ndarray | None = None,
    kept: MutableMapping[tuple, Any] | None = None,
) -> Scene:
    """The scene of a run on a selection, with at most `most` rows drawn.

    table: where the units of the columns stand. spread, kept: as of `Scene`.
    """
    family = family_of(settings)
    in_order = family.grouping == "sequence"
    sample = _sample(len(selection.values), most, in_order)
    counts = _counts_of(selection)
    time = along(table if in_order else None, selection)
    drawn = time.starts[time.starts < len(sample)]
    units = {} if table is None else dict(zip(table.frame.columns, table.units, strict=False))
    return Scene(
        run=run,
        model=as_it_is(model),
        steps=steps,
        running=running,
        opening=opening,
        data=data,
        values=selection.values,
        sample=sample,
        rows=selection.rows + 1,
        columns=selection.columns,
        titles=tuple(f"{c} ({units[c]})" if units.get(c) else c for c in selection.columns),
        unit=family.unit,
        components=family.components(model, settings.names),
        times=time.places,
        clock=time.clock,
        dates=time.dates,
        groups=selection.groups,
        levels=selection.levels,
        axes=axes_of(settings, len(selection.columns)),
        look=settings,
        weights=selection.weights,
        labels=selection.labels,
        counts=None if counts is None else counts[sample],
        names=_names(selection, time, sample),
        words={} if table is None else dict(table.titles),
        moments=tuple((float(time.places[row]), time.words[row]) for row in drawn),
        spread=spread,
        kept=kept,
    )


def _names(selection: Selection, time: Along, sample: np.ndarray) -> tuple[str, ...]:
    """What the rows drawn are called, in which sequence they are and when; () where that is their
    number."""
    parts = []
    if selection.identifier:
        called = selection.called(sample)
        parts.append([f"{selection.identifier} {name}" if name else "" for name in called])
    if time.words:
        group = np.repeat(np.arange(len(selection.groups)), selection.sizes)[sample]
        of = [f"{selection.group_name} {selection.groups[g]}" for g in group]
        parts += [of, [f"{time.column} {time.words[row]}" for row in sample]]
    return tuple(", ".join(filter(None, each)) for each in zip(*parts, strict=True))


def _counts_of(selection: Selection) -> np.ndarray | None:
    """(N,) how much each row counts in a bar; sampling weights sum to the rows."""
    weights = selection.weights
    if weights is None or selection.weights_kind == "frequencies":
        return weights
    return weights * (selection.total / weights.sum())


def _sample(n_rows: int, most: int, in_order: bool) -> np.ndarray:
    """Which rows are drawn: the first of a series, of other rows any."""
    if n_rows <= most:
        return np.arange(n_rows)
    if in_order:
        return np.arange(most)
    return np.sort(np.random.default_rng(SAMPLE_SEED).choice(n_rows, most, replace=False))
