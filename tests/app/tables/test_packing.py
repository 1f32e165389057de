"""Tables as bytes: what goes in comes out, and nothing else can be made of a link."""

import base64
import io
import json
import zlib

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from em_core import datasets
from pages.ui.tables import long_texts, packing
from pages.ui.tables.reading import read_table
from pages.ui.tables.table import DataError, Table, from_dataset
from pages.ui.tables.writing import to_csv_bytes
from support.drawn import examples

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
CELLS = {
    "float64": st.floats(allow_nan=False) | st.none(),
    "Int64": st.integers(-(2**63), 2**63 - 1) | st.none(),
    "str": TEXT | st.none(),
    "boolean": st.booleans() | st.none(),
}


@st.composite
def tables(draw) -> Table:
    names = draw(st.lists(TEXT.filter(bool), min_size=1, max_size=4, unique=True))
    rows = draw(st.integers(1, 12))
    frame = pd.DataFrame(
        {
            name: pd.Series(draw(st.lists(CELLS[dtype], min_size=rows, max_size=rows)), dtype=dtype)
            for name in names
            for dtype in [draw(st.sampled_from(list(CELLS)))]
        }
    )
    units = tuple(draw(st.lists(TEXT, min_size=len(names), max_size=len(names))))
    return Table(draw(TEXT), frame, (draw(TEXT),), "", units)


def alike(one: Table, other: Table) -> None:
    assert_frame_equal(one.frame, other.frame, check_exact=True)
    assert (one.name, one.parsing) == (other.name, other.parsing)
    assert [*filter(any, [one.units])] == [*filter(any, [other.units])]


@examples(100)
@given(tables())
def test_a_table_comes_back_exactly(table: Table) -> None:
    alike(packing.from_parquet(packing.to_parquet(table)), table)
    if (text := packing.to_text(table)) is not None:
        alike(packing.from_text(text), table)


@pytest.mark.parametrize("name", ["iris", "faithful", "airquality", "usarrests"])
def test_small_tables_fit_in_a_link_and_come_back(name: str) -> None:
    table = from_dataset(datasets.load(name))
    again = read_table(f"{name}.csv", to_csv_bytes(table.frame))
    text = packing.to_text(again)
    assert text is not None and len(text) <= packing.LINK_CHARACTERS
    alike(packing.from_text(text), again)


def test_large_tables_and_dates_do_not_go_into_a_link() -> None:
    assert packing.to_text(from_dataset(datasets.load("digits"))) is None
    dated = pd.DataFrame({"day": pd.to_datetime(["2020-01-02", None]), "x": [1.0, 2.0]})
    table = Table("dated", dated, (), "")
    assert packing.to_text(table) is None
    assert_frame_equal(packing.from_parquet(packing.to_parquet(table)).frame, dated)


def test_no_table_can_pass_for_another() -> None:
    """Shared caches go by the fingerprint: it must be that of the content."""
    table = from_dataset(datasets.load("iris"))
    forged = table._replace(frame=table.frame.head(50))
    honest = packing.from_parquet(packing.to_parquet(table))
    other = packing.from_parquet(packing.to_parquet(forged))
    assert len({table.fingerprint, honest.fingerprint, other.fingerprint}) == 3


@pytest.mark.parametrize("content", [b"", b"title = 'a lesson'", b"PAR1" * 9])
def test_what_is_kept_and_is_no_table_is_told(content: bytes) -> None:
    with pytest.raises(DataError, match="is damaged, or no table: ask for the link"):
        packing.from_parquet(content)


def test_a_table_of_somebody_else_is_none_of_the_store() -> None:
    buffer = io.BytesIO()
    pd.DataFrame({"x": [1.0]}).to_parquet(buffer)
    with pytest.raises(DataError, match="no table"):
        packing.from_parquet(buffer.getvalue())


def test_a_bit_that_was_lost_is_no_other_number() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"a": rng.normal(size=400), "b": pd.array(range(400), "Int64")})
    whole = packing.to_parquet(Table("t", frame, (), ""))
    damaged = 0
    for place in rng.choice(len(whole), 400, replace=False):
        content = bytearray(whole)
        content[place] ^= 1 << rng.integers(8)
        try:
            assert_frame_equal(packing.from_parquet(bytes(content)).frame, frame)
        except DataError:
            damaged += 1
    assert damaged > 200


def test_what_was_stored_before_there_was_a_digest_opens() -> None:
    table = from_dataset(datasets.load("iris"))
    packed = pq.read_table(io.BytesIO(packing.to_parquet(table)))
    metadata = {k: v for k, v in packed.schema.metadata.items() if k != b"em-explorer digest"}
    assert len(metadata) == len(packed.schema.metadata) - 1
    buffer = io.BytesIO()
    pq.write_table(packed.replace_schema_metadata(metadata), buffer)
    assert_frame_equal(packing.from_parquet(buffer.getvalue()).frame, table.frame)


def squeezed(content: bytes) -> str:
    squeezer = zlib.compressobj(level=9, wbits=packing.RAW_DEFLATE)
    return base64.urlsafe_b64encode(squeezer.compress(content) + squeezer.flush()).decode()


GOOD = ["name", [], [["x", "number", "", [1.5, None]], ["y", "text", "", ["a", None]]]]


def with_column(*column: object) -> object:
    return ["name", [], [list(column)]]


@pytest.mark.parametrize(
    "content",
    [
        None,
        [],
        ["name", [], []],
        ["name", [], [[]]],
        [1, [], GOOD[2]],
        ["name", [3], GOOD[2]],
        with_column("x", "number", "", []),
        with_column("x", "number", "", ["1"]),
        with_column("x", "number", "", [True]),
        with_column("x", "number", "", [[1]]),
        with_column("x", "whole", "", [1.5]),
        with_column("x", "whole", "", [2**63]),
        with_column("x", "text", "", [1]),
        with_column("x", "flag", "", [1]),
        with_column("x", "text", "", ["half of a character: \ud83d"]),
        with_column("\udc00", "text", "", ["x"]),
        with_column("x", "number", "\ud800", [1.0]),
        ["\ud800", [], GOOD[2]],
        ["name", ["\ud800"], GOOD[2]],
        with_column("x", "object", "", [1]),
        with_column("x", "number", 7, [1.0]),
        with_column(7, "number", "", [1.0]),
        ["name", [], [GOOD[2][0], GOOD[2][0]]],
        ["name", [], [["x", "number", "", [1.0]], ["y", "number", "", [1.0, 2.0]]]],
        ["name", [], [[f"x{i}", "number", "", [1.0]] for i in range(1_001)]],
        with_column("x" * 3_000, "number", "", [1.0]),
        *(
            [*GOOD, {field: told}]
            for field, of in (
                ("titles", [["x", 3], ["x", ["a", "b"]], ["x"], ["nobody", "a"]]),
                ("value_labels", [["x", "12"], ["x", ["1", "2"]], ["x", [["1", "2", "3"]]]]),
                ("value_labels", [["x", [["1", ["a"]]]], ["x", 1], ["nobody", []]]),
                ("missing_codes", [["x", "99"], ["x", [["99"]]], ["nobody", ["99"]]]),
                ("questions", [["nobody", "marks", "?", []], ["x", "marks", "?", "ab"]]),
            )
            for told in ([each] for each in of)
        ),
        [*GOOD, {"titles": [["x", "a"], ["x", "b"]]}],
        [*GOOD, {"questions": [["x", "marks", "?", []]] * 2}],
        [*GOOD, {"questions": [["x", "marks", "?", [[",", "a"], [",", "b"]]]]}],
        [*GOOD, {"questions": [["x", "marks", "?", [[str(i), "a"] for i in range(99)]]]}],
    ],
    ids=lambda content: json.dumps(content)[:40],
)
def test_a_damaged_table_in_a_link_is_refused(content: object) -> None:
    alike(
        packing.from_text(squeezed(json.dumps(GOOD).encode())),
        packing.from_text(squeezed(json.dumps(GOOD).encode())),
    )
    with pytest.raises(DataError):
        packing.from_text(squeezed(json.dumps(content).encode()))


def test_what_is_said_of_a_table_is_as_long_as_a_page_can_say() -> None:
    columns = GOOD[2]
    name, facts = "n" * 5_000, ["f" * 9] * 14_000
    link = packing.from_text(squeezed(json.dumps([name, facts, columns]).encode()))
    assert len(link.name) == long_texts.LONGEST_FILE_NAME
    assert len(link.parsing) < 12_000 and link.parsing[-1] == "And 3,474 more."
    labels = tuple((str(code), "a label") for code in range(80_000))
    table = Table(
        "n" * 1_000_000, link.frame, ("",) * 100_000, "", ("u" * 9_999,),
        titles=(("x", "t" * 9_999),), value_labels=(("x", labels), ("y", labels[:10])),
    )  # fmt: skip
    found = packing.from_file(packing.to_parquet(table))
    assert [column for column, _ in found.value_labels] == ["y"]
    assert "value labels: not kept for 'x'." in " ".join(found.parsing[-2:])
    said = (found.name, *found.parsing, *found.units, *found.titles[0])
    assert sum(map(len, said)) < 250_000 and len(found.parsing) < 25_000
    much = table._replace(missing_codes=(("x", ("9" * 1_000,) * 30_000),))
    with pytest.raises(DataError, match="damaged"):
        packing.from_file(packing.to_parquet(much))


@given(st.text("abcXYZ019-_", max_size=200) | st.binary(max_size=200).map(squeezed))
def test_noise_in_a_link_is_refused(text: str) -> None:
    with pytest.raises(DataError):
        packing.from_text(text)


def test_a_bomb_in_a_link_is_not_unpacked() -> None:
    bomb = squeezed(b"[" * 50_000_000)[: packing.MOST_CHARACTERS]
    with pytest.raises(DataError):
        packing.from_text(bomb)
