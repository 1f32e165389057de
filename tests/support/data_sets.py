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


def answers(n_rows: int) -> dict[str, list]:
    """Items of two classes: codes that do not count from 0, codes with gaps, a scale in words, yes
    or no; some are missing."""
    rng = np.random.default_rng(3)
    kinds = rng.integers(2, size=n_rows)
    items = {
        "rating": [1, 2, 3, 4],
        "code": [10, 20, 99],
        "often": ["never", "sometimes", "often", "always"],
        "member": [False, True],
    }
    found = {}
    for name, values in items.items():
        shares = rng.dirichlet(np.ones(len(values)), 2)
        cells = [values[rng.choice(len(values), p=shares[kind])] for kind in kinds]
        found[name] = [None if rng.random() < 0.03 else cell for cell in cells]
    found["region"] = [["north", "south"][kind] for kind in kinds]
    found["comment"] = [f"comment {i}" for i in range(n_rows)]
    return found


def write_answers(folder: Path, n_rows: int = 4000) -> Path:
    """Two files, texts as such in one and by their places in the other."""
    path = folder / "answers"
    path.mkdir()
    table = pa.table(answers(n_rows))
    often = table.column("often").dictionary_encode()
    coded = table.set_column(table.column_names.index("often"), "often", often)
    half = n_rows // 2
    parquet.write_table(table.slice(0, half), path / "0.parquet", row_group_size=700)
    parquet.write_table(coded.slice(half), path / "1.parquet", row_group_size=700)
    return path


def write_mixed(folder: Path, n_rows: int = 1200) -> Path:
    """Columns of all kinds, in many row groups; some values are missing."""
    rng = np.random.default_rng(5)
    kinds = rng.integers(2, size=n_rows)
    height = (170 + 12 * kinds + 6 * rng.normal(size=n_rows)).round(1)
    height[::11] = np.nan
    columns = {
        "height": pa.array(height, from_pandas=True),
        "town": np.array(["Ulm", "Rom", "a*b|<c>"])[rng.integers(3, size=n_rows)],
        "smokes": (rng.random(n_rows) < 0.2 + 0.5 * kinds).astype(int),
        "class, group": np.array(["a", "b"])[kinds],
        "x1": 3 * kinds + rng.normal(size=n_rows),
        "eruptions": rng.poisson(1 + 4 * kinds),
        "score": rng.normal(size=n_rows) - kinds,
        "person": np.repeat(np.arange(n_rows // 8), 8),
    }
    path = folder / "mixed.parquet"
    parquet.write_table(pa.table(columns), path, row_group_size=300)
    return path


def write_gaps(folder: Path) -> Path:
    """One file, in which some values are missing and one is infinite."""
    columns = rows(3000)
    columns["delay"][::7] = np.nan
    columns["distance"][1] = np.inf
    path = folder / "gaps.parquet"
    parquet.write_table(pa.table(columns), path)
    return path


def trips(n_trips: int, seed: int = 0) -> dict[str, list]:
    """Sequences of all lengths, one of them longer than a row group of `write_trips`: of a chain of
    two states, each trip by its name and number; some values, and the names of some rows, are
    missing."""
    rng = np.random.default_rng(seed)
    lengths = [*rng.integers(1, 60, size=n_trips - 1).tolist(), 900]
    lengths = rng.permutation(lengths)
    n_rows = int(sum(lengths))
    places = np.repeat(np.arange(n_trips), lengths)
    states = np.cumsum(rng.random(n_rows) < 0.1) % 2
    # Each has a level of its own, for the models of groups.
    speed = 5.0 * states + rng.normal(size=n_rows) + rng.normal(size=n_trips)[places]
    heart = 60 + 20 * states + 5 * rng.normal(size=n_rows)
    heart[rng.random(n_rows) < 0.02] = np.nan
    # In no order of their own, as they were made.
    number = rng.permutation(n_trips)[places] + 1000
    name = np.array([f"trip {n} of Zoë" for n in number], object)
    name[rng.random(n_rows) < 0.01] = None
    return {
        "trip": name.tolist(),
        "number": number.tolist(),
        "speed": speed.round(3).tolist(),
        "heart": heart.round(2).tolist(),
        "stops": rng.poisson(1 + 3 * states).tolist(),
        "road": np.where(rng.random(n_rows) < 0.2 + 0.6 * states, "wide", "narrow").tolist(),
        "riders": rng.integers(1, 4, size=n_trips)[places].tolist(),
        "turns": rng.permutation(np.arange(n_rows) % 7).tolist(),
    }


def write_trips(folder: Path, n_trips: int = 300, name: str = "trips") -> Path:
    """Three files, whose row groups end anywhere; names as such, and by their places."""
    path = folder / name
    path.mkdir()
    columns = trips(n_trips)
    columns["heart"] = pa.array(columns["heart"], from_pandas=True)
    table = pa.table(columns)
    coded = table.set_column(0, "trip", table.column("trip").dictionary_encode())
    third = len(table) // 3
    for number, part in enumerate((table, coded, table)):
        rows = part.slice(number * third, None if number == 2 else third)
        parquet.write_table(rows, path / f"{number}.parquet", row_group_size=701)
    return path
