"""Results of all rows of a data set, written as a file that is whole or not there."""

import os
import time
from pathlib import Path

import pytest
from pyarrow import parquet

from em_core import Gaussian, Mixture, Partitions, fit
from pages.ui.compute.labelling import PART, SECONDS_UNTIL_LEFT, write_all
from pages.ui.state.settings import Settings
from support.data_sets import N_ROWS, write_flights


@pytest.fixture
def asked(tmp_path: Path) -> tuple:
    rows = Partitions.from_parquet(write_flights(tmp_path), ["delay", "distance"])
    model = Mixture(Gaussian(), 2)
    params = fit(model, rows, max_iterations=2).params
    return Settings(), model, params, rows, None


def test_a_part_is_never_seen_and_goes_with_whoever_stops(asked, tmp_path: Path) -> None:
    folder = tmp_path / "results"
    folder.mkdir()
    writing = write_all(*asked, str(folder), "all")
    while next(writing) == 0:
        pass
    (part,) = folder.iterdir()
    assert part.name.startswith(".") and part.name.endswith(PART)
    writing.close()
    assert not list(folder.iterdir())
    shares = list(write_all(*asked, str(folder), "all"))
    assert shares == sorted(shares) and shares[-1] == 1
    (file,) = folder.iterdir()
    assert file.name == "all.parquet" and len(parquet.read_table(file)) == N_ROWS
    assert file.stat().st_mode & 0o777 == 0o644


def test_a_file_of_that_name_stays_and_what_was_left_goes(asked, tmp_path: Path) -> None:
    folder = tmp_path / "results"
    folder.mkdir()
    (folder / "all.parquet").write_bytes(b"mine")
    for name, age in (("old", SECONDS_UNTIL_LEFT + 60), ("new", 60)):
        part = folder / f".{name}{PART}"
        part.touch()
        os.utime(part, (time.time() - age,) * 2)
    assert list(write_all(*asked, str(folder), "all")) == []
    assert {path.name for path in folder.iterdir()} == {"all.parquet", f".new{PART}"}
    assert (folder / "all.parquet").read_bytes() == b"mine"


def test_a_folder_that_has_gone_is_a_sentence(asked, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="cannot be written to the folder on the server"):
        list(write_all(*asked, str(tmp_path / "gone"), "all"))
