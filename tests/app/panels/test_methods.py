"""The list of methods has every number that pages report."""

from pages.ui.panels.methods_panel import METHODS
from pages.ui.state.settings import CRITERIA

NAMES = [method.name for method in METHODS]


def test_every_criterion_has_its_formula_once() -> None:
    assert set(CRITERIA.values()) <= set(NAMES) and len(set(NAMES)) == len(NAMES)
    for method in METHODS:
        assert method.formula and not method.formula.endswith(".")
