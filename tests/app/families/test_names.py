"""Names beside the axes of a picture stay different however little room there is."""

import json
import shutil
import subprocess

import numpy as np
import pytest

from pages.ui.families.table import family_of
from pages.ui.state.settings import Settings
from pages.ui.tables.reading import read_table
from support.browser import ROOT
from support.runs import begun

SCALE = ["Very inaccurate", "Moderately inaccurate", "Moderately accurate", "Very accurate"]
NAMES = ROOT / "pages/ui/player/frontend/names.js"


def shortened(names: list[str], most: int) -> list[str]:
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node is not there")
    script = (
        f"import {{ shortened }} from {json.dumps(NAMES.as_uri())};"
        f"console.log(JSON.stringify(shortened({json.dumps(names)}, {most})))"
    )
    run = subprocess.run(
        [node, "--input-type=module", "-e", script], capture_output=True, text=True, check=True
    )
    return json.loads(run.stdout)


def test_names_cut_short_stay_different() -> None:
    items = [f"item_{i} = {level}" for i in (1, 2, 11) for level in SCALE]
    for names, most in ((SCALE, 14), (items, 16), (["a" * 30 + "b", "a" * 30 + "c", "d"], 8)):
        cut = shortened(names, most)
        assert len(set(cut)) == len(names)
    assert shortened(["short", "also short"], 14) == ["short", "also short"]
    assert shortened(["the same name twice", "the same name twice"], 8) == ["the sam…"] * 2


def picture_of(content: str, n_components: int = 2):
    settings = Settings(family="categorical-mixture", n_components=n_components)
    family = family_of(settings)
    table = read_table("answers.csv", content.encode())
    selection = family.read(table, list(table.frame), None, None, True)
    picture, _ = family.picture(begun(settings, table, selection, 1))
    return picture


def test_levels_are_listed_in_their_order_and_columns_grouped_by_item() -> None:
    rng = np.random.default_rng(0)
    rows = [",".join(rng.choice(SCALE, 3)) for _ in range(40)]
    picture = picture_of("\n".join(["a,b,c", *rows]))
    assert picture.note == f"Levels, palest first: {', '.join(SCALE)}."
    (matrix,) = picture.matrices
    assert matrix.groups == (("a", 4), ("b", 4), ("c", 4))
    assert len(matrix.columns) == 12
    rows = [f"{rng.choice(['yes', 'no'])},{rng.choice(SCALE)}" for _ in range(40)]
    picture = picture_of("\n".join(["a,b", *rows]))
    assert picture.note.startswith("Levels, palest first, of a: no, yes; of b: Very inaccurate, ")


def test_what_most_items_have_in_common_is_said_without_naming_them_all() -> None:
    rng = np.random.default_rng(0)
    head = ",".join([*(f"item {i}" for i in range(20)), "last"])
    rows = [",".join([*rng.choice(SCALE, 20), rng.choice(["yes", "no"])]) for _ in range(60)]
    note = picture_of("\n".join([head, *rows])).note
    assert "of item 0, item 1, item 2 and 17 others: Very inaccurate, " in note
    assert note.endswith("; of last: no, yes.")
