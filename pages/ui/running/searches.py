"""Many starts of one model, and grids of models, at work beside the page."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from em_core.data import WeightsKind, n_rows
from em_core.emissions.covariances.structures import ALIASES
from em_core.partitions.partitions import Partitions
from em_core.search import selection as grids
from em_core.search.plan import plan
from em_core.search.restarts import Restarts, Trace
from pages.ui.compute import searching
from pages.ui.families.table import family_of, model_of
from pages.ui.running.pools import pool
from pages.ui.running.work import Work
from pages.ui.running.workers import PATIENCE, Job, Lost
from pages.ui.state.changes import changed
from pages.ui.state.settings import FIELDS, PLANNED, Settings
from pages.ui.tables.selection import Selection
from pages.ui.tables.table import Table

# Starts that no seed changes.
NOT_SEEDED = ("means", "parameters")
# Measured on hard data: it reaches the best optimum twice as often as k-means++.
RECOMMENDED = "short runs"
# How many structures are compared at first, and how many there are where they are numbers.
USUAL_STRUCTURES = 4
MOST_NUMBERS = 5


class _Underway(NamedTuple):
    """Many starts before their end: how far each is."""

    traces: tuple[Trace, ...]


@dataclass(kw_only=True)
class _OnOneTable(Work):
    """EM on one table, from every seed of every start; without a named one from those of the plan
    of `restarts`, so many as there are seeds.

    whole: all rows of a data set on the server, where data and weights are those of its sample.
    """

    data: Any
    starts: tuple[str, ...]
    seeds: range
    tolerance: float
    max_iterations: int
    weights: np.ndarray | None = None
    weights_kind: WeightsKind = "frequencies"
    whole: Partitions | None = None

    @property
    def gone_over(self) -> tuple[Any, np.ndarray | None]:
        """What EM goes by, with weights, which rows in pieces bring along."""
        return (self.data, self.weights) if self.whole is None else (self.whole, None)

    @property
    def n_rows(self) -> int:
        """How many rows that are."""
        return n_rows(self.gone_over[0])

    def stop(self) -> None:
        """Let it end with what it has."""
        self.stopped = True
        if self._job is not None:
            self._job.ask_to_stop()
        # The page looks again only after a second: what takes less is shown at once.
        self.done.wait(2 * PATIENCE)

    @property
    def n_starts(self) -> int:
        """How many are made of one model."""
        return len(self.seeds) * max(1, len(self.starts))

    def begins_with(self, model, start: str, seed: int) -> bool:
        """Whether a start of this name and seed is among those of a model."""
        if self.starts:
            return start in self.starts and seed in self.seeds
        return any((each.name, each.seed) == (start, seed) for each in plan(model, self.seeds))

    @property
    def _options(self) -> dict[str, Any]:
        return {
            "tolerance": self.tolerance,
            "max_iterations": self.max_iterations,
            "weights": self.gone_over[1],
            "weights_kind": self.weights_kind,
            "number_components": True,
        }


@dataclass(kw_only=True)
class Search(_OnOneTable):
    """Many starts of one model."""

    model: Any
    runs: Restarts | _Underway | None = None

    @property
    def found(self) -> Restarts:
        """What all of them led to, once they have ended."""
        assert isinstance(self.runs, Restarts)
        return self.runs

    @property
    def n_ended(self) -> int:
        """How many of them have ended, while it goes on."""
        traces = self.runs.traces if self.runs else ()
        return sum(trace.stop_reason is not None for trace in traces)

    def job(self) -> Job:
        asked = self.model, self.gone_over[0], self.seeds, self.starts or None, self._options
        return pool().job(searching.search, *asked)

    def take(self, told: Sequence[tuple[Trace, ...]]) -> None:
        self.runs = _Underway(told[-1])

    def take_all(self, result: Restarts) -> None:
        self.runs = result


@dataclass(kw_only=True)
class Grid(_OnOneTable):
    """Models of several structures and sizes, each from the same starts.

    models: (structure, size) -> model. times: how often what has not finished is gone on with.
    latest: how far it is, None before the first step. What is complete stays when it is begun
    again.
    """

    models: Mapping[tuple[str, int], Any]
    folds: int
    times: int = 0
    latest: grids.Progress | None = None
    selection: grids.ModelSelection | None = None
    # The sizes of the models that were fitted before it was begun the last time, in all.
    begun_with: int = 0
    _alone: tuple[str, int] | None = None

    def begin(self) -> None:
        """Start, or go on with what is left."""
        self.begun_with = sum(c.label[1] for c in self.cells if c.status != "not run")
        self._alone = None
        super().begin()

    def job(self) -> Job:
        if self.selection is None:
            asked = grids.select(
                self.models, self.gone_over[0], self.seeds, self.starts or None, folds=self.folds,
                **self._options,
            )  # fmt: skip
            self.selection = copy(asked)  # which runs nothing by itself
        return pool().job(searching.grid, *self._asked(), again=self._asked)

    @property
    def found(self) -> grids.ModelSelection:
        """The grid, as far as it is, once it has begun."""
        assert self.selection is not None
        return self.selection

    def _asked(self) -> tuple:
        """What the process is given: the grid as far as it is."""
        return self.selection, *self.gone_over, self.times, self._alone

    def _listen(self) -> None:
        """Where a process is lost, the models that it has not told of get one each: the next to be
        lost has taken one model with it, and it is known which. These stay to be fitted."""
        lost: dict[tuple[str, int], Lost] = {}
        while True:
            try:
                super()._listen()
            except Lost as error:
                if self.stopped:
                    raise
                if self._alone is not None:
                    lost[self._alone] = error
            else:
                if self._alone is None:
                    return
            if self.stopped or self.error:
                return
            left = [label for label in self.found.waiting if label not in lost]
            if not left:
                break
            self._alone = left[0]
            self._job = self.job()
        if lost:
            raise next(iter(lost.values()))

    def take(self, told: Sequence[tuple[grids.Progress, grids.ModelSelection | None]]) -> None:
        for self.latest, selection in told:
            self.selection = selection or self.selection

    def take_all(self, result: grids.ModelSelection) -> None:
        self.selection = result

    @property
    def cells(self) -> tuple[grids.Cell, ...]:
        """Every cell, as far as it is."""
        return () if self.selection is None else self.selection.cells

    @property
    def n_done(self) -> int:
        """How many models have a result, whatever it is."""
        return sum(cell.status != "not run" for cell in self.cells)

    @property
    def complete(self) -> bool:
        """Whether no model is left to run or to be gone on with."""
        return self.selection is not None and not self.selection.waiting


def seeded_starts(settings: Settings) -> list[str]:
    """The starts of the family that seeds make differ."""
    return [name for name in family_of(settings).starts if name not in NOT_SEEDED]


def recommended_start(settings: Settings) -> str:
    """The start that finds the best optimum most often."""
    names = seeded_starts(settings)
    return RECOMMENDED if RECOMMENDED in names else names[0]


def offered_searches(settings: Settings) -> list[str]:
    """What many starts can be: by the plan, or by name."""
    return [PLANNED, *seeded_starts(settings)]


def described(start: str) -> str:
    """What a choice of many starts is called."""
    return f"{PLANNED} (the plan)" if start == PLANNED else start


def usual_starts(settings: Settings) -> tuple[str, ...]:
    """The starts of a search whose link, made before there was the plan, names none: one to find
    the best optimum, and the usual one beside it, which ends in others as well."""
    return tuple(dict.fromkeys((recommended_start(settings), seeded_starts(settings)[0])))


def search_of(
    settings: Settings, table: Table, selection: Selection, starts: tuple[str, ...] | None = None
) -> Search:
    """The many starts that the settings ask for; or these, () for the plan of `restarts`."""
    if starts is None:
        starts = _by_name(settings, usual_starts(settings))
    common = _common(
        settings, selection, starts, range(settings.seed, settings.seed + settings.n_starts)
    )
    asked = [getattr(settings, name) for name in family_of(settings).controls]
    model = model_of(settings, selection)
    return Search(key=_key(settings, table, selection, common, asked), model=model, **common)


def _by_name(settings: Settings, usual: tuple[str, ...]) -> tuple[str, ...]:
    """The starts chosen, () for the plan."""
    chosen = settings.starts_compared
    return () if PLANNED in chosen else chosen or usual


def grid_of(settings: Settings, table: Table, selection: Selection) -> Grid:
    """The grid of models that the settings ask for."""
    starts = _by_name(settings, (recommended_start(settings),))
    seeds = range(first_seed(settings), first_seed(settings) + settings.n_starts_each)
    common = _common(settings, selection, starts, seeds)
    family = family_of(settings)
    models = {}
    for structure in structures(settings, len(selection.columns)):
        for size in range(settings.smallest, settings.largest + 1):
            chosen = changed(settings, **cell_settings(settings, (structure, size)))
            models[structure, size] = model_of(chosen, selection)
    # Rows are left out of tables that are at hand.
    folds = settings.folds if selection.whole is None else 0
    asked = [tuple(models), folds]
    asked += [
        getattr(settings, n) for n in family.controls if n not in (family.size, family.structure)
    ]
    key = _key(settings, table, selection, common, asked)
    return Grid(key=key, models=models, folds=folds, **common)


def first_seed(settings: Settings) -> int:
    """The first of the seeds that every model of a grid gets."""
    return settings.seed if settings.first_seed is None else settings.first_seed


def cell_settings(settings: Settings, label: tuple[str, int]) -> dict[str, Any]:
    """What to choose for one model of the grid."""
    family, (structure, size) = family_of(settings), label
    chosen: dict[str, Any] = {} if family.size is None else {family.size: size}
    if structure and family.structure:
        # A link holds names only, of numbers as well.
        chosen[family.structure] = FIELDS[family.structure].kind.read(structure)[0]
    return chosen


def offered_structures(settings: Settings) -> tuple[str, ...]:
    """All structures that can be compared, by name; () where there is one only."""
    family = family_of(settings)
    if family.structure is None:
        return ()
    numbers = tuple(map(str, range(1, MOST_NUMBERS + 1)))
    return tuple(family.controls[family.structure]) or numbers


# Round, axis-parallel and any, each the same for all components or not.
SIX = ("EII", "spherical", "EEI", "diag", "tied", "full")


def structure_sets(settings: Settings) -> dict[str, tuple[str, ...]]:
    """Choices of many structures at once, by what they are called; {} where there are few."""
    offered = offered_structures(settings)
    if not set(SIX) <= {*offered}:
        return {}
    # Some are offered by several names, letters alone for tables of one column.
    codes = {ALIASES.get(name, name): name for name in reversed(offered) if len(name) > 1}
    every = tuple(name for name in offered if name in codes.values())
    return {f"All {len(every)}": every, "Six of the most useful": SIX}


def usual_structures(settings: Settings, n_columns: int) -> tuple[str, ...]:
    """Those compared unless others are chosen; in one dimension many are the same."""
    return offered_structures(settings)[: USUAL_STRUCTURES if n_columns > 1 else 2]


def structures(settings: Settings, n_columns: int) -> tuple[str, ...]:
    """The structures compared, "" for the only one."""
    offered = offered_structures(settings)
    chosen = tuple(name for name in settings.structures_compared if name in offered)
    return chosen or usual_structures(settings, n_columns) or ("",)


def _common(
    settings: Settings, selection: Selection, starts: tuple[str, ...], seeds: range
) -> dict[str, Any]:
    family = family_of(settings)
    return {
        "data": family.data(selection),
        "weights": family.weights(selection),
        "weights_kind": selection.weights_kind,
        "whole": selection.whole,
        "starts": starts,
        "seeds": seeds,
        "tolerance": settings.tolerance,
        "max_iterations": settings.max_iterations,
    }


def _key(settings: Settings, table: Table, selection: Selection, common, asked) -> str:
    known = [common[name] for name in ("starts", "seeds", "tolerance", "max_iterations")]
    about = [
        *(table.fingerprint, selection.columns, selection.group_name, settings.family),
        *(selection.weight_name, selection.weights_kind),
        *(settings.standardise, settings.missing),
    ]
    return hashlib.sha256(repr([*about, *known, asked]).encode()).hexdigest()[:16]
