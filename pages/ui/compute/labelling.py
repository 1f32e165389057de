"""All rows of a data set on the server with what a fit says of each, as a job for a process."""

from __future__ import annotations

import io
import os
import time
from collections.abc import Generator, Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, Any

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import parquet

from em_core.data import all_rows
from em_core.partitions.partitions import Partitions
from pages.ui.compute.going_over import readable
from pages.ui.families.family import Choices
from pages.ui.families.table import family_of
from pages.ui.tables.data_set import levels_read
from pages.ui.tables.selection import Selection
from pages.ui.tables.writing import free_name

# What is being written, and after how long it has been left by a process that was ended.
PART, SECONDS_UNTIL_LEFT = ".part", 86_400.0


def label_all(
    settings: Choices, model: Any, params: Any, rows: Partitions, group: str | None, most: int
) -> Generator[float, None, bytes]:
    """Columns and results of all rows as a Parquet file, block by block.

    group: the column that tells which sequence or group a row is in, if one does. Raises ValueError
    where it takes more than so many bytes.
    """
    content = io.BytesIO()
    for share in _written(content, _labelled(settings, model, params, rows, group), len(rows)):
        if content.tell() > most:
            raise ValueError(
                f"All rows with their results take more than {most / 1e6:,.0f} MB, the most "
                "that is made here: the Python below labels them piece by piece."
            )
        yield share
    return content.getvalue()


def write_all(
    settings: Choices,
    model: Any,
    params: Any,
    rows: Partitions,
    group: str | None,
    folder: str,
    name: str,
) -> Generator[float, None, str]:
    """What `label_all` makes, as a file of this name in a folder; returns its path.

    Nobody sees a part of it: it gets its name when it is whole. A file of that name stays as it is:
    the name says what is in it. Raises ValueError where it cannot be written.
    """
    target = Path(folder, f"{name}.parquet")
    try:
        for part in Path(folder).glob(f".*{PART}"):
            if time.time() - part.stat().st_mtime > SECONDS_UNTIL_LEFT:
                part.unlink(missing_ok=True)
        if not target.exists():
            with NamedTemporaryFile(prefix=".", suffix=PART, dir=folder) as file:
                yield from _written(
                    file, _labelled(settings, model, params, rows, group), len(rows)
                )
                file.flush()
                os.fchmod(file.fileno(), 0o644)
                os.fsync(file.fileno())
                with suppress(FileExistsError):  # somebody else was as fast
                    os.link(file.name, target)
    except OSError as error:
        raise ValueError(
            f"The results cannot be written to the folder on the server ({error.strerror}): tell "
            "whoever runs it, or download them."
        ) from error
    return str(target)


def _written(file: IO[bytes], tables: Iterator[pa.Table], n_rows: int) -> Generator[float]:
    """The share of the rows that is in the file so far."""
    yield 0.0
    done, writer = 0, None
    with readable():
        for table in tables:
            writer = writer or parquet.ParquetWriter(file, table.schema, write_page_checksum=True)
            writer.write_table(table)
            done += len(table)
            yield done / n_rows
    assert writer is not None, "there are rows"
    writer.close()


def _labelled(
    settings: Choices, model: Any, params: Any, rows: Partitions, group: str | None
) -> Iterator[pa.Table]:
    """Block by block: what rows are in, their columns, their weights and the results."""
    levels, before = levels_read(rows), 0
    for data, weights in rows.blocks():
        selection, weights = _selected(rows, data, weights, group, before)
        found: dict[str, Any] = {}
        if group:
            whose = np.repeat(np.arange(len(selection.sizes)), selection.sizes)
            found[group] = rows.called[before : before + len(data)].take(pa.array(whose))
            before += len(data)
        found |= dict(zip(rows.names, selection.values.T, strict=True))
        for name, of in levels.items():
            found[name] = pa.array(of).take(pa.array(found[name], pa.int32(), from_pandas=True))
        if weights is not None:
            found[free_name("weight", found)] = weights
        results = family_of(settings).results(model, params, data, selection, settings)
        found |= {free_name(name, found): part for name, part in results.items()}
        yield pa.table(found)


def _selected(
    rows: Partitions, data: Any, weights: np.ndarray | None, group: str | None, before: int
) -> tuple[Selection, np.ndarray | None]:
    """The rows of a block as a selection, and the weight of each. before: how many sequences or
    groups are in the blocks before."""
    values, each = all_rows(data, weights)
    groups: tuple[str, ...] = ()
    sizes = np.zeros(0, dtype=int)
    if group:
        groups = tuple(map(str, rows.called[before : before + len(data)].to_pylist()))
        sizes = np.array([len(part) for part in data])
    nothing = pd.DataFrame({"row": [], "reason": []})
    here = np.arange(len(values))
    selection = Selection(values, rows.names, here, nothing, None, None, group, groups, sizes)
    return selection, None if weights is None else each
