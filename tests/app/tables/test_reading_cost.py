"""What reading costs grows with the file and no faster, whatever the file holds."""

import gc
import json
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np
import pandas as pd
import pytest

from em_core import saved
from pages.ui.lessons.own_lesson import read_own
from pages.ui.state.kinds import JsonObject, Names, Points, Steps
from pages.ui.state.links import parse
from pages.ui.tables import column_names, columns, packing
from pages.ui.tables.preparation import codes, levels, long
from pages.ui.tables.reading import read_table
from pages.ui.tables.saved_work import SavedWork, pack, unpack
from pages.ui.tables.selection import select
from pages.ui.tables.table import DataError, Table
from support.bombs import sheet_of


def tried(content: bytes, name: str = "x.csv") -> None:
    with suppress(DataError):
        read_table(name, content)


def text(*lines: str) -> bytes:
    return "\n".join(lines).encode()


def described(n: int) -> None:
    table = read_table(
        "x.csv", text("when,what", *(f"2024-01-{i % 28 + 1:02},x{i}" for i in range(n)))
    )
    columns.describe_columns(table)


def grouped(n: int) -> None:
    rows = (f"{i // 3},{i},{i * 0.5}" for i in range(n))
    table: Table = read_table("x.csv", text("who,when,how", *rows))
    columns.suggest_sequences(table, columns.describe_columns(table))


def named(name: str) -> None:
    long.series_in([columns.describe(name, pd.Series([1.0, 2.0]))])


def suspected(n: int) -> None:
    """Columns of numbers, each with words of its own and a code, and columns of levels."""
    numbers = [*map(str, range(1, 15)), "99", "99"]
    own = ["".join(chr(ord("a") + int(digit)) for digit in str(i)) for i in range(n)]
    columns = {f"n{w}": pd.Series([*numbers, f"w{w}x", f"w{w}y"], dtype="str") for w in own}
    columns |= {f"c{i}": pd.Series([*range(1, 17), 99, 99]) for i in range(n)}
    columns |= {f"t{i}": pd.Series([f"A{i}", f"a{i}", f"B{i}"] * 6, dtype="str") for i in range(n)}
    table = Table("x", pd.DataFrame(columns), (), "")
    assert len(codes.find_codes(table)) == 2 * n + 1
    assert len(levels.spelt_alike(table)) == n


def left_out(n: int) -> None:
    """A hundred columns, of which no two rows lack the same."""
    values = np.full((n, 100), np.nan)
    values[np.arange(n), np.arange(n) % 100] = 1.0
    frame = pd.DataFrame(values, columns=[f"a rather long name {i}" for i in range(100)])
    frame.loc[0], frame.loc[1] = 1.0, 2.0
    select(Table("x", frame, (), ""), tuple(frame.columns))


def _listed(item: str, n: int) -> str:
    return f"[{','.join([item] * n)}]"


def _keyed(n: int, value: str) -> str:
    """An object of many names; each with a value, or with one of its own row."""
    return json.dumps({f"k{i}": int(value) if value else {str(i): 1} for i in range(n)})


def _sheet_rows(n: int) -> str:
    cells = '<row r="{0}"><c r="A{0}"><v>{0}</v></c><c r="B{0}"><v>0.5</v></c></row>'
    return "".join(cells.format(i) for i in range(2, n + 2))


def archive(n: int) -> bytes:
    return pack(SavedWork({f"k{i}": "1" for i in range(n)}, ""))


def _tried(read: Callable[[Any], object], content: Any) -> None:
    with suppress(ValueError, DataError):
        read(content)


# Each step by the size of what it is given; what is refused is to be refused as quickly.
STEPS: dict[str, tuple[Callable[[int], object], int]] = {
    "names that are all the same": (lambda n: column_names.unique_names(["x"] * n), 20_000),
    "names that are all missing": (lambda n: column_names.unique_names([""] * n), 20_000),
    "names numbered already": (
        lambda n: column_names.unique_names(["x", *(f"x ({i})" for i in range(n)), *["x"] * n]),
        10_000,
    ),
    "a header of one name": (lambda n: tried(b",".join([b"x"] * n) + b"\n1\n"), 30_000),
    "a header of many names": (lambda n: tried(text(",".join(map(str, range(n))), "1")), 10_000),
    "a header with spaces": (lambda n: tried(text(" ".join(["x"] * n), "1 2")), 15_000),
    "rows": (lambda n: tried(text("x,y", *["1.5,2.5"] * n)), 4_000),
    "rows with spaces": (lambda n: tried(text("x y", *["1.5 2.5"] * n)), 4_000),
    "blank lines": (lambda n: tried(text("x", "1", *[""] * n, "2")), 4_000),
    "a drawn table": (
        lambda n: tried(text("|a|b|", "|--|--|", *["| 1 | 2 |"] * n, "|" * n, "-" * n, " " * n)),
        4_000,
    ),
    "one row of a grid": (
        lambda n: tried(text("+--+--+", "|a|b|", "+==+==+", *["|1|2|"] * n, "+--+--+", "|1|2|")),
        4_000,
    ),
    "one column": (lambda n: tried(text("x", *["1.5"] * n)), 6_000),
    "long numbers": (lambda n: tried(text("x,y", *["1" * 200 + ",2"] * n)), 1_000),
    "thousands": (lambda n: tried(text("x;y", *["1 234 567,5;2,5"] * n)), 4_000),
    "quotes": (lambda n: tried(text("x,y", *['"a ""b"" c",2'] * n)), 4_000),
    "one long cell": (lambda n: tried(text("x,y", "1," + "7" * n)), 100_000),
    "a number far from its bracket": (
        lambda n: tried(text("x,y", *["1,5x" + " " * n + "("] * 5)),
        10_000,
    ),
    "names of separators": (lambda n: named("_" * n), 30_000),
    "names of digits": (lambda n: named("1" * n + "x"), 30_000),
    "texts and dates": (described, 5_000),
    "sequences": (grouped, 5_000),
    "a link of many names": (lambda n: Names().read(",".join(f"a{i}" for i in range(n))), 10_000),
    "a link of names of nothing": (lambda n: Names().read("," * n), 100_000),
    "a link of many points": (lambda n: Points().read("1,2;" * n + "1,2"), 50_000),
    "a link of many steps": (
        lambda n: _tried(Steps().read, _listed('["missing",{"codes":["9"]}]', n)),
        500,
    ),
    "a link of JSON": (
        lambda n: _tried(JsonObject().read, f'{{"weights":{_listed("0.5", n)}}}'),
        10_000,
    ),
    "a lesson of many steps": (lambda n: _tried(read_own, b"[[steps]]\n" * n), 1_500),
    "a lesson of long keys": (lambda n: _tried(read_own, b"a" + b".a" * n + b"=1"), 10_000),
    "a lesson with a long list": (
        lambda n: _tried(read_own, b"a=" + _listed("1", n).encode()),
        1_500,
    ),
    "a saved model": (lambda n: _tried(saved.load, f'{{"params":{_listed("0.5", n)}}}'), 20_000),
    "work of many settings": (lambda n: _tried(unpack, archive(n)), 1_000),
    "JSON of many names": (lambda n: tried(_keyed(n, "1").encode(), "x.json"), 10_000),
    "JSON of names with a row each": (lambda n: tried(_keyed(n, "").encode(), "x.json"), 4_000),
    "JSON of rows of many levels": (
        lambda n: tried(
            f'{{"columns":[1],"index":[{_listed("0", n)}],"data":[[1]]}}'.encode(), "x.json"
        ),
        20_000,
    ),
    "JSON of digits": (lambda n: tried(b'[{"x":' + b"9" * n + b"}]", "x.json"), 50_000),
    "JSON of one name": (lambda n: tried(b"[{" + b'"x":1,' * n + b'"x":2}]', "x.json"), 20_000),
    "Excel: rows": (lambda n: tried(sheet_of(_sheet_rows(n)), "x.xlsx"), 300),
    "Excel: rows far from each other": (
        lambda n: tried(sheet_of(f'<row r="{n}"><c r="A{n}"><v>1</v></c></row>'), "x.xlsx"),
        20_000,
    ),
    "Excel: tags of rows in a comment": (
        lambda n: tried(sheet_of("<!-- " + "<row " * n + "-->"), "x.xlsx"),
        20_000,
    ),
    "Excel: tags of merged cells in a comment": (
        lambda n: tried(sheet_of("<!-- " + "<mergeCell " * n + "-->"), "x.xlsx"),
        20_000,
    ),
    "nested JSON": (lambda n: tried(b"[" * n, "x.json"), 50_000),
    "codes and spellings of many columns": (suspected, 30),
    "rows that lack all columns but one": (left_out, 1_000),
    "a link of many keys": (lambda n: parse({f"k{i}": "x" for i in range(n)}), 10_000),
    "a link of one long value": (lambda n: parse({"sp": '{"a":' * n, "sm": "1," * n}), 4_000),
    "a table in a link": (lambda n: _refused(lambda: packing.from_text("A" * n)), 50_000),
}


def _refused(call: Callable[[], object]) -> None:
    with pytest.raises(DataError):
        call()


def seconds(step: Callable[[int], object], n: int) -> float:
    """Of computing, at best: what else the machine does counts for nothing."""
    taken = []
    gc.disable()  # a full collection in the wrong moment costs more than some steps
    for _ in range(3):
        began = time.process_time()
        step(n)
        taken.append(time.process_time() - began)
    gc.enable()
    return min(taken)


@pytest.mark.parametrize("name", STEPS)
def test_a_step_costs_in_proportion(name: str) -> None:
    """Four times as much to read takes about four times as long: sixteen would be quadratic."""
    step, n = STEPS[name]
    step(n // 10)
    assert seconds(step, 4 * n) < 9 * seconds(step, n) + 0.01
