"""All rows of a data set on the server with what a fit says of each, as a job for a process."""

from __future__ import annotations

import io
from collections.abc import Generator
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from em_core.partitions.partitions import Partitions
from pages.ui.compute.going_over import readable
from pages.ui.families.family import Choices
from pages.ui.families.table import family_of
from pages.ui.tables.data_set import levels_read
from pages.ui.tables.writing import free_name


def label_all(
    settings: Choices, model: Any, params: Any, rows: Partitions, most: int
) -> Generator[float, None, bytes]:
    """Columns and results of all rows as a Parquet file, block by block.

    Raises ValueError where it takes more than so many bytes.
    """
    yield 0.0
    content, done, writer, levels = io.BytesIO(), 0, None, levels_read(rows)
    with readable():
        for values, weights in rows.blocks():
            found: dict[str, Any] = dict(zip(rows.names, values.T, strict=True))
            for name, of in levels.items():
                found[name] = pa.array(of).take(pa.array(found[name], pa.int32(), from_pandas=True))
            if weights is not None:
                found["weight"] = weights
            results = family_of(settings).results(model, params, values, None, settings)
            found |= {free_name(name, found): part for name, part in results.items()}
            table = pa.table(found)
            writer = writer or parquet.ParquetWriter(content, table.schema)
            writer.write_table(table)
            if content.tell() > most:
                raise ValueError(
                    f"All rows with their results take more than {most / 1e6:,.0f} MB, the most "
                    "that is made here: the Python below labels them piece by piece."
                )
            done += len(values)
            yield done / len(rows)
    assert writer is not None, "there are rows"
    writer.close()
    return content.getvalue()
