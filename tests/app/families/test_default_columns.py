"""The columns that a model is given unasked are ones that it takes: no model refuses its own."""

import numpy as np
import pandas as pd
import pytest

from pages.ui.families.table import FAMILIES, model_for
from pages.ui.state.beginnings import beginning
from pages.ui.state.settings import Settings
from pages.ui.tables.columns import default_columns, describe_columns, suggest_label
from pages.ui.tables.reading import read_table
from pages.ui.tables.table import Table


def a_table(seed: int) -> Table:
    """Columns of every kind, some of each, in any order."""
    rng = np.random.default_rng(seed)
    rows = 40
    kinds = {
        "measured": lambda: rng.normal(10, 3, rows).round(3),
        "negative": lambda: rng.integers(-50, 50, rows),
        "count": lambda: rng.poisson(4, rows),
        "large": lambda: rng.integers(0, 100_000, rows),
        "binary": lambda: rng.integers(0, 2, rows),
        "one or two": lambda: rng.integers(1, 3, rows),
        "yes": lambda: rng.choice(["yes", "no"], rows),
        "mood": lambda: rng.choice(["low", "middle", "high"], rows),
        "words": lambda: [f"word {i}" for i in rng.permutation(rows)],
        "id": lambda: 1000 + rng.permutation(rows),
        "constant": lambda: np.full(rows, 7),
        "code": lambda: rng.choice([1, 2, 3, 99], rows),
        "empty": lambda: np.full(rows, np.nan),
        "truth": lambda: rng.choice(["true", "false"], rows),
        "date": lambda: pd.date_range("2020-01-01", periods=rows).astype(str),
        "holes": lambda: np.where(rng.random(rows) < 0.2, np.nan, rng.normal(size=rows).round(2)),
    }
    drawn = rng.choice(list(kinds), int(rng.integers(1, 12)))
    frame = pd.DataFrame({f"{kind} {i}": kinds[kind]() for i, kind in enumerate(drawn)})
    return read_table("drawn.csv", frame.to_csv(index=False).encode())


@pytest.mark.parametrize("family", FAMILIES)
def test_no_model_refuses_the_columns_that_it_is_given_unasked(family: str) -> None:
    of_it = FAMILIES[family]
    settings = Settings(family=family, n_factors=1)
    taken = 0
    for seed in range(8):
        table = a_table(seed)
        reports = describe_columns(table)
        label = suggest_label(table, reports)
        group = next((r.name for r in reports if r.name.startswith("mood")), None)
        if not of_it.alone and group is None:
            continue
        columns = default_columns(reports, label, of_it.takes, of_it.prefers, of_it.most_columns)
        columns = [name for name in columns if name != group]
        # One factor can't be told of two columns: no choice of columns helps there.
        if len(columns) < (3 if of_it.most_factors or family == "factor-analysers" else 1):
            continue
        selection = of_it.read(table, columns, None, group if of_it.grouping else None, of_it.holes)
        data = of_it.data(selection)
        beginning(model_for(settings, data), settings, data)
        model = of_it.build(settings)
        model.initial_params(data, next(iter(of_it.starts)), np.random.default_rng(0))
        taken += 1
    assert taken
