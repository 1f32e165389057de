"""How a table was read, as Python that reads it so again: part of the script a person takes away.

This is the one place that knows. What reading a file comes to ask of a person is an argument of
`read_table`, and belongs into the line here that calls it.
"""

from __future__ import annotations

from typing import NamedTuple

from pages.ui.tables.table import Table


class Recipe(NamedTuple):
    """Lines that leave the frame of a table, cell by cell, in `table`.

    needs: the file that must be there first, and how to come by it, as a sentence.
    """

    needs: str
    imports: tuple[str, ...]
    lines: tuple[str, ...]


def recipe_of(table: Table, download: str) -> Recipe:
    """The recipe for a table that a person brought.

    From the file it came from, by the very function that read it: pandas has rules of its own for
    missing words, marks and codes. A table without a file (pasted, or from a link) is read from the
    rows taken away as Parquet, a file called `download`.
    """
    if table.file:
        return Recipe(
            f"The file {table.file!r} as it was loaded, in the folder where you run this.",
            ("from pathlib import Path", "from pages.ui.tables.reading import read_table"),
            (
                f"read = read_table({table.file!r}, Path({table.file!r}).read_bytes())",
                f"assert read.fingerprint == {table.fingerprint!r}, 'another file'",
                "table = read.frame",
            ),
        )
    return Recipe(
        f"The file {download!r}, in the folder where you run this: the page's download “Rows with "
        "results (Parquet)”.",
        ("from pathlib import Path", "from pages.ui.tables.writing import from_parquet_bytes"),
        (f"table = from_parquet_bytes(Path({download!r}).read_bytes())",),
    )
