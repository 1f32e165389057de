"""Tables in pieces: the same bits in memory, on disk, by threads and however they are cut."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial, reduce
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import compute, parquet

from em_core import (
    Bernoulli,
    Categorical,
    FactorAnalyser,
    FactorAnalysis,
    Gaussian,
    Mixture,
    Partitions,
    Poisson,
    ProbabilisticPCA,
    Standardised,
    StudentT,
    em,
    fit,
    inference,
    restarts,
    select,
)
from em_core.models.factor_analysis import incomplete_rows
from em_core.partitions import partitions, sources
from em_core.partitions.overview import ColumnTotals, Overview
from em_core.partitions.sources import parquet_levels
from em_core.partitions.sums import tree_sum
from support.own_model import WithDomains
from support.traces import alike, assert_nearly_alike

N_ROWS = 1500
KINDS = {
    "gaussian": Mixture(Gaussian(), 3),
    "spherical": Mixture(Gaussian("spherical"), 3),
    "holes": Mixture(Gaussian(), 2),
    "student": Mixture(StudentT(), 2),
    "analysers": Mixture(FactorAnalyser(1), 2),
    "bernoulli": Mixture(Bernoulli(), 2),
    "categorical": Mixture(Categorical(), 2),
    "poisson": Mixture(Poisson(), 2),
    "factors": FactorAnalysis(2),
    "factors with holes": FactorAnalysis(1),
    "principal components": ProbabilisticPCA(2),
}


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(partitions, "BLOCK_ROWS", 64)
    monkeypatch.setattr(partitions, "PART_VALUES", 512)
    monkeypatch.setattr(partitions, "SAMPLE_ROWS", 400)


def table(kind: str) -> np.ndarray:
    rng = np.random.default_rng(3)
    labels = rng.integers(3, size=N_ROWS)
    if kind in ("gaussian", "spherical", "holes", "student", "analysers"):
        centres = np.array([[0, 0, 0], [6, 1, 0], [1, 7, 3]])
        rows = centres[labels] + rng.normal(size=(N_ROWS, 3)) * [1, 2, 0.5]
        if kind == "holes":
            rows[rng.random(rows.shape) < 0.02] = np.nan
        return rows
    if kind in ("factors", "factors with holes", "principal components"):
        loadings = rng.normal(size=(2, 6))
        rows = 5 + rng.normal(size=(N_ROWS, 2)) @ loadings + rng.normal(size=(N_ROWS, 6))
        if kind == "factors with holes":
            rows[rng.random(rows.shape) < 0.02] = np.nan
        return rows
    if kind == "bernoulli":
        return (rng.random((N_ROWS, 4)) < np.where(labels < 1, 0.2, 0.8)[:, None]).astype(float)
    if kind == "categorical":
        rows = np.where(labels[:, None] < 1, 1, rng.integers(3, size=(N_ROWS, 3))).astype(float)
        rows[N_ROWS - 1, 0] = 4  # a level that the sample may not show
        return rows
    return rng.poisson(np.where(labels < 1, 3, 20)[:, None], (N_ROWS, 2)).astype(float)


def cut(rows: np.ndarray, *sizes: int) -> list[np.ndarray]:
    return np.split(rows, np.cumsum(sizes))


def test_sums_are_the_same_however_aligned_runs_are_shared_out() -> None:
    values = np.random.default_rng(0).normal(size=137).tolist()
    add = float.__add__
    whole = tree_sum(values, add)
    assert whole != reduce(add, values), "an order that matters"
    for size in (1, 2, 4, 8, 16, 32, 64, 128, 256):
        runs = [tree_sum(values[i : i + size], add) for i in range(0, len(values), size)]
        assert tree_sum(runs, add) == whole
    with pytest.raises(ValueError, match="nothing to add"):
        tree_sum([], add)


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_bits_however_a_table_is_cut_and_whoever_reads_it(kind: str, tmp_path) -> None:
    model, rows = KINDS[kind], table(kind)
    options = {"max_iterations": 12, "tolerance": 0.0, "seed": 4}
    whole = fit(model, Partitions.from_arrays([rows]), **options)
    pieces = Partitions.from_arrays(cut(rows, 1, 299, 64, 700))
    assert alike(whole, fit(model, pieces, **options))
    with ThreadPoolExecutor(3) as pool:
        assert alike(whole, fit(model, pieces, map=pool.map, **options))
    names = [f"c{d}" for d in range(rows.shape[1])]
    for number, part in enumerate(cut(rows, 500)):
        columns = pa.table([pa.array(c, from_pandas=True) for c in part.T], names)
        parquet.write_table(columns, tmp_path / f"{number}.parquet", row_group_size=170)
    assert alike(whole, fit(model, Partitions.from_parquet(tmp_path), **options))
    assert whole.n_observations == N_ROWS


@pytest.mark.parametrize("kind", KINDS)
def test_a_table_in_pieces_is_fitted_as_the_whole_is(kind: str) -> None:
    """From the same start: but for the order in which sums are rounded."""
    model, rows = KINDS[kind], table(kind)
    start = model.initial_params(rows, next(iter(model.starts)), np.random.default_rng(0))
    options = {"start": start, "max_iterations": 8, "tolerance": 0.0}
    whole, pieces = (
        fit(model, rows, **options),
        fit(model, Partitions.from_arrays([rows]), **options),
    )
    assert_nearly_alike(whole, pieces, rel=1e-9)


def test_floors_are_those_of_the_whole_table() -> None:
    rows = np.concatenate([np.zeros((200, 2)), np.random.default_rng(0).normal(size=(800, 2))])
    model = Mixture(Gaussian(), 2)
    start = model.params(
        [0.5, 0.5], means=[[0, 0], [0, 0.1]], covariances=[np.eye(2) * 0.01, np.eye(2)]
    )
    whole, pieces = (
        fit(model, data, start=start, max_iterations=60)
        for data in (rows, Partitions.from_arrays(cut(rows, 333)))
    )
    assert pieces.flags == whole.flags != ()
    assert np.allclose(pieces.params.covariances, whole.params.covariances, rtol=1e-6)


@pytest.mark.parametrize("kind", ["gaussian", "factors", "factors with holes"])
def test_weights_belong_to_the_table(kind: str) -> None:
    rows, model = table(kind), KINDS[kind]
    weights = np.random.default_rng(1).integers(0, 4, size=N_ROWS).astype(float)
    start = model.initial_params(rows, next(iter(model.starts)), np.random.default_rng(0))
    weights[:300] = 0  # a whole block of them
    pieces = Partitions.from_arrays(cut(rows, 300, 400), cut(weights, 300, 400))
    found = fit(model, pieces, start=start)
    known = fit(model, rows, start=start, weights=weights)
    assert found.n_observations == known.n_observations == weights.sum()
    assert found.log_likelihood == pytest.approx(known.log_likelihood, rel=1e-9)
    with pytest.raises(ValueError, match="given where these are made"):
        fit(model, pieces, weights=weights)
    with pytest.raises(ValueError, match="weights of partitions are frequencies"):
        fit(model, pieces, weights_kind="sampling")


def test_many_starts_share_the_passes() -> None:
    rows = table("gaussian")
    passes = []

    def counting(function, *parts):
        passes.append(function)
        return map(function, *parts)

    data = Partitions.from_arrays(cut(rows, 611))
    runs = restarts(KINDS["gaussian"], data, range(6), "k-means++", map=counting, confirm=False)
    known = restarts(KINDS["gaussian"], rows, range(6), "k-means++", confirm=False)
    assert runs.best.log_likelihood == pytest.approx(known.best.log_likelihood, abs=0.01)
    longest = max(found.n_iterations for found in runs.fits)
    e_steps = [f for f in passes if isinstance(f, partial) and f.func is partitions.e_step_of]
    assert len(e_steps) == longest + 1


def test_factors_need_one_pass_for_all_starts() -> None:
    passes = []

    def counting(function, *parts):
        passes.append(function)
        return map(function, *parts)

    rows, model = table("factors"), KINDS["factors"]
    data = Partitions.from_arrays(cut(rows, 611))
    runs = restarts(model, data, range(4), "random loadings", map=counting)
    known = restarts(model, rows, range(4), "random loadings")
    assert runs.best.log_likelihood == pytest.approx(known.best.log_likelihood, abs=0.01)
    assert len(passes) == 2  # the first for the columns and the sample


def test_factors_of_pieces_are_judged_by_the_whole_table() -> None:
    rows = table("factors")
    rows[:, 5] = rows[:, 0] - rows[:, 1]
    found = fit(FactorAnalysis(2), Partitions.from_arrays(cut(rows, 611)), max_iterations=5)
    assert found.collapsed and "follow from each other" in found.flags[0]
    rows[:, 5] = 1.0
    with pytest.raises(ValueError, match="column 6 has one and the same value"):
        fit(FactorAnalysis(2), Partitions.from_arrays(cut(rows, 611)))


def test_gaps_of_too_many_kinds_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(incomplete_rows, "MOST_CONDENSED", 100)
    with pytest.raises(ValueError, match="missing in so many different ways"):
        fit(FactorAnalysis(1), Partitions.from_arrays([table("factors with holes")]))


def test_a_grid_and_the_plan_take_tables_in_pieces() -> None:
    rows = table("gaussian")
    models = {k: Mixture(Gaussian(), k) for k in (1, 3, 4)}
    found = select(models, Partitions.from_arrays(cut(rows, 100)), range(4))
    assert found.best().label == 3
    with pytest.raises(ValueError, match="needs the rows as one array"):
        select(models, Partitions.from_arrays([rows]), folds=2)


def test_columns_and_the_sample_are_those_of_the_table() -> None:
    rows = table("holes")
    found = Partitions.from_arrays(cut(rows, 5, 5, 1200)).overview()
    assert np.allclose(found.columns.means, np.nanmean(rows, axis=0), rtol=1e-12)
    assert np.allclose(found.columns.variances, np.nanvar(rows, axis=0), rtol=1e-12)
    assert np.array_equal(found.columns.highest, np.nanmax(rows, axis=0))
    assert not found.columns.complete and found.weights is None
    chosen = np.sort(np.random.default_rng(0).choice(N_ROWS, 400, replace=False))
    assert np.array_equal(found.rows, rows[chosen], equal_nan=True)


def test_totals_of_far_away_columns_keep_their_digits() -> None:
    rows = 1e8 + np.random.default_rng(0).normal(size=(1000, 2))
    found = tree_sum(
        [ColumnTotals.of(part, None) for part in cut(rows, 300, 5)], ColumnTotals.joined
    )
    assert np.allclose(found.variances, rows.var(axis=0), rtol=1e-6)


RARE = {
    "categorical": (Categorical(), np.array([0.0, 1.0]), 2.0),
    "bernoulli": (Bernoulli(), np.array([0.0, 0.0]), 1.0),
    "poisson": (Poisson(), np.array([0.0, 0.0]), 3.0),
}


@pytest.mark.parametrize("name", RARE)
def test_what_only_rows_outside_of_the_sample_hold_is_possible(name: str) -> None:
    """A value in one row of many, seldom among those that a start is made from."""
    emission, usual, rare = RARE[name]
    rng = np.random.default_rng(0)
    rows = np.stack([usual[rng.integers(2, size=60_000)], rng.integers(2, size=60_000)], axis=1)
    for place in range(100):
        rows[place, 0] = rare
        data = Partitions.from_arrays([rows])
        if rare not in data.overview().rows[:, 0]:
            break
        rows[place, 0] = 0
    model = Mixture(emission, 2)
    found = fit(model, data, max_iterations=20)
    assert np.isfinite(found.log_likelihood) and found.stop_reason != "not_finite"
    several = restarts(model, data, range(2), tolerance=1).fits
    assert all(np.isfinite(each.log_likelihood) for each in several)


def test_decimals_are_read_as_the_nearest_doubles(tmp_path) -> None:
    told = ["-0.40869", "12345678901.23456", "0.00001"]
    path = tmp_path / "t.parquet"
    decimals = pa.array([*told, None]).cast(pa.decimal128(20, 5))
    parquet.write_table(pa.table({"x": decimals}), path)
    (read, _), *_ = Partitions.from_parquet(path).blocks()
    assert read[:3, 0].tolist() == list(map(float, told)) and np.isnan(read[3, 0])
    assert parquet_levels(path, "x", 3) == tuple(sorted(map(float, told)))


WORDS = ("low", "middle", "high")


@pytest.mark.parametrize(
    "kind", [pa.string(), pa.large_string(), pa.dictionary(pa.int8(), pa.string())]
)
def test_columns_of_levels_are_read_by_their_places(tmp_path, kind: pa.DataType) -> None:
    rng = np.random.default_rng(0)
    places = rng.integers(3, size=(N_ROWS, 2)).astype(float)
    places[::9, 0] = np.nan
    words = [None if np.isnan(p) else WORDS[int(p)] for p in places[:, 0]]
    codes = np.array([10.0, 20.0, 99.0])[places[:, 1].astype(int)]
    columns = {"word": pa.array(words).cast(kind), "code": codes, "x": rng.normal(size=N_ROWS)}
    path = tmp_path / "t.parquet"
    parquet.write_table(pa.table(columns), path, row_group_size=400)
    assert parquet_levels(path, "word", 3) == tuple(sorted(WORDS))
    assert parquet_levels(path, "code", 3) == (10, 20, 99)
    assert parquet_levels(path, "word", 2) is None
    levels = {"word": WORDS, "code": (10.0, 20.0, 99.0)}
    whole = Partitions.from_parquet(path, ["word", "code"], levels=levels)
    read = np.concatenate([rows for rows, _ in whole.blocks()])
    assert np.array_equal(read, places, equal_nan=True)
    some = np.concatenate([rows for rows, _ in whole.only([1]).blocks()])
    assert np.array_equal(some, places[:, 1:])
    model = Mixture(Categorical(), 2)
    assert alike(fit(model, whole), fit(model, Partitions.from_arrays([places])))
    short = Partitions.from_parquet(path, ["word"], levels={"word": WORDS[:2]})
    with pytest.raises(ValueError, match="'word' holds 'high', which is none of its levels"):
        short.overview()
    with pytest.raises(ValueError, match=r"'x' of .* holds double, no text"):
        Partitions.from_parquet(path, ["x"], levels={"x": WORDS})


def test_files_are_read_by_columns_weights_and_filters(tmp_path) -> None:
    rows = table("gaussian")
    columns = {"x": rows[:, 0], "w": np.arange(N_ROWS) % 3, "y": rows[:, 1], "name": ["a"] * N_ROWS}
    path = tmp_path / "t.parquet"
    parquet.write_table(pa.table(columns), path, row_group_size=400)
    whole = Partitions.from_parquet(path, ["y", "x"], weights="w")
    assert whole.names == ("y", "x") and len(whole) == N_ROWS and not whole.in_memory
    read, weights = zip(*whole.blocks(), strict=True)
    assert np.array_equal(np.concatenate(read), rows[:, [1, 0]])
    assert np.array_equal(np.concatenate(weights), columns["w"])
    some = Partitions.from_parquet(path, ["x"], filters=compute.field("x") > 1)
    assert np.array_equal(
        np.concatenate([r for r, _ in some.blocks()])[:, 0], rows[rows[:, 0] > 1, 0]
    )
    with pytest.raises(ValueError, match="no column 'z'"):
        Partitions.from_parquet(path, ["z"])
    with pytest.raises(ValueError, match=r"'name' of .* holds string, no numbers"):
        Partitions.from_parquet(path)
    with pytest.raises(ValueError, match="hold no rows"):
        Partitions.from_parquet(path, ["x"], filters=compute.field("x") > 1e9)


def test_a_file_that_was_written_again_is_read_again_or_refused(tmp_path) -> None:
    path = tmp_path / "t.parquet"
    rows = table("gaussian")
    model = Mixture(Gaussian(), 1)
    before: list[Partitions] = []
    for shift in (0.0, 100.0):
        names = dict(zip("abc", (rows + shift).T, strict=True))
        parquet.write_table(pa.table(names), path)
        read = Partitions.from_parquet(path)
        found = fit(model, read)
        np.testing.assert_allclose(found.params.means[0], rows.mean(axis=0) + shift)
        sources._row_group.cache_clear()
        for old in before:
            with pytest.raises(ValueError, match=r"t\.parquet was written again meanwhile: make"):
                fit(model, old)
        before.append(read)


def test_large_whole_numbers_and_columns_that_came_later_are_read(tmp_path) -> None:
    parquet.write_table(pa.table({"x": [1.5, 2.5]}), tmp_path / "0.parquet")
    late = pa.table({"x": [3.5, 4.5], "id": pa.array([2**53 + 1, 2**63 + 5], pa.uint64())})
    parquet.write_table(late, tmp_path / "1.parquet")
    # PyArrow takes the columns of a folder from its first file.
    (tmp_path / "0.parquet").rename(tmp_path / "2.parquet")
    table = Partitions.from_parquet(tmp_path, ("x", "id"))
    (values, _), *_ = table.loaded().blocks()
    np.testing.assert_array_equal(values[:, 0], [3.5, 4.5, 1.5, 2.5])
    np.testing.assert_array_equal(values[:, 1], [2.0**53, 2.0**63, np.nan, np.nan])
    there = compute.field("id").cast("double", safe=False).is_valid()
    assert len(Partitions.from_parquet(tmp_path, ("x", "id"), filters=there)) == 2


def test_what_cannot_be_fitted_says_so() -> None:
    rows = table("gaussian")
    with pytest.raises(ValueError, match="block 2 has 2 columns and the first has 3"):
        Partitions.from_arrays([rows, rows[:, :2]])
    with pytest.raises(ValueError, match="at least one block"):
        Partitions.from_arrays([])
    with pytest.raises(ValueError, match="weights for each of 1 blocks"):
        Partitions.from_arrays([rows], [])
    rows[:, 1] = np.nan
    with pytest.raises(ValueError, match="column 2 holds no values"):
        fit(KINDS["gaussian"], Partitions.from_arrays(cut(rows, 300)))
    with pytest.raises(ValueError, match="not fitted to tables in pieces"):
        fit(WithDomains(), Partitions.from_arrays([table("gaussian")]))
    bad = table("bernoulli")
    bad[900, 1] = 0.5
    with pytest.raises(ValueError, match=r"column 2 holds 0\.5"):
        fit(KINDS["bernoulli"], Partitions.from_arrays(cut(bad, 300)))


def test_the_loop_takes_tables_in_pieces() -> None:
    rows, model = table("gaussian"), KINDS["gaussian"]
    start = model.initial_params(rows, "k-means++", np.random.default_rng(0))
    steps = list(em(model, Partitions.from_arrays(cut(rows, 64)), start, max_iterations=3))
    assert [step.phase for step in steps] == ["start", "M", "E", "M", "E", "M", "E"]
    assert all(a.elbo <= b.elbo + 1e-9 for a, b in pairwise(steps))


def test_some_columns_are_known_as_if_they_stood_alone() -> None:
    rows = table("gaussian")
    data = Partitions.from_arrays(cut(rows, 700))
    data.overview()
    for places in ([1], [2, 0], [0, 1, 2]):
        known = data.only(places).overview()
        alone = Partitions.from_arrays(cut(rows[:, places], 100, 900)).overview()
        assert all(map(np.array_equal, known.columns, alone.columns))
        assert np.array_equal(known.rows, alone.rows)
        one, *others = ([place] for place in places)
        beside = reduce(Overview.beside, (data.only(p).overview() for p in others),
                        data.only(one).overview())  # fmt: skip
        assert all(map(np.array_equal, beside.columns, alone.columns))


def test_files_are_loaded_to_the_same_bits(tmp_path) -> None:
    rows = table("gaussian")
    columns = {f"c{d}": values for d, values in enumerate(rows.T)}
    parquet.write_table(pa.table(columns), tmp_path / "rows.parquet", row_group_size=333)
    read = Partitions.from_parquet(tmp_path)
    assert read.loaded().in_memory and not read.in_memory
    options = {"seed": 1, "max_iterations": 5}
    assert alike(
        fit(KINDS["gaussian"], read.loaded(), **options), fit(KINDS["gaussian"], read, **options)
    )


@pytest.mark.parametrize("kind", ["gaussian", "holes", "factors"])
def test_a_standardised_model_of_pieces_is_that_of_the_table(kind: str) -> None:
    rows = table(kind)
    inner = Mixture(Gaussian("tied"), 2) if kind in ("gaussian", "holes") else KINDS[kind]
    data = Partitions.from_arrays(cut(rows, 700))
    found = fit(Standardised.of_columns(inner, data.overview().columns), data, seed=1)
    start = found.trace[0].params
    known = fit(Standardised.of(inner, rows), rows, start=start)
    assert found.log_likelihood == pytest.approx(known.log_likelihood, rel=1e-9)
    assert found.icl == pytest.approx(known.icl, rel=1e-7)


@pytest.mark.parametrize("kind", ["spherical", "factors"])
def test_intervals_of_pieces_are_those_of_the_table(kind: str) -> None:
    rows = table(kind)
    data = Partitions.from_arrays(cut(rows, 700))
    found = fit(KINDS[kind], data, seed=1)
    sure = inference.intervals(found, data)
    known = inference.intervals(found, rows)
    for one, other in zip(sure.reported, known.reported, strict=True):
        assert one.standard_error == pytest.approx(other.standard_error, rel=1e-5)
    with pytest.raises(ValueError, match="not robust"):
        inference.intervals(found, data, robust=True)
