"""What a data set on the server is: Parquet files, known by what stands in their footers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from em_core.partitions.partitions import Partitions


class DataSet(NamedTuple):
    """root: the folder, file or address that holds its rows. columns: each with its type, in the
    words of Parquet. numbers: those that hold numbers. files: a fingerprint of the files."""

    name: str
    root: str
    n_rows: int
    n_files: int
    columns: tuple[tuple[str, str], ...]
    numbers: tuple[str, ...]
    files: str

    def read(
        self, columns: Sequence[str], weights: str | None = None, filters: Any = None
    ) -> Partitions:
        """Some of its columns in pieces. Raises ValueError or OSError where it has changed."""
        return Partitions.from_parquet(self.root, list(columns), weights, filters)


class Whole(NamedTuple):
    """A data set and its columns of numbers, of which the sample and the totals are known."""

    data_set: DataSet
    rows: Partitions

    def as_it_is(self, columns: Sequence[str]) -> Partitions | None:
        """Some columns with all rows, without reading them again; None where rows must be left
        out."""
        some = self.rows.only([self.rows.names.index(name) for name in columns])
        totals = some.first_pass().columns
        finite = np.isfinite(totals.lowest).all() and np.isfinite(totals.highest).all()
        return some if totals.complete and finite else None


def can_be_used(columns: Sequence[str], holes: bool, weights: str = "") -> Any:
    """Which rows a model takes, as an expression of PyArrow: those without an infinite number that
    have a number in every column, or with holes in one at least; and a weight, if there are any."""
    from functools import reduce
    from operator import and_, or_

    from pyarrow import compute

    def there(name: str) -> Any:
        column = compute.field(name).cast("double", safe=False)
        return column.is_valid() & ~compute.is_nan(column)

    def finite(name: str) -> Any:
        column = compute.field(name).cast("double", safe=False)
        return column.is_null() | ~compute.is_inf(column)

    some = reduce(or_ if holes else and_, map(there, columns))
    used = reduce(and_, map(finite, columns), some)
    return used & there(weights) & finite(weights) if weights else used
