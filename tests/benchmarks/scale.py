"""An iteration of EM on many rows, by plain NumPy, scikit-learn, em_core, Dask and Spark.

Run: python tests/benchmarks/scale.py [--rows 20000000] [--columns 2] [--components 5] [--files 16]
    [--iterations 3] [--repeats 3] [--folder DIRECTORY]
All begin at the same parameters, take turns, and print the median time of an iteration: that of a
run of n + 1 iterations less that of a run of 1, over n. "Plain" is Gaussian EM as one writes it, on
the same parts. Spark takes part where PySpark and Java are installed; its MLlib gives no start of
one's own but by the RDD API, which is used. Exits with 1 where log-likelihoods differ. With
--write FOLDER the rows are written there, and that is all.
"""

import argparse
import importlib.util
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

# Before NumPy is loaded: workers inherit it. Memory as the readme has it for workers.
os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
os.environ |= dict.fromkeys(("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_"), str(2**23))
sys.path[:0] = [str(Path(__file__).parents[2])]
os.environ["PYTHONPATH"] = str(Path(__file__).parents[2])

import numpy as np
import pyarrow as pa
from distributed import Client, LocalCluster
from pyarrow import parquet

from em_core import Gaussian, Mixture, Partitions, em
from em_core.partitions.cluster import Cluster

GROUP_ROWS = 1_000_000
SAME = 1e-8


class Run(NamedTuple):
    """So many iterations from one start: seconds, and the log-likelihood they end with."""

    seconds: float
    log_likelihood: float


class Case(NamedTuple):
    """rows: in memory, part by part. folder: of the same rows in files."""

    rows: list[np.ndarray]
    folder: Path
    model: Mixture
    params: tuple


def make(asked: argparse.Namespace, folder: Path) -> Case:
    """Overlapping clusters, and a start near none of the optima."""
    rng = np.random.default_rng(0)
    k, d = asked.components, asked.columns
    centres = 2.5 * rng.normal(size=(k, d)) / np.sqrt(d / 2)
    names = [f"c{column}" for column in range(d)]
    rows = []
    for number, size in enumerate(
        len(p) for p in np.array_split(np.empty(asked.rows), asked.files)
    ):
        part = centres[rng.integers(k, size=size)] + rng.normal(size=(size, d))
        rows.append(part)
        table = pa.table(dict(zip(names, part.T, strict=True)))
        path = folder / f"part-{number:03}.parquet"
        parquet.write_table(table, path, row_group_size=GROUP_ROWS, compression="lz4")
    model = Mixture(Gaussian("full"), k)
    means = rows[0][rng.choice(len(rows[0]), k, replace=False)]
    covariances = np.repeat(2 * np.eye(d)[None], k, axis=0)
    params = model.params(np.full(k, 1 / k), means=means, covariances=covariances)
    return Case(rows, folder, model, params)


def timed(steps: Callable[[int], float], iterations: int) -> Run:
    start = time.perf_counter()
    log_likelihood = steps(iterations)
    return Run(time.perf_counter() - start, log_likelihood)


def by_em(case: Case, data: Partitions, map: Callable, iterations: int) -> float:
    options = {"tolerance": 0.0, "max_iterations": iterations, "map": map}
    return list(em(case.model, data, case.params, **options))[-1].log_likelihood


def by_numpy(case: Case, iterations: int) -> float:
    """As in a textbook, part by part; as many E-steps as those of the others: one more."""
    weights, means = case.params.weights, case.params.emission.means
    covariances = case.params.emission.covariances
    d = means.shape[1]
    for iteration in range(iterations + 1):
        roots = np.linalg.inv(np.linalg.cholesky(covariances))
        offsets = np.log(weights) + np.log(np.einsum("kdd->kd", roots)).sum(axis=1)
        offsets = offsets - d * np.log(2 * np.pi) / 2
        height, counts = 0.0, np.zeros(len(weights))
        sums, squares = np.zeros_like(means), np.zeros_like(covariances)
        for rows in case.rows:
            logs = np.stack(
                [
                    offset - 0.5 * (((rows - mean) @ root.T) ** 2).sum(axis=1)
                    for offset, mean, root in zip(offsets, means, roots, strict=True)
                ]
            )
            top = logs.max(axis=0)
            shares = np.exp(logs - top)
            total = shares.sum(axis=0)
            height += float((top + np.log(total)).sum())
            shares /= total
            counts += shares.sum(axis=1)
            sums += shares @ rows
            squares += np.stack([(share * rows.T) @ rows for share in shares])
        if iteration == iterations:
            break
        weights, means = counts / counts.sum(), sums / counts[:, None]
        covariances = squares / counts[:, None, None] - means[:, :, None] * means[:, None, :]
    return height


def by_scikit_learn(case: Case, iterations: int) -> float:
    import warnings

    from sklearn.mixture import GaussianMixture

    data = np.concatenate(case.rows)
    emission = case.params.emission
    estimator = GaussianMixture(
        case.model.n_components, tol=0, reg_covar=0, max_iter=iterations,
        weights_init=case.params.weights, means_init=emission.means,
        precisions_init=np.linalg.inv(emission.covariances),
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        estimator.fit(data)
    return float(estimator.score(data)) * len(data)


def by_spark(case: Case, iterations: int) -> float:
    from pyspark.mllib.clustering import GaussianMixture
    from pyspark.mllib.linalg import DenseMatrix, DenseVector
    from pyspark.mllib.stat.distribution import MultivariateGaussian
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master("local[2]").config("spark.driver.memory", "8g")
    session = builder.config("spark.ui.enabled", "false").getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    rows = (
        session.read.parquet(str(case.folder)).rdd.map(lambda row: DenseVector(list(row))).cache()
    )
    rows.count()
    emission, d = case.params.emission, case.rows[0].shape[1]
    gaussians = [
        MultivariateGaussian(DenseVector(mean), DenseMatrix(d, d, covariance.ravel()))
        for mean, covariance in zip(emission.means, emission.covariances, strict=True)
    ]
    # All that is asked of a model to begin with; one of Spark's own is only made by training.
    start = SimpleNamespace(
        k=case.model.n_components, weights=case.params.weights.tolist(), gaussians=gaussians
    )
    found = GaussianMixture.train(
        rows, case.model.n_components, convergenceTol=0.0, maxIterations=iterations,
        initialModel=start,
    )  # fmt: skip
    params = case.model.params(
        np.array(found.weights),
        means=np.array([g.mu.toArray() for g in found.gaussians]),
        covariances=np.array([g.sigma.toArray() for g in found.gaussians]),
    )
    return Partitions.from_arrays(case.rows).e_steps(case.model)(params).log_likelihood


def ways(case: Case, stack: ExitStack) -> Iterator[tuple[str, Callable[[int], float]]]:
    """Who takes part."""
    yield "plain NumPy, one thread", partial(by_numpy, case)
    memory, disk = Partitions.from_arrays(case.rows), Partitions.from_parquet(case.folder)
    yield "em_core, in memory, one thread", partial(by_em, case, memory, map)
    threads = stack.enter_context(ThreadPoolExecutor(2))
    yield "em_core, in memory, two threads", partial(by_em, case, memory, threads.map)
    yield "em_core, from disk, one thread", partial(by_em, case, disk, map)
    for n_workers in (1, 2):
        cluster = stack.enter_context(
            LocalCluster(n_workers=n_workers, threads_per_worker=1, dashboard_address=":0")
        )
        client = stack.enter_context(Client(cluster, set_as_default=False))
        for keep, what in ((True, "kept"), (False, "read again")):
            name = f"Dask, {n_workers} worker{'s' * (n_workers > 1)}, {what}"
            yield name, partial(by_em, case, disk, Cluster(client, keep))
    yield "scikit-learn", partial(by_scikit_learn, case)
    if importlib.util.find_spec("pyspark"):
        yield "Spark MLlib, two threads", partial(by_spark, case)


def compare(asked: argparse.Namespace, folder: Path) -> bool:
    case = make(asked, folder)
    with ExitStack() as stack:
        known = dict(ways(case, stack))
        times: dict[str, list[float]] = {name: [] for name in known}
        ends: dict[str, float] = {}
        for steps in known.values():
            steps(1)  # what starts late, as a virtual machine does, has started then
        for _ in range(asked.repeats):
            for name, steps in known.items():
                one = timed(steps, 1)
                more = timed(steps, asked.iterations + 1)
                times[name].append((more.seconds - one.seconds) / asked.iterations)
                ends[name] = more.log_likelihood
    plain = float(np.median(times["plain NumPy, one thread"]))
    expected = ends["em_core, in memory, one thread"]
    print(f"{asked.rows:,} x {asked.columns}, K = {asked.components}, {asked.files} files")
    print(f"{'':34} {'s an iteration':>15} {'times plain':>12} {'off by':>9}")
    for name, found in times.items():
        seconds, off = float(np.median(found)), abs(ends[name] / expected - 1)
        print(f"{name:34} {seconds:15.3f} {seconds / plain:12.2f} {off:9.1e}")
    return all(abs(end / expected - 1) < SAME for end in ends.values())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    for name, usual in (("rows", 20_000_000), ("columns", 2), ("components", 5), ("files", 16),
                        ("iterations", 3), ("repeats", 3)):  # fmt: skip
        parser.add_argument(f"--{name}", type=int, default=usual)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--write", type=Path)
    asked = parser.parse_args()
    if asked.write:
        asked.write.mkdir(parents=True, exist_ok=True)
        make(asked, asked.write)
        return 0
    with tempfile.TemporaryDirectory(dir=asked.folder) as folder:
        return int(not compare(asked, Path(folder)))


if __name__ == "__main__":
    sys.exit(main())
