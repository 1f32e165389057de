"""What a file leaves open is asked beside its table; everything else works meanwhile."""

import io
import json
import re
from pathlib import Path
from urllib.parse import parse_qs

import numpy as np
import openpyxl
import pandas as pd
import pyarrow as pa
import pyreadstat
import pytest
from pyarrow import parquet

from pages.ui.tables.answers import Reading
from support.tables import TABLES
from support.visitor import Visitor

pytestmark = pytest.mark.slow

MIXTURE = "m=gaussian-mixture&k=1"
JSON = "Parameters and trace (JSON)"


def brought(app: str, name: str, query: str = MIXTURE, content: bytes | None = None) -> Visitor:
    """A visitor who has loaded one of the small tables."""
    (path,) = TABLES.glob(f"{name}-*")
    visitor = Visitor(app, f"v=1&s=table&{query}")
    visitor.upload("Upload a table", path.name, path.read_bytes() if content is None else content)
    visitor.settle()
    return visitor


def reading_in(query: str) -> Reading:
    return Reading.from_text(parse_qs(query).get("rd", [""])[0])


def means(visitor: Visitor) -> list[float]:
    return json.loads(visitor.download(JSON))["means"][0]


def test_01b_is_shown_and_fitted_while_two_columns_wait_for_an_answer(app: str) -> None:
    visitor = brought(app, "01b")
    assert means(visitor) == pytest.approx([23.849167], abs=1e-6)
    assert re.search(r"Breite has numbers such as 48\.130", visitor.said)
    assert re.search(r"^Breite\t\topen\t", visitor.said, re.MULTILINE)
    visitor.click("48\\.130 is 48\\.13")
    visitor.settle()
    reading = Reading(marks=(("Breite", "."),))
    assert reading_in(visitor.written) == reading
    assert "Breite has numbers" not in visitor.said and "Einwohner has numbers" in visitor.said
    assert means(visitor) == pytest.approx([48.1355, 23.849167], abs=1e-4)
    visitor.click("1\\.204 is 1,204")
    visitor.settle()
    found = visitor.written
    both = Reading(marks=(("Breite", "."), ("Einwohner", ",")))
    assert reading_in(found) == both
    numbers = means(visitor)
    assert numbers == pytest.approx([48.1355, 23.849167, 6742.5], abs=1e-4)
    visitor.close()
    # Whoever gets the link sees the table; the file itself is then read by the same answers.
    visitor = Visitor(app, found)
    visitor.settle()
    assert means(visitor) == numbers
    (path,) = TABLES.glob("01b-*")
    visitor.upload("Upload a table", path.name, path.read_bytes())
    visitor.settle()
    assert means(visitor) == numbers and reading_in(visitor.written) == both
    visitor.close()


def test_03b_lines_that_are_no_rows_are_left_out_and_put_back_by_hand(app: str) -> None:
    visitor = brought(app, "03b")
    assert means(visitor) == pytest.approx([12.25, 86.5])
    assert "3 lines above the names are not read." in visitor.said
    assert "Line 16, 'Total', sums up the rows above: not read." in visitor.said
    visitor.open("Change how the file is read")
    assert "Line 1: Report: Lab 7" in visitor.said.replace("  ", " ")
    visitor.enter("Last row: line", 16)
    visitor.settle()
    assert means(visitor) == pytest.approx([22.2727, 157.2727], abs=1e-4)
    assert reading_in(visitor.written) == Reading(last=16)
    visitor.close()


def test_06_a_word_for_missing_becomes_an_answer(app: str) -> None:
    visitor = brought(app, "06", "m=categorical-mixture&k=1")
    assert "'NA' 10 times in 'country'" in visitor.said
    visitor.open("Change how the file is read")
    assert "“NA” in country counts as missing." in visitor.said
    visitor.press("It is an answer")
    visitor.run()
    visitor.settle()
    assert reading_in(visitor.written) == Reading(answers=("country",))
    assert "p of country = NA" in visitor.said
    visitor.close()


def test_a_file_of_spss_comes_with_its_labels(app: str, tmp_path: Path) -> None:
    frame = pd.DataFrame({"sex": [1, 2, 1, 2] * 6, "mood": [1, 2, 3, 9] * 6, "x": range(24)})
    pyreadstat.write_sav(
        frame,
        tmp_path / "survey.sav",
        column_labels={"sex": "What is your sex?"},
        variable_value_labels={"sex": {1: "male", 2: "female"}},
        missing_ranges={"mood": [9]},
    )
    visitor = Visitor(app, "v=1&s=table&m=categorical-mixture&k=1")
    visitor.upload("Upload a table", "survey.sav", (tmp_path / "survey.sav").read_bytes())
    visitor.settle()
    assert "What is your sex?" in visitor.said
    assert "The file declares as missing: 9 in 'mood' (6 cells)." in visitor.said
    assert "sex 1 = male, 2 = female" in visitor.said
    visitor.press("Use these names")
    visitor.run()
    visitor.settle()
    assert "female: 12, male: 12" in visitor.said
    visitor.close()


def test_a_file_that_ends_the_process_that_reads_it_costs_one_sentence(app: str) -> None:
    visitor = Visitor(app, f"v=1&s=table&{MIXTURE}")
    visitor.upload("Upload a table", "x.sav", b"$FL2@(#) SPSS DATA FILE" + bytes(range(256)) * 40)
    visitor.settle()
    assert "x.sav" in visitor.said and "Something went wrong" not in visitor.said
    visitor.close()


def test_a_large_file_is_read_with_a_line_that_says_so(app: str) -> None:
    rows = "1.25,2.5,-3.75,yes,2024-01-01\n2.5,1.25,4.5,no,2024-01-02\n" * 300_000
    visitor = Visitor(app, "v=1&s=table&m=gaussian-mixture&k=1")
    visitor.upload("Upload a table", "large.csv", f"a,b,c,d,e\n{rows}".encode())
    visitor.settle()
    assert b"Reading large" in visitor.received
    # The page itself says so too: on a phone the sidebar is out of sight.
    assert b"is being read" in visitor.received
    assert "600,000 rows, 5 columns" in visitor.said and means(visitor)[0] == 1.875
    visitor.close()


def test_another_sheet_and_a_line_that_is_none(app: str) -> None:
    book = openpyxl.Workbook()
    for row in (["x", "y"], [1, 2.5], [2, 3.5], [4, 1.5], [5, 7]):
        book.active.append(row)
    sheet = book.create_sheet("Other")
    for row in (["u", "v"], [10, 25], [20, 35], [40, 15]):
        sheet.append(row)
    buffer = io.BytesIO()
    book.save(buffer)
    visitor = Visitor(app, f"v=1&s=table&{MIXTURE}&cov=diag")
    visitor.upload("Upload a table", "book.xlsx", buffer.getvalue())
    visitor.settle()
    assert means(visitor) == pytest.approx([3, 3.625])
    visitor.open("Change how the file is read")
    visitor.pick("Sheet", "Other")
    visitor.settle()
    assert means(visitor) == pytest.approx([70 / 3, 25])
    assert reading_in(visitor.written) == Reading(sheet="Other")
    visitor.open("Change how the file is read")
    visitor.enter("First row: line", 900)
    visitor.settle()
    assert "no rows in the lines chosen" in visitor.said and means(visitor) == pytest.approx(
        [70 / 3, 25]
    )
    visitor.close()


def test_a_long_text_that_a_small_file_names_in_every_row_is_not_sent_whole(app: str) -> None:
    """Parquet holds it once; cut texts say so by their end."""
    text = pa.array(["z" * 2**20] * 30).dictionary_encode()
    file = io.BytesIO()
    parquet.write_table(pa.table({"x": text, "y": np.arange(30) % 7}), file, compression="zstd")
    assert len(file.getvalue()) < 2_000
    visitor = Visitor(app, "v=1&s=table&m=gaussian-mixture&k=1")
    visitor.upload("Upload a table", "long.parquet", file.getvalue())
    visitor.settle()
    assert "30 rows, 2 columns" in visitor.said and f"{'z' * 1000}…" in visitor.said
    assert len(visitor.received) < 3_000_000
    visitor.close()


def test_a_file_that_is_brought_with_an_answer_about_the_one_before_is_read(app: str) -> None:
    """A browser sends what its widgets were on the page that it has drawn so far."""

    def content(end: float) -> bytes:
        lines = [f"{i % 13},{i * end}" for i in range(60)]
        return "\n".join(["a,b", *lines]).encode()

    visitor = Visitor(app, "v=1&s=table&k=1")
    for number in (1, 2, 3):
        visitor.upload("Upload a table", f"t{number}.csv", content(1 + number))
        visitor.settle()
        assert f"In use: t{number}.csv." in visitor.said
        visitor.open("Change how the file is read")
        visitor.enter("Last row: line", 51)
        visitor.settle()
        assert "50 rows" in visitor.said
    visitor.close()
