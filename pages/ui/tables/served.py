"""Data sets on the server: Parquet files in the folders that its owner names."""

from __future__ import annotations

import hashlib
import itertools
import re
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any
from urllib.parse import quote, unquote

import numpy as np
import pandas as pd
from pyarrow import ArrowException, dataset, fs, parquet

from em_core.partitions.partitions import SAMPLE_ROWS, Partitions
from em_core.partitions.sources import holds_numbers, holds_texts
from pages.ui import environment
from pages.ui.tables.cells import EXACT
from pages.ui.tables.column_names import LONGEST_NAME
from pages.ui.tables.columns import MAX_LABELS
from pages.ui.tables.data_set import (
    SUFFIX,
    DataSet,
    Surveyed,
    Whole,
    files_in,
    fingerprint,
)
from pages.ui.tables.table import MAX_COLUMNS, DataError, Table
from pages.ui.text import counted, plural, shortened

# What is said of a type, and of a name that is too long.
LONGEST_TYPE = 200
# Of the types that a column has in the files.
_WHOLE = re.compile(r"u?int\d+( or u?int\d+)*")


def offered(
    listed: Callable[[str], Iterable[tuple[str, str]]] | None = None,
) -> dict[str, str]:
    """The data sets by name, each with its root: files, and folders of files, of the folders named;
    of several with one name, all but the first by their folder as well. listed: `listed_here`, or
    what remembers it."""
    found: dict[str, str] = {}
    for folder in environment.datasets():
        for name, root in (listed or listed_here)(folder):
            given, number = name, 1
            while name in found:
                within = called(folder)
                name = f"{given} ({within})" if number == 1 else f"{given} ({within}, {number})"
                number += 1
            found[name] = root
    return dict(sorted(found.items()))


def listed_here(folder: str) -> list[tuple[str, str]]:
    """As `listing`; none where the folder cannot be had."""
    try:
        return listing(folder)
    except (OSError, ArrowException, UnicodeEncodeError):
        return []  # it was said at the start, and may be there again later


def listing(folder: str) -> list[tuple[str, str]]:
    """The data sets in a folder by name, each with its root. Raises OSError, ArrowException or
    UnicodeEncodeError where it cannot be had."""
    system, path = fs.FileSystem.from_uri(folder)
    entries = system.get_file_info(fs.FileSelector(path))
    found = []
    for entry in entries:
        # What has a name that is no text is left out alone.
        with suppress(OSError, ArrowException, UnicodeDecodeError):
            if name := _data_set_in(system, entry):
                found.append((name, _within(folder, entry.base_name)))
    return found


def _within(folder: str, name: str) -> str:
    """The path or address of what is in a folder; the options of an address stay at its end."""
    if not environment.is_remote(folder):
        return f"{folder.rstrip('/')}/{name}"
    path, mark, options = folder.partition("?")
    return f"{path.rstrip('/')}/{quote(name)}{mark}{options}"


def called(root: str) -> str:
    """The last part of a path or an address, without what else an address holds, keys among it."""
    if environment.is_remote(root):
        root = unquote(root.partition("://")[2].partition("?")[0].rpartition("@")[2])
    return root.rstrip("/").rpartition("/")[2]


def _data_set_in(system: Any, entry: Any) -> str:
    """The name of the data set that is this file or folder; "" where it is none."""
    name = entry.base_name
    if name.startswith((".", "_")):
        return ""
    if entry.type == fs.FileType.File:
        return name.removesuffix(SUFFIX) if name.endswith(SUFFIX) else ""
    return name if files_in(system, entry.path) else ""


def files_of(root: str) -> str:
    """As `fingerprint`. Raises DataError where they cannot be had."""
    try:
        return fingerprint(root)
    except (OSError, ArrowException) as error:
        raise DataError(_gone(called(root))) from error


def look_at(name: str, root: str, files: str) -> DataSet:
    """What the footers of its files say. Raises DataError where they cannot be read."""
    try:
        found = dataset.dataset(root, format="parquet")
        n_rows = found.count_rows()
        schemas = [found.schema, *(part.physical_schema for part in found.get_fragments())]
        for schema in schemas:
            _check_names(name, schema)
    except (OSError, ArrowException, ValueError) as error:
        raise DataError(_of_one_name(name, root) or _gone(name)) from error
    # What a file lacks is missing there; what it holds as something else is said, and not read.
    kinds: dict[str, dict[Any, None]] = {field.name: {} for field in found.schema}
    for field in itertools.chain(*schemas):
        if field.name in kinds:
            kinds[field.name][field.type] = None
    numbers = [name for name, types in kinds.items() if name and all(map(holds_numbers, types))]
    texts = [name for name, types in kinds.items() if name and all(map(holds_texts, types))]
    columns = tuple(
        (name, shortened(" or ".join(map(str, types)), LONGEST_TYPE))
        for name, types in kinds.items()
    )
    if len(columns) > MAX_COLUMNS:
        raise DataError(
            f"The data set {name!r} has {len(columns):,} columns and the limit is {MAX_COLUMNS:,}: "
            "choose another one."
        )
    later = {field.name: None for field in itertools.chain(*schemas) if field.name not in kinds}
    if not (numbers or texts) or not n_rows:
        raise DataError(
            f"The data set {name!r} has no "
            + ("rows" if numbers or texts else "column of numbers or texts")
            + ": choose another one."
        )
    return DataSet(
        name,
        root,
        n_rows,
        len(found.files),
        columns,
        tuple(numbers),
        tuple(texts),
        tuple(later),
        files,
    )


def _check_names(called: str, schema: Any) -> None:
    """Raise DataError where a column of a Parquet file has a longer name than a page shows."""
    for column in schema.names:
        if len(column) > LONGEST_NAME:
            raise DataError(
                f"A column of {called!r} has a name of {len(column):,} characters, "
                f"{shortened(column, LONGEST_TYPE)!r}, and the limit is {LONGEST_NAME:,}: rename "
                "it where the file is written."
            )


def _gone(name: str) -> str:
    return (
        f"The data set {name!r} cannot be read: it has gone, is being written, or is no Parquet. "
        "Choose another one, or try again later."
    )


def _of_one_name(name: str, root: str) -> str:
    """That columns of a data set have one name, which nobody reads then; "" where that is not so,
    or cannot be known."""
    try:
        system, path = fs.FileSystem.from_uri(root)
        for file in files_in(system, path):
            columns = Counter(parquet.read_schema(file.path, filesystem=system).names)
            if again := [repr(column) for column, n in columns.items() if n > 1]:
                return (
                    f"The data set {name!r} cannot be read: several of its columns are called "
                    f"{', '.join(again)}. Rename them where it is written."
                )
    except (OSError, ArrowException, ValueError):
        return ""
    return ""


def table_of(data_set: DataSet, surveyed: Surveyed, word: str = "") -> Table:
    """The sample as a table. word: what its rows are in, "sequence" or "group"; "" for nothing."""
    rows, levels, group = surveyed.rows, surveyed.levels, surveyed.group
    first, types_of = rows.first_pass(), dict(data_set.columns)
    frame = pd.DataFrame(first.rows, columns=list(rows.names), copy=True)
    furthest = np.fmax(-first.columns.lowest, first.columns.highest)
    rounded = []
    for name, far in zip(rows.names, furthest, strict=True):
        if name in levels:
            names = np.array([*levels[name], None], object)
            frame[name] = pd.Series(names[frame[name].fillna(-1).astype(int)], dtype="str")
        elif types_of[name] == "bool":
            frame[name] = frame[name].astype("boolean")
        elif not _WHOLE.fullmatch(types_of[name]):
            continue
        elif far >= EXACT:  # rounded to doubles, as it may be
            rounded.append(repr(name))
        else:
            frame[name] = frame[name].astype("Int64")
    if rows.called is not None and first.ends is not None:
        frame[group] = _called(first.ends, rows.called.take(rows.sampled))
    whole = f"{counted(data_set.n_rows, 'row')} in {counted(data_set.n_files, 'Parquet file')}"
    said = [f"A data set on the server: {whole}."]
    name = data_set.name
    if out := data_set.n_rows - len(rows):
        said.append(f"Left out: {counted(out, 'row')}, in which {group} is missing.")
    if len(frame) < len(rows):
        name = f"{name}, a sample of {len(frame):,} of {len(rows):,} rows"
        sample = _sampled(rows, first.ends, word)
        said.append(f"What is shown and drawn here is {sample}. Models are fitted to all rows.")
    if rounded:
        said.append(f"Whole numbers beyond 2^53, read to 16 digits: {', '.join(rounded)}.")
    many = [name for name in data_set.texts if name not in levels and name != group]
    others = [
        f"{n} ({kind})" for n, kind in data_set.columns
        if n and n not in data_set.numbers and n not in data_set.texts
    ]  # fmt: skip
    if data_set.later:
        said.append(f"Not in the first file, so not read: {', '.join(data_set.later)}.")
    if any(not n for n, _ in data_set.columns):
        said.append("A column has no name, so it is not read.")
    if many:
        said.append(
            f"Texts without values or with more than {MAX_LABELS} different ones, so not read: "
            f"{', '.join(many)}."
        )
    if others:
        said.append(f"Neither numbers nor texts, so not read: {', '.join(others)}.")
    content = data_set.files, data_set.columns, *([] if rows.ends is None else [group])
    digest = hashlib.sha256(repr(content).encode()).hexdigest()
    return Table(name, frame, tuple(said), digest, known=True, whole=Whole(data_set, *surveyed))


def _called(ends: np.ndarray, called: Any) -> pd.Series:
    """What the sequence or group of each row is called. called: of those that end there."""
    names = called.to_pandas().astype(_AS_COLUMN.get(str(called.type), "str"))
    return names.repeat(np.diff(ends, prepend=0)).reset_index(drop=True)


# Of texts, and of what else may tell sequences apart.
_AS_COLUMN = {"int64": "Int64", "bool": "boolean"}


def _sampled(rows: Partitions, ends: np.ndarray | None, word: str) -> str:
    """What the sample is: see `Partitions`."""
    if rows.ends is None or ends is None:
        return f"a sample of {SAMPLE_ROWS:,} rows, all equally likely, always the same"
    if len(rows.ends) == 1:
        return f"the first {SAMPLE_ROWS:,} rows of one {word}"
    longer = (np.diff(rows.ends, prepend=0)[rows.sampled] > SAMPLE_ROWS).any()
    return (
        f"a sample of {len(ends):,} whole {plural(word)} of {len(rows.ends):,}, all equally "
        f"likely, always the same{f' (of a longer one {SAMPLE_ROWS:,} rows)' * bool(longer)}"
    )
