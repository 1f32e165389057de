"""A fit written down and read again: the same bits, and nothing else is taken for one."""

import json
from contextlib import suppress

import numpy as np
import pytest

from em_core import (
    Gaussian,
    Mixture,
    Poisson,
    Standardised,
    StudentT,
    TwoLevel,
    dump,
    fit,
    load,
    restarts,
)
from em_core.half_steps import has_collapsed
from em_core.trees import same_bits
from support.families_at_hand import cases
from support.own_model import WithDomains

CASES = cases()


@pytest.mark.parametrize("name", CASES)
def test_a_loaded_fit_has_the_bits_of_the_original(name):
    case = CASES[name]
    result = fit(case.model, case.data, max_iterations=4)
    again = load(dump(result))
    assert again.model == result.model and type(again.params) is type(result.params)
    assert same_bits(again.params, result.params)
    new = [part[:5] for part in case.data] if isinstance(case.data, list) else case.data[:9]
    for left, right in zip(again.posterior(new), result.posterior(new), strict=True):
        pairs = zip(left, right, strict=True) if isinstance(left, list) else [(left, right)]
        assert all(np.array_equal(a, b) for a, b in pairs)
    assert (again.bic, again.icl, again.flags) == (result.bic, result.icl, result.flags)
    assert (again.stop_reason, again.n_iterations) == (result.stop_reason, result.n_iterations)
    assert dump(again) == dump(result)


def test_runs_side_by_side_and_units_of_ones_own_are_kept():
    rows = CASES["Gaussian VVV"].data
    best = restarts(Mixture(Gaussian("VVE"), 2), rows, range(4)).best
    assert same_bits(load(dump(best)).posterior(rows), best.posterior(rows))
    model = Standardised.of(Mixture(Gaussian("EEE"), 2), rows * [1, 1e-3, 1e6])
    result = fit(model, rows * [1, 1e-3, 1e6])
    again = load(dump(result))
    assert again.model == model
    assert same_bits(again.posterior(rows), result.posterior(rows))


def test_names_and_flags_are_kept():
    flat = np.array([[0.0], [0.0], [0.0], [5.0], [6.0], [7.0]])
    result = fit(Mixture(Gaussian(), 2), flat)
    assert has_collapsed(result.flags)
    text = dump(result, columns=["Länge"], levels=[None], units=["mm"])
    again = load(text)
    assert (again.columns, again.levels, again.units) == (("Länge",), (None,), ("mm",))
    assert again.collapsed
    assert [flag.component for flag in again.flags] == [flag.component for flag in result.flags]
    assert load(dump(result, preparation="log")).preparation == "log" and not again.preparation
    named = load(dump(result, levels=[("no", "yes")]))
    assert named.levels == (("no", "yes"),)


def test_likelihoods_without_a_number_are_written_as_words():
    result = fit(Mixture(Poisson(), 1), np.array([[1.0], [2.0]]))
    step = result.trace[-1]._replace(log_likelihood=-np.inf, elbo=np.nan)
    text = dump(type(result)(result.model, (step,), "not_finite", 2.0, None))
    json.loads(text, parse_constant=lambda name: pytest.fail(name))
    again = load(text)
    assert again.log_likelihood == -np.inf and np.isnan(again.trace[-1].elbo)


def test_a_model_of_ones_own_is_not_written():
    counts = np.array([0.0, 0, 1, 2, 3, 0])
    with pytest.raises(ValueError, match="WithDomains is no model of em_core"):
        dump(fit(WithDomains(), counts))


RESULT = fit(Mixture(StudentT(), 2), CASES["Student t"].data, max_iterations=3)


def changed(*path_and_value, text=None):
    *path, value = path_and_value
    told = json.loads(text or dump(RESULT))
    place = told
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    return json.dumps(told)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[1, 2]", "no saved model of em_core"),
        ('{"format": "other"}', "no saved model of em_core"),
        (changed("version", 2), "is of version 2, and only versions up to 1"),
        (changed("version", None), "of which version"),
        (changed("model", "kind", "os.system"), "kind that is not known: os.system"),
        (changed("model", "n_components", 0), "at least one component"),
        (changed("model", "n_components", 3), "give one number for each of 3"),
        (changed("model", "emission", "covariance", "WWW"), "unknown covariance"),
        (changed("model", "emission", 3), "damaged"),
        (changed("model", {"kind": "Mixture"}), "it is no Mixture"),
        (changed("params", "weights", [0.5, "x"]), "could not convert"),
        (changed("params", "weights", [-1, 2]), "must not be negative"),
        (changed("params", "emission", "means", [[1, 2]]), "2 means"),
        (changed("params", "emission", "more", 1), "damaged"),
        (changed("params", "emission", None), "damaged"),
        (changed("fit", "log_likelihood", "much"), "damaged"),
        (changed("fit", "stop_reason", "tired"), "nobody knows how its fit ended"),
        (changed("fit", "flags", [{"kind": "Exit", "text": "x"}]), "damaged"),
        (changed("columns", [3]), "no text"),
        (changed("columns", None), "no text"),
    ],
)
def test_what_is_damaged_or_newer_is_refused_with_a_sentence(text, said):
    with pytest.raises(ValueError, match=said):
        load(text)


def nodes(told, path=()):
    yield path
    inside = told.items() if isinstance(told, dict) else enumerate(told)
    for name, part in inside:
        if isinstance(part, dict | list):
            yield from nodes(part, (*path, name))
        else:
            yield (*path, name)


def deep(n):
    told = {}
    for _ in range(n):
        told = {"kind": "Standardised", "model": told}
    return told


OTHERS = (
    *(None, True, 0, -1, 3, 1.5, 2**63, 10**400, 1e308, 5e-324, "x", "inf", "nan", "", "\ud800"),
    *([], {}, [[]], [1], [None], ["a", "b", "c"], [["a"], ["b"]], [[1], [2]], {"kind": "Gaussian"}),
    deep(900),
)


@pytest.mark.parametrize("name", CASES)
def test_whatever_stands_in_the_place_of_a_part_the_rest_is_whole_or_refused(name):
    case, rng = CASES[name], np.random.default_rng(0)
    result = fit(case.model, case.data, max_iterations=2)
    new = [part[:3] for part in case.data] if isinstance(case.data, list) else case.data[:9]
    n = (new[0] if isinstance(new, list) else new).shape[1]
    text = dump(result, columns=["x"] * n, levels=[["u", "v"]] * n, units=["cm"] * n)
    paths = list(nodes(json.loads(text)))[1:]
    for _ in range(150):
        path, value = paths[rng.integers(len(paths))], OTHERS[rng.integers(len(OTHERS))]
        try:
            again = load(changed(*path, value, text=text))
        except ValueError as error:
            assert str(error)
            continue
        assert not np.isnan(again.bic) or np.isnan(again.log_likelihood)
        assert all(isinstance(word, str) for word in sum(filter(None, again.levels), ()))
        assert len(again.levels) in (0, len(again.columns) or n)
        if path[0] not in ("params", "model"):
            again.posterior(new)
        else:
            with suppress(ValueError):
                again.posterior(new)


def test_no_text_that_was_damaged_anywhere_does_more_than_raise_an_error():
    text, rng = dump(RESULT), np.random.default_rng(0)
    for _ in range(400):
        place = int(rng.integers(len(text)))
        kind = rng.integers(3)
        if kind == 0:
            broken = text[:place]
        elif kind == 1:
            broken = text[:place] + text[place + 1 :]
        else:
            broken = text[:place] + chr(int(rng.integers(32, 127))) + text[place + 1 :]
        try:
            load(broken)
        except ValueError as error:
            assert str(error)


@pytest.mark.parametrize("n_groups", [2, 3, 4])
def test_groups_measured_in_units_far_apart_come_back(n_groups: int):
    """Income, pupils, a share and a rate of a few schools: covariances of all magnitudes."""
    rng = np.random.default_rng(n_groups)
    centre = np.array([3e4, 2e6, 0.3, 2e-3])
    between, within = centre * [0.1, 0.1, 0.2, 0.2], centre * [0.13, 0.15, 0.17, 0.25]
    groups = [
        centre + between * rng.normal(size=4) + within * rng.normal(size=(8, 4))
        for _ in range(n_groups)
    ]
    found = fit(TwoLevel(), groups)
    assert same_bits(load(dump(found)).params, found.params)
