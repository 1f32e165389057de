"""The bytes of a picture: what goes in comes out in the browser, small and fast."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pages.ui.pictures import leaders
from pages.ui.pictures.leaders import leaders_of_each
from pages.ui.pictures.payload import certainty_levels, pack, run_of
from pages.ui.pictures.picture import Picture
from support.drawn import examples
from support.packed import unpack
from support.picture_demo import demo_picture, posteriors_of


def listed(picture: Picture) -> Picture:
    return picture._replace(leaders=[*picture.leaders])


@pytest.fixture(scope="module")
def picture() -> Picture:
    return listed(demo_picture(300, n_components=4, n_iterations=12, n_columns=3))


def test_text_curves_and_rows_arrive_as_they_are(picture: Picture) -> None:
    picture = picture._replace(rows=np.arange(300)[::-1] * 7 + 1, columns=("a<b>", "ü $x$", "z"))
    payload = pack(picture)
    seen = unpack(payload)
    assert run_of(payload) == picture.run
    for name in ("columns", "components", "phases", "captions", "note", "running"):
        assert tuple(np.atleast_1d(seen[name])) == tuple(np.atleast_1d(getattr(picture, name)))
    assert seen["flags"] == [list(flags) for flags in picture.flags]
    for name in ("elbo", "log_likelihood", "rows", "iterations", "posterior"):
        np.testing.assert_array_equal(seen[name], getattr(picture, name))


def test_positions_and_parameters_arrive_to_drawing_precision(picture: Picture) -> None:
    far_away = picture._replace(positions=picture.positions + 1e8, means=picture.means + 1e8)
    seen = unpack(pack(far_away))
    low, span = np.array(seen["low"]), np.array(seen["span"])
    positions = low + span * seen["positions"] / 65_535
    assert np.all(np.abs(positions - far_away.positions) <= span / 65_535)
    shown = np.array(seen["parameters"])
    means = low + span * seen["means"].reshape(-1, 4, 3)[shown]
    assert np.all(np.abs(means - far_away.means) <= span * 1e-6)
    covariances = (
        seen["covariances"].reshape(-1, 4, 6)[shown] * np.outer(span, span)[np.triu_indices(3)]
    )
    expected = picture.covariances[..., *np.triu_indices(3)]
    np.testing.assert_allclose(covariances, expected, rtol=1e-6)
    np.testing.assert_allclose(seen["weights"].reshape(-1, 4)[shown], picture.weights, rtol=1e-6)


def test_an_e_half_step_sends_no_parameters(picture: Picture) -> None:
    assert len(unpack(pack(picture))["weights"]) == (12 + 1) * 4


def test_responsibilities_arrive_to_one_level(picture: Picture) -> None:
    seen = unpack(pack(picture))
    levels = seen["levels"]
    for planes, exact in zip(seen["posteriors"], posteriors_of(picture), strict=True):
        first, second, level = planes
        order = np.sort(exact, axis=1)
        assert np.array_equal(first, exact.argmax(axis=1))
        assert np.all(np.abs(level / (levels - 1) - order[:, -1]) <= 0.76 / (levels - 1))
        doubtful = second != first
        assert np.all(level[~doubtful] == levels - 1)
        runner_up = np.take_along_axis(exact, second[:, None].astype(int), axis=1)[:, 0]
        np.testing.assert_allclose(runner_up[doubtful], order[doubtful, -2], atol=1e-6)


def test_the_same_picture_gives_the_same_bytes(picture: Picture) -> None:
    assert pack(picture) == pack(picture)


@pytest.mark.parametrize("rows", [0, 1_000, 10_000_000])
def test_posteriors_looked_at_together_give_the_same_bytes(picture, monkeypatch, rows) -> None:
    posteriors = [*posteriors_of(picture)]
    usual = pack(picture._replace(leaders=leaders_of_each(posteriors)))
    monkeypatch.setattr(leaders, "ROWS_AT_ONCE", rows)
    assert pack(picture._replace(leaders=leaders_of_each(posteriors))) == usual


def test_one_component_and_identical_points_are_pictures_too() -> None:
    picture = demo_picture(20, n_components=1, n_iterations=2, n_columns=1)
    seen = unpack(pack(picture._replace(positions=np.full((20, 1), 3.0))))
    assert seen["span"] == [1.0]
    assert np.all(seen["posteriors"][:, :2] == 0)
    assert np.all(seen["posteriors"][:, 2] == certainty_levels(20) - 1)


@examples(25)
@given(n=st.integers(1, 40), k=st.integers(1, 30), g=st.integers(1, 5), seed=st.integers(0, 99))
def test_any_responsibilities_come_back(n: int, k: int, g: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    posteriors = rng.dirichlet(np.full(k, 0.3), size=(g, n))
    picture = listed(demo_picture(40, n_components=1, n_iterations=1))
    picture = picture._replace(
        positions=picture.positions[:n],
        rows=picture.rows[:n],
        leaders=leaders_of_each(posteriors),
    )
    planes = unpack(pack(picture))["posteriors"]
    assert np.array_equal(planes[:, 0], posteriors.astype(np.float32).argmax(axis=2))


@pytest.mark.parametrize(("n", "kilobytes"), [(500, 40), (5_000, 200), (50_000, 1_200)])
def test_sixty_iterations_fit_the_budget(n: int, kilobytes: int) -> None:
    assert len(pack(listed(demo_picture(n)))) <= kilobytes * 1000
