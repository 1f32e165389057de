"""Nothing that rests on next to no rows is shown or recommended without saying so first."""

import numpy as np
import pandas as pd
import pytest

from pages.ui.tables.packing import to_text
from pages.ui.tables.table import Table
from support.visitor import Visitor

ROWS = np.concatenate([np.random.default_rng(3).normal(size=(60, 2)), [[50, -40]]])
WORDS = "mallest component rests on 1 row, fewer than 3"
# What the warning stands before.
PAGES = {
    "": "Converged after",
    "describe": "SD)",
    "local_optima": "starts reached the best",
    "model_selection": "recommends",
}


@pytest.mark.parametrize("page", PAGES)
def test_a_component_of_one_row_is_told_first(app: str, page: str) -> None:
    table = Table("rows", pd.DataFrame(ROWS.round(3), columns=["x", "y"]), (), "")
    link = f"v=1&s=table&t={to_text(table)}&cov=tied&k=2&kf=2&kt=2&cov2=tied&ne=3&ns=4"
    visitor = Visitor(app, link, page)
    visitor.settle()
    assert WORDS in visitor.said
    assert visitor.said.index(WORDS) < visitor.said.index(PAGES[page])
    visitor.close()
