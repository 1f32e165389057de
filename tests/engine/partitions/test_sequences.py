"""Sequences and groups in pieces: whole ones in every block, the same bits however they are cut."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import compute, parquet

from em_core import (
    Categorical,
    Gaussian,
    HiddenMarkov,
    Mixture,
    Partitions,
    Poisson,
    Standardised,
    TwoLevel,
    fit,
    inference,
    restarts,
)
from em_core.partitions import partitions
from em_core.partitions.sources import Apart, Unassigned
from support.traces import alike, assert_nearly_alike

KINDS = {
    "chain": HiddenMarkov(Gaussian(), 2),
    "chain with holes": HiddenMarkov(Gaussian("diag"), 2),
    "stationary counts": HiddenMarkov(Poisson(), 2, initial="stationary"),
    "levels": HiddenMarkov(Categorical(), 2),
    "groups": TwoLevel(),
    "groups with holes": TwoLevel(),
}


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(partitions, "BLOCK_ROWS", 64)
    monkeypatch.setattr(partitions, "PART_VALUES", 512)
    monkeypatch.setattr(partitions, "SAMPLE_ROWS", 400)


def sequences(kind: str) -> list[np.ndarray]:
    """Of all lengths, one of them longer than two blocks."""
    rng = np.random.default_rng(5)
    lengths = [*rng.integers(1, 60, size=50).tolist(), 150, 3, 1]
    found = []
    for n in lengths:
        states = np.cumsum(rng.random(n) < 0.1) % 2
        if kind == "stationary counts":
            found.append(rng.poisson(np.where(states, 3, 12)[:, None], (n, 2)).astype(float))
        elif kind == "levels":
            found.append(np.where(states[:, None] > 0, 1, rng.integers(3, size=(n, 2))) + 0.0)
        elif kind.startswith("groups"):
            found.append(rng.normal(size=2) * 2 + rng.normal(size=(n, 2)))
        else:
            found.append(4 * states[:, None] + rng.normal(size=(n, 2)) * [1, 2])
    if kind == "levels":
        found[20][-1, 0] = 4  # a level that the sample may not show
    if kind.endswith("with holes"):
        for rows in found[::3]:
            rows[rng.random(rows.shape) < 0.1] = np.nan
    return found


def write(folder, data: list[np.ndarray], weights=None) -> None:
    """Two files, whose row groups end anywhere."""
    rows, ids = np.concatenate(data), np.repeat(np.arange(len(data)) * 7 % 101, [*map(len, data)])
    columns = {"who": pa.array([f"s{i}" for i in ids]).dictionary_encode()}
    columns |= {f"c{d}": pa.array(c, from_pandas=True) for d, c in enumerate(rows.T)}
    if weights is not None:
        columns["w"] = np.repeat(weights, [*map(len, data)])
    whole, middle = pa.table(columns), len(rows) // 2
    for number, part in enumerate((whole[:middle], whole[middle:])):
        parquet.write_table(part, folder / f"{number}.parquet", row_group_size=77)


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_bits_in_memory_by_threads_and_from_files(kind: str, tmp_path) -> None:
    model, data = KINDS[kind], sequences(kind)
    options = {"max_iterations": 6, "tolerance": 0.0, "seed": 4}
    pieces = Partitions.from_sequences(data)
    known = fit(model, pieces, **options)
    assert known.n_observations == len(pieces) == sum(map(len, data))
    with ThreadPoolExecutor(3) as pool:
        assert alike(known, fit(model, pieces, map=pool.map, **options))
    write(tmp_path, data)
    read = Partitions.from_parquet(tmp_path, sequences="who")
    assert read.names == ("c0", "c1") and np.array_equal(read.ends, pieces.ends)
    assert alike(known, fit(model, read, **options))


@pytest.mark.parametrize("kind", KINDS)
def test_pieces_are_fitted_as_the_whole_is(kind: str) -> None:
    """From the same start: but for the order in which sums are rounded."""
    model, data = KINDS[kind], sequences(kind)
    weights = np.random.default_rng(1).integers(0, 4, size=len(data)).astype(float)
    start = model.initial_params(data, next(iter(model.starts)), np.random.default_rng(0))
    options = {"start": start, "max_iterations": 5, "tolerance": 0.0}
    for given in (None, weights):
        whole = fit(model, data, weights=given, **options)
        pieces = fit(model, Partitions.from_sequences(data, given), **options)
        assert_nearly_alike(whole, pieces, rel=1e-8)


def test_what_sequences_are_called_is_read_from_files_of_all_kinds(tmp_path) -> None:
    parts = [
        {"who": pa.array(["b", "b", "a"]), "x": [1.0, 2.0, 3.0]},
        {"who": pa.array(["a", "c"]).dictionary_encode(), "x": [4.0, 5.0]},
        {"who": pa.array(["c"], pa.large_string()), "x": [6.0]},
    ]
    for number, part in enumerate(parts):
        parquet.write_table(pa.table(part), tmp_path / f"{number}.parquet", row_group_size=2)
    read = Partitions.from_parquet(tmp_path, sequences="who")
    assert read.called.to_pylist() == ["b", "a", "c"] and read.ends.tolist() == [2, 4, 6]
    assert read.sampled.tolist() == [0, 1, 2]
    path = tmp_path / "numbers.parquet"
    for cells, called in (
        (pa.array([2.0, 2.0, 1.0]), [2, 1]),
        (pa.array([True, True, False]), [True, False]),
        (pa.array([2**63 + 1, 2**63, 2**63], pa.uint64()), [str(2**63 + 1), str(2**63)]),
        (pa.array([1, 2, 2], pa.decimal128(9, 2)), [1, 2]),
    ):
        parquet.write_table(pa.table({"who": cells, "x": [1.0, 2.0, 3.0]}), path)
        assert Partitions.from_parquet(path, sequences="who").called.to_pylist() == called


def test_all_rows_can_be_one_sequence(tmp_path) -> None:
    data = sequences("chain")
    write(tmp_path, data)
    read = Partitions.from_parquet(tmp_path, ["c0", "c1"]).as_one_sequence()
    assert read.names == ("c0", "c1") and read.ends.tolist() == [len(read)]
    one = Partitions.from_sequences([np.concatenate(data)])
    options = {"max_iterations": 3, "tolerance": 0.0}
    assert alike(fit(KINDS["chain"], one, **options), fit(KINDS["chain"], read, **options))


def test_the_sample_says_which_sequences_it_has() -> None:
    data = sequences("chain")
    pieces = Partitions.from_sequences(data)
    sample, which = pieces.overview(), pieces.sampled
    chosen = partitions.as_sequences(sample.rows, None, sample.ends)[0]
    assert len(which) == len(chosen) < len(data)
    assert all(np.array_equal(data[i], one) for i, one in zip(which, chosen, strict=True))
    assert Partitions.from_sequences([np.ones((900, 1))]).sampled.tolist() == [0]


def test_every_block_has_whole_sequences_and_the_sample_too() -> None:
    data = sequences("chain")
    pieces = Partitions.from_sequences(data)
    found = [sequence for block, _ in pieces.blocks() for sequence in block]
    assert all(map(np.array_equal, found, data)) and len(found) == len(data)
    sizes = [sum(map(len, block)) for block, _ in pieces.blocks()]
    assert np.isin(np.cumsum(sizes), pieces.ends).all() and len(pieces.parts()) > 3
    sample = pieces.overview()
    assert 400 <= len(sample.rows) < 400 + 150
    chosen = partitions.as_sequences(sample.rows, None, sample.ends)[0]
    assert all(any(np.array_equal(one, other) for other in data) for one in chosen)
    long = Partitions.from_sequences([np.ones((900, 1))]).first_pass().rows
    assert len(long) == 400


def test_many_starts_grids_and_intervals_take_them() -> None:
    model, data = KINDS["chain"], sequences("chain")[-12:]
    pieces = Partitions.from_sequences(data)
    assert len(pieces.parts()) > 1
    runs = restarts(model, pieces, range(3))
    known = restarts(model, data, range(3))
    assert runs.best.log_likelihood == pytest.approx(known.best.log_likelihood, abs=0.01)
    found = fit(model, pieces, start=known.best.params)
    sure, of_all = inference.intervals(found, pieces), inference.intervals(found, data)
    for one, other in zip(sure.reported, of_all.reported, strict=True):
        assert one.standard_error == pytest.approx(other.standard_error, rel=1e-5)
    standardised = Standardised.of_columns(model, pieces.overview().columns)
    assert fit(standardised, pieces).log_likelihood == pytest.approx(found.log_likelihood, abs=0.01)


def test_what_cannot_be_is_said(tmp_path) -> None:
    data = sequences("chain")
    weights = np.arange(len(data)) + 1.0
    write(tmp_path, data, weights)
    read = Partitions.from_parquet(tmp_path, weights="w", sequences="who")
    assert read.overview().columns.total == weights @ [*map(len, data)]
    far = compute.field("c0") > 2
    some = Partitions.from_parquet(tmp_path, ["c0"], sequences="who", filters=far)
    assert len(some) == sum((rows[:, 0] > 2).sum() for rows in data) == some.ends[-1]
    with pytest.raises(ValueError, match="no column 'nobody'"):
        Partitions.from_parquet(tmp_path, sequences="nobody")
    with pytest.raises(ValueError, match="fitted to sequences, or groups: say where"):
        fit(KINDS["chain"], Partitions.from_arrays(data))
    with pytest.raises(ValueError, match="rows that belong to nothing"):
        fit(Mixture(Gaussian(), 2), Partitions.from_sequences(data))
    with pytest.raises(ValueError, match="sequence 2 has 1 columns and the first has 2"):
        Partitions.from_sequences([data[0], data[1][:, :1]])
    with pytest.raises(ValueError, match="give at least one sequence"):
        Partitions.from_sequences([])
    with pytest.raises(ValueError, match=r"weights have shape \(1,\)"):
        Partitions.from_sequences(data, [1.0])
    path = tmp_path / "odd.parquet"
    parquet.write_table(pa.table({"who": [1, 2, 1], "x": [1.0, 2.0, 3.0]}), path)
    with pytest.raises(Apart, match="rows of the sequence 1 do not stand together"):
        Partitions.from_parquet(path, sequences="who")
    parquet.write_table(pa.table({"who": [1, None], "x": [1.0, 2.0]}), path)
    with pytest.raises(ValueError, match="does not tell of every row"):
        Partitions.from_parquet(path, sequences="who")
    parquet.write_table(pa.table({"who": [1.0, np.nan], "x": [1.0, 2.0]}), path)
    with pytest.raises(Unassigned, match="does not tell of every row"):
        Partitions.from_parquet(path, sequences="who")
    for odd in (1.5, np.inf, 1e30):
        parquet.write_table(pa.table({"who": [1.0, odd], "x": [1.0, 2.0]}), path)
        with pytest.raises(ValueError, match="column 'who' holds numbers that are not whole"):
            Partitions.from_parquet(path, sequences="who")
    varying = pa.table({"who": [1, 1, 2], "x": [1.0, 2.0, 3.0], "w": [1.0, 2.0, 1.0]})
    parquet.write_table(varying, path)
    with pytest.raises(ValueError, match="weights vary within a sequence"):
        fit(KINDS["chain"], Partitions.from_parquet(path, weights="w", sequences="who"))
