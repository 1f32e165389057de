"""What a row of the table of families says: see `families.py`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NamedTuple, Protocol

import numpy as np
import pandas as pd

from em_core.models.factor_analysis.summaries import GoodnessOfFit
from pages.ui.pictures.picture import Picture, Scene
from pages.ui.tables.columns import ColumnReport, anything
from pages.ui.tables.selection import Selection
from pages.ui.text import component_names

EXPLICIT = "parameters"
MOST_ITEMS = 100


class Choices(Protocol):
    """What a family reads of the settings: they are a table of their own, which offers families."""

    @property
    def family(self) -> str: ...

    @property
    def example(self) -> str: ...

    @property
    def n_components(self) -> int: ...

    @property
    def n_factors(self) -> int: ...

    @property
    def covariance(self) -> str: ...

    @property
    def degrees(self) -> str: ...

    @property
    def transitions(self) -> str: ...

    @property
    def initial(self) -> str: ...

    @property
    def standardise(self) -> bool: ...

    @property
    def axes(self) -> str: ...

    @property
    def rotation(self) -> str: ...

    @property
    def names(self) -> tuple[str, ...]: ...


class Family(NamedTuple):
    """One family of models.

    build(settings): the em_core model; code(settings): the same as Python source.
    controls: the fields of Settings it shows, each with what its values mean, where that needs
        saying; labels: what a field is called here, where that is not its usual label.
    size: the field that says how large a model is; structure: the one that says how constrained.
    test_of_fit(params, data, weights, their kind): whether the size suffices, where there is such a
        test.
    most_factors(number of columns): how many factors these can tell; None for one without factors.
    title: what it is called in headings, where that is not what stands before a colon in its label.
    use: what a column it is fitted to is called, of `roles.FITTED`.
    unit: what its components are called; "" where rows belong to none.
    starts: methods by name, each with one plain line on what it does; parameters: names of the
        arrays that `model.params` takes.
    takes(report): whether a column can be used; why_not(report): why it cannot; prefers(report):
        whether it is one of those chosen at first, of which there are at most most_columns.
    read(table, columns, label column, group column, holes): the rows and columns it is fitted to;
        holes: whether it can use rows with missing values.
    grouping: what rows are grouped into; "" for nothing. alone: whether it can do without.
    data(selection): the rows as the model takes them.
    examples: data sets. views: which of the axes in Settings it can be drawn on, the usual first.
    picture(scene): the picture, and which half-step each of its frames shows.
    tables(model, params, selection, settings): parameters as tables, each with its title;
    point(model, params, data, selection, index, names): the formula of a row's posterior, and its
        terms; names: what components are called.
    profile(model, params, data, selection, settings): what sets components, factors or groups
        apart, a `profiles.Profile`; None where the model does not say.
    results(model, params, data, selection, settings): further columns of the table that a person
        takes away, (N,) each.
    """

    label: str
    build: Callable[[Choices], Any]
    code: Callable[[Choices], str]
    controls: Mapping[str, Mapping[str, str]]
    starts: Mapping[str, str]
    parameters: tuple[str, ...]
    takes: Callable[[ColumnReport], bool]
    read: Callable[..., Selection]
    examples: tuple[str, ...]
    picture: Callable[[Scene], tuple[Picture, np.ndarray]]
    tables: Callable[[Any, Any, Selection, Choices], list[tuple[str, pd.DataFrame]]]
    results: Callable[..., dict[str, np.ndarray]]
    point: Callable[..., tuple[str, pd.DataFrame]] | None = None
    profile: Callable[..., Any] | None = None
    test_of_fit: Callable[..., GoodnessOfFit] | None = None
    most_factors: Callable[[int], int] | None = None
    labels: Mapping[str, str] = {}
    title: str = ""
    size: str | None = "n_components"
    structure: str | None = None
    use: str = "measurement"
    unit: str = "component"
    why_not: Callable[[ColumnReport], str] = lambda report: report.why_not
    prefers: Callable[[ColumnReport], bool] = anything
    most_columns: int = 8
    holes: bool = True
    grouping: Literal["", "sequence", "group"] = ""
    alone: bool = True
    data: Callable[[Selection], Any] = lambda selection: selection.values
    views: tuple[str, ...] = ()

    def weights(self, selection: Selection) -> np.ndarray | None:
        """The weights as the model takes them: of every row, or of every group or sequence."""
        return selection.weights_of_parts if self.grouping else selection.weights

    @property
    def heading(self) -> str:
        """What it is called in a heading: without what is explained in its label."""
        return self.title or self.label.partition(":")[0]

    def components(self, model, given: Sequence[str] = ()) -> tuple[str, ...]:
        """What the components of a model are called, () where it has none. given: as of
        `component_names`."""
        number = getattr(model, "n_components", getattr(model, "n_states", 0))
        return component_names(number, self.unit, given) if self.unit else ()


def listed(names: Sequence[str], last: str = "and") -> str:
    """Names in a sentence: "a, b and c"; "" for none."""
    *others, end = names or [""]
    return f"{', '.join(others)} {last} {end}" if others else end


def meanings(starts) -> dict[str, str]:
    return {name: getattr(start, "meaning", start) for name, start in starts.items()}


def explicit(parameters: tuple[str, ...]) -> dict[str, str]:
    return {EXPLICIT: f"{listed(parameters).replace('_', ' ')} you give"}
