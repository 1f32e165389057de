"""A whole piece of work as one file: a ZIP archive of JSON and Parquet, in which nothing is run.

`work.json` has the settings as a link writes them, and the notes; `table.parquet` the table, where
it is one of one's own; `model.json` the fit as `em_core.load` reads it, for other programs: the app
fits again from the same start, to the same numbers.
"""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from typing import Any, NamedTuple

from pages.ui.tables import packing
from pages.ui.tables.reading import MAX_BYTES
from pages.ui.tables.table import DataError, Table
from pages.ui.text import read_json

FORMAT, VERSION = "em-explorer work", 1
WORK, TABLE, MODEL = "work.json", "table.parquet", "model.json"
COMPRESSED_BY = zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED
MOST_NOTES = 20_000  # characters
MOST_WORK = 1_000_000  # bytes of work.json

FOREIGN = "This is no work saved by EM Explorer: choose a file that “Save this work” has made."
NEWER = "This work was saved by a newer EM Explorer: open it there, or update this one."
DAMAGED = "This file of saved work is damaged: have it saved or sent again."
TOO_LARGE = "This file of saved work is larger than any that is saved here: it is not opened."


class SavedWork(NamedTuple):
    """link: the settings, by their keys in a link. table: None where the settings say how to come
    by it. model: of the fit, as `em_core.dump` writes it; "" where there was none."""

    link: dict[str, str]
    notes: str
    table: Table | None = None
    model: str = ""


def pack(work: SavedWork) -> bytes:
    """The file."""
    told = {
        "format": FORMAT,
        "version": VERSION,
        "link": work.link,
        "notes": work.notes,
        "table": TABLE if work.table is not None else "",
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(WORK, json.dumps(told, ensure_ascii=False, indent=2))
        if work.table is not None:
            archive.writestr(TABLE, packing.to_parquet(work.table), zipfile.ZIP_STORED)
        if work.model:
            archive.writestr(MODEL, work.model)
    return buffer.getvalue()


def is_saved_work(content: bytes) -> bool:
    """Whether a file begins as those of `pack` do."""
    return content.startswith(b"PK\3\4") and content[30:].startswith(WORK.encode())


def unpack(content: bytes) -> SavedWork:
    """What `pack` made a file of, but for its model. Raises DataError for any other file."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if WORK not in (there := archive.namelist()):
                raise DataError(FOREIGN)
            told = _told(_part(archive, WORK, MOST_WORK))
            if told["table"] not in ("", *there):
                raise DataError(DAMAGED)
            packed = _part(archive, TABLE, MAX_BYTES) if told["table"] else None
    except (
        *(zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError),
        *(OSError, ValueError),
    ):
        # Without its directory, which stands at the end, an archive is one by its beginning only.
        raise DataError(DAMAGED if content.startswith(b"PK\3\4") else FOREIGN) from None
    link = told["link"]
    return SavedWork(link, told["notes"], None if packed is None else packing.from_file(packed))


def _part(archive: zipfile.ZipFile, name: str, most: int) -> bytes:
    """What is in the archive under a name, however large it says that is."""
    if archive.getinfo(name).compress_type not in COMPRESSED_BY:
        raise DataError(DAMAGED)
    with archive.open(name) as part:
        content = part.read(most + 1)
    if len(content) > most:
        raise DataError(TOO_LARGE)
    return content


def _told(content: bytes) -> dict[str, Any]:
    """What work.json says. Raises DataError where it is none of this version's."""
    try:
        told = read_json(content)
    except (ValueError, RecursionError):
        raise DataError(DAMAGED) from None
    match told:
        case {"format": str(name), "version": int(version)} if name == FORMAT and version > VERSION:
            raise DataError(NEWER)
        case {"format": str(name)} if name == FORMAT and _is_whole(told):
            return told
        case {"format": str(name)} if name == FORMAT:
            raise DataError(DAMAGED)
    raise DataError(FOREIGN)


def _is_whole(told: dict[str, Any]) -> bool:
    match told:
        case {"version": int(), "link": dict(link), "notes": str(notes), "table": str(table)}:
            texts = all(isinstance(text, str) for text in link.values())
            return texts and len(notes) <= MOST_NOTES and table in ("", TABLE)
    return False
