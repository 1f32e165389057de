"""A data set on the server fitted on a cluster: lost workers, a lost scheduler, a stop."""

import time
from collections.abc import Iterator
from contextlib import closing
from functools import reduce
from operator import or_
from pathlib import Path

import pytest
from distributed import Client
from pyarrow import compute

from em_core import Categorical, Gaussian, HiddenMarkov, Mixture, Partitions, TwoLevel, fit
from pages.ui import environment
from pages.ui.text import nats
from support.browser import ROOT, serve
from support.dask import Cluster
from support.data_sets import write_answers, write_flights, write_trips
from support.visitor import Visitor

pytestmark = pytest.mark.cluster
LINK = "v=1&s=server&sv=flights&c=delay,distance"
ENDLESS = f"{LINK}&k=9&tol=1e-12&it=100000"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with closing(Cluster(tmp_path_factory.mktemp("cluster"))) as cluster:
        cluster.add_workers((), ())
        yield cluster


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sets")
    write_flights(folder)
    write_answers(folder)
    write_trips(folder, 900)
    return folder


@pytest.fixture(scope="module")
def server(
    cluster: Cluster, folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as environ:
        environ.setenv(environment.DATASETS, str(folder))
        environ.setenv(environment.CLUSTER, cluster.address)
        with serve(ROOT, tmp_path_factory.mktemp("server") / "log") as url:
            yield url


def n_tasks(scheduler: Client) -> int:
    """What a scheduler has to do, or keeps for somebody."""
    return scheduler.run_on_scheduler(lambda dask_scheduler: len(dask_scheduler.tasks))


def test_a_cluster_gives_the_numbers_of_this_machine(server: str, folder: Path) -> None:
    visitor = Visitor(server, f"{LINK}&k=3")
    visitor.settle()
    rows = Partitions.from_parquet(folder / "flights", ["delay", "distance"])
    known = fit(Mixture(Gaussian(), 3), rows)
    assert f"Log-likelihood {nats(known.log_likelihood)} nats" in visitor.said
    visitor.close()


def test_a_cluster_reads_texts_and_codes_by_their_levels(server: str, folder: Path) -> None:
    # EM creeps here: what the first iterations sum up, the thousandth sums up as well.
    link = "v=1&s=server&sv=answers&m=categorical-mixture&k=2&c=rating,code,often&it=40"
    visitor = Visitor(server, link)
    visitor.settle()
    levels = {
        "rating": (1.0, 2.0, 3.0, 4.0),
        "code": (10.0, 20.0, 99.0),
        "often": ("never", "sometimes", "often", "always"),
    }
    there = reduce(or_, (compute.field(name).is_valid() for name in levels))
    rows = Partitions.from_parquet(folder / "answers", [*levels], filters=there, levels=levels)
    known = fit(Mixture(Categorical(), 2), rows, max_iterations=40)
    assert f"Log-likelihood {nats(known.log_likelihood)} nats" in visitor.said
    visitor.close()


@pytest.mark.parametrize(
    ("model", "link"),
    [
        (HiddenMarkov(Gaussian(), 2), "m=gaussian-hmm&k=2&gc=number"),
        (TwoLevel(), "m=two-level&gc=number"),
    ],
)
def test_a_cluster_fits_sequences_and_groups(
    server: str, folder: Path, model: HiddenMarkov | TwoLevel, link: str
) -> None:
    visitor = Visitor(server, f"v=1&s=server&sv=trips&c=speed,heart&{link}&iv=1")
    visitor.settle()
    rows = Partitions.from_parquet(folder / "trips", ["speed", "heart"], sequences="number")
    known = fit(model, rows)
    assert f"Log-likelihood {nats(known.log_likelihood)} nats" in visitor.said
    assert "intervals by the curvature of the log-likelihood" in visitor.said
    visitor.close()


def test_a_stop_frees_the_cluster_and_a_lost_worker_is_told(server: str, cluster: Cluster) -> None:
    visitor = Visitor(server, ENDLESS)
    visitor.watch("26,000 rows on 2 workers")
    cluster.lose_worker()
    visitor.watch("on 1 worker, .*1 worker was lost: others do its work again")
    with Client(cluster.address, set_as_default=False) as scheduler:
        assert n_tasks(scheduler)
        began = time.monotonic()
        visitor.click("Stop")
        while n_tasks(scheduler):
            assert time.monotonic() < began + 60
        print(f"freed {time.monotonic() - began:.1f} s after the click")
    visitor.settle()
    assert "You stopped this fit" in visitor.said
    visitor.close()


def test_a_lost_scheduler_is_one_sentence_and_a_way_on(server: str, cluster: Cluster) -> None:
    visitor = Visitor(server, ENDLESS.replace("k=9", "k=8"))
    visitor.watch(r"Fitting: iteration \d+")
    cluster.lose_scheduler()
    visitor.settle()
    assert "The cluster that computes for this server cannot be reached" in visitor.said
    assert "Traceback" not in visitor.said and visitor.shown("Components") == 8
    cluster.start_again()
    cluster.add_worker()
    visitor.click("Try again")
    visitor.watch(r"Fitting: iteration \d+.* on \d worker")
    visitor.click("Stop")
    visitor.settle()
    # Whoever comes just then reads the same sentence; who comes when it is back again notices
    # nothing, though the processes knew the scheduler that was lost.
    cluster.lose_scheduler()
    other = Visitor(server, f"{LINK}&seed=2")
    other.settle()
    assert "The cluster that computes for this server cannot be reached" in other.said
    cluster.start_again()
    cluster.add_worker()
    cluster.await_workers(1)
    third = Visitor(server, f"{LINK}&seed=3")
    third.settle()
    assert "Log-likelihood" in third.said
    for each in (visitor, other, third):
        each.close()
