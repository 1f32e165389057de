"""A table as bytes: Parquet for the store, compressed JSON for a link. Both give it back exactly.

What comes back has a fingerprint of its own, taken from the very bytes: a link cannot pass its
table off as another one.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from pages.ui.tables.column_names import LONGEST_NAME
from pages.ui.tables.long_texts import without_long_texts
from pages.ui.tables.parquet import read_parquet
from pages.ui.tables.table import DataError, Question, Table, check_size, table_bytes

# About what a link of 2,000 characters has room for besides the settings.
LINK_CHARACTERS = 1_700
MOST_CHARACTERS = 8_000  # that a link is read with
MOST_UNPACKED = 200_000  # bytes of its JSON
FAR_TOO_LARGE = 100  # times that size in memory, a table is not even tried
MOST_CHOICES = 20  # of a question; files leave two or three open
MOST_ABOUT = 25_000_000  # bytes of what a file says of a table besides its cells
RAW_DEFLATE = -15
_NOTES = b"em-explorer"
# The sha256 of the bytes with another one in its place: that of nothing.
_DIGEST, _NO_DIGEST = b"em-explorer digest", hashlib.sha256().hexdigest().encode()
_DAMAGED = "The table in this link is damaged: ask for the link again, or upload the table."
_NO_TABLE = "What is kept under this link is damaged, or no table: ask for the link again."
_DAMAGED_FILE = "The table in this file is damaged: have it saved or sent again."
_DTYPES = {"number": "float64", "whole": "Int64", "text": "str", "flag": "boolean"}


def to_parquet(table: Table) -> bytes:
    """The table as compressed Parquet."""
    # The Parquet writer takes 0.1 s to import.
    import pyarrow.parquet as pq

    packed = pa.Table.from_pandas(table.frame, preserve_index=False)
    notes = {"name": table.name, "parsing": table.parsing, "units": table.units} | _more(table)
    metadata = packed.schema.metadata | {_NOTES: json.dumps(notes).encode(), _DIGEST: _NO_DIGEST}
    buffer = io.BytesIO()
    packed = packed.replace_schema_metadata(metadata)
    pq.write_table(packed, buffer, compression="zstd", write_page_checksum=True)
    # So that a bit that a disk has lost is no other number, row or name.
    content = buffer.getvalue()
    place = content.rindex(_NO_DIGEST)
    return _with(content, place, hashlib.sha256(content).hexdigest().encode())


def _with(content: bytes, place: int, digest: bytes) -> bytes:
    return content[:place] + digest + content[place + len(digest) :]


def _is_as_packed(content: bytes, digest: bytes | None) -> bool:
    """Whether it is what `to_parquet` has made, to the last bit; of what was made before there was
    a digest nobody knows."""
    if digest is None:
        return True
    made = _with(content, content.rindex(digest), _NO_DIGEST)
    return hashlib.sha256(made).hexdigest().encode() == digest


def from_parquet(content: bytes) -> Table:
    """The table that `to_parquet` packed. Raises DataError for anything else."""
    import pyarrow.parquet as pq

    try:
        about = pq.read_metadata(io.BytesIO(content)).metadata
        if not _is_as_packed(content, about.get(_DIGEST)):
            raise ValueError("it is not what was stored")
        packed = pq.read_table(io.BytesIO(content), use_threads=False)
        notes = json.loads(about[_NOTES])
        frame = packed.to_pandas()
        return _table(notes["name"], frame, notes["parsing"], notes["units"], content, notes)
    except MemoryError:  # pyarrow has one of its own, which is an ArrowException too
        raise
    except (pa.ArrowException, OSError, ValueError, TypeError, LookupError, AttributeError):
        raise DataError(_NO_TABLE) from None


def from_file(content: bytes) -> Table:
    """The same of bytes that anybody may have made. Raises DataError where they hold none."""
    frame = read_parquet("the table in it", content).frame
    import pyarrow.parquet as pq

    try:
        about = pq.read_schema(io.BytesIO(content)).metadata[_NOTES]
        if len(about) > MOST_ABOUT:
            raise ValueError("more is said of the table than anybody reads")
        notes = json.loads(about)
        names, parsing, units = notes["name"], map(_text, notes["parsing"]), notes["units"]
        table = _table(_text(names), frame, [*parsing], [*map(_text, units)], content, notes)
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
        raise DataError(_DAMAGED_FILE) from None
    return without_long_texts(table)


def to_text(table: Table) -> str | None:
    """The table as text for a link; None if it is too large or holds dates."""
    if table.frame.size > MOST_UNPACKED // 2 or table_bytes(table) > FAR_TOO_LARGE * MOST_UNPACKED:
        return None
    units = dict(zip(table.frame.columns, table.units, strict=False))
    columns = []
    for name in table.frame:
        kind = _kind(table.frame[name])
        if kind is None:
            return None
        values = table.frame[name].astype(object)
        values = values.where(values.notna(), None).tolist()
        columns.append([name, kind, units.get(name, ""), values])
    more = _more(table)
    parts = [table.name, table.parsing, columns, *[more] * bool(more)]
    content = json.dumps(parts, ensure_ascii=False, separators=(",", ":")).encode()
    if len(content) > MOST_UNPACKED:
        return None
    squeezer = zlib.compressobj(level=9, wbits=RAW_DEFLATE)
    squeezed = squeezer.compress(content) + squeezer.flush()
    text = base64.urlsafe_b64encode(squeezed).decode().rstrip("=")
    return text if len(text) <= LINK_CHARACTERS else None


def from_text(text: str) -> Table:
    """The table of a link. Raises DataError where the text holds none."""
    try:
        squeezed = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        content = zlib.decompressobj(wbits=RAW_DEFLATE).decompress(squeezed, MOST_UNPACKED)
        name, parsing, columns, *more = json.loads(content)
        check_size(_text(name), len(columns[0][3]), len(columns))
        frame = pd.DataFrame({_text(c[0]): _column(c[1], c[3]) for c in columns})
        if frame.shape != (len(columns[0][3]), len(columns)) or not frame.size:
            raise ValueError("two columns of one name, or none")
        units = [_text(column[2]) for column in columns]
        table = _table(name, frame, list(map(_text, parsing)), units, content, *more[:1])
    except DataError:
        raise
    except (
        ValueError,
        TypeError,
        LookupError,
        AttributeError,
        OverflowError,
        RecursionError,
        zlib.error,
    ):
        raise DataError(_DAMAGED) from None
    return without_long_texts(table)


def _more(table: Table) -> dict[str, list]:
    more = {name: getattr(table, name) for name in _OF_COLUMNS}
    if len(table.frame.select_dtypes("str").columns):
        more["marks"] = table.marks  # by which texts become numbers once words are out of the way
    return {name: list(value) for name, value in more.items() if value}


def _table(
    name: str,
    frame: pd.DataFrame,
    parsing: Sequence[str],
    units: Sequence[str],
    content: bytes,
    more: Mapping[str, Any] | None = None,
) -> Table:
    fingerprint = hashlib.sha256(b"packed " + content).hexdigest()
    told: dict[str, Any] = {}
    for field, read in _OF_COLUMNS.items():
        told[field] = tuple(map(read, (more or {}).get(field, ())))
        columns = [of[0] for of in told[field]]
        if len({*columns}) < len(columns) or not {*columns} <= {*frame.columns}:
            raise ValueError(f"{field} are of columns that are not there, or twice of one")
    told["marks"] = tuple(_mark(mark) for mark in _listed((more or {}).get("marks", [])))
    if len(units) > frame.shape[1] or len(str(max(frame.columns, key=len))) > 2 * LONGEST_NAME:
        raise ValueError("there are more units than columns, or a longer name than any has")
    return Table(name, frame, tuple(parsing), fingerprint, tuple(units), **told)


def _title(parts: list) -> tuple[str, str]:
    column, title = parts
    return _text(column), _text(title)


def _labels(parts: list) -> tuple[str, tuple[tuple[str, str], ...]]:
    column, labels = parts
    return _text(column), tuple((_text(code), _text(label)) for code, label in _listed(labels))


def _codes(parts: list) -> tuple[str, tuple[str, ...]]:
    column, codes = parts
    return _text(column), tuple(map(_text, _listed(codes)))


def _question(parts: list) -> Question:
    column, about, sentence, choices = parts
    if about not in ("marks", "limits"):
        raise ValueError(f"{about!r} is nothing that is asked")
    pairs = tuple((_text(answer), _text(meaning)) for answer, meaning in _listed(choices))
    if len({answer for answer, _ in pairs}) < len(pairs) or len(pairs) > MOST_CHOICES:
        raise ValueError(f"the answers to {sentence!r} are alike, or too many")
    return Question(_text(column), about, _text(sentence), pairs)


def _mark(value: object) -> str:
    if value not in (".", ","):
        raise ValueError(f"{value!r} is no decimal mark")
    return _text(value)


def _listed(value: object) -> list:
    if not isinstance(value, list):
        raise TypeError(f"{value!r} is no list")
    return value


# What only some tables have: questions that their files leave open, labels, codes.
_OF_COLUMNS = {
    "questions": _question,
    "titles": _title,
    "value_labels": _labels,
    "missing_codes": _codes,
}


def _kind(column: pd.Series) -> str | None:
    for kind, dtype in _DTYPES.items():
        if column.dtype == dtype:
            return kind
    return None


def _column(kind: str, values: list) -> pd.Series:
    allowed: Any = {"number": int | float, "whole": int, "text": str, "flag": bool}[kind]
    for value in values:
        if value is not None and (
            not isinstance(value, allowed) or (kind != "flag" and isinstance(value, bool))
        ):
            raise TypeError(f"{value!r} in a column of type {kind}")
        if isinstance(value, str):
            _text(value)
    if kind == "number":
        return pd.Series([np.nan if v is None else float(v) for v in values], dtype="float64")
    return pd.Series(values, dtype=_DTYPES[kind])


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not text")
    value.encode()  # half a character is no text: JSON can say it, a page cannot
    return value
