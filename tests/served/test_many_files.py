"""Reading held to its promises in numbers: drawn tables, damaged files, bombs.

With --long they are 10,000 tables and 1,000 damaged files, else the first of them.
"""

import json
import random
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pages.ui.tables.reading import read_table
from support.bombs import BOMBS
from support.browser import ROOT
from support.tables import a_table, damaged, files, in_another_format
from support.visitor import Visitor

pytestmark = pytest.mark.slow


def test_drawn_tables_are_read_as_written_or_asked_about(long: bool, rng: random.Random) -> None:
    asked, n_tables = 0, 10_000 if long else 300
    for _ in range(n_tables):
        name, content, names, expected = a_table(rng)
        table = read_table(name, content)
        if table.questions:
            assert all("thousands" in question.sentence for question in table.questions), content
            asked += 1
            continue
        assert list(table.frame) == names, content
        values = table.frame.astype(object).where(table.frame.notna(), None).to_numpy()
        got = [list(row) for row in values.tolist()]
        assert got == expected, content
    assert asked < 0.05 * n_tables


def test_drawn_tables_come_back_from_the_formats_of_other_programs(
    long: bool, rng: random.Random
) -> None:
    for _ in range(10_000 if long else 150):
        _, _, names, rows = a_table(rng)
        name, content, names, expected = in_another_format(rng, names, rows)
        table = read_table(name, content)
        assert list(table.frame) == names, (name, content)
        cells = table.frame.astype(object).where(table.frame.notna(), None).to_numpy().tolist()
        # The numbers of SAS have a few bits more or fewer.
        near = 1e-14 if name.endswith("xpt") else 0
        for got, meant in zip(cells, expected, strict=True):
            assert all(_alike(g, m, near) for g, m in zip(got, meant, strict=True)), (
                name,
                got,
                meant,
            )


def _alike(got: object, meant: object, near: float) -> bool:
    if isinstance(got, float) and isinstance(meant, float):
        return got == pytest.approx(meant, rel=near)
    return got == meant


def test_damaged_files_leave_the_app_as_it_was(app: str, app_log: Path, long: bool) -> None:
    before, originals, n_files = len(app_log.read_text()), files(), 1_000 if long else 80

    def upload(part: int) -> int:
        rng = random.Random(part)
        visitor = Visitor(app, "v=1&s=table&k=3&cov=diag&seed=5&it=5")
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

    with ThreadPoolExecutor(4) as several:
        refused = sum(several.map(upload, range(4)))
    assert 0.1 * n_files < refused < n_files
    assert "Uncaught" not in app_log.read_text()[before:]


def test_bombs_are_refused_at_once_and_within_100_megabytes() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "tests/support/bombs.py"],
        capture_output=True,
        text=True,
        check=True,
    )
    results = [json.loads(line) for line in done.stdout.splitlines()]
    # A second; on a slow machine half as much again as Python takes to read the longest list.
    (_, longest) = BOMBS["a column of JSON"]()
    began = time.process_time()
    json.loads(longest)
    most_seconds = max(1, 1.5 * (time.process_time() - began))
    assert [name for name, *_ in results] == list(BOMBS) and len(BOMBS) >= 30
    for name, sentence, seconds, megabytes in results:
        assert not sentence.startswith("read:") and sentence.endswith("."), name
        assert seconds < most_seconds and megabytes < 100, (name, seconds, megabytes)
