"""Work saved by one visitor and opened by another, on the running app."""

import zipfile
from io import BytesIO

import numpy as np
import pytest

from em_core import load
from pages.ui.tables.saved_work import FOREIGN
from support.visitor import Visitor

pytestmark = pytest.mark.slow


def test_work_is_opened_elsewhere_as_it_was(app: str) -> None:
    rng = np.random.default_rng(0)
    rows = "\n".join(["x,y", *(f"{a},{b}" for a, b in rng.normal(size=(200, 2)))])
    first = Visitor(app, "v=1&s=table", "")
    first.upload("Upload a table", "mine.csv", rows.encode())
    first.settle()
    first.enter("Components", 3)
    first.settle()
    first.open("Save or open work")
    first.type("Notes", "Three kinds, <b>perhaps</b>.")
    first.settle()
    (status,) = [line for line in first.said.splitlines() if line.startswith("Converged")]
    content = first.download("Save this work")
    with zipfile.ZipFile(BytesIO(content)) as archive:
        saved = load(archive.read("model.json").decode())
    assert saved.columns == ("x", "y") and saved.model.n_components == 3
    first.close()

    second = Visitor(app, "v=1&e=faithful", "")
    second.settle()
    second.open("Save or open work")
    second.upload("Open saved work", "rows.csv", b"x,y\n1,2\n")
    second.settle()
    assert FOREIGN in second.said and "Old Faithful" in second.said
    second.upload("Open saved work", "mine.zip", content)
    second.settle()
    assert status in second.said and "In use: mine.csv" in second.said
    # A value is sent once; what comes after does not repeat it.
    assert b"Three kinds, <b>perhaps</b>." in second.received and FOREIGN not in second.said
    assert "Something went wrong" not in second.said and "fingerprints differ" not in second.said
    second.click("Undo")
    second.settle()
    assert "Old Faithful" in second.said
    second.close()
    third = Visitor(app, "v=1&s=table", "")
    third.upload("Upload a table", "mine.zip", content)
    third.settle()
    assert status in third.said and "In use: mine.csv" in third.said
    third.close()
