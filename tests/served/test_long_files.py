"""Uploaded Parquet files that are too long for a table: fitted as a data set, by all their rows."""

import io
import re
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from em_core import Gaussian, Mixture, Partitions, fit
from pages.ui import environment
from pages.ui.text import nats
from support.browser import ROOT, serve
from support.data_sets import rows
from support.visitor import Visitor

N_ROWS = 26_000
NAME = b"flights (uploaded)"
LINK = "v=1&s=table&c=delay,distance&k=3"


def content(row_group_size: int = 5000) -> bytes:
    file = io.BytesIO()
    parquet.write_table(pa.table(rows(N_ROWS)), file, row_group_size=row_group_size)
    return file.getvalue()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("uploads")


@pytest.fixture(scope="module")
def server(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    log = tmp_path_factory.mktemp("server") / "log"
    with pytest.MonkeyPatch.context() as environ:
        results = tmp_path_factory.mktemp("results")
        environ.setenv(environment.UPLOADS, str(folder))
        environ.setenv(environment.RESULTS, str(results))
        environ.setenv(environment.DATASETS, str(results))
        environ.setenv(f"{environment.PREFIX}ROWS", "10000")
        environ.setenv(f"{environment.PREFIX}CELLS", "40000")
        with serve(ROOT, log) as url:
            yield url
    assert "Traceback" not in log.read_text()


def visit(url: str, link: str = LINK) -> Visitor:
    visitor = Visitor(url, link)
    visitor.settle()
    return visitor


def test_a_long_file_is_fitted_by_all_its_rows_shared_and_deleted(
    server: str, folder: Path
) -> None:
    visitor = visit(server)
    visitor.upload("Upload a table", "flights.parquet", content())
    visitor.settle()
    data = Partitions.from_parquet(next(folder.glob("*/*.parquet")), ["delay", "distance"])
    known = fit(Mixture(Gaussian(), 3), data)
    visitor.choose("Columns", "delay", "distance")
    visitor.enter("Components", 3)
    visitor.settle()
    said = f"Log-likelihood {nats(known.log_likelihood)} nats"
    assert said in visitor.said and f"n = {N_ROWS:,}" in visitor.said
    assert f"a sample of 20,000 of {N_ROWS:,} rows" in visitor.said
    assert "for those who have the link, until nobody has used it for 365 days" in visitor.said
    visitor.open("Python that gives these numbers")
    assert "Partitions.from_parquet('flights.parquet'" in visitor.texts

    # Who is behind the same address has the same quota, and does not own it.
    colleague = visit(server, visitor.written)
    assert "Delete it from the server" not in colleague.said
    visitor.press("Share")
    assert "It opens on this server only" in visitor.said and "keep this owner link" in visitor.said
    owner = re.findall(rb"own[^0-9a-f]{1,9}([0-9a-f]{24})", bytes(visitor.received))[-1].decode()
    assert said in colleague.said and NAME in colleague.received
    stranger = visit(server, "v=1&s=server")
    assert b"flights" not in stranger.received
    assert "too long for a table is fitted where it lies" in stranger.said

    # Other data, and back: it is among those of this visit still.
    visitor.switch("Data", "Example")
    visitor.settle()
    visitor.received.clear()
    visitor.switch("Data", "On the server")
    visitor.settle()
    assert NAME in visitor.received
    assert "on the server …" not in visitor.said, "everybody would see what is written there"
    later = Visitor(server, f"v=1&own={owner}")
    later.press("Delete the table")
    later.settle()
    assert "The shared table is deleted" in later.said
    assert not list(folder.glob("*/*.parquet"))
    visitor.switch("Data", "Example")
    visitor.switch("Data", "Table")
    visitor.upload("Upload a table", "flights.parquet", content())
    visitor.settle()
    visitor.press("Delete it from the server")
    visitor.settle()
    assert "was deleted from the server" in visitor.said
    assert not list(folder.glob("*/*.parquet"))
    late = visit(server, colleague.written)
    assert re.search(r"There is no data set .flights \(uploaded\). on this server", late.said)
    for each in (visitor, colleague, stranger, later, late):
        each.close()


def test_what_cannot_be_kept_is_said_and_the_table_before_stays(server: str) -> None:
    visitor = visit(server)
    visitor.upload("Upload a table", "few.csv", b"x,y\n1,2\n3,4\n5,7\n")
    visitor.settle()
    visitor.upload("Upload a table", "flights.parquet", content(row_group_size=N_ROWS))
    visitor.settle()
    assert "row groups of 26,000 rows are too large to be read one by one" in visitor.said
    assert "In use: few.csv" in visitor.said
    visitor.upload("Upload a table", "long.csv", b"x,y\n" + b"1,2\n" * 10_001)
    visitor.settle()
    assert "has more than 10,000 rows, the limit here: load a part of it." in visitor.said
    visitor.close()
