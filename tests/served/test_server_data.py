"""Data sets on the server: fitted where they lie, by the numbers of all rows."""

import io
import json
import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qsl

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import csv, parquet

from em_core import (
    FactorAnalysis,
    Gaussian,
    HiddenMarkov,
    Mixture,
    Partitions,
    TwoLevel,
    fit,
    restarts,
)
from em_core.partitions.overview import Overview
from pages.ui import environment
from pages.ui.text import nats
from support.browser import ROOT, serve
from support.data_sets import (
    N_ROWS,
    write_answers,
    write_flights,
    write_gaps,
    write_trips,
)
from support.object_store import object_store
from support.visitor import Visitor

LINK = "v=1&s=server&sv=flights&c=delay,distance&k=3"
TRIPS = "v=1&s=server&sv=trips&m=gaussian-hmm&k=2&c=speed"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sets")
    write_flights(folder)
    write_gaps(folder)
    write_answers(folder)
    write_trips(folder)
    write_trips(folder, 900, "journeys")
    return folder


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("results")


@pytest.fixture(scope="module")
def server(folder: Path, results: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    log = tmp_path_factory.mktemp("server") / "log"
    with pytest.MonkeyPatch.context() as environ:
        environ.setenv(environment.DATASETS, str(folder))
        environ.setenv(environment.RESULTS, str(results))
        with serve(ROOT, log) as url:
            yield url
    assert "Traceback" not in log.read_text()


def visit(url: str, link: str, page: str = "") -> Visitor:
    visitor = Visitor(url, link, page)
    visitor.settle()
    return visitor


def labelled(visitor: Visitor) -> pa.Table:
    """All rows with their results, asked for and downloaded."""
    (label,) = re.findall(r"Label all [0-9,]+ rows …", visitor.said)
    visitor.press(label)
    visitor.settle()
    found = parquet.read_table(io.BytesIO(visitor.download("All rows with results (Parquet)")))
    assert f"{found.num_rows:,}" in label
    return found


def beside_an_upload(server: str, folder: Path, name: str, link: str) -> tuple[Visitor, Visitor]:
    """A data set on the server, and the same rows as a CSV that is uploaded."""
    there = visit(server, f"v=1&s=server&sv={name}&{link}")
    here = visit(server, f"v=1&s=table&{link}")
    content = io.BytesIO()
    csv.write_csv(parquet.read_table(folder / name), content)
    here.upload("Upload a table", f"{name}.csv", content.getvalue())
    here.settle()
    return there, here


def test_the_page_has_the_numbers_of_all_rows(server: str, folder: Path) -> None:
    visitor = visit(server, LINK)
    rows = Partitions.from_parquet(folder / "flights", ["delay", "distance"])
    known = fit(Mixture(Gaussian(), 3), rows)
    assert f"Log-likelihood {nats(known.log_likelihood)} nats" in visitor.said
    assert f"n = {N_ROWS:,}" in visitor.said
    assert f"a sample of 20,000 of {N_ROWS:,} rows" in visitor.said
    assert re.search(r"sf=[0-9a-f]{16}", visitor.written)
    visitor.open("Python that gives these numbers")
    code = re.search(r"data = .*", visitor.texts)
    assert code and code[0] == "data = Partitions.from_parquet('flights', ['delay', 'distance'])"
    visitor.close()


def the_script_gives_its_numbers(visitor: Visitor) -> None:
    """Run where its data set is, it ends at the log-likelihood of the page."""
    visitor.open("Python that gives these numbers")
    code = visitor.texts[visitor.texts.index("# Needs") :].partition("print(step.params)")[0]
    names: dict = {}
    exec(code, names)
    found = names["step"].log_likelihood
    assert f"Log-likelihood {nats(found)} nats" in visitor.said


NUMBERS = re.compile(r"^(?:p of .*|weight\t.*|Converged after .*)$", re.MULTILINE)


@pytest.mark.parametrize("columns", ["rating,code,often,member", "often,rating", "code"])
def test_codes_and_texts_have_the_numbers_of_an_upload(
    server: str, folder: Path, columns: str, monkeypatch, capsys
) -> None:
    """To the last digit: levels are counted alike, whatever they are called."""
    link = f"m=categorical-mixture&k=2&c={columns}"
    there, here = beside_an_upload(server, folder, "answers", link)
    numbers = NUMBERS.findall(there.said)
    assert numbers == NUMBERS.findall(here.said) and len(numbers) > 4
    assert "p of often = sometimes" in there.said or "often" not in columns
    monkeypatch.chdir(folder)
    the_script_gives_its_numbers(there)
    capsys.readouterr()
    found = labelled(there)
    read = parquet.read_table(folder / "answers", columns=columns.split(",")).to_pandas()
    for name in columns.split(","):
        cells = read.dropna(how="all")[name].tolist()
        told = found.column(name).to_pylist()
        assert [c for c in told if c is not None] == [c for c in cells if not pd.isna(c)]
    here.close()
    there.close()


# How it ended, and the tables below.
TABLES = re.compile(r"^Converged after .*|(?<=\n)[^\n]*\t.*", re.MULTILINE)


def numbers_of(visitor: Visitor) -> list[str]:
    return TABLES.findall(visitor.said, visitor.said.index("Converged after"))


@pytest.mark.parametrize(
    "link",
    [
        "m=gaussian-hmm&k=2&c=speed,heart&gc=trip",
        "m=gaussian-hmm&k=2&c=speed,heart",
        "m=categorical-hmm&k=2&c=road,turns&gc=trip",
        "m=two-level&c=speed,heart&gc=number&wc=riders",
    ],
)
def test_sequences_and_groups_have_the_numbers_of_an_upload(
    server: str, folder: Path, link: str, monkeypatch, capsys
) -> None:
    there, here = beside_an_upload(server, folder, "trips", link)
    numbers = numbers_of(there)
    assert numbers == numbers_of(here) and len(numbers) > 4
    told = [
        json.loads(visitor.download("Parameters and trace (JSON)")) for visitor in (there, here)
    ]
    assert told[0]["end"] == told[1]["end"] and told[0]["rows"] == told[1]["rows"]
    monkeypatch.chdir(folder)
    the_script_gives_its_numbers(there)
    capsys.readouterr()
    found = labelled(there)
    known = pd.read_parquet(io.BytesIO(here.download("Rows with results (Parquet)")))
    known = known[known["half-step"].notna()]
    assert {*found.column_names} <= {*known, "weight"}
    for name, column in found.to_pandas().drop(columns="weight", errors="ignore").items():
        kind = float if pd.api.types.is_numeric_dtype(column) else str
        pd.testing.assert_series_equal(
            column.astype(kind), known[name].astype(kind), check_index=False, rtol=1e-9
        )
    here.close()
    there.close()


def test_clusters_are_crossed_with_a_column_of_texts(server: str) -> None:
    link = "v=1&s=server&sv=answers&m=categorical-mixture&k=2&c=rating,often&xt=region"
    visitor = visit(server, link, "describe")
    assert "Expected rows by region" in visitor.said and "north" in visitor.said
    visitor.close()


def test_factors_are_of_all_rows(server: str, folder: Path) -> None:
    visitor = visit(server, "v=1&s=server&sv=flights&c=delay,distance,kind&m=factor-analysis&q=1")
    rows = Partitions.from_parquet(folder / "flights", ["delay", "distance", "kind"])
    known = fit(FactorAnalysis(1), rows)
    assert f"Log-likelihood {nats(known.log_likelihood)} nats" in visitor.said
    assert f"n = {N_ROWS:,}" in visitor.said
    visitor.close()


def test_the_script_gives_the_numbers_of_the_page(
    server: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    visitor = visit(server, "v=1&s=server&sv=gaps&c=delay,distance&k=3&z=1")
    monkeypatch.chdir(folder)
    the_script_gives_its_numbers(visitor)
    capsys.readouterr()
    visitor.close()


@pytest.mark.parametrize(
    ("link", "sentence"),
    [
        (f"{LINK}&sf=0123abcd", "The data set has changed since this link was made"),
        (LINK.replace("flights", "trains"), "There is no data set 'trains' on this server"),
        (f"{TRIPS}&gc=turns", "do not stand together in this data set: have its files written in"),
        (f"{TRIPS}&gc=speed", "Column 'speed' holds numbers that are not whole, so it cannot tell"),
        (f"{TRIPS}&gc=nobody", "“nobody” is not among the choices here"),
        (f"{TRIPS}&gc=trip&wc=trip", "Log-likelihood"),
        (f"{TRIPS}&gc=trip&sf=0123abcd", "The data set has changed since this link was made"),
        (f"{LINK}&pr=[]", "Log-likelihood"),
    ],
)
def test_what_cannot_be_is_one_sentence(server: str, link: str, sentence: str) -> None:
    visitor = visit(server, link)
    assert sentence in visitor.said and "Something went wrong" not in visitor.said
    visitor.close()


def test_another_column_tells_where_one_cannot(server: str) -> None:
    visitor = visit(server, f"{TRIPS}&gc=turns")
    assert "Nothing is fitted yet" in visitor.said and "Traceback" not in visitor.said
    visitor.pick("Sequences", "trip")
    visitor.settle()
    assert "do not stand together" not in visitor.said and "Converged after" in visitor.said
    assert visitor.link["gc"] == "trip"
    visitor.close()


def _sequences(sample: Overview) -> Iterator[np.ndarray]:
    assert sample.ends is not None
    yield from np.split(sample.rows, sample.ends[:-1])


def test_what_is_shown_of_sequences_is_a_sample_of_whole_ones(server: str, folder: Path) -> None:
    visitor = visit(server, "v=1&s=server&sv=journeys&m=two-level&c=speed,heart&gc=number")
    rows = Partitions.from_parquet(folder / "journeys", ["speed", "heart"], sequences="number")
    known = fit(TwoLevel(), rows)
    assert f"Log-likelihood {nats(known.log_likelihood)} nats" in visitor.said
    assert f"n = {len(rows):,}" in visitor.said
    sample = rows.overview()
    assert f"a sample of {len(sample.rows):,} of {len(rows):,} rows" in visitor.said
    shown = pd.read_parquet(io.BytesIO(visitor.download("Sample with results (Parquet)")))
    called = rows.called.take(rows.sampled).to_pylist()
    assert shown.number.drop_duplicates().tolist() == called
    expected = known.posterior(list(_sequences(sample))).means[:, 0]
    told = shown.drop_duplicates("number")["expected speed of the group"]
    assert told.tolist() == pytest.approx(expected.tolist())
    visitor.close()


def test_pages_on_sequences_say_what_they_are_of(server: str, folder: Path) -> None:
    visitor = visit(server, "v=1&s=server&sv=journeys&m=two-level&c=speed&gc=number", "describe")
    rows = Partitions.from_parquet(folder / "journeys", ["speed"], sequences="number")
    assert f"rows, {len(rows.sampled):,} of 900 groups." in visitor.said
    visitor.close()
    visitor = visit(server, f"{TRIPS}&gc=number&ns=2", "local_optima")
    rows = Partitions.from_parquet(folder / "trips", ["speed"], sequences="number")
    found = restarts(HiddenMarkov(Gaussian(), 2), rows, range(2), ["short runs", "k-means++"])
    assert f"{nats(found.best.log_likelihood)} nats" in visitor.said
    visitor.close()


def test_another_data_set_is_chosen_where_that_of_the_link_has_gone(server: str) -> None:
    visitor = visit(server, LINK.replace("flights", "trains"))
    visitor.pick("Data set on the server", "gaps")
    visitor.settle()
    assert "log-likelihood" in visitor.said and "sv=gaps" in visitor.written
    assert "There is no data set" not in visitor.said, visitor.said
    visitor.close()


def test_intervals_are_of_all_rows_and_the_rest_says_that_it_is_of_the_sample(server: str) -> None:
    visitor = visit(server, f"{LINK}&iv=1", "describe")
    assert f"of all {N_ROWS:,} rows" in visitor.said and "the sample of 20,000 rows" in visitor.said
    assert "intervals by the curvature of the log-likelihood" in visitor.said
    visitor.close()


def test_all_rows_are_labelled_on_request(server: str) -> None:
    visitor = visit(server, LINK.replace("flights", "gaps"))
    found = labelled(visitor)
    assert "cluster" in found.column_names
    assert found.column("P(component 1)").to_numpy().max() <= 1
    visitor.close()


def test_pages_that_need_all_rows_at_hand_say_so(server: str) -> None:
    visitor = visit(server, LINK, "lower_bound")
    assert "goes over its rows too often for a data set on the server" in visitor.said
    visitor.close()


def test_without_data_sets_the_source_is_not_offered(app: str) -> None:
    visitor = visit(app, LINK)
    assert "On the server" not in visitor.said and "Log-likelihood" in visitor.said
    visitor.close()


def test_a_link_made_after_the_files_changed_is_of_the_files_as_they_are(server: str) -> None:
    links = []
    for before in ("", "&sf=0123abcd"):
        visitor = visit(server, LINK + before)
        assert ("has changed since this link was made" in visitor.said) is bool(before)
        visitor.click("Next seed")
        visitor.settle()
        assert "has changed since" not in visitor.said
        links.append(dict(parse_qsl(visitor.written)))
        visitor.close()
    assert links[0] == links[1] and links[0]["sf"] != "0123abcd"


def test_files_written_again_are_read_again_by_every_process(server: str, folder: Path) -> None:
    rows = np.random.default_rng(0).normal(size=(500, 2))
    for times in (1, 3, 2):
        named = dict(zip("ab", times * rows.T, strict=True))
        parquet.write_table(pa.table(named), folder / "again.parquet")
        # For some seconds what is listed may be older: then the page says so, and has no numbers.
        shown = ""
        while "Log-likelihood" not in shown:
            visitor = visit(server, "v=1&s=server&sv=again&c=a,b&k=1")
            shown = visitor.said
            visitor.close()
        known = fit(Mixture(Gaussian(), 1), times * rows)
        assert f"Log-likelihood {nats(known.log_likelihood)} nats" in shown, times


def test_all_rows_with_results_are_written_on_the_server_once(server: str, results: Path) -> None:
    written = []
    for _ in range(2):
        visitor = visit(server, "v=1&s=server&sv=trips&m=gaussian-hmm&k=2&c=speed&gc=trip")
        (label,) = re.findall(r"Write all [0-9,]+ rows on the server …", visitor.said)
        visitor.click(label)
        visitor.settle()
        (file,) = results.iterdir()  # nothing else was left there
        assert f"On the server, in its folder of results: {file.name}." in visitor.said
        written.append((file.stat().st_mtime_ns, parquet.read_table(file)))
        downloaded = labelled(visitor)
        assert written[-1][1].equals(downloaded) and len(downloaded) > 1000
        visitor.close()
    assert written[0][0] == written[1][0]


def test_a_folder_of_results_that_went_is_said_and_used_again(server: str, results: Path) -> None:
    visitor = visit(server, "v=1&s=server&sv=trips&m=gaussian-hmm&k=3&c=speed&gc=trip")
    (label,) = re.findall(r"Write all [0-9,]+ rows on the server …", visitor.said)
    results.rename(results.with_name("away"))
    visitor.click(label)
    visitor.settle()
    assert "The folder of results on the server has gone" in visitor.said
    results.with_name("away").rename(results)
    visitor.click("Next seed")
    visitor.settle()
    assert "has gone" not in visitor.said and label in visitor.said
    visitor.close()


@pytest.mark.parametrize("link", ["cv=5", "cv=5&by=cross_validation", "by=cross_validation"])
def test_what_is_not_cross_validated_says_so(server: str, link: str) -> None:
    visitor = visit(server, f"{LINK}&kt=2&ne=1&ns=1&{link}", "model_selection")
    assert "its models are not cross-validated" in visitor.said
    assert "in 5 folds" not in visitor.said
    assert ("#### BIC recommends" in visitor.said) is ("by=" not in link)
    visitor.close()


@pytest.mark.parametrize("family", ["factor-analysis", "probabilistic-pca"])
def test_a_model_that_the_columns_do_not_bear_is_one_of_the_grid(server: str, family: str) -> None:
    columns = "c=speed,heart,stops,turns"
    visitor = visit(server, f"v=1&s=server&sv=trips&m={family}&{columns}&ne=1", "model_selection")
    assert "need at least 6 columns, and these data have 4: use fewer" in visitor.said
    assert "#### BIC recommends" in visitor.said
    visitor.close()


def test_an_object_store_that_does_not_answer_holds_nobody_up(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # it takes calls, and says nothing
        where = f"scheme=http&endpoint_override=127.0.0.1%3A{silent.getsockname()[1]}"
        store = f"s3://key:secret@bucket/sets?region=here&{where}"
        monkeypatch.setenv(environment.DATASETS, f"{store},{folder}")
        with serve(ROOT, tmp_path / "log") as url:
            visitor = visit(url, LINK)
            assert "Log-likelihood" in visitor.said
            assert "An object store of this server does not answer" in visitor.said
            assert "secret" not in visitor.said
            # By PyArrow's own patience a visit takes 100 seconds; the first has waited for all.
            began = time.monotonic()
            for _ in range(5):
                visitor.click("Ask it again")
            assert time.monotonic() - began < 10
            visitor.close()


def test_data_sets_of_an_object_store_are_those_of_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By an address with options and keys, which nobody is shown; a refusal is not for ever."""
    sets = tmp_path / "bucket" / "more sets"
    sets.mkdir(parents=True)
    write_flights(sets)
    write_gaps(sets)
    with object_store(sets.parent) as store:
        monkeypatch.setenv(environment.DATASETS, store.address("more%20sets"))
        with serve(ROOT, tmp_path / "log") as url:
            store.refuses = True
            visitor = visit(url, LINK)
            assert "The data set 'flights' cannot be read" in visitor.said
            store.refuses = False
            for _ in range(100):
                visitor.click("Ask it again")
                visitor.settle()
                if "Log-likelihood" in visitor.said:
                    break
            rows = Partitions.from_parquet(sets / "flights", ["delay", "distance"])
            known = fit(Mixture(Gaussian(), 3), rows)
            assert f"Log-likelihood {nats(known.log_likelihood)} nats" in visitor.said
            # A fit that begins while it refuses says so.
            store.refuses = True
            visitor.click("Next seed")
            visitor.settle()
            assert "The data set could not be read" in visitor.said
            assert "AWS Error ACCESS" in visitor.said and "damaged" not in visitor.said
            store.refuses = False
            visitor.click("Next seed")
            visitor.settle()
            assert "Log-likelihood" in visitor.said
            other = visit(url, "v=1&s=server&sv=gaps&c=delay,distance&k=1")
            assert "Log-likelihood" in other.said and "26,000" not in other.said
            for one in (visitor, other):
                assert "secret" not in one.said and "endpoint" not in one.said
                one.close()
    assert "Traceback" not in (tmp_path / "log").read_text()
