"""Examples, generators with known truth, and the agreement of two partitions."""

import csv

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from em_core import datasets
from em_core.inference import agreement
from support.drawn import examples

MIXTURES = [kind for kind in datasets.GENERATORS if kind not in ("moons", "rings")]


@pytest.mark.parametrize("name", datasets.EXAMPLES)
def test_every_example_loads_and_explains_itself(name):
    data = datasets.load(name)
    assert data.values.ndim == 2 and data.values.dtype == np.float64
    assert data.values.shape[1] == len(data.columns) == len(set(data.columns))
    assert len(data.units) in (0, len(data.columns))
    assert data.labels is None or len(data.labels) == len(data.values)
    assert (data.labels is None) == (data.label_name is None)
    assert data.description.endswith(".") and data.source and data.name
    assert data.truth is None


def test_old_faithful_comes_first():
    assert datasets.EXAMPLES[0] == "faithful"
    data = datasets.load("faithful")
    assert data.columns == ("eruptions", "waiting") and data.units == ("min", "min")
    np.testing.assert_array_equal(data.values[:2], [[3.6, 79], [1.8, 54]])


@pytest.mark.parametrize(
    ("name", "shape", "counts"),
    [
        ("iris", (150, 4), {"setosa": 50, "versicolor": 50, "virginica": 50}),
        ("diabetes", (145, 3), {"normal": 76, "chemical": 36, "overt": 33}),
        ("wine", (178, 13), {"cultivar 1": 59, "cultivar 2": 71, "cultivar 3": 48}),
        ("cross", (500, 2), {"1": 250, "2": 250}),
        ("strays", (480, 2), {f"cluster {k}": 150 for k in (1, 2, 3)} | {"stray": 30}),
    ],
)
def test_known_labels(name, shape, counts):
    data = datasets.load(name)
    assert data.values.shape == shape
    assert {label: data.labels.count(label) for label in set(data.labels)} == counts


def test_air_quality_keeps_its_holes():
    data = datasets.load("airquality")
    assert np.isnan(data.values).any(axis=1).sum() == 42


def test_simulated_examples_are_always_the_same():
    for name, checked in (("ratings", 3.0), ("pupils", 50.0)):
        first, second = datasets.load(name), datasets.load(name)
        np.testing.assert_array_equal(first.values, second.values)
        assert np.nanmean(first.values) == pytest.approx(checked, rel=0.1)
    ratings = datasets.load("ratings").values
    assert 0.88 < np.isnan(ratings).mean() < 0.92


def test_digits_are_pictures():
    data = datasets.load("digits")
    assert data.values.shape == (1797, 64) and set(np.unique(data.values)) == {0, 1}
    zero = data.values[0].reshape(8, 8)
    assert data.labels[0] == "0" and zero[3, 3:5].sum() == 0 and zero[0, 3] == 1


def test_the_notes_on_sources_name_every_file():
    notes = (datasets.DATA_DIRECTORY / "README.md").read_text()
    files = sorted(path.stem for path in datasets.DATA_DIRECTORY.glob("*.csv"))
    assert files == sorted(set(datasets.EXAMPLES) - {"ratings", "pupils", "strays", "casino"})
    assert all(f"`{name}.csv`" in notes for name in files)


def test_example_files_are_plain_csv():
    for path in datasets.DATA_DIRECTORY.glob("*.csv"):
        with open(path, newline="", encoding="utf-8") as file:
            assert len({len(row) for row in csv.reader(file)}) == 1, path.name


def test_an_unknown_name_is_refused():
    with pytest.raises(ValueError, match="no example 'nope'"):
        datasets.load("nope")
    with pytest.raises(ValueError, match="no generator 'nope'"):
        datasets.generate("nope", 10, 2, 2, np.random.default_rng(0))


@pytest.mark.parametrize("kind", datasets.GENERATORS)
@pytest.mark.parametrize("arguments", [(0, 2, 2), (10, 0, 2), (10, 2, 0), (10, 2.5, 2), (-1, 2, 2)])
def test_impossible_counts_are_refused(kind, arguments):
    with pytest.raises(ValueError, match="must be a whole number from 1 up"):
        datasets.generate(kind, *arguments, np.random.default_rng(0))


@examples(60)
@given(
    kind=st.sampled_from(sorted(datasets.GENERATORS)),
    n=st.integers(1, 200),
    n_components=st.integers(1, 12),
    n_columns=st.integers(1, 9),
    seed=st.integers(0, 2**32),
)
def test_generators_take_any_counts(kind, n, n_components, n_columns, seed):
    data, again = (
        datasets.generate(kind, n, n_components, n_columns, np.random.default_rng(seed))
        for _ in range(2)
    )
    np.testing.assert_array_equal(data.values, again.values)
    assert data.labels == again.labels and len(data.labels) == n
    assert data.values.shape == (n, n_columns) and np.isfinite(data.values).all()
    assert data.values.flags.c_contiguous and len(data.columns) == n_columns
    if data.truth is None:
        assert kind in ("moons", "rings")
        return
    weights, means, covariances = data.truth
    n_truth = n_components + (kind == "outliers")
    assert weights.shape == (n_truth,) and means.shape == (n_truth, n_columns)
    assert covariances.shape == (n_truth, n_columns, n_columns)
    assert weights.sum() == pytest.approx(1) and (weights > 0).all()
    np.testing.assert_allclose(covariances, covariances.transpose(0, 2, 1))
    assert np.linalg.eigvalsh(covariances).min() > 0


@pytest.mark.parametrize("kind", datasets.GENERATORS)
def test_another_seed_gives_other_data(kind):
    first = datasets.generate(kind, 50, 3, 2, np.random.default_rng(1))
    second = datasets.generate(kind, 50, 3, 2, np.random.default_rng(2))
    assert not np.array_equal(first.values, second.values)


@pytest.mark.parametrize("kind", MIXTURES)
@pytest.mark.parametrize("n_columns", [1, 3])
def test_the_truth_has_the_moments_of_the_data(kind, n_columns):
    data = datasets.generate(kind, 40_000, 3, n_columns, np.random.default_rng(5))
    weights, means, covariances = data.truth
    labels = np.array(data.labels)
    names = [f"component {k + 1}" for k in range(3)] + ["outlier"] * (kind == "outliers")
    for k, name in enumerate(names):
        rows = data.values[labels == name]
        assert len(rows) / len(labels) == pytest.approx(weights[k], abs=0.015)
        scale = np.sqrt(np.diag(covariances[k]))
        assert (np.abs(rows.mean(axis=0) - means[k]) < 5 * scale / np.sqrt(len(rows))).all()
        sample = np.atleast_2d(np.cov(rows.T))
        correlation = np.abs(sample - covariances[k]) / np.outer(scale, scale)
        assert correlation.max() < 0.2


def test_what_the_names_promise():
    def truth(kind, n_components=5, n_columns=2):
        rng = np.random.default_rng(3)
        return datasets.generate(kind, 10, n_components, n_columns, rng).truth

    def nearest(means):
        gaps = np.linalg.norm(means[:, None] - means, axis=2)
        return gaps[np.triu_indices(len(means), 1)].min()

    assert nearest(truth("separated").means) >= 8
    assert 2 <= nearest(truth("overlapping").means) < 2.6
    assert 2 <= nearest(truth("overlapping", n_columns=30).means) < 2.6
    spread = np.linalg.eigvalsh(truth("anisotropic").covariances)
    np.testing.assert_allclose(np.sqrt(spread[:, 1] / spread[:, 0]), 8)
    weights = truth("unequal").weights
    assert weights[0] / weights[-1] == pytest.approx(20)
    assert (truth("nested").means == 0).all()
    flat = np.linalg.eigvalsh(truth("near-singular").covariances)
    np.testing.assert_allclose(np.sqrt(flat[:, 0]), 1e-3, rtol=1e-4)
    assert truth("outliers").weights[-1] == 0.05


def test_moons_and_rings_have_their_shape():
    rings = datasets.generate("rings", 500, 3, 4, np.random.default_rng(0))
    radius = np.linalg.norm(rings.values[:, :2], axis=1)
    ring = np.array([int(label.split()[1]) for label in rings.labels])
    assert np.abs(radius - ring).max() < 0.5
    assert np.abs(rings.values[:, 2:]).max() < 0.5
    moons = datasets.generate("moons", 500, 2, 2, np.random.default_rng(0))
    first = moons.values[np.array(moons.labels) == "component 1"]
    assert np.abs(np.linalg.norm(first, axis=1) - 1).max() < 0.5


# ---------------------------------------------------------------------------------------------
# Agreement


@pytest.fixture(scope="session")
def theirs():
    """scikit-learn's, loaded by the tests that compare with it."""
    from sklearn import metrics

    return metrics


@examples(100)
@given(pairs=st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=2, max_size=60))
def test_adjusted_rand_index_agrees_with_scikit_learn(theirs, pairs):
    a, b = zip(*pairs, strict=True)
    index = agreement.adjusted_rand_index([f"label {x}" for x in a], b)
    assert index == pytest.approx(theirs.adjusted_rand_score(a, b), abs=1e-12)
    assert agreement.adjusted_rand_index(b, a) == pytest.approx(index)


def test_adjusted_rand_index_of_many_rows_does_not_overflow(theirs):
    rng = np.random.default_rng(0)
    a, b = rng.integers(3, size=(2, 300_000))
    b[:200_000] = a[:200_000]
    expected = theirs.adjusted_rand_score(a, b)
    assert agreement.adjusted_rand_index(a, b) == pytest.approx(expected, abs=1e-12)


def test_rows_without_a_label_are_left_out():
    labels = ["a", "a", None, "b", "b"]
    assert agreement.adjusted_rand_index(labels, [0, 0, 1, 1, 1]) == 1.0
    counted = agreement.confusion(labels, [0, 0, 1, 1, 1], 3)
    assert counted.labels == ("a", "b")
    np.testing.assert_array_equal(counted.counts, [[2, 0, 0], [0, 2, 0]])


def test_confusion_agrees_with_scikit_learn_and_orders_numbers_by_size(theirs):
    rng = np.random.default_rng(1)
    labels, clusters = rng.integers(12, size=(2, 400))
    counted = agreement.confusion([str(x) for x in labels], clusters, 12)
    assert counted.labels == tuple(str(x) for x in range(12))
    np.testing.assert_array_equal(counted.counts, theirs.confusion_matrix(labels, clusters))


def test_agreement_refuses_what_it_can_not_compare():
    with pytest.raises(ValueError, match="one label for each row"):
        agreement.adjusted_rand_index([1, 2], [1])
    with pytest.raises(ValueError, match="known label"):
        agreement.adjusted_rand_index([None, None], [0, 1])
    with pytest.raises(ValueError, match="numbered 0 to 1"):
        agreement.confusion(["a", "b"], [0, 2], 2)
