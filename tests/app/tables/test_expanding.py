"""What is large only as text, or as the value of merged cells, is read where it is of a usual size.

What is not is in `support/bombs.py`.
"""

import pyarrow as pa
import pytest

from pages.ui.tables import long_texts
from pages.ui.tables.packing import to_text
from pages.ui.tables.reading import read_table
from pages.ui.tables.table import DataError
from support.bombs import arrow, merged, parquet


def test_nested_values_of_a_usual_size_are_read_as_text() -> None:
    column = {"x": pa.array([[True, None], [], None, [False]])}
    for name, content in (("t.feather", arrow(column)), ("t.parquet", parquet(column))):
        cells = read_table(name, content).frame["x"]
        assert cells[0] == "[True, None]" and cells.isna().tolist() == [False, False, True, False]


def test_merged_cells_of_a_usual_size_have_the_value_of_all() -> None:
    frame = read_table("t.xlsx", merged(1, "x")).frame
    assert frame.iloc[:, 0].eq("x").all() and frame.iloc[:, 18].eq("x").all()


def test_more_text_than_any_text_file_has_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(long_texts, "MAX_BYTES", 2_000)
    words = {"x": [f"{i:010}" for i in range(200)]}
    assert len(read_table("t.parquet", parquet(words)).frame) == 200
    with pytest.raises(DataError, match=r"'t.parquet' holds 0 MB of text .* leave out columns of"):
        read_table("t.parquet", parquet({"x": [*words["x"], "y"]}))


def test_a_table_far_too_large_for_a_link_is_not_even_written() -> None:
    rows = b"".join(b"%d,%s\n" % (i, b"t" * 9_000) for i in range(3_000))
    assert to_text(read_table("t.csv", b"x,y\n" + rows)) is None
