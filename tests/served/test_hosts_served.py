"""The app, a scheduler and its workers on several hosts that trust each other by a certificate."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import dask
import pytest
from distributed import Client
from distributed.security import Security

from em_core import Gaussian, Mixture, Partitions, fit
from pages.ui import environment
from pages.ui.text import nats
from support import hosts
from support.browser import ROOT, serve
from support.dask import Cluster
from support.data_sets import write_flights
from support.visitor import Visitor

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.long,
    pytest.mark.skipif(not hosts.can_be_made(), reason="needs the right to make namespaces"),
]
LINK = "v=1&s=server&sv=flights&c=delay,distance"
# After so long a host that says nothing is lost: half a minute, as Dask comes.
SECONDS = "12s"


@pytest.fixture(scope="module")
def network() -> Iterator[list[hosts.Host]]:
    """Those of the scheduler and of two workers."""
    with hosts.hosts(3) as network:
        yield network


@pytest.fixture(scope="module")
def environ(tmp_path_factory: pytest.TempPathFactory) -> Iterator[pytest.MonkeyPatch]:
    told = hosts.write_certificate(tmp_path_factory.mktemp("certificate"))
    with pytest.MonkeyPatch.context() as environ:
        for name, value in told.items():
            environ.setenv(name, value)
        environ.setenv("DASK_DISTRIBUTED__COMM__TIMEOUTS__TCP", SECONDS)
        dask.config.refresh()  # this process, too, is of the cluster
        yield environ
    dask.config.refresh()


@pytest.fixture(scope="module")
def cluster(
    network: list[hosts.Host],
    environ: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Cluster]:
    scheduler, *workers = network
    folder = tmp_path_factory.mktemp("cluster")
    with closing(Cluster(folder, scheduler.address, "tls", scheduler.within)) as cluster:
        cluster.add_workers(*(host.within for host in workers))
        yield cluster


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Under the same path on all of them."""
    folder = tmp_path_factory.mktemp("sets")
    write_flights(folder)
    return folder


@pytest.fixture(scope="module")
def server(
    cluster: Cluster,
    folder: Path,
    environ: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[str]:
    environ.setenv(environment.DATASETS, str(folder))
    environ.setenv(environment.CLUSTER, cluster.address)
    with serve(ROOT, tmp_path_factory.mktemp("server") / "log") as url:
        yield url


def test_hosts_give_the_numbers_of_one_machine_and_one_is_lost(
    server: str, folder: Path, network: list[hosts.Host], cluster: Cluster
) -> None:
    visitor = Visitor(server, f"{LINK}&k=3")
    visitor.settle()
    rows = Partitions.from_parquet(folder / "flights", ["delay", "distance"])
    known = fit(Mixture(Gaussian(), 3), rows)
    assert f"Log-likelihood {nats(known.log_likelihood)} nats" in visitor.said
    visitor.close()

    # Whoever has no certificate is not let in.
    plain = {"distributed.comm.require-encryption": False}
    with dask.config.set(plain), pytest.raises(OSError, match="onnect"):
        Client(
            cluster.address.replace("tls:", "tcp:"),
            timeout=5,
            security=Security(require_encryption=False),
        )

    endless = Visitor(server, f"{LINK}&k=9&tol=1e-12&it=100000")
    endless.watch("26,000 rows on 2 workers")
    network[2].pull_the_plug()
    endless.watch("on 1 worker, .*1 worker was lost: others do its work again")
    endless.click("Stop")
    endless.settle()
    assert "You stopped this fit" in endless.said
    endless.close()
