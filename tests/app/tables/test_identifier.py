"""What rows are called, from the table to the point under the pointer."""

import numpy as np
import pandas as pd

from pages.ui.families.table import family_of
from pages.ui.panels.report import doubtful_points
from pages.ui.pictures.payload import pack
from pages.ui.state.scenes import scene_of
from pages.ui.state.settings import Settings
from pages.ui.tables.roles import Use, kept_of
from pages.ui.tables.selection import select
from pages.ui.tables.table import Table
from support.packed import unpack
from support.runs import run_of

FRAME = pd.DataFrame(
    {
        "row": [f"P{i:02}" for i in range(9)] + [None],
        "x": [np.nan, 1.0, 1.5, 2.0, 7.0, 7.5, 8.0, 4.0, 4.6, 5.0],
        "y": [1.0, 1.0, 2.5, 2.0, 9.0, 7.5, 8.0, 4.0, 4.6, 6.0],
    }
)
TABLE = Table("t", FRAME, (), "")
SELECTION = select(TABLE, ["x", "y"])._replace(row_names=FRAME["row"])


def test_rows_are_called_by_their_own_names_though_some_are_left_out() -> None:
    assert SELECTION.called(np.array([0, 2, 8])) == ["P01", "P03", ""]
    settings = Settings(n_components=2, max_iterations=3)
    run = run_of(settings, SELECTION)
    scene = scene_of("run", run.model, run.data, run.trace, SELECTION, settings, most=4)
    picture, _ = family_of(settings).picture(scene)
    told = unpack(pack(picture))
    names = FRAME["row"].fillna("")
    assert told["names"] == [f"row {names[r - 1]}" * bool(names[r - 1]) for r in picture.rows]
    params = run.finished_fit.params
    doubtful, _ = doubtful_points(run.model, params, run.data, SELECTION, ("a", "b"))
    called = doubtful["row (2)"].tolist()
    assert called == [FRAME["row"].fillna("")[row - 1] for row in doubtful["row"]]


def test_who_the_rows_are_is_shared_with_the_columns_in_use() -> None:
    assert list(kept_of(TABLE, Use(("x",)), ()).frame) == ["x"]
    assert list(kept_of(TABLE, Use(("x",), identifier="row"), ()).frame) == ["row", "x"]
