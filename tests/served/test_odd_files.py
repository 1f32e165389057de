"""Files that are valid and unusual: what they hold is used everywhere, or refused with a reason."""

import random
from urllib.parse import parse_qs

import numpy as np
import pyarrow as pa
import pytest
from streamlit.dataframe_util import convert_pandas_df_to_arrow_bytes

from pages.ui.state.links import parse, to_query
from pages.ui.tables import packing
from pages.ui.tables.columns import describe_columns, suggest_label, suggest_sequences
from pages.ui.tables.reading import read_table
from pages.ui.tables.selection import select, select_items, select_levels
from pages.ui.tables.table import DataError, Table
from pages.ui.tables.writing import to_csv_bytes, to_parquet_bytes
from support.bombs import parquet
from support.tables import damaged, files
from support.walk import hostile, tampered

TEXT = "x,größe,kind\n1,2.5,a\n2,3.5,日本\n3,4.5,😀\n"


@pytest.mark.parametrize("codec", ["utf-8", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_text_in_every_unicode_encoding_with_a_mark_is_read(codec: str) -> None:
    table = read_table("t.csv", ("\ufeff" + TEXT).encode(codec))
    assert list(table.frame) == ["x", "größe", "kind"]
    assert table.frame["kind"].tolist() == ["a", "日本", "😀"]
    assert codec[:6].removesuffix("-").upper() in table.parsing[0]


@pytest.mark.parametrize("codec", ["utf-8-sig", "utf-16", "utf-32"])
def test_text_with_a_mark_and_zero_bytes_is_no_text(codec: str) -> None:
    with pytest.raises(DataError, match="damaged"):
        read_table("t.csv", "x,y\n1,\x00\n2,3\n".encode(codec))
    if codec == "utf-8-sig":  # the other bytes are what they are
        table = read_table("t.csv", TEXT.encode(codec).replace(b"a\n", b"a\xff\n"))
        assert "1 byte in line 2 " in table.parsing[1] and table.frame["kind"].tolist()[2] == "😀"
        return
    with pytest.raises(DataError, match="damaged"):
        read_table("t.csv", TEXT.encode(codec) + b"\xff")


LONG = "'big' holds whole numbers too long to be exact: rounded to 16 digits."


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        (["9007199254740993", "1.5"], True),
        (["-9007199254740993", "1e3"], True),
        (["9007199254740993.0", "5"], True),
        (['"9,007,199,254,740,993"', "1.5"], True),
        (["99999999999999999999", "1.5"], True),
        (["99999999999999999999", "1"], True),
        (["9007199254740992", "1.5"], False),
        (["9007199254740993", "7"], False),  # whole numbers all: kept as they are
        (["90071992547409.93", "1.5"], False),
        (["1e300", "1.5"], False),
        (["9" * 309, "1.5"], False),  # infinite, which is said instead
    ],
)
def test_whole_numbers_that_lose_digits_are_said_whatever_is_beside_them(cells, said) -> None:
    table = read_table("t.csv", "\n".join(["big,y", *(f"{cell},1" for cell in cells)]).encode())
    assert (LONG in table.parsing) is said


def use(table: Table) -> None:
    """Everything a page does with a table before and after a fit."""
    reports = describe_columns(table)
    suggest_label(table, reports)
    suggest_sequences(table, reports)
    for name in table.frame:
        for read in (select, select_items, select_levels):
            for chosen in (table.frame.columns[:1], (name,)):
                try:
                    read(table, chosen, name, name)
                except DataError as error:
                    assert str(error).endswith(".")
    convert_pandas_df_to_arrow_bytes(table.frame)
    to_csv_bytes(table.frame)
    to_parquet_bytes(table.frame)
    packing.to_text(table)


N = 4
UNITS = ("s", "ms", "us", "ns")
WIDE = [
    *(pa.duration(unit) for unit in UNITS),
    *(pa.timestamp(unit) for unit in UNITS),
    *(pa.timestamp(unit, tz="Asia/Tokyo") for unit in UNITS),
    *(pa.timestamp(unit, tz="-03:30") for unit in UNITS),
    pa.time64("us"),
    pa.time64("ns"),
    pa.int64(),
    pa.uint64(),
    pa.float64(),
    pa.date64(),
]
NARROW = [pa.date32(), pa.time32("s"), pa.time32("ms"), pa.int32(), pa.uint32(), pa.float32()]
DECIMALS = [pa.decimal128(38, 5), pa.decimal256(70, 3)]
TEXTS = [pa.string(), pa.large_string(), pa.binary(), pa.large_binary()]


def bits(rng: random.Random, width: int) -> bytes:
    """A number of so many bytes: any, small, or at a limit."""
    whole = rng.choice([rng.getrandbits(8 * width), rng.randrange(100), 1 << 8 * width - 1])
    whole = rng.choice([whole, ~whole, whole - 1, rng.getrandbits(6 * width)])
    return (whole % (1 << 8 * width)).to_bytes(width, "little")


def any_column(rng: random.Random) -> pa.Array:
    """Four cells of any type, whatever bits it may have; some nested, some missing."""
    kind = rng.choice([*WIDE, *NARROW, *DECIMALS, *TEXTS, pa.bool_(), pa.binary(5)])
    if kind in TEXTS:
        lengths = np.cumsum([0, *(rng.randrange(4) for _ in range(N))])
        offsets = lengths.astype(np.int64 if "large" in str(kind) else np.int32).tobytes()
        made = rng.choice([rng.randbytes(16), b"abcdefghijklmnop"])
        buffers = [pa.py_buffer(offsets), pa.py_buffer(made)]
    else:
        width = max(kind.bit_width // 8, 1)
        buffers = [pa.py_buffer(b"".join(bits(rng, width) for _ in range(N)))]
    column = pa.Array.from_buffers(kind, N, [pa.py_buffer(rng.randbytes(1)), *buffers])
    match rng.randrange(6):
        case 0:
            return pa.ListArray.from_arrays(pa.array([0, 1, 1, 3, N], pa.int32()), column)
        case 1:
            return pa.StructArray.from_arrays([column], ["part"])
        case 2:
            return pa.DictionaryArray.from_arrays(pa.array([0, 3, 1, 0], pa.int8()), column)
        case _:
            return column


def test_parquet_of_any_type_is_used_or_refused(long: bool, rng: random.Random) -> None:
    count = 50_000 if long else 200
    read = written = 0
    for _ in range(count):
        columns = {"x": pa.array([1.5, 2.5, 4.0, 8.0]), "odd": any_column(rng)}
        try:
            content = parquet(columns)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            continue  # Parquet cannot say it
        written += 1
        try:
            table = read_table("t.parquet", content)
        except DataError as error:
            assert str(error).endswith(".") and "\n" not in str(error)
            continue
        read += 1
        use(table)
    print(f"{count} columns, {written} files written, {read} of them read")
    assert read > written / 4 > count / 8


@pytest.mark.parametrize(
    ("column", "sentence"),
    [
        (pa.array([2**31 - 1, 0], pa.date32()), "outside of the years 1 to 9999"),
        (pa.array([-(2**62), 0], pa.timestamp("us")), "outside of the years 1 to 9999"),
        (pa.array([2**62, 0], pa.timestamp("us", tz="UTC")), "outside of the years 1 to 9999"),
        (pa.array([2**62, 0], pa.duration("s")), r"is duration\[s\] in the file"),
        (pa.array([b"\xff", b"a"]).cast(pa.string(), safe=False), "isn't UTF-8"),
    ],
)
def test_what_no_table_can_hold_is_said_with_its_column(column: pa.Array, sentence: str) -> None:
    content = parquet({"x": pa.array([1.5, 2.5]), "odd": column})
    with pytest.raises(DataError, match=f"Column 'odd' .*{sentence}"):
        read_table("t.parquet", content)


def test_the_last_day_of_the_calendar_is_a_date() -> None:
    days = pa.array(["9999-12-31", "0001-01-01"]).cast(pa.timestamp("s")).cast(pa.date32())
    use(read_table("t.parquet", parquet({"x": pa.array([1.5, 2.5]), "until": days})))


def test_tables_of_tampered_links_are_used_or_refused(long: bool, rng: random.Random) -> None:
    count = 50_000 if long else 300
    opened = 0
    for _ in range(count):
        text = tampered(rng)
        try:
            table = packing.from_text(text)
        except DataError as error:
            assert str(error).endswith(".")
            continue
        opened += 1
        use(table)
    print(f"{count} links, {opened} of them opened")
    assert opened > count / 10


def test_damaged_files_are_used_or_refused(long: bool, rng: random.Random) -> None:
    count, originals = 50_000 if long else 300, files()
    read = 0
    for _ in range(count):
        name, content = rng.choice(originals)
        try:
            table = read_table(name, damaged(rng, content))
        except DataError as error:
            assert str(error).endswith(".") and "\n" not in str(error)
            continue
        read += 1
        use(table)
    print(f"{count} damaged files, {read} of them read")
    assert read > count / 50


def test_hostile_queries_give_settings_and_sentences(long: bool, rng: random.Random) -> None:
    count = 50_000 if long else 300
    said = 0
    for _ in range(count):
        query = parse_qs(hostile(rng), keep_blank_values=True, errors="replace")
        settings, problems = parse({key: values[-1] for key, values in query.items()})
        assert parse(to_query(settings))[0] == settings
        said += bool(problems)
    print(f"{count} queries, {said} of them with something to say")
    assert said > count / 4
