"""Reading a file or a stored table, as a job for a process: whatever it holds, it cannot fill the
server."""

from collections.abc import Generator

from pages.ui.tables.answers import AS_IT_IS, Reading
from pages.ui.tables.packing import from_parquet
from pages.ui.tables.parquet import TooLong
from pages.ui.tables.reading import read_table
from pages.ui.tables.saved_work import SavedWork
from pages.ui.tables.saved_work import unpack as unpack_work
from pages.ui.tables.table import DataError, Table
from pages.ui.tables.uploaded import Kept, Uploads

_TOO_MUCH = "takes more memory to read than one file may have here: use fewer rows or columns."


def read(
    filename: str, content: bytes, reading: Reading = AS_IT_IS, uploads: Uploads | None = None
) -> Generator[float, None, Table | Kept | str]:
    """The table in a file, or the sentence that says why there is none.

    uploads: where a Parquet file goes that is too long for a table.
    """
    yield 0.0
    try:
        try:
            return read_table(filename, content, reading)
        except TooLong:
            if uploads is None:
                raise
            return uploads.keep(filename, content)
    except DataError as error:
        return str(error)


def unpack(content: bytes) -> Generator[float, None, Table | str]:
    """The table that was stored as these bytes, or the sentence that says why there is none."""
    yield 0.0
    try:
        return from_parquet(content)
    except DataError as error:
        return str(error)
    except MemoryError:
        return f"The stored table {_TOO_MUCH}"


def open_work(content: bytes) -> Generator[float, None, SavedWork | str]:
    """The work that was saved as these bytes, or the sentence that says why there is none."""
    yield 0.0
    try:
        return unpack_work(content)
    except DataError as error:
        return str(error)
    except MemoryError:
        return f"The saved work {_TOO_MUCH}"
