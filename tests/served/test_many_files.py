"""Reading held to its promises in numbers: drawn tables, damaged files, 34 bombs.

With --long they are 10,000 tables and 1,000 damaged files, else the first of them.
"""

import json
import random
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pages.ui.tables.reading import read_table
from pages.ui.tables.table import DataError
from support.bombs import BOMBS
from support.browser import ROOT, serve
from support.tables import a_table, damaged, files
from support.visitor import Visitor

pytestmark = pytest.mark.slow


def test_drawn_tables_are_read_as_written_or_refused(long: bool, rng: random.Random) -> None:
    refused, n_tables = 0, 10_000 if long else 1_500
    for _ in range(n_tables):
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
    assert refused < 0.05 * n_tables


def test_damaged_files_leave_the_app_as_it_was(tmp_path: Path, long: bool) -> None:
    originals, n_files = files(), 1_000 if long else 320

    def upload(part: int) -> int:
        rng = random.Random(part)
        visitor = Visitor(url, "v=1&s=table&k=3&cov=diag&seed=5&it=5")
        refused = 0
        for _ in range(n_files // 4):
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
    assert 0.1 * n_files < refused < n_files
    assert "Uncaught" not in (tmp_path / "log").read_text()


def test_bombs_are_refused_within_a_second_and_100_megabytes() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "tests/support/bombs.py"],
        capture_output=True,
        text=True,
        check=True,
    )
    results = [json.loads(line) for line in done.stdout.splitlines()]
    assert [name for name, *_ in results] == list(BOMBS) and len(BOMBS) >= 30
    for name, sentence, seconds, megabytes in results:
        assert not sentence.startswith("read:") and sentence.endswith("."), name
        assert seconds < 1 and megabytes < 100, (name, seconds, megabytes)
