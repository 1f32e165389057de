"""Small files that would be large as text are refused, with a sentence and soon."""

import io
from collections.abc import Callable

import numpy as np
import openpyxl
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest
from openpyxl.worksheet.cell_range import CellRange

from pages.ui.tables.packing import to_text
from pages.ui.tables.reading import read_table
from pages.ui.tables.table import DataError

ROWS = 4_000


def lists(kind: pa.DataType, each: int) -> pa.Array:
    offsets = pa.array(np.arange(ROWS + 1, dtype=np.int32) * each)
    zeros = pa.array(np.zeros(ROWS * each, np.int8))
    values = pa.nulls(ROWS * each) if pa.types.is_null(kind) else zeros.cast(kind)
    return pa.ListArray.from_arrays(offsets, values)


def structure(name_length: int) -> pa.Array:
    return pa.StructArray.from_arrays([pa.array(np.zeros(ROWS, np.int8))], ["n" * name_length])


def of_feather(column: pa.Array) -> bytes:
    buffer = io.BytesIO()
    feather.write_feather(pa.table({"x": column}), buffer, compression="zstd")
    return buffer.getvalue()


def of_parquet(column: pa.Array) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.table({"x": column}), buffer, compression="zstd")
    return buffer.getvalue()


def merged(ranges: int, text: str) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append([f"c{j}" for j in range(20)])
    for _ in range(2_000):
        sheet.append([1.5] * 20)
    sheet["A2"] = text
    for place in range(ranges):
        sheet.merged_cells.ranges.add(CellRange(f"A2:S{2001 - place}"))
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


BOMBS: dict[str, Callable[[], tuple[str, bytes]]] = {
    "bits": lambda: ("b.feather", of_feather(lists(pa.bool_(), 1_400))),
    "bytes": lambda: ("b.feather", of_feather(lists(pa.int8(), 3_000))),
    "nothing": lambda: ("b.feather", of_feather(lists(pa.null(), 1_400))),
    "bits in Parquet": lambda: ("b.parquet", of_parquet(lists(pa.bool_(), 1_400))),
    "a member's name": lambda: ("b.parquet", of_parquet(structure(9_000))),
    "a member's name in Feather": lambda: ("b.feather", of_feather(structure(9_000))),
    "a merged text": lambda: ("b.xlsx", merged(1, "x" * 2_000)),
    "many merged ranges": lambda: ("b.xlsx", merged(100, "x")),
    "a text in every row": lambda: ("b.parquet", of_parquet(pa.array(["x" * 9_000] * ROWS))),
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_what_a_small_file_would_become_is_counted(bomb: str) -> None:
    name, content = BOMBS[bomb]()
    assert len(content) < 200_000
    with pytest.raises(DataError, match=r"too large as text|too much for this page|more than 1,"):
        read_table(name, content)


def test_nested_values_of_a_usual_size_are_read_as_text() -> None:
    column = pa.array([[True, None], [], None, [False]])
    for name, content in (("t.feather", of_feather(column)), ("t.parquet", of_parquet(column))):
        table = read_table(name, content)
        assert table.frame["x"].tolist()[0] == "[True, None]" and table.frame["x"].isna().sum() == 1


def test_merged_cells_of_a_usual_size_have_the_value_of_all() -> None:
    frame = read_table("t.xlsx", merged(1, "x")).frame
    assert frame.iloc[:, 0].eq("x").all() and frame.iloc[:, 18].eq("x").all()


def test_a_table_far_too_large_for_a_link_is_not_even_written() -> None:
    table = read_table(
        "t.csv", b"x,y\n" + b"".join(b"%d,%s\n" % (i, b"t" * 9_000) for i in range(3000))
    )
    assert to_text(table) is None
