"""What the pages say in plain words is so."""

import re

import numpy as np
import pytest

from em_core import Categorical, HalfStep, HiddenMarkov, em
from pages.ui.families.table import family_of
from pages.ui.panels.fit_panel import STOPPED
from pages.ui.panels.theory.questions import QUESTIONS
from pages.ui.panels.theory.theory_panel import _HELP, INTRODUCTION
from pages.ui.pictures.mixture import SCALES_DRAWN
from pages.ui.state.presets import GALLERY, PRESETS
from pages.ui.state.settings import FIELDS, Settings
from pages.ui.text import gap
from support.runs import begun, read
from support.visitor import Visitor

ANSWERS = {question.asked: question.answer for question in QUESTIONS}
LOOK_FOR = {preset.title: preset.look_for for preset in (*GALLERY, *PRESETS)}


def test_what_is_left_to_gain_is_an_estimate() -> None:
    """Aitken's: where EM is sublinear it is too low."""
    assert "about {tolerance} nats or less are left to gain" in STOPPED["converged"]


def test_a_slope_costs_no_further_pass_but_one_before() -> None:
    answer = ANSWERS["Why is the bound as steep as the likelihood where they touch?"]
    assert "needs no further pass over the data" in answer


def test_components_that_overlap_make_em_slow() -> None:
    said = ANSWERS["Why is EM slow near the end?"]
    assert "Where components overlap most is hidden, and the steps are small" in said


def test_the_likelihood_rises_as_em_leaves_a_saddle() -> None:
    (preset,) = (p for p in PRESETS if "saddle" in p.look_for)
    assert "then rises as EM leaves the saddle" in preset.look_for


def test_where_the_bound_touches_no_rounding_is_told() -> None:
    step = HalfStep(1, "E", None, None, -1234.5 - 2.3e-13, -1234.5, (), 0.0)
    assert gap(step) == "0" and gap(step._replace(elbo=-1235.0)) == "0.5000"


def test_a_place_between_the_numbers_is_not_called_a_mean() -> None:
    for name, help in _HELP.items():
        assert FIELDS[name].label.startswith("Place of mean")
        assert "smallest of the numbers, 0, and the largest, 1" in help
    assert "Only step 4 has two points and sliders of its own" in " ".join(INTRODUCTION.split())


@pytest.mark.parametrize(
    "step, sentences",
    [
        ("forms", ("The M-step moved all parameters, standard deviations and weights too",)),
        ("climb", ("The M-step moves standard deviations and weights as well",)),
        ("weighted", ("The M-step refits standard deviations and weights in the same way",)),
    ],
)
def test_a_step_of_the_theory_says_that_spreads_and_weights_move(
    app: str, step: str, sentences: tuple[str, ...]
) -> None:
    visitor = Visitor(app, f"v=1&th={step}", "theory")
    visitor.settle()
    said = " ".join(visitor.texts.split())
    for sentence in sentences:
        assert sentence in said
    assert "standard deviations" in said and "weights" in said
    if step == "forms":  # the parameters of the chain and of the factors, too
        assert re.search(r"probabilities at the start \*\*.*of staying \*\*", said)
        assert re.search(r"loadings \*\*.*noise variances \*\*", said)
    visitor.close()


@pytest.mark.parametrize("page", ["local_optima", "model_selection"])
def test_which_starts_led_there_stands_in_sight(app: str, page: str) -> None:
    """Beside what they led to, not behind columns that a narrow page hides."""
    visitor = Visitor(app, "v=1&e=faithful&ns=3&cs=k-means%2B%2B&kt=2&ne=2&cov2=tied", page)
    visitor.settle()
    heads = re.findall(r"<thead>.*?</thead>", visitor.texts)
    names = [re.findall(r'<th scope="col">(.*?)</th>', head) for head in heads]
    (names,) = (found for found in names if "reached by" in found)
    assert names.index("reached by") <= 2
    visitor.close()


def test_small_transitions_that_are_not_drawn_are_told() -> None:
    settings = Settings(family="categorical-hmm", example="casino", columns=("throw",))
    _, selection = read(settings)
    model = HiddenMarkov(Categorical(), 2)
    chances = np.full((2, 1, 6), 1 / 6)
    for least, title in ((0.005, "Transitions of 1\u00a0% or more"), (0.02, "Transitions")):
        chain = [[1 - least, least], [0.5, 0.5]]
        start = model.params(chain, probabilities=chances)
        scene = begun(settings, None, selection, 1)
        steps = [*em(model, scene.data, start, max_iterations=0)]
        picture, _ = family_of(settings).picture(scene._replace(model=model, steps=steps))
        assert title in [chart.title for chart in picture.charts]


def test_what_is_promised_of_the_casino_is_there() -> None:
    said = LOOK_FOR["The dishonest casino"]
    settings = Settings(family="categorical-hmm", example="casino", columns=("throw",))
    table, selection = read(settings)
    assert "ribbon" in said and selection.labels is not None
    picture, _ = family_of(settings).picture(begun(settings, table, selection, 2))
    assert "Ribbons" in picture.note and picture.time


def test_ellipses_of_t_densities_are_called_what_they_are() -> None:
    settings = Settings(family="student-mixture", example="strays")
    table, selection = read(settings)
    scene = begun(settings, table, selection, 3)
    picture, _ = family_of(settings).picture(scene)
    assert SCALES_DRAWN in picture.note and "scale matrices in the tables" in SCALES_DRAWN
    tables = dict(
        family_of(settings).tables(scene.model, scene.steps[-1].params, selection, settings)
    )
    scales, shown = tables["Scale matrices"].to_numpy(float), picture.covariances[-1]
    np.testing.assert_allclose(scales.reshape(shown.shape), shown)
    deviations = tables["Parameters"].filter(like="SD of", axis=0).to_numpy(float).T
    assert (deviations > np.sqrt(np.einsum("kdd->kd", shown))).all()
    # Of one column there is no ellipse, and Gaussian ones are of covariances.
    one = Settings(family="student-mixture", example="strays", columns=("x1",))
    picture, _ = family_of(one).picture(begun(one, *read(one), 1))
    assert SCALES_DRAWN not in picture.note
    gaussian = Settings(example="faithful")
    picture, _ = family_of(gaussian).picture(begun(gaussian, *read(gaussian), 1))
    assert SCALES_DRAWN not in picture.note
