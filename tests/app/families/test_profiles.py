"""What sets clusters apart, in numbers and words, and what a person calls them."""

from dataclasses import replace

import numpy as np
import pytest

from em_core import fit, inference
from pages.ui.families.table import FAMILIES, example_of, family_of
from pages.ui.state.changes import changed
from pages.ui.state.links import parse, to_query
from pages.ui.state.settings import Settings
from pages.ui.text import component_names
from support.runs import started


def profile_of(settings: Settings, max_iterations: int = 100):
    settings = replace(settings, example=example_of(settings))
    _, selection, scene = started(settings, 1)
    start = scene.steps[0].params
    result = fit(scene.model, scene.data, start=start, max_iterations=max_iterations)
    family = family_of(settings)
    found = family.profile(scene.model, result.params, scene.data, selection, settings)
    return result, scene.data, selection, found


def test_names_are_text_and_no_two_are_alike() -> None:
    assert component_names(2, "class", ("", "kind\n  one")) == ("class 1", "kind one")
    assert component_names(3, "class", ("a", "a", "a")) == ("a", "a (2)", "a (3)")
    assert component_names(2, "class", ("class 2", "")) == ("class 2 (2)", "class 2")
    assert component_names(3, "class", ("a", "b")) == ("class 1", "class 2", "class 3")


def test_names_go_with_their_data_and_come_back_with_their_number() -> None:
    named = Settings(names=("small", "large"))
    assert parse(to_query(named))[0] == named
    other = changed(named, n_components=3)
    assert component_names(3, "component", other.names)[0] == "component 1"
    assert changed(other, n_components=2).names == ("small", "large")
    assert changed(named, example="iris").names == ()
    assert changed(named, columns=("a",)).names == ()
    told = parse({"v": "1", "nm": "x" * 60})
    assert len(told[0].names[0]) == 40 and "40 characters" in told[1][0]


def test_a_mixture_of_measurements_is_told_in_standard_deviations() -> None:
    _, _, selection, found = profile_of(Settings(names=("", "long")))
    rows = selection.values
    assert found.names == ("component 1", "long")
    back = found.values * rows.std(axis=0) + rows.mean(axis=0)
    assert found.said[1].startswith("high eruptions (+0.7 SD)")
    np.testing.assert_allclose(back[0], [2.04, 54.5], rtol=0.01)  # as published for Old Faithful
    ordered = found.ordered(np.array([0.1, 0.9]))
    assert ordered.cells == ("waiting", "eruptions")
    np.testing.assert_array_equal(ordered.values, found.values[:, ::-1])


def test_items_are_told_by_the_answers_that_differ_most() -> None:
    settings = Settings(family="bernoulli-mixture", example="lsat6")
    result, _, selection, found = profile_of(settings)
    np.testing.assert_array_equal(found.values, result.params.probabilities)
    assert all(" often Q" in words and " against " in words for words in found.said)
    overall = (selection.values[:, 2] == 1).mean()
    assert f"against {100 * overall:.0f}" in found.said[0]


@pytest.mark.parametrize("name", [n for n in FAMILIES if not n.startswith("own")])
def test_intervals_lie_about_what_is_drawn(name: str) -> None:
    """Of every family: whatever people report of the cells has its interval around the value."""
    factors = 1 if name == "factor-analysers" else 2
    settings = Settings(family=name, n_factors=factors, rotation="varimax")
    if name == "bernoulli-mixture":
        settings = replace(settings, example="lsat6")
    if name == "probabilistic-pca":
        settings = replace(settings, example="iris")
    result, data, _, found = profile_of(settings, 400)
    assert len(found.said) == len(found.names) == len(found.values) == len(found.shares)
    assert found.shares.sum() == pytest.approx(1) or not found.share_of.endswith("rows")
    if found.quantity:
        found = found.with_intervals(inference.intervals(result, data).reported)
    known = np.isfinite(found.lower)
    assert known.any()
    # Those of a fit that was polished, from which ours is a little away.
    middle = (found.lower + found.upper)[known] / 2
    near = np.abs(found.values[known] - middle) <= 0.75 * (found.upper - found.lower)[known]
    assert near.all()
