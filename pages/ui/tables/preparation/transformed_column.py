"""A column made of another: on another scale, as ranks, or as changes along time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd

from em_core import TRANSFORMATIONS
from pages.ui.tables.table import DataError, Scale, Table, require_columns
from pages.ui.text import counted, number

# What no density of the column before follows from: label and meaning.
APART: Mapping[str, tuple[str, str]] = {
    "ranks": ("rank of {}", "1 for the smallest; equal values share the mean of their ranks"),
    "difference": ("difference of {}", "from the row before, along time"),
    "return": ("return of {}", "relative change from the row before, along time"),
    "log_return": ("log return of {}", "difference of logarithms, along time"),
}
ALONG_TIME = ("difference", "return", "log_return")
LABELS = {name: how.label for name, how in TRANSFORMATIONS.items()}
LABELS |= {name: label for name, (label, _) in APART.items()}
MEANINGS = {name: how.meaning for name, how in TRANSFORMATIONS.items()}
MEANINGS |= {name: meaning for name, (_, meaning) in APART.items()}
# What to do instead, where there is something.
INSTEAD = {"log": "use log(1 + x), ", "sqrt": "use log(1 + x), ", "logit": "use logit of percent, "}
MOST_NAMED = 3


class Transform(NamedTuple):
    """A further column beside one of numbers, made of it by one of `LABELS`.

    within: the column that says which sequence a row is in, for changes along time; "" for one.
    """

    column: str
    how: str
    within: str = ""

    def apply(self, table: Table) -> Table:
        self._check(table)
        name = self.name
        taken = table.taken
        values = table.frame[self.column].to_numpy(float, na_value=np.nan)
        made = np.full(len(values), np.nan)
        if self.how in TRANSFORMATIONS:
            how = TRANSFORMATIONS[self.how]
            self._refuse(
                taken[how.outside(values[taken])], values, _limits(how.lowest, how.highest)
            )
            made[taken] = how.of(values[taken])
        elif self.how == "ranks":
            made[taken] = pd.Series(values[taken]).rank()
        else:
            made[taken] = self._changes(table, taken, values)
        place = list(table.frame).index(self.column) + 1
        frame = table.frame.copy()
        frame.insert(place, name, made)
        units = table.units
        if units:
            unit = units[place - 1] if self.how == "difference" else ""
            units = (*units[:place], unit, *units[place:])
        scale = Scale(name, self.column, self.how if self.how in TRANSFORMATIONS else "")
        return table._replace(
            frame=frame,
            units=units,
            scales=(*table.scales, scale),
            parsing=(*table.parsing, self._fact(int(np.isfinite(made).sum()))),
        )

    @property
    def name(self) -> str:
        """What the new column is called."""
        return LABELS.get(self.how, "{}").format(self.column)

    def told(self) -> str:
        within = f" within {self.within}" if self.within else ""
        return f"{self.name}{within} beside {self.column}."

    def _fact(self, n_values: int) -> str:
        said = f"{self.told()} {counted(n_values, 'value')}."
        if self.how in APART:
            said += " Log-likelihoods of it can't be compared with those of other scales."
        return said

    def _check(self, table: Table) -> None:
        if self.how not in LABELS:
            raise DataError("There is no such transformation: choose one of those offered.")
        require_columns(table, (self.column, *[self.within] * bool(self.within)))
        values = table.frame[self.column]
        if not pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values):
            raise DataError(f"Column {self.column!r} doesn't hold numbers: choose one that does.")
        if scale := table.scale(self.column):
            raise DataError(
                f"Column {self.column!r} is transformed already: transform {scale.of!r} instead."
            )
        if self.name in table.frame:
            raise DataError(f"There is a column {self.name!r} already.")

    def _refuse(self, rows: np.ndarray, values: np.ndarray, limits: str) -> None:
        """Raises DataError where rows have values that can't be transformed."""
        if not len(rows):
            return
        first = ", ".join(
            f"{number(values[row], 6)} in row {row + 1:,}" for row in np.sort(rows)[:MOST_NAMED]
        )
        more = ", and more" if len(rows) > MOST_NAMED else ""
        raise DataError(
            f"{counted(len(rows), 'row')} of {self.column!r} can't be transformed, for it takes "
            f"numbers {limits}: {first}{more}. {INSTEAD.get(self.how, '').capitalize()}"
            f"{'or f' if self.how in INSTEAD else 'F'}ilter these rows out before, or declare such "
            "values missing."
        )

    def _changes(self, table: Table, taken: np.ndarray, values: np.ndarray) -> np.ndarray:
        """Of each row taken the change from the one before it in its sequence."""
        here = pd.Series(values[taken])
        if self.within:
            # A row without a sequence has none before it.
            before = here.groupby(table.frame[self.within].iloc[taken].to_numpy()).shift()
        else:
            before = here.shift()
        if self.how == "difference":
            return (here - before).to_numpy()
        bad = (here <= 0) | (before <= 0) if self.how == "log_return" else before == 0
        limits = "above 0" if self.how == "log_return" else "other than 0 in the row before"
        self._refuse(taken[bad.to_numpy()], values, limits)
        changes = np.log(here / before) if self.how == "log_return" else here / before - 1
        return changes.to_numpy()


def _limits(lowest: float, highest: float) -> str:
    if np.isinf(highest):
        return f"above {number(lowest)}"
    return f"between {number(lowest)} and {number(highest)}"
