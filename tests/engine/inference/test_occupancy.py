"""How many rows the smallest class of a model rests on."""

import numpy as np
import pytest

from em_core import FactorAnalysis, Gaussian, HiddenMarkov, Mixture, fit
from em_core.inference.occupancy import smallest_class

ROWS = np.random.default_rng(3).normal(size=(60, 2))
ONE_ODD = np.concatenate([ROWS, [[50.0, -40.0]]])
TWO_ODD = np.concatenate([ONE_ODD, [[50.0, -41.0]]])


@pytest.mark.parametrize("structure", ["tied", "EEI", "EII", "EVE"])
@pytest.mark.parametrize("rows", [ONE_ODD, TWO_ODD])
def test_a_component_of_one_or_two_rows_is_named_where_no_covariance_collapses(
    structure: str, rows: np.ndarray
) -> None:
    found = fit(Mixture(Gaussian(structure), 2), rows, seed=1)
    assert not found.collapsed or structure == "EVE"
    assert smallest_class(found.model, found.params, rows) == pytest.approx(
        (len(rows) - len(ROWS), 3), abs=0.05
    )


def test_weights_make_a_group_of_one_row() -> None:
    weights = np.ones(len(ONE_ODD))
    weights[-1] = 3.0
    found = fit(Mixture(Gaussian("tied"), 2), ONE_ODD, seed=1, weights=weights)
    assert smallest_class(found.model, found.params, ONE_ODD, weights) is None


def test_states_count_frames() -> None:
    sequence = np.concatenate([ROWS[:30], [[50.0, -40.0]], ROWS[30:]])
    found = fit(HiddenMarkov(Gaussian("tied"), 2), [sequence], seed=1)
    few = smallest_class(found.model, found.params, [sequence])
    assert few is not None and few[0] < 3 and few[1] == 3


def test_what_has_no_classes_has_no_smallest() -> None:
    found = fit(FactorAnalysis(1), np.column_stack([ROWS, ROWS.sum(axis=1)]), seed=1)
    assert smallest_class(found.model, found.params, ROWS) is None
