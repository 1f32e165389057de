"""A number that a disk has damaged is none, where pages have a checksum."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from pyarrow import parquet

from em_core import Gaussian, Mixture, Partitions, fit
from em_core.partitions import sources
from em_core.partitions.sources import parquet_levels


@pytest.fixture
def damaged(tmp_path: Path) -> Path:
    """A file of two row groups, in which one of 12,000 numbers is another."""
    values = np.random.default_rng(0).normal(size=12_000)
    path = tmp_path / "numbers.parquet"
    parquet.write_table(
        pa.table({"x": values}), path, row_group_size=6_000, use_dictionary=False,
        compression="none", write_page_checksum=True,
    )  # fmt: skip
    content = bytearray(path.read_bytes())
    place = content.index(values[7_000].tobytes())
    content[place + 6] ^= 0x55
    path.write_bytes(content)
    return path


def test_a_damaged_number_is_said(damaged: Path) -> None:
    data = Partitions.from_parquet(damaged, ["x"])
    with pytest.raises(ValueError, match=r"numbers.parquet is damaged: have it written again"):
        fit(Mixture(Gaussian(), 2), data)
    with pytest.raises(ValueError, match="is damaged"):
        Partitions.from_parquet(damaged, ["x"], filters=pc.field("x") > 0)
    with pytest.raises(ValueError, match="is damaged"):
        parquet_levels(damaged, "x", 20_000)


def test_the_footer_of_a_file_is_read_once(tmp_path: Path) -> None:
    """With it for each row group, twice as many would take four times as long."""
    path = tmp_path / "numbers.parquet"
    parquet.write_table(pa.table({"x": np.arange(300.0)}), path, row_group_size=3)
    sources._file.cache_clear()
    fit(Mixture(Gaussian(), 1), Partitions.from_parquet(path, ["x"]))
    assert sources._file.cache_info().misses == 1
