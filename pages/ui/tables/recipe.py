"""How a table was read, as Python that reads it so again: part of the script a person takes away.

This is the one place that knows. What a person was asked about a file is an argument of
`read_table`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from pages.ui.tables.answers import AS_IT_IS
from pages.ui.tables.preparation.step import Step
from pages.ui.tables.preparation.table import write_steps
from pages.ui.tables.preparation.time_order import TimeOrder
from pages.ui.tables.table import DataError, Table
from pages.ui.tables.writing import HALF_STEP, free_name


class Recipe(NamedTuple):
    """Lines that leave the frame of a table, cell by cell, in `table`.

    needs: the file that must be there first, and how to come by it, as a sentence.
    """

    needs: str
    imports: tuple[str, ...]
    lines: tuple[str, ...]


def recipe_of(table: Table, steps: Sequence[Step], download: str) -> Recipe:
    """The recipe for a table that a person brought, after these steps of preparation.

    From the file it came from, by the very function that read it: pandas has rules of its own for
    missing words, marks and codes. A table without a file (pasted, or from a link) is read from the
    rows taken away as Parquet, a file called `download`: those are prepared already.
    """
    if table.file:
        answers, more = "", []
        if table.reading != AS_IT_IS:
            answers = f", {table.reading.code}"
            more = ["from pages.ui.tables.answers import Reading"]
        imports, made = after(
            steps, f"read_table({table.file!r}, Path({table.file!r}).read_bytes(){answers})"
        )
        return Recipe(
            f"The file {table.file!r} as it was loaded, in the folder where you run this.",
            (
                "from pathlib import Path",
                *more,
                *imports,
                "from pages.ui.tables.reading import read_table",
            ),
            (
                f"read = {made}",
                f"assert read.fingerprint == {table.fingerprint!r}, 'another file'",
                f"table = read.taken_frame.copy(){_count(table)}"
                if steps
                else "table = read.frame",
            ),
        )
    more, lines = _taken(table, steps)
    return Recipe(
        f"The file {download!r}, in the folder where you run this: the page's download “Rows with "
        "results (Parquet)”.",
        (
            "from pathlib import Path",
            *more,
            "from pages.ui.tables.writing import from_parquet_bytes",
        ),
        (f"table = from_parquet_bytes(Path({download!r}).read_bytes())", *lines),
    )


def _taken(table: Table, steps: Sequence[Step]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Imports and lines that leave the rows used of all that were taken away, in their order."""
    in_order = [step for step in steps if isinstance(step, TimeOrder) and table.clock][-1:]
    if in_order and not _is_again(table, in_order[0]):
        # Another step has changed the times since; what was taken away are those after it.
        used = ", ".join(map(str, table.taken))
        return (), (f"table = table.iloc[[{used}]].reset_index(drop=True)",)
    imports, lines = (), ()
    if table.left_out:
        # The results stand beside the rows that were used.
        beside = free_name(HALF_STEP, table.frame)
        lines = (f"table = table[table[{beside!r}].notna()].reset_index(drop=True)",)
    if in_order:
        imports, made = after(in_order, "Table('', table, (), '')")
        imports = (*imports, "from pages.ui.tables.table import Table")
        lines = (*lines, f"table = {made}.taken_frame.copy()")
    return imports, lines


def _is_again(table: Table, step: TimeOrder) -> bool:
    """Whether the times as they are give the order in which the rows are taken."""
    used = np.sort(table.taken)
    try:
        found = step.apply(Table("", table.frame.iloc[used], (), ""))
    except DataError:
        return False
    return np.array_equal(used[found.taken], table.taken)


def _count(table: Table) -> str:
    """A comment on how many rows are left; "" where all are."""
    if not table.left_out:
        return ""
    return f"  # {len(table.taken):,} of {len(table.frame):,} rows"


def after(steps: Sequence[Step], made: str) -> tuple[tuple[str, ...], str]:
    """Imports and an expression for a table after steps; made: an expression for it before them."""
    if not steps:
        return (), made
    imports = ("from pages.ui.tables.preparation.table import prepared, read_steps",)
    return imports, f"prepared({made}, read_steps({write_steps(steps)!r}))"
