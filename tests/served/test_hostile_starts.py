"""Parameters that a person or a link gives as the start, however extreme: a fit, or a sentence."""

import json
import random
from collections import Counter

import numpy as np
import pytest

from em_core.emissions.poisson import LARGEST_COUNT
from em_core.fit import finished
from em_core.magnitudes import LARGEST_DEVIATION, LARGEST_VALUE, SMALLEST_DEVIATION
from pages.ui.compute.climbing import climb
from pages.ui.families.numbers import arrays
from pages.ui.families.table import FAMILIES, model_for
from pages.ui.pictures.payload import pack
from pages.ui.state.beginnings import beginning
from pages.ui.state.changes import changed
from pages.ui.state.scenes import scene_of
from pages.ui.state.settings import Settings
from support.runs import read

EXTREME = (0, 1, -1, 0.5, 2, -5, 1e10, 1e16, 1e154, 1e300, 1e308, -1e308)
EXTREME += (1e-17, 1e-160, 1e-300, 5e-324)
# As large and as small as anything that is accepted.
EXTREME += (LARGEST_VALUE, -LARGEST_VALUE, SMALLEST_DEVIATION, LARGEST_COUNT)
EXTREME += (SMALLEST_DEVIATION**2, LARGEST_DEVIATION**2, 1e30, -1e30, 1e-30)


def distorted(rng: random.Random, usual: np.ndarray) -> np.ndarray:
    """An array of the same shape, some or all of whose numbers no fit would have."""
    made = np.array(usual, dtype=float)
    match rng.randrange(4):
        case 0:
            made[...] = rng.choice(EXTREME)
        case 1 if made.size:
            for _ in range(rng.randrange(1, 4)):
                made.flat[rng.randrange(made.size)] = rng.choice(EXTREME)
        case 2:
            with np.errstate(over="ignore", under="ignore"):
                made *= rng.choice([1e40, 1e-40, 1e119, 1e-119, 1e300, 1e-300, -1])
        case _:
            made += rng.choice([1e10, 1e59, 1e150, 1e300, -1e59])
    return made


@pytest.mark.parametrize("name", FAMILIES)
def test_extreme_parameters_are_refused_or_fitted_and_shown(name: str, long: bool) -> None:
    family, rng, ends = FAMILIES[name], random.Random(0), Counter()
    usual = changed(Settings(), family=name, example=family.examples[0], start="parameters")
    table, selection = read(usual)
    if family.most_factors is not None:
        usual = changed(usual, n_factors=family.most_factors(len(selection.columns)))
    data = family.data(selection)
    for number in range(500 if long else 6):
        settings = usual
        if "covariance" in family.controls:
            settings = changed(usual, covariance=rng.choice(list(family.controls["covariance"])))
        model = family.build(settings)
        method = next(iter(family.starts))
        given = arrays(model.initial_params(data, method, np.random.default_rng(number)))
        given = {
            key: (distorted(rng, given[key]) if rng.random() < 0.6 else given[key]).tolist()
            for key in family.parameters
        }
        standardise = "standardise" in family.controls and rng.random() < 0.3
        model = model_for(settings := changed(settings, standardise=standardise), data)
        try:
            settings = changed(settings, start_params=json.dumps(given))
            climbing = climb(model, data, None, beginning(model, settings, data), 1e-3, 6, 0)
        except ValueError as error:
            assert str(error) and "\n" not in str(error)
            ends["refused"] += 1
            continue
        steps = []
        try:
            while True:
                steps += next(climbing)
        except StopIteration as end:
            why = end.value
        except (ValueError, np.linalg.LinAlgError):
            ends["failed"] += 1  # the worker says so
            continue
        ends[why] += 1
        fit = finished(model, steps, why, data)
        assert not np.isinf(fit.bic) or why == "not_finite"
        scene = scene_of("run", model, data, steps, selection, settings, most=100, table=table)
        picture, _ = family.picture(scene)
        assert pack(picture)
        family.tables(model, steps[-1].params, selection, settings)
        family.results(model, steps[-1].params, data, selection, settings)
        if family.point is not None:
            family.point(model, steps[-1].params, data, selection, 0, scene.components)
    print(name, dict(ends))
