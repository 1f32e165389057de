"""Reading held to its promises in numbers: 10,000 tables, 1,000 damaged files, 34 bombs."""

import csv
import io
import json
import random
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from bombs import BOMBS, parquet, workbook
from browser import ROOT, serve
from visitor import Visitor

from pages.ui.table.reading import read_table
from pages.ui.table.table import DataError

pytestmark = pytest.mark.slow

WORDS = [
    "ash",
    "birch, silver",
    'elm "wych"',
    "x;y",
    "new\nline",
    "München",
    "日本",
    "a|b",
    "tab\tx",
]


def a_number(rng: random.Random) -> float:
    match rng.randrange(6):
        case 0:
            return rng.gauss(0, 1)
        case 1:
            return rng.randrange(-1000, 1000) / 8
        case 2:
            return rng.uniform(-1, 1) * 10.0 ** rng.randrange(-300, 300)
        case 3:
            return round(rng.uniform(0, 100), rng.randrange(1, 4))
        case 4:
            return float(rng.randrange(10**6))
        case _:
            return rng.choice([0.1 + 0.2, 5e-324, 1.7976931348623157e308, -0.0, 123.456])


def written(cell: float | int | str | None, mark: str) -> str:
    if isinstance(cell, float):
        return repr(cell).replace(".", mark)
    return "" if cell is None else str(cell)


def a_table(rng: random.Random) -> tuple[str, bytes, list[str], list[list]]:
    """A file, and what a person who made it means by it: names and rows."""
    rows = rng.randrange(2, 12)
    names, columns = [], []
    for j in range(rng.randrange(1, 6)):
        kind = rng.choice(["number", "whole", "text"])
        names.append(f"{kind} {'abcdef'[j]}")
        make = {
            "number": lambda: a_number(rng),
            "whole": lambda: rng.randrange(-(10**9), 10**9),
            "text": lambda: rng.choice(WORDS),
        }[kind]
        column = [make() if rng.random() < 0.95 else None for _ in range(rows)]
        columns.append(column if any(cell is not None for cell in column) else [make()] * rows)
    table = [list(row) for row in zip(*columns, strict=True)]
    encoding = rng.choice(["utf-8", "utf-8-sig", "utf-16"])
    separator, mark = rng.choice([(",", "."), (";", "."), (";", ","), ("\t", "."), ("|", ",")])
    text = [
        [
            "" if c is None else repr(c).replace(".", mark) if isinstance(c, float) else c
            for c in row
        ]
        for row in table
    ]
    buffer = io.StringIO()
    newline = rng.choice(["\n", "\r\n"])
    quoting = rng.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
    writer = csv.writer(buffer, delimiter=separator, lineterminator=newline, quoting=quoting)
    writer.writerows([names, *text])
    return "x.csv", buffer.getvalue().encode(encoding), names, table


@pytest.mark.parametrize("part", range(10))
def test_10_000_tables_are_read_as_written_or_refused(part: int) -> None:
    rng = random.Random(part)
    refused = 0
    for _ in range(1_000):
        name, content, names, expected = a_table(rng)
        try:
            table = read_table(name, content)
        except DataError as error:
            assert "thousands" in str(error), content
            refused += 1
            continue
        assert list(table.frame) == names, content
        values = table.frame.astype(object).where(table.frame.notna(), None).to_numpy()
        got = [list(row) for row in values.tolist()]
        assert got == expected, content
    assert refused < 50


def files() -> list[tuple[str, bytes]]:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(40, 3)), columns=["a", "b", "c"])
    excel = io.BytesIO()
    frame.to_excel(excel, index=False)
    return [
        ("x.csv", frame.to_csv(index=False).encode()),
        ("x.tsv", frame.to_csv(index=False, sep="\t").encode("utf-16")),
        ("x.csv", frame.to_csv(index=False, sep=";", decimal=",").encode("utf-8-sig")),
        ("x.xlsx", excel.getvalue()),
        ("x.xlsx", workbook()),
        ("x.parquet", parquet({name: frame[name].to_numpy() for name in frame})),
    ]


def damaged(rng: random.Random, content: bytes) -> bytes:
    changed = bytearray(content)
    for _ in range(rng.randrange(1, 6)):
        place = rng.randrange(max(1, len(changed)))
        match rng.randrange(5):
            case 0:
                changed[place : place + 1] = rng.randbytes(1)
            case 1:
                del changed[place : place + rng.randrange(1, 200)]
            case 2:
                changed[place:place] = rng.randbytes(rng.randrange(1, 20))
            case 3:
                changed[place:place] = rng.choice(
                    [b'"', b"\x00", b"\n\n", b",,,", b"1e999", b"\xff"]
                )
            case _:
                changed = changed[: max(1, place)]
    return bytes(changed)


def test_1_000_damaged_files_leave_the_app_as_it_was(tmp_path: Path) -> None:
    originals = files()

    def upload(part: int) -> int:
        rng = random.Random(part)
        visitor = Visitor(url, "v=1&s=table&k=3&cov=diag&seed=5&it=5")
        refused = 0
        for _ in range(250):
            name, content = rng.choice(originals)
            visitor.upload("Upload a table", name, damaged(rng, content))
            visitor.settle()
            # An alert is an error or a warning; what Streamlit itself would show is none of ours.
            assert "encountered an error" not in visitor.texts
            assert "Traceback" not in visitor.texts and "Error:" not in visitor.texts
            refused += "Log-likelihood" not in visitor.texts
            settings = visitor.shown("Components"), visitor.shown("Seed")
            assert settings == (3, 5)
        visitor.upload("Upload a table", *originals[0])
        visitor.settle()
        assert "Log-likelihood" in visitor.texts, "the session goes on"
        visitor.close()
        return refused

    with serve(ROOT, tmp_path / "log") as url, ThreadPoolExecutor(4) as several:
        refused = sum(several.map(upload, range(4)))
    assert 100 < refused < 1_000
    assert "Uncaught" not in (tmp_path / "log").read_text()


def test_bombs_are_refused_within_a_second_and_100_megabytes() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "tests/bombs.py"], capture_output=True, text=True, check=True
    )
    results = [json.loads(line) for line in done.stdout.splitlines()]
    assert [name for name, *_ in results] == list(BOMBS) and len(BOMBS) >= 30
    for name, sentence, seconds, megabytes in results:
        assert not sentence.startswith("read:") and sentence.endswith("."), name
        assert seconds < 1 and megabytes < 100, (name, seconds, megabytes)
