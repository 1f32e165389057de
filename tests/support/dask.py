"""A Dask scheduler and its workers, each a process of its own, as whoever hosts the app starts
them."""

import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from distributed import Client

from support.browser import ROOT, free_port


class Cluster:
    """One scheduler and some workers of one thread; a lost one of either can be started again.

    host: the address of the scheduler. within: what a command begins with that runs on its host.
    """

    def __init__(
        self,
        folder: Path,
        host: str = "127.0.0.1",
        protocol: str = "tcp",
        within: Sequence[str] = (),
    ):
        self.folder, self.port, self.host, self.within = folder, free_port(), host, within
        self.address = f"{protocol}://{host}:{self.port}"
        self.workers: list[subprocess.Popen] = []
        self.scheduler = self._scheduler()

    def _scheduler(self) -> subprocess.Popen:
        where = ["--host", f"{self.address.partition(':')[0]}://{self.host}"]
        where += ["--port", str(self.port), "--no-dashboard"]
        return self._start(self.within, "scheduler", *where)

    def _start(self, within: Sequence[str], *what: str) -> subprocess.Popen:
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(
                [*within, sys.executable, "-m", "dask", *what],
                cwd=self.folder,
                env=os.environ | {"PYTHONPATH": str(ROOT)},
                stdout=log,
                stderr=log,
            )

    def add_worker(self, within: Sequence[str] = ()) -> None:
        how = ["--nthreads", "1", "--no-nanny", "--no-dashboard", "--memory-limit", "1GiB"]
        self.workers.append(self._start(within, "worker", self.address, *how))

    def add_workers(self, *within: Sequence[str]) -> None:
        """One on each of these hosts, all of them ready."""
        for host in within:
            self.add_worker(host)
        self.await_workers(len(within))

    def await_workers(self, number: int) -> None:
        with Client(self.address, timeout=60) as client:
            client.wait_for_workers(number, timeout=60)

    def lose_worker(self) -> None:
        """As a machine that loses power."""
        lost = self.workers.pop()
        lost.kill()
        lost.wait()

    def lose_scheduler(self) -> None:
        self.scheduler.kill()
        self.scheduler.wait()

    def start_again(self) -> None:
        self.scheduler = self._scheduler()

    def close(self) -> None:
        for process in (*self.workers, self.scheduler):
            with suppress(ProcessLookupError):
                process.kill()
            process.wait()
