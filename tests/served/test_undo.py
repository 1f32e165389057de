"""Undo and redo on the running app: over pages, and over tables that were brought."""

import numpy as np
import pytest

from support.visitor import Visitor

pytestmark = pytest.mark.slow


def test_changes_are_taken_back_also_on_another_page(app: str) -> None:
    visitor = Visitor(app, "v=1&e=faithful&k=3", "")
    visitor.settle()
    visitor.enter("Components", 2)
    visitor.settle()
    assert "k=3" not in visitor.written
    visitor.go("describe")
    assert "What are they?" in visitor.said
    visitor.click("Undo")
    visitor.settle()
    assert "k=3" in visitor.written and visitor.shown("Components") == 3
    visitor.click("Redo")
    visitor.settle()
    assert "k=3" not in visitor.written and visitor.shown("Components") == 2
    visitor.close()


def test_a_table_gives_way_to_the_one_before(app: str) -> None:
    rng = np.random.default_rng(0)
    visitor = Visitor(app, "v=1&s=table", "")
    for name in ("one.csv", "two.csv"):
        rows = "\n".join(["x,y", *(f"{a},{b}" for a, b in rng.normal(size=(200, 2)))])
        visitor.upload("Upload a table", name, rows.encode())
        visitor.settle()
        assert f"In use: {name}" in visitor.said and "too large for the link" in visitor.said
    visitor.click("Undo")
    visitor.settle()
    assert "In use: one.csv" in visitor.said and "fingerprints differ" not in visitor.said
    visitor.click("Redo")
    visitor.settle()
    assert "In use: two.csv" in visitor.said
    visitor.close()
