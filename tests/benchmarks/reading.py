"""How long a large table takes from its bytes to the summary of its columns, as the app reads it.

Run in the tree: python tests/benchmarks/reading.py. On two cores it is to be at most 5 seconds for
340,000 rows of 19 columns (34 MB), by a process of the app, with the way of the table from there;
the summary is all that stands in the table of columns, and what is pointed out above it.
"""

from __future__ import annotations

import csv
import os
import resource
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[2]))

from pages.ui.compute import readings
from pages.ui.running.pools import READING
from pages.ui.running.workers import Limits, Pool
from pages.ui.tables.columns import describe_columns, suggest_label, suggest_sequences
from pages.ui.tables.preparation.codes import find_codes
from pages.ui.tables.preparation.levels import spelt_alike
from pages.ui.tables.profile import profile
from pages.ui.tables.table import table_bytes

ROWS, TRIES = 340_000, 2


def content(quoting: int) -> bytes:
    """Measurements, answers, a name, a key and a date; texts in quotes as R writes them, or not."""
    rng = np.random.default_rng(0)
    columns = {f"x{j}": np.round(100 * rng.normal(size=ROWS), 2) for j in range(11)}
    columns |= {f"answer {j}": rng.integers(0, 5, ROWS) for j in range(5)}
    columns["kind"] = rng.choice(["red", "green", "blue"], ROWS)
    columns["key"] = [f"id{i}" for i in range(ROWS)]
    columns["day"] = np.datetime_as_string(
        np.datetime64("2020-01-01") + np.arange(ROWS) % 900, unit="D"
    )
    return pd.DataFrame(columns).to_csv(index=False, quoting=quoting).encode()


def _computed(pool: Pool) -> float:
    """Seconds of computing by this process and those that read or have read, however busy the
    machine is."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = time.process_time() + ended.ru_utime + ended.ru_stime
    for process in pool.processes:
        times = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[11:13]
        seconds += sum(map(int, times)) / os.sysconf("SC_CLK_TCK")
    return seconds


def main() -> None:
    pool = Pool(Limits.for_reading()._replace(workers=1), modules=READING)
    pool.job(readings.read, "warm.csv", b"x,y\n1,2\n3,4\n").result()
    for quoting in (csv.QUOTE_MINIMAL, csv.QUOTE_NONNUMERIC) * TRIES:
        made = content(quoting)
        began, computed = time.perf_counter(), _computed(pool)
        table = pool.job(readings.read, "table.csv", made).result()
        read, summing = time.perf_counter(), time.process_time()
        table_bytes(table)
        reports = describe_columns(table)
        suggest_label(table, reports)
        suggest_sequences(table, reports)
        for report in reports:
            profile(table.frame[report.name], bool(report.aside))
        find_codes(table)
        spelt_alike(table)
        end = time.perf_counter()
        print(
            f"{len(made) / 1e6:.0f} MB, {len(table.frame):,} rows: read in {read - began:.1f} s, "
            f"summed up in {end - read:.1f} s, {end - began:.1f} s in all; "
            f"{_computed(pool) - computed:.1f} s of computing, {time.process_time() - summing:.1f} "
            "of them for the summary"
        )
    pool.close()


if __name__ == "__main__":
    main()
