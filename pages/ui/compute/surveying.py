"""First passes over a data set on the server, as jobs for a process."""

from __future__ import annotations

from collections.abc import Generator

from em_core.partitions.overview import Overview
from em_core.partitions.partitions import NoRows, Partitions
from em_core.partitions.sources import Levels, parquet_levels
from pages.ui.compute.going_over import going_over, readable
from pages.ui.tables.columns import MAX_LABELS
from pages.ui.tables.data_set import DataSet, Surveyed, can_be_used
from pages.ui.tables.levels import in_order

# Columns that are looked at in one pass: what a process holds of them is bounded.
AT_ONCE = 8


def survey(data_set: DataSet) -> Generator[float, None, Surveyed]:
    """All columns that can be used, with their sample and totals known."""
    yield 0.0
    levels = {}
    with readable():
        for name in data_set.texts:
            found = parquet_levels(data_set.root, name, MAX_LABELS)
            if found:
                levels[name] = tuple(in_order(found))
            yield 0.0
    rows = data_set.read((*data_set.numbers, *levels), levels=levels)
    known: Overview | None = None
    for start in range(0, rows.n_columns, AT_ONCE):
        some = rows.only(range(start, min(start + AT_ONCE, rows.n_columns)))
        with going_over(some) as over:
            found = over.rows.first_pass()
        known = found if known is None else known.beside(found)
        yield (start + AT_ONCE) / rows.n_columns
    assert known is not None, "there are columns"
    return Surveyed(rows.knowing(known), levels)


def levels_of(
    data_set: DataSet, columns: tuple[str, ...]
) -> Generator[float, None, dict[str, Levels]]:
    """The values that some columns have in all rows, in ascending order.

    Raises ValueError, with a sentence, where a column has too many.
    """
    found = {}
    for done, name in enumerate(columns):
        yield done / len(columns)
        with readable():
            levels = parquet_levels(data_set.root, name, MAX_LABELS)
        if levels is None:
            raise ValueError(
                f"Column {name!r} has more than {MAX_LABELS} different values in all rows: untick "
                "it."
            )
        found[name] = levels
    return found


def used_rows(
    data_set: DataSet,
    columns: tuple[str, ...],
    holes: bool,
    weights: str,
    levels: dict[str, Levels],
) -> Generator[float, None, Partitions]:
    """Some columns without the rows that a model cannot use, with sample and totals known.

    Raises ValueError, with a sentence, where none is left.
    """
    yield 0.0
    texts = [name for name in columns if name in data_set.texts]
    used = can_be_used(columns, holes, weights, texts)
    try:
        with readable():
            rows = data_set.read(columns, weights or None, used, levels)
    except NoRows:
        why = "all are missing, or one is infinite" if holes else "one is missing or infinite"
        raise ValueError(
            f"No row can be used with the columns {', '.join(map(repr, columns))}: in each row "
            f"{why}. Leave out the columns that have no numbers."
        ) from None
    yield 0.5
    with going_over(rows) as over:
        return rows.knowing(over.rows.overview())
