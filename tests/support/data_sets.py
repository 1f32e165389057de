"""Parquet data sets as a server offers them."""

from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import parquet

N_ROWS = 26_000
CENTRES = np.array([[0, 0], [6, 1], [1, 7]])


def rows(n_rows: int, seed: int = 0) -> dict[str, np.ndarray]:
    """Columns of three clusters, and the cluster of each row as a number and as text."""
    rng = np.random.default_rng(seed)
    kinds = rng.integers(3, size=n_rows)
    delay, distance = (CENTRES[kinds] + rng.normal(size=(n_rows, 2))).T
    carriers = np.array(["AA", "BB", "CC"])[kinds]
    return {"delay": delay, "distance": distance, "kind": kinds, "carrier": carriers}


def write_flights(folder: Path) -> Path:
    """More rows than the sample has, in four files."""
    path = folder / "flights"
    path.mkdir()
    for number in range(4):
        columns = rows(N_ROWS // 4, number)
        parquet.write_table(pa.table(columns), path / f"part-{number}.parquet", row_group_size=5000)
    return path


def write_gaps(folder: Path) -> Path:
    """One file, in which some values are missing and one is infinite."""
    columns = rows(3000)
    columns["delay"][::7] = np.nan
    columns["distance"][1] = np.inf
    path = folder / "gaps.parquet"
    parquet.write_table(pa.table(columns), path)
    return path
