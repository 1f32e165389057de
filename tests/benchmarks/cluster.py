"""What passes over a table cost on a Dask cluster: by the task, by the row, in memory, and where
workers are killed.

Run: python tests/benchmarks/cluster.py [--rows 20000000] [--folder DIRECTORY]
Two workers of one thread on this machine, K = 5 and two columns.
Tasks: an iteration over parts of 64 rows, of which a thousand are simulated; a line through their
times is what a pass and each of its tasks add. Sizes: an iteration by the formula

    time = bytes / (workers x bandwidth) + pass + tasks x task

beside the measured one, with the bandwidth of this process on one part; and what it says of a
billion rows on 64 workers. Memory: the most that a worker has held while files were read again in
each pass. Deaths: ten fits in each of which a worker is killed: whether they end with the bits of
one without, and by how many iterations the longest one took longer than usual, and than reading
what the worker held. Exits with 1 where one of the numbers at the top of this file is not kept.
"""

import argparse
import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from distributed import Client, LocalCluster
from scale import make  # which sets the threads of workers to one, too
from threadpoolctl import threadpool_limits

from em_core import Gaussian, Mixture, Partitions, em
from em_core.partitions import partitions
from em_core.partitions.cluster import Cluster
from em_core.trees import leaves

TASKS = (16, 64, 256, 1000)
MOST_OF_16_TASKS, MOST_OF_A_TASK = 0.060, 0.001  # seconds
MOST_MEMORY = 300e6  # bytes a worker
MOST_DELAY = 2.0  # iterations
DEATHS, ITERATIONS = 10, 12
WORKERS, NUMBER_BYTES = 2, 8


def seconds_of(function, times: int) -> float:
    """Median of so many calls, after one."""
    function()
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        function()
        taken.append(time.perf_counter() - began)
    return float(np.median(taken))


def of_tasks(client: Client) -> tuple[float, float]:
    """Seconds that a pass and each of its tasks add, by parts of next to no rows."""
    usual = partitions.BLOCK_ROWS, partitions.PART_VALUES
    partitions.BLOCK_ROWS, partitions.PART_VALUES = 64, 128
    model, rng = Mixture(Gaussian(), 5), np.random.default_rng(0)
    found = []
    try:
        for n_tasks in TASKS:
            rows = rng.normal(size=(64 * n_tasks, 2))
            data = Partitions.from_arrays([rows])
            assert len(data.parts()) == n_tasks
            params = model.initial_params(rows[:1000], "random points", rng)
            by_workers = data.over(Cluster(client)).e_steps(model)
            whole = seconds_of(partial(by_workers, params), 15)
            itself = seconds_of(partial(data.e_steps(model), params), 5) / WORKERS
            found.append(whole - itself)
            print(
                f"{n_tasks:6} tasks: {1e3 * whole:7.1f} ms an iteration, {1e3 * itself:.1f} of it "
                "the E-step",
                flush=True,
            )
    finally:
        partitions.BLOCK_ROWS, partitions.PART_VALUES = usual
    task, one_pass = np.polyfit(TASKS, found, 1)
    print(f"A pass adds {1e3 * one_pass:.1f} ms, each task {1e3 * task:.2f} ms")
    return max(float(one_pass), 0.0), float(task)


def of_sizes(case, client: Client, one_pass: float, task: float) -> None:
    whole = Partitions.from_arrays(case.rows)
    part = partitions.prepare_part(
        partitions.UnpreparedPart(whole.parts()[0], case.model, whole.overview().columns)
    )
    rows = whole.parts()[0].n_rows
    alone = seconds_of(partial(partitions.e_step_of, case.model, case.params, part), 7)
    row_bytes = NUMBER_BYTES * whole.n_columns
    bandwidth = rows * row_bytes / alone
    print(f"One worker goes through {bandwidth / 1e6:.0f} MB of rows a second")

    def formula(n_rows: int, n_workers: int) -> float:
        n_tasks = -(-n_rows // rows)
        return n_rows * row_bytes / (n_workers * bandwidth) + one_pass + n_tasks * task

    for share in (4, 2, 1):
        some = case.rows[: len(case.rows) // share]
        n_rows = sum(map(len, some))
        e_step = Partitions.from_arrays(some).over(Cluster(client)).e_steps(case.model)
        measured = seconds_of(partial(e_step, case.params), 5)
        said = formula(n_rows, WORKERS)
        print(
            f"{n_rows:13,} rows, {WORKERS} workers: {measured:.3f} s an iteration, "
            f"{said:.3f} by the formula ({measured / said:.2f})",
            flush=True,
        )
    print(f"1,000,000,000 rows, 64 workers: {formula(10**9, 64):.1f} s by the formula")


def of_memory(case, client: Client) -> float:
    """The most bytes that a worker has held, its program included."""
    for _ in steps(case, Cluster(client, keep=False), 2):
        pass
    peaks = client.run(peak_bytes).values()
    said = ", ".join(f"{peak / 1e6:.0f} MB" for peak in peaks)
    print(f"Most memory of a worker, files read again in each pass: {said}", flush=True)
    return max(peaks)


def peak_bytes() -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(1e3 * float(line.split()[1]) for line in lines if line.startswith("VmHWM"))


def steps(case, map, iterations: int) -> Iterator:
    options = {"tolerance": 0.0, "max_iterations": iterations, "confirm": False, "map": map}
    return em(case.model, Partitions.from_parquet(case.folder), case.params, **options)


def run(case, map, begun: Callable[[], None] = lambda: None) -> SimpleNamespace:
    """A fit: its end, the seconds until the first E-step, and of each iteration after it. begun: is
    told when the first E-step is done."""
    started, ends, last = time.perf_counter(), [], None
    for last in steps(case, map, ITERATIONS):
        if last.iteration == len(ends):
            ends.append(time.perf_counter() - started)
            if len(ends) == 1:
                begun()
    return SimpleNamespace(last=last, first=ends[0], iterations=np.diff(ends))


def of_deaths(case, cluster: LocalCluster) -> list[float]:
    """By how many iterations each fit took longer where a worker was killed in it."""
    with Client(cluster, set_as_default=False) as client:
        undisturbed = [run(case, Cluster(client)) for _ in range(4)][1:]
    known = undisturbed[0].last.params
    usual = float(np.median([found.iterations for found in undisturbed]))
    delays, rng = [], np.random.default_rng(0)
    for number in range(1, DEATHS + 1):
        with Client(cluster, set_as_default=False) as client:
            client.wait_for_workers(WORKERS)
            pid = list(client.run(os.getpid).values())[number % WORKERS]
            within = rng.uniform(0.2, 0.8) * (ITERATIONS - 1) * usual
            death = threading.Timer(within, os.kill, (pid, signal.SIGKILL))
            found = run(case, Cluster(client), death.start)
            was_alive = death.is_alive()
            death.cancel()
        same = all(map(np.array_equal, leaves(found.last.params), leaves(known)))
        # What the worker held, half of all, is read again: half of what came before the iterations.
        longer = found.iterations.sum() - len(found.iterations) * usual - found.first / WORKERS
        delays.append(longer / usual if same and not was_alive else np.inf)
        print(
            f"Death {number}{' came too late' * was_alive}: "
            f"{'the same bits' if same else 'OTHER BITS'}, {longer / usual:+.1f} iterations",
            flush=True,
        )
    return delays


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=20_000_000)
    parser.add_argument("--folder", type=Path)
    asked = parser.parse_args()
    asked.columns, asked.components, asked.files = 2, 5, 16
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=asked.folder)))
        case = make(asked, folder)
        local = {"n_workers": WORKERS, "threads_per_worker": 1, "dashboard_address": ":0"}
        with LocalCluster(**local) as cluster, Client(cluster, set_as_default=False) as client:
            # Before anything else: what a worker has held at most is known since it began.
            memory = of_memory(case, client)
            one_pass, task = of_tasks(client)
            of_sizes(case, client, one_pass, task)
        with LocalCluster(**local) as cluster:
            delays = of_deaths(case, cluster)
    kept = {
        "overhead of 16 tasks": one_pass + 16 * task <= MOST_OF_16_TASKS,
        "of each further task": task <= MOST_OF_A_TASK,
        "memory of a worker": memory <= MOST_MEMORY,
        "delay by a death": max(delays) <= MOST_DELAY,
    }
    for what, holds in kept.items():
        print(f"{what}: {'kept' if holds else 'NOT KEPT'}")
    return int(not all(kept.values()))


if __name__ == "__main__":
    with threadpool_limits(1):
        sys.exit(main())
