"""Parquet files of visitors that are too long for a table: data sets on the server, each found only
by those who have its name."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import time
from collections.abc import Iterator
from contextlib import suppress
from math import inf
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import NamedTuple

from pages.ui.tables.data_set import SUFFIX
from pages.ui.tables.table import MAX_CELLS, DataError
from pages.ui.text import number

# Between what a person calls it, in bytes, and what nobody can guess, in digits.
MARK, LONGEST, DIGITS = "~", 80, 24
DAY = 86_400
MOST_FOOTER = 2_000_000
PART = ".part"
# Where the clock is noted at each look, and how far it may go between two of them.
SEEN, LEAP = ".clock.json", 7 * DAY


class Kept(NamedTuple):
    """That a file became a data set on the server: what it is called there, and by what whoever
    brought it deletes it."""

    name: str
    owner_token: str


class Uploads(NamedTuple):
    """The folder of all, with a folder of each person in it.

    person: whose upload this is, as quotas count. visit: what nobody knows but the visit that
    brings it. own, most: bytes that one person's, and all, may take. days: after which, unused,
    they go.
    """

    folder: str
    person: str
    visit: str
    own: int
    most: int
    days: int

    @property
    def _home(self) -> Path:
        return Path(self.folder, _hash(self.person.encode()))

    def keep(self, filename: str, content: bytes) -> Kept:
        """Make a Parquet file a data set; the same one where this visit has brought it before.

        Raises DataError where there is no room for it, or it cannot be read in pieces.
        """
        # What reads data sets takes a gigabyte of addresses, which few files need.
        from pages.ui.tables.served import look_at

        _check_pieces(filename, content)
        token = _hash(self.visit.encode() + b"\x00" + content)
        name = f"{_plain(filename)}{MARK}{_hash(token.encode())}"
        try:
            self._sweep()
            if found := _by(self.folder, token):
                return Kept(_name(found), token)
            self._check_room(filename, len(content))
            self._home.mkdir(exist_ok=True)
            with NamedTemporaryFile(prefix=".", suffix=PART, dir=self._home) as file:
                file.write(content)
                file.flush()
                os.fchmod(file.fileno(), 0o644)
                os.fsync(file.fileno())
                look_at(filename, file.name, "")  # or it would be there, and of no use
                with suppress(FileExistsError):  # brought twice at once
                    os.link(file.name, self._home / f"{name}{SUFFIX}")
        except OSError as error:
            raise DataError(
                f"{filename!r} is larger than a table may be, and the folder of the server for "
                f"such files cannot be written to ({error.strerror}): tell whoever runs it, or "
                "load a part of it."
            ) from error
        return Kept(name, token)

    def _check_room(self, filename: str, size: int) -> None:
        for files, most, whose in (
            (_files(self._home), self.own, "your uploads of this kind: delete one of them"),
            (_all(self.folder), self.most, "all uploads of this kind: tell whoever runs it"),
        ):
            if sum(map(_size, files)) + size > most:
                raise DataError(
                    f"{filename!r} is larger than a table may be, and would exceed the "
                    f"{number(most / 1e6, 3)} MB that this server has for {whose}, or load a part "
                    "of it."
                )

    def _sweep(self) -> None:
        """Delete what nobody has used for long, and what ended processes left."""
        if not self._believes_the_clock():
            return
        for file in Path(self.folder).glob("*/*"):
            days = 1 if file.suffix == PART else self.days
            with suppress(FileNotFoundError):  # another was faster
                if time.time() - file.stat().st_atime > DAY * days:
                    file.unlink()

    def _believes_the_clock(self) -> bool:
        """Whether files may be deleted for good by their age.

        A clock set forward by mistake would delete all of them. So it is believed once it has been
        looked at again and again for a day, and was never far from where it was the time before.
        """
        now, seen = time.time(), Path(self.folder, SEEN)
        try:
            since, last = map(float, json.loads(seen.read_text()))
        except (OSError, ValueError, TypeError):
            since = last = -inf
        since = since if 0 <= now - last <= LEAP else now
        with suppress(OSError):
            seen.write_text(json.dumps([since, now]))
        return now - since >= DAY


def delete(folder: str, owner_token: str) -> bool:
    """Delete what was brought with this token; False where there is nothing, or it cannot be."""
    found = _by(folder, owner_token) if folder else None
    if found is None:
        return False
    try:
        found.unlink()
    except OSError:  # the folder can be read only, or another was faster
        return False
    return True


def is_upload(root: str, folder: str) -> bool:
    """Whether a data set is one that somebody brought."""
    return bool(folder) and Path(root).is_relative_to(folder)


def find(folder: str, name: str) -> str:
    """The file of an upload, which counts as used now; "" where there is none of this name."""
    if folder and MARK in name:
        for file in _all(folder):
            if _name(file) == name:
                with suppress(OSError):  # where the folder can be read only, for now
                    # When it was written tells it from others; and a clock that was set back makes
                    # nothing older than it is.
                    times = file.stat()
                    used = max(round(time.time() * 1e9), times.st_atime_ns)
                    os.utime(file, ns=(used, times.st_mtime_ns))
                return str(file)
    return ""


def shown(name: str) -> str:
    """What a data set is called in front of people."""
    called, mark, secret = name.rpartition(MARK)
    return f"{called} (uploaded)" if mark and len(secret) == DIGITS else name


def as_brought(filename: str) -> str:
    """What a file of a data set was called by whoever has it."""
    stem = filename.removesuffix(SUFFIX)
    return f"{stem.rpartition(MARK)[0]}{SUFFIX}" if shown(stem) != stem else filename


def _by(folder: str, owner_token: str) -> Path | None:
    ending = f"{MARK}{_hash(owner_token.encode())}{SUFFIX}"
    return next((file for file in _all(folder) if file.name.endswith(ending)), None)


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:DIGITS]


def _all(folder: str) -> Iterator[Path]:
    return (file for home in Path(folder).glob("*") for file in _files(home))


def _files(home: Path) -> Iterator[Path]:
    return (file for file in home.glob(f"[!.]*{SUFFIX}") if file.is_file())


def _size(file: Path) -> int:
    with suppress(FileNotFoundError):  # it was deleted just now
        return file.stat().st_size
    return 0


def _name(file: Path) -> str:
    return file.name.removesuffix(SUFFIX)


def _plain(filename: str) -> str:
    """What a file is called, without what a file system might not take."""
    stem = re.sub(r"\.(parquet|pq)$", "", filename, flags=re.IGNORECASE)
    plain = re.sub(r"[^\w .()-]+", "_", stem)
    return plain.encode()[:LONGEST].decode(errors="ignore").strip(" ._") or "table"


def _check_pieces(filename: str, content: bytes) -> None:
    """Raise DataError where a piece of it takes more than a table may: it is read by pieces."""
    from pyarrow import parquet

    # The server itself reads it, to say what there is. It stands before eight bytes at the end.
    footer = int.from_bytes(content[-8:-4], "little")
    if footer > MOST_FOOTER:
        raise DataError(
            f"{filename!r} is larger than a table may be, and what it says of its row groups takes "
            f"{number(footer / 1e6, 3)} MB, where {number(MOST_FOOTER / 1e6, 3)} is the limit: "
            "write it with fewer and longer row groups, or load a part of it."
        )
    info = parquet.ParquetFile(io.BytesIO(content)).metadata
    rows = max((info.row_group(i).num_rows for i in range(info.num_row_groups)), default=0)
    if rows * info.num_columns > MAX_CELLS:
        raise DataError(
            f"{filename!r} is larger than a table may be, and its row groups of {rows:,} rows are "
            f"too large to be read one by one: write it with row groups of at most "
            f"{max(1, MAX_CELLS // info.num_columns):,} rows, or load a part of it."
        )
