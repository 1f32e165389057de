"""What the emission of a component says of each column: asked of it, never of its parameters."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from em_core.protocols import Columns, Levels, optional


def says_columns(model) -> bool:
    """Whether a model has components that say what single columns are like."""
    return isinstance(optional(model, "emission"), Columns)


def moments(model, params) -> tuple[np.ndarray, np.ndarray]:
    """Means and standard deviations (K, D) of the columns under a model's parameters."""
    emission, of_emission = model.emission, params.emission
    return emission.column_means(of_emission), emission.column_deviations(of_emission)


def has_levels(model) -> bool:
    """Whether columns are items of several levels: more than the chance of a yes."""
    return isinstance(model.emission, Levels) and not model.emission.binary


def is_binary(model) -> bool:
    """Whether columns are items answered 0 or 1."""
    return isinstance(model.emission, Levels) and model.emission.binary


def cells(
    model, params, columns: Sequence[str], levels: Sequence[Sequence[str]] = ()
) -> tuple[tuple[str, ...], np.ndarray]:
    """What is said of a component column by column: names of the P cells, and their values (K, P).

    Of items the probabilities of their levels (of binary ones, of 1), of all else the means.
    levels: for each column the names of its levels, if they have names.
    """
    if not has_levels(model):
        values = model.emission.column_means(params.emission)
        if not is_binary(model):
            return tuple(columns), values
        names = tuple(
            f"{column} = {answer_name(levels, d)}" if levels and levels[d] else column
            for d, column in enumerate(columns)
        )
        return names, values
    chances = model.emission.level_probabilities(params.emission)
    names = tuple(
        f"{column} = {level_name(levels, d, level)}"
        for d, (column, of_column) in enumerate(zip(columns, chances, strict=True))
        for level in range(of_column.shape[1])
    )
    return names, np.concatenate(chances, axis=1)


def level_name(levels: Sequence[Sequence[str]], column: int, level: int) -> str:
    named = column < len(levels) and level < len(levels[column])
    return levels[column][level] if named else str(level)


def answer_name(levels: Sequence[Sequence[str]], column: int) -> str:
    """What the answer 1 to a yes-or-no item is called."""
    if levels and len(levels[column]) == 1:
        return f"not {levels[column][0]}"
    return level_name(levels, column, 1)
