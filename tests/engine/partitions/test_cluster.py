"""Tables in pieces on a Dask cluster: the same bits on any number of workers, some of them lost."""

import threading
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from distributed import Client, LocalCluster
from pyarrow import parquet

from em_core import Gaussian, Mixture, Partitions, fit, restarts
from em_core.partitions import partitions
from em_core.partitions.cluster import Cluster
from support.traces import alike

pytestmark = pytest.mark.cluster
MODEL = Mixture(Gaussian(), 3)
N_ROWS = 3 * partitions.BLOCK_ROWS + 1000
N_COLUMNS = 3
OPTIONS = {"seed": 2, "max_iterations": 8, "tolerance": 0.0}


@pytest.fixture(autouse=True, scope="module")
def small_parts():
    """A block is one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(partitions, "PART_VALUES", partitions.BLOCK_ROWS * N_COLUMNS)
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rng = np.random.default_rng(0)
    centres = rng.integers(3, size=N_ROWS)[:, None] * 4
    path = tmp_path_factory.mktemp("rows")
    columns = {
        f"c{d}": values for d, values in enumerate((rng.normal(size=(N_ROWS, 16)) + centres).T)
    }
    parquet.write_table(pa.table(columns), path / "all.parquet", row_group_size=50_000)
    return path


@pytest.fixture(scope="module")
def known(folder: Path):
    return fit(MODEL, Partitions.from_parquet(folder), **OPTIONS)


@pytest.fixture(scope="module")
def client():
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as cluster,
        Client(cluster) as client,
    ):
        yield client


@pytest.mark.parametrize("keep", [True, False], ids=["kept", "read again"])
def test_the_same_bits_on_a_cluster(client: Client, folder: Path, known, keep: bool) -> None:
    data = Partitions.from_parquet(folder)
    assert len(data.parts()) == 4
    found = fit(MODEL, data, map=Cluster(client, keep), **OPTIONS)
    assert alike(found, known)
    assert found.icl == known.icl and found.n_observations == N_ROWS


def test_the_same_bits_with_a_worker_lost_and_another_come(folder: Path, known) -> None:
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as cluster,
        Client(cluster) as client,
    ):
        data = Partitions.from_parquet(folder)
        lost = next(iter(cluster.workers.values()))
        half = threading.Event()

        def lose() -> None:
            half.wait()
            cluster.sync(lost.kill)
            cluster.scale(3)

        loser = threading.Thread(target=lose)
        loser.start()
        on_cluster, passes = Cluster(client), 0

        class Watched(Cluster):
            def __call__(self, function, *iterables):
                nonlocal passes
                passes += 1
                if passes == 5:
                    half.set()
                return on_cluster(function, *iterables)

        found = fit(MODEL, data, map=Watched(client), **OPTIONS)
        loser.join()
    assert passes > 5 and alike(found, known)


def test_many_starts_on_a_cluster(client: Client, folder: Path) -> None:
    data = Partitions.from_parquet(folder)
    options = {"max_iterations": 3, "confirm": False}
    runs = restarts(MODEL, data, range(3), "k-means++", map=Cluster(client), **options)
    here = restarts(MODEL, data, range(3), "k-means++", **options)
    for one, other in zip(runs.fits, here.fits, strict=True):
        assert one.log_likelihood == other.log_likelihood


def test_what_a_worker_refuses_is_told(client: Client, folder: Path) -> None:
    data = Partitions.from_parquet(folder)
    (folder / "all.parquet").rename(folder / "gone")
    try:
        with pytest.raises(FileNotFoundError):
            fit(MODEL, data, map=Cluster(client), **OPTIONS)
    finally:
        (folder / "gone").rename(folder / "all.parquet")


def test_a_dask_dataframe_has_the_same_bits(client: Client, folder: Path, known) -> None:
    dataframe = pytest.importorskip("dask.dataframe")
    frame = dataframe.read_parquet(folder, split_row_groups=True)
    assert frame.npartitions > 3
    data = Partitions.from_dask(frame)
    assert len(data) == N_ROWS and data.names == tuple(frame.columns)
    assert alike(fit(MODEL, data, map=Cluster(client), **OPTIONS), known)
    weighted = Partitions.from_dask(frame.assign(w=frame.c0 > 0), ["c1", "c2"], weights="w")
    assert weighted.overview().columns.total == weighted.total(_weight)
    with pytest.raises(ValueError, match="no column 'z'"):
        Partitions.from_dask(frame, ["z"])
    with pytest.raises(ValueError, match=r"'t' holds .*, no numbers"):
        Partitions.from_dask(frame.assign(t="text"))
    with pytest.raises(ValueError, match=r"before persist\(\)"):
        Partitions.from_dask(frame.persist())


def _weight(values: np.ndarray, weights: np.ndarray) -> float:
    return float(weights.sum())
