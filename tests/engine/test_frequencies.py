"""Weights: frequencies are copies of rows, in every number; sampling weights are scaled to the
rows, and what needs a likelihood is refused with them."""

import numpy as np
import pytest

from em_core import (
    Bernoulli,
    Categorical,
    FactorAnalysis,
    Gaussian,
    HiddenMarkov,
    Mixture,
    Partitions,
    ProbabilisticPCA,
    Standardised,
    TwoLevel,
    dump,
    fit,
    inference,
    load,
    restarts,
    select,
)
from em_core.data import copies, rows_that_count
from em_core.fit import Fit
from em_core.search.identified import identified
from em_core.search.selection import CRITERIA
from em_core.starts.agglomeration import ward
from support.families_at_hand import cases
from support.tables import table

FAMILIES = [
    name
    for name in cases()
    if not name.startswith("Gaussian ") or name[9:] in ("VVV", "EVE", "EEI", "with holes")
]
# Each row, or sequence, draws for itself: copies draw again. And a tree of copies merges them one
# by one, those of weights begins with them merged.
OTHERS = {"random responsibilities", "segments", "model-based hierarchical"}


def whole_weights(data, seed: int = 0) -> np.ndarray:
    """0, 1, 2 and 3, and no sequence or group of none."""
    n = len(data)
    least = 1 if isinstance(data, list) else 0
    return np.random.default_rng(seed).permutation(np.maximum(np.arange(n) % 4, least))


def numbers_of(result: Fit) -> dict:
    """All that a fit says in one number."""
    names = ("log_likelihood", "entropy", "n_observations", "n_parameters", "n_iterations")
    criteria = [name for name in CRITERIA if name != "cross_validation"]
    return {name: getattr(result, name) for name in (*names, *criteria)}


def flat(tree) -> np.ndarray:
    if isinstance(tree, tuple):
        return np.concatenate([flat(part) for part in tree])
    return np.ravel(np.asarray(tree, dtype=float))


def alike(left, right, within: float = 1e-9) -> None:
    np.testing.assert_allclose(flat(left), flat(right), rtol=within, atol=within)


@pytest.mark.parametrize("name", FAMILIES)
def test_frequencies_are_copies_from_every_start(name: str):
    model, data = cases()[name]
    data = model.check(data)
    weights = whole_weights(data)
    copied = copies(data, weights)
    for start in [start for start in model.starts if start not in OTHERS]:
        some = {"start": start, "seed": 1, "max_iterations": 4}
        weighted, whole = fit(model, data, weights=weights, **some), fit(model, copied, **some)
        for criterion, value in numbers_of(whole).items():
            found = numbers_of(weighted)[criterion]
            assert found == pytest.approx(value, rel=1e-9, abs=1e-7), (start, criterion)
        # Of ten short runs to one end any may be the best, each with numbers of its own.
        if start != "short runs":
            alike(weighted.params, whole.params, 1e-6)


@pytest.mark.parametrize("name", FAMILIES)
def test_frequencies_are_copies_in_all_that_is_said_of_a_fit(name: str):
    model, data = cases()[name]
    data = model.check(data)
    weights = whole_weights(data)
    copied = copies(data, weights)
    whole = fit(model, copied, max_iterations=30)
    # From its end: where EM stops on the way must not decide.
    weighted = fit(model, data, weights=weights, start=whole.params, max_iterations=0)
    whole = fit(model, copied, start=whole.params, max_iterations=0)
    assert numbers_of(weighted) == pytest.approx(numbers_of(whole), rel=1e-9)
    one, other = (weighted, data, weights), (whole, copied, None)
    said = []
    for result, rows, own in (one, other):
        told = [identified(result, rows, own)]
        if model.latent in ("labels", "path"):
            quality = inference.class_quality(result, rows, own)
            parts = [part for part in quality if part is not None]
            told += [tuple(parts), inference.separation(result, rows, own).columns]
        if model.latent in ("labels", "path", "factors"):
            found = inference.bivariate_residuals(result, rows, own)
            told += [found.statistics, found.columns, found.dispersion]
        if name in ("Bernoulli", "Categorical"):
            told += [tuple(inference.pattern_fit(result, rows, own))]
        said.append(told)
    assert said[0][0] == said[1][0]
    for left, right in zip(said[0][1:], said[1][1:], strict=True):
        alike(left, right, 1e-8)


@pytest.mark.parametrize("name", ["Gaussian VVV", "Bernoulli", "hidden Markov", "two levels"])
def test_frequencies_are_copies_in_standard_errors(name: str):
    model, data = cases()[name]
    if name == "hidden Markov":
        data = [part for part in np.array_split(np.concatenate(data), 30)]
    if name == "two levels":
        data = [part for part in np.array_split(np.concatenate(data), 40)]
    data = model.check(data)
    weights = whole_weights(data, 3)
    copied = copies(data, weights)
    whole = fit(model, copied, tolerance=1e-8)
    weighted = fit(model, data, weights=weights, start=whole.params, tolerance=1e-8)
    clusters = np.arange(len(data)) // max(1, len(data) // 38)
    for options in ({}, {"robust": True}):
        one = inference.intervals(weighted, data, weights=weights, **options)
        other = inference.intervals(whole, copied, **options)
        alike(one.standard_errors, other.standard_errors, 1e-4)
    one = inference.intervals(weighted, data, weights=weights, clusters=clusters)
    other = inference.intervals(whole, copied, clusters=np.repeat(clusters, weights))
    alike(one.standard_errors, other.standard_errors, 1e-4)


def test_frequencies_are_copies_in_searches_grids_and_what_is_held_out():
    patterns = table("25")
    rows = patterns.iloc[:, :3].to_numpy(float)
    weights = patterns["freq"].to_numpy()
    copied = copies(rows, weights)
    model = Mixture(Bernoulli(), 2)
    starts = [name for name in model.starts if name not in OTHERS]
    one = restarts(model, rows, range(3), starts, weights=weights)
    other = restarts(model, copied, range(3), starts)
    assert one.verdict == other.verdict
    assert [f.log_likelihood for f in one.fits] == pytest.approx(
        [f.log_likelihood for f in other.fits], rel=1e-9
    )
    models = {k: Mixture(Bernoulli(), k) for k in (1, 2)}
    one = select(models, rows, range(2), weights=weights, folds=5, fold_seed=1)
    other = select(models, copied, range(2), folds=5, fold_seed=1)
    for left, right in zip(one.cells, other.cells, strict=True):
        for criterion in CRITERIA:
            assert left.score(criterion) == pytest.approx(right.score(criterion), rel=1e-8)
        assert left.cross_validation is not None
        assert left.cross_validation.standard_error == pytest.approx(
            right.cross_validation.standard_error, rel=1e-6
        )
    # Eight rows that stand for 200 can be cut into ten folds.
    (cell,) = select({1: models[1]}, rows, [0], weights=weights, folds=10).cells
    assert np.isfinite(cell.score("cross_validation"))
    alone = inference.likelihood_ratio(models[1], models[2], copied, replicates=5, starts=2)
    ratio = inference.likelihood_ratio(
        models[1], models[2], rows, replicates=5, starts=2, weights=weights
    )
    assert ratio.statistic == pytest.approx(alone.statistic, rel=1e-6)
    assert ratio.p_value == alone.p_value
    result = fit(model, rows, weights=weights)
    assert not inference.bootstrap(result, rows, 20, weights=weights).parametric


def test_patterns_with_counts_have_the_right_numbers():
    patterns = table("25")
    rows, weights = patterns.iloc[:, :3].to_numpy(float), patterns["freq"].to_numpy()
    for k, right, bic in ((1, -407.48851, 830.8720), (2, -341.33129, 719.7508)):
        best = restarts(Mixture(Bernoulli(), k), rows, range(5), weights=weights, tolerance=1e-8)
        assert best.best.log_likelihood == pytest.approx(right, abs=1e-4)
        assert best.best.bic == pytest.approx(bic, abs=1e-3)
        assert best.best.n_observations == 200
    params = best.best.params
    order = np.argsort(params.weights)
    assert params.weights[order] == pytest.approx([0.4342, 0.5658], abs=1e-4)
    assert params.emission.probabilities[order] == pytest.approx(
        np.array([[0.1494, 0.1724, 0.2168], [0.9281, 0.8927, 0.8587]]), abs=1e-4
    )
    quality = inference.class_quality(best.best, rows, weights)
    assert quality.relative_entropy == pytest.approx(0.7735, abs=1e-4)


def test_a_level_that_only_rows_of_no_weight_have_is_no_level():
    rows = np.array([[0, 1], [1, 0], [0, 0], [1, 1], [2, 0]], float)
    weights = np.array([3, 2, 2, 3, 0])
    model = Mixture(Categorical(), 1)
    for start in ("k-means++", np.ones((5, 1))):
        found = fit(model, rows, weights=weights, start=start)
        assert found.n_parameters == fit(model, rows[:4], weights=weights[:4]).n_parameters == 2
    with pytest.raises(ValueError, match="column 4 has one and the same"):
        fit(FactorAnalysis(1), np.eye(4), weights=[1, 1, 1, 0])


def test_frequencies_are_copies_in_the_fit_of_factors():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(60, 5)) + rng.normal(size=(60, 1))
    weights = whole_weights(rows)
    model, copied = FactorAnalysis(1), copies(rows, weights)
    found = inference.factor_fit(fit(model, rows, weights=weights), rows, weights)
    alike(found, inference.factor_fit(fit(model, copied), copied), 1e-7)


def test_columns_are_standardised_by_their_weights():
    rng = np.random.default_rng(0)
    rows = np.where(rng.random((50, 2)) < 0.1, np.nan, rng.normal(size=(50, 2)) * [1, 30])
    weights = rng.integers(0, 4, 50)
    model = Mixture(Gaussian("VEI"), 2)
    one, other = (
        Standardised.of(model, rows, weights),
        Standardised.of(model, copies(rows, weights)),
    )
    alike((one.shift, one.scale), (other.shift, other.scale))
    parts = [rows[:20], rows[20:]]
    one = Standardised.of(HiddenMarkov(Gaussian(), 2), parts, [2, 1])
    other = Standardised.of(HiddenMarkov(Gaussian(), 2), [rows[:20], *parts])
    alike((one.shift, one.scale), (other.shift, other.scale))


def test_wards_tree_counts_rows_by_their_weights():
    from scipy.cluster.hierarchy import cut_tree, linkage

    rng = np.random.default_rng(0)
    points = rng.normal(size=(80, 2)) + rng.integers(0, 3, (80, 1)) * 4
    weights = rng.integers(1, 5, 80)
    for n_groups in (1, 2, 3, 5, 9):
        for own in (np.ones(80, dtype=int), weights):
            tree = linkage(np.repeat(points, own, axis=0), "ward")
            right = cut_tree(tree, n_groups)[:, 0]
            pairs = {*zip(np.repeat(ward(points, own, n_groups), own), right, strict=True)}
            assert len(pairs) == n_groups
    assert ward(points[:1], np.ones(1), 1).tolist() == [0]


# Sampling weights


def test_sampling_weights_are_scaled_to_the_rows():
    rng = np.random.default_rng(0)
    for name in ("Gaussian VVV", "Bernoulli", "hidden Markov", "factor analysis", "two levels"):
        model, data = cases()[name]
        data = model.check(data)
        weights = rng.random(len(data)) * 1000
        found = fit(model, data, weights=weights, weights_kind="sampling", max_iterations=5)
        n_rows = sum(map(len, data)) if isinstance(data, list) else len(data)
        assert found.weights_kind == "sampling"
        assert found.n_observations == pytest.approx(n_rows)
        again = fit(model, data, weights=weights / 7, weights_kind="sampling", max_iterations=5)
        assert again.bic == pytest.approx(found.bic, rel=1e-9)
        # Those of one size say nothing.
        equal = fit(
            model, data, weights=np.full(len(data), 3.0), weights_kind="sampling", max_iterations=5
        )
        assert equal.bic == pytest.approx(fit(model, data, max_iterations=5).bic, rel=1e-9)
    plain = fit(model, data, weights_kind="sampling", max_iterations=5)
    assert plain.weights_kind == "frequencies"
    with pytest.raises(ValueError, match="unknown weights_kind 'survey'"):
        fit(model, data, weights_kind="survey")  # ty: ignore[invalid-argument-type]
    assert load(dump(found)).weights_kind == "sampling"


def sampled(seed: int = 0) -> tuple[Mixture, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(200, 1)) + 4 * rng.integers(0, 2, (200, 1))
    return Mixture(Gaussian(), 2), rows, rng.random(200) + 0.2


def test_with_sampling_weights_standard_errors_are_robust_ones_only():
    model, rows, weights = sampled()
    asked = {"weights": weights, "weights_kind": "sampling"}
    found = fit(model, rows, tolerance=1e-8, **asked)
    interval = inference.intervals(found, rows, weights=weights)
    assert interval.robust and "robust" in interval.sentences[0]
    # Whatever they are scaled to.
    other = inference.intervals(found, rows, weights=weights * 1000)
    alike(interval.standard_errors, other.standard_errors, 1e-5)
    # Of one component in closed form: sum w^2 (x - m)^2 over (sum w)^2, n / (n - 1).
    one = fit(Mixture(Gaussian(), 1), rows, **asked)
    mean = np.average(rows[:, 0], weights=weights)
    square = (weights**2 * (rows[:, 0] - mean) ** 2).sum() / weights.sum() ** 2 * 200 / 199
    error = inference.intervals(one, rows, weights=weights).standard_errors.emission.means
    assert error.ravel() == pytest.approx([np.sqrt(square)], rel=1e-5)


def test_with_sampling_weights_what_needs_a_likelihood_is_refused():
    model, rows, weights = sampled()
    asked = {"weights": weights, "weights_kind": "sampling"}
    found = fit(model, rows, **asked)
    with pytest.raises(ValueError, match="likelihood-ratio test needs a likelihood, and sampling"):
        inference.likelihood_ratio(Mixture(Gaussian(), 1), model, rows, 5, **asked)
    with pytest.raises(ValueError, match="a parametric bootstrap needs"):
        inference.bootstrap(found, rows, 20, parametric=True, weights=weights)
    with pytest.raises(ValueError, match="a p-value needs"):
        inference.bivariate_residuals(found, rows, weights, replicates=9)
    items = (rows > 1).astype(float) * np.ones(3)
    patterns = fit(Mixture(Bernoulli(), 1), items, **asked)
    assert np.isfinite(inference.pattern_fit(patterns, items, weights).g_squared)
    with pytest.raises(ValueError, match="a p-value needs"):
        inference.pattern_fit(patterns, items, weights, replicates=9)
    five = np.random.default_rng(0).normal(size=(200, 5))
    with pytest.raises(ValueError, match="a test of fit needs"):
        inference.factor_fit(fit(FactorAnalysis(1), five, **asked), five, weights)
    # Rows drawn again with their weights: about the robust standard error.
    drawn = inference.bootstrap(found, rows, 100, weights=weights)
    robust = inference.intervals(found, rows, weights=weights).standard_errors
    assert flat(drawn.standard_errors) == pytest.approx(flat(robust), rel=0.5)


def test_in_a_grid_sampling_weights_keep_their_scale_in_the_folds():
    _, rows, weights = sampled()
    models = {k: Mixture(Gaussian(), k) for k in (1, 2)}
    asked = {"weights": weights, "weights_kind": "sampling"}
    grid = select(models, rows, range(2), folds=4, **asked)
    for cell in grid.cells:
        assert cell.fitted.weights_kind == "sampling" and cell.cross_validation is not None
        held_out = cell.cross_validation
        assert held_out.log_likelihood / held_out.per_observation == pytest.approx(200)
    runs = restarts(models[2], rows, range(2), **asked)
    assert runs.best.bic == pytest.approx(grid.cells[1].fitted.bic)
    assert runs.best.weights_kind == "sampling"


def test_rows_of_no_weight_are_not_among_those_that_count():
    rows = np.arange(6.0)[:, None]
    model = Mixture(Gaussian(), 1)
    found, weights = rows_that_count(model, rows, [0, 1, 2, 0, 1, 4])
    assert weights is not None
    assert found[:, 0].tolist() == [1, 2, 4, 5] and weights.tolist() == [1, 2, 1, 4]
    found, weights = rows_that_count(model, rows, [0, 1, 2, 0, 1, 4], "sampling")
    assert weights is not None and weights.tolist() == [0.5, 1, 0.5, 2]
    parts = [rows[:2], rows[2:3], rows[3:]]
    found, weights = rows_that_count(TwoLevel(), parts, [3, 0, 1], "sampling")
    assert weights is not None and len(found) == 2
    assert weights == pytest.approx(np.array([3, 1]) * 5 / 9)


FAR = (1e12, 9.96921e36)  # the second is what netCDF writes where nothing is


@pytest.mark.parametrize("far", FAR)
@pytest.mark.parametrize(
    "model",
    [FactorAnalysis(1), ProbabilisticPCA(1), Mixture(Gaussian(), 2), HiddenMarkov(Gaussian(), 2)],
    ids=lambda model: type(model).__name__,
)
def test_a_far_row_of_no_weight_takes_no_digits(model, far: float):
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(200, 1)) @ rng.normal(size=(1, 5)) + rng.normal(size=(200, 5)) / 2 + 3
    more, weights = np.vstack([rows, np.full(5, far)]), np.append(np.ones(200), 0)
    if model.latent == "path":
        rows, more, weights = [rows], [rows, more[-1:]], np.array([1.0, 0])
    ones = weights[: len(rows)]
    known, found = fit(model, rows, weights=ones), fit(model, more, weights=weights)
    alike(found.params, known.params, within=0)
    assert found.log_likelihood == known.log_likelihood
    best = restarts(model, more, range(2), weights=weights).best
    alike(best.params, restarts(model, rows, range(2), weights=ones).best.params, within=0)
    if model.latent == "factors":
        in_parts = Partitions.from_arrays([more[:90], more[90:]], [weights[:90], weights[90:]])
        alike(fit(model, in_parts).params, known.params, within=1e-9)
        sure = inference.intervals(known, more, weights=weights).reported
        without = inference.intervals(known, rows, weights=ones).reported
        for one, other in zip(sure, without, strict=True):
            assert one == other
