"""What steps of preparation mean for the numbers of a fit, in sentences."""

from __future__ import annotations

from collections.abc import Sequence

from pages.ui.tables.preparation.filtering import Filter
from pages.ui.tables.preparation.step import Step
from pages.ui.tables.preparation.table import for_new_rows
from pages.ui.tables.preparation.transformed_column import ALONG_TIME, Transform
from pages.ui.tables.selection import Selection
from pages.ui.tables.table import Table


def rows_said(table: Table) -> str:
    """Which rows are left, by which conditions, in which order; "" for all as in the file."""
    said = []
    if table.left_out:
        reasons = "; ".join(dict.fromkeys(out.reason for out in table.left_out))
        said.append(f"{len(table.taken):,} of {len(table.frame):,} rows are used ({reasons}).")
    if table.clock is not None:
        said.append(f"Rows are in the order of {table.clock.name}, oldest first.")
    return " ".join(said)


def new_rows_said(steps: Sequence[Step], columns: Sequence[str]) -> str:
    """What rows of another table go through before a model of these columns scores them."""
    said = []
    if taken := for_new_rows(steps, columns):
        told = " ".join(step.told() for step in taken)
        said.append(f"The new rows take the same steps of preparation: {told}")
    if any(isinstance(step, Filter) for step in steps):
        said.append("All new rows are scored: filters are for the rows that were fitted.")
        places = [place for place, step in enumerate(steps) if isinstance(step, Filter)]
        over_gaps = [
            step.name
            for step in steps[places[0] :]
            if isinstance(step, Transform) and step.how in ALONG_TIME and step.name in columns
        ]
        if over_gaps:
            said.append(
                f"So {_listed(over_gaps)} goes from each new row to the next, where in the fit it "
                "went from one row that the filter left to the next: take the others out of the "
                "new rows, if that is not what you mean."
            )
    if any(isinstance(step, Transform) for step in taken):
        said.append("Log densities are of the columns as they are transformed.")
    return " ".join(said)


def units_said(selection: Selection) -> str:
    """In which units means and covariances are."""
    if not any(selection.scales):
        return "in the original units"
    made = [scale.column for scale in selection.scales if scale is not None]
    own = f"{_listed(made)} on {'its' if len(made) == 1 else 'their'} own scale"
    return own if all(selection.scales) else f"{own}, the rest in the original units"


def scales_said(selection: Selection) -> list[str]:
    """On which scale the columns are, and what that means for log-likelihoods."""
    smooth, apart = [], []
    for scale, how in zip(
        selection.scales, selection.transformations or [""] * len(selection.scales), strict=True
    ):
        if scale is not None:
            (smooth if how else apart).append(scale)
    said = []
    if smooth:
        said.append(
            f"{_listed([scale.column for scale in smooth])}: means and covariances are on this "
            "scale. Log-likelihoods, criteria and held-out scores are those of "
            f"{_listed([scale.of for scale in smooth])}: the Jacobian of all values there is in "
            "them, so fits on other scales can be compared."
        )
        if any(scale.how == "sqrt" for scale in smooth):
            said.append(
                "Of a square root what the model puts below 0 counts for nothing, and its standard "
                "deviation has no counterpart before it."
            )
    if apart:
        said.append(
            f"Log-likelihoods of {_listed([scale.column for scale in apart])} can't be compared "
            f"with those of {_listed([scale.of for scale in apart])}."
        )
    return said


def _listed(names: list[str]) -> str:
    *others, end = dict.fromkeys(names)
    return f"{', '.join(others)} and {end}" if others else end
