"""Two solutions beside each other: what is said of both is what the engine says of each."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from em_core import inference
from em_core.search.alignment import assignment_shares
from pages.ui.families.table import family_of
from pages.ui.panels.describe.side_by_side import Side, in_blocks, rows_of_both
from pages.ui.sharing.report import Grid
from pages.ui.state.keeping import kept_of, written
from pages.ui.state.links import parse, to_query
from pages.ui.state.settings import MOST_KEPT, Settings
from support.runs import read, run_of


def side(settings: Settings) -> Side:
    _, selection = read(settings)
    run = run_of(settings, selection)
    fit, family = run.finished_fit, family_of(settings)
    profile = family.profile(run.model, fit.params, run.data, selection, settings)
    return Side(settings, run, selection, profile)


def told(here: Side, kept: Side) -> tuple[dict[str, pd.DataFrame], str]:
    """Tables by the beginning of their captions, and all sentences."""
    crossed, (one, two) = None, rows_of_both(here, kept)
    if here.family.unit and kept.family.unit and len(one):
        shares = [
            assignment_shares(s.run.model, s.run.finished_fit.params, s.run.data)
            for s in (here, kept)
        ]
        crossed = inference.crossed_partitions(shares[0][one], shares[1][two])
    blocks = [*in_blocks(here, kept, crossed)]
    grids = {
        block.caption.partition(",")[0]: block.frame for block in blocks if isinstance(block, Grid)
    }
    return grids, " ".join(block for block in blocks if isinstance(block, str))


IRIS = Settings(example="iris", n_components=3)


def test_every_number_is_that_of_the_two_fits() -> None:
    here, kept = side(replace(IRIS, n_components=2, names=("low", "high"))), side(IRIS)
    grids, words = told(here, kept)
    assert grids["What differs in the settings"].loc["Components"].tolist() == ["2", "3"]
    criteria = grids["How well each fits; natural logarithms"]
    fits = here.run.finished_fit, kept.run.finished_fit
    assert criteria.loc["BIC"].tolist() == [fit.bic for fit in fits]
    assert criteria.loc["ICL"].tolist() == [fit.icl for fit in fits]
    assigned = grids["Rows"]
    assert assigned.to_numpy().tolist() == [[50, 0, 0], [0, 45, 55]]
    assert list(assigned.index) == ["low", "high"] and "high with component 3" in words
    assert "Without a match: kept: component 2." in words
    assert "70.0\xa0% of the rows" in words
    apart = here.profile.values[1] - kept.profile.values[2]
    difference = grids["Difference of mean"]["high, kept component 3"]
    column = here.profile.cells.index("petal width")
    assert difference["petal width"] == pytest.approx(apart[column], abs=1e-3)


def test_structures_families_and_columns_that_cannot_be_compared_are_told() -> None:
    items = replace(IRIS, family="student-mixture", columns=("petal width", "petal length"))
    grids, words = told(side(IRIS), side(items))
    differing = grids["What differs in the settings"]
    assert {"Columns", "Model"} <= set(differing.index)
    assert "fits to other columns cannot be compared" in words
    assert set(grids["Difference of mean"].index) == {"petal width", "petal length"}


def test_factors_are_compared_by_their_loadings() -> None:
    factors = Settings(family="factor-analysis", example="ability", n_factors=1)
    grids, words = told(side(replace(factors, n_factors=2)), side(factors))
    congruence = grids["Congruence of the loadings (Tucker)"].to_numpy()
    assert congruence.shape == (2, 1) and 0.9 < np.abs(congruence).max() <= 1
    assert "Rand" not in words


def test_what_is_kept_travels_in_the_link_and_comes_back() -> None:
    told = written(replace(IRIS, columns=("a, b", "ü"), seed=7, names=("x",), frame=3))
    settings, said = parse(to_query(Settings(example="iris", kept=told)))
    kept = kept_of(settings)
    assert not said and not kept.complaints and not kept.other_data
    assert kept.settings.columns == ("a, b", "ü") and kept.settings.seed == 7
    assert kept.settings.n_components == 3 and kept.settings.frame is None
    assert kept_of(replace(settings, example="faithful")).other_data
    assert written(replace(IRIS, columns=("c" * MOST_KEPT,))) == ""
    damaged = kept_of(replace(settings, kept="k=many&&%ff&f=3&e=iris&xx=1"))
    assert damaged.complaints == ("Components: “many” is not a whole number, so 2 is used.",)
    assert damaged.settings.frame is None


def test_solutions_of_no_row_in_common_are_set_beside_each_other() -> None:
    here, kept = side(IRIS), side(replace(IRIS, n_components=2))
    apart = replace(kept, selection=kept.selection._replace(rows=kept.selection.rows + 150))
    grids, words = told(here, apart)
    assert "No row is in both fits" in words and "fits to other rows" in words
    assert "How well each fits; natural logarithms" in grids and "Rows" not in grids
