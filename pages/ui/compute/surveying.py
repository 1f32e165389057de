"""First passes over a data set on the server, as jobs for a process."""

from __future__ import annotations

from collections.abc import Generator

from em_core.partitions.overview import Overview
from em_core.partitions.partitions import NoRows, Partitions
from pages.ui.compute.going_over import going_over, readable
from pages.ui.tables.data_set import DataSet, can_be_used

# Columns that are looked at in one pass: what a process holds of them is bounded.
AT_ONCE = 8


def survey(data_set: DataSet) -> Generator[float, None, Partitions]:
    """All columns of numbers, with their sample and totals known."""
    yield 0.0
    rows = data_set.read(data_set.numbers)
    known: Overview | None = None
    for start in range(0, rows.n_columns, AT_ONCE):
        some = rows.only(range(start, min(start + AT_ONCE, rows.n_columns)))
        with going_over(some) as over:
            found = over.rows.first_pass()
        known = found if known is None else known.beside(found)
        yield (start + AT_ONCE) / rows.n_columns
    assert known is not None, "there are columns"
    return rows.knowing(known)


def used_rows(
    data_set: DataSet, columns: tuple[str, ...], holes: bool, weights: str
) -> Generator[float, None, Partitions]:
    """Some columns without the rows that a model cannot use, with sample and totals known.

    Raises ValueError, with a sentence, where none is left.
    """
    yield 0.0
    try:
        with readable():
            rows = data_set.read(columns, weights or None, can_be_used(columns, holes, weights))
    except NoRows:
        why = "all are missing, or one is infinite" if holes else "one is missing or infinite"
        raise ValueError(
            f"No row can be used with the columns {', '.join(map(repr, columns))}: in each row "
            f"{why}. Leave out the columns that have no numbers."
        ) from None
    yield 0.5
    with going_over(rows) as over:
        return rows.knowing(over.rows.overview())
