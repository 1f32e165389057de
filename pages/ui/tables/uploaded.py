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

# Between what a person calls it and what nobody can guess; of the latter so many digits.
MARK, DIGITS = "~", 24
LONGEST = 80
DAY = 86_400
PART = ".part"
# Where the clock is noted at each look, and how far it may go between two of them.
SEEN, LEAP = ".clock.json", 7 * DAY


class Uploads(NamedTuple):
    """The folder of all, with a folder of each person in it. person: whose upload this is. own,
    most: bytes that one person's, and all, may take. days: after which, unused, they go."""

    folder: str
    person: str
    own: int
    most: int
    days: int

    @property
    def _home(self) -> Path:
        return Path(self.folder, hashlib.sha256(self.person.encode()).hexdigest()[:DIGITS])

    def keep(self, filename: str, content: bytes) -> str:
        """The name of the data set that a Parquet file becomes; the same where it is there already.

        Raises DataError where there is no room for it, or it cannot be read in pieces.
        """
        _check_pieces(filename, content)
        secret = hashlib.sha256(self.person.encode() + b"\x00" + content).hexdigest()[:DIGITS]
        name = f"{_plain(filename)}{MARK}{secret}"
        target = self._home / f"{name}{SUFFIX}"
        try:
            self._sweep()
            if found := next(self._home.glob(f"*{MARK}{secret}{SUFFIX}"), None):
                return found.name.removesuffix(SUFFIX)
            self._check_room(filename, len(content))
            self._home.mkdir(exist_ok=True)
            with NamedTemporaryFile(prefix=".", suffix=PART, dir=self._home) as file:
                file.write(content)
                file.flush()
                os.fchmod(file.fileno(), 0o644)
                # By when it was written it is no other than the same file, brought once more.
                os.utime(file.fileno(), (time.time(), 0))
                os.fsync(file.fileno())
                with suppress(FileExistsError):  # brought twice at once
                    os.link(file.name, target)
        except OSError as error:
            raise DataError(
                f"{filename!r} is larger than a table may be, and the folder of the server for "
                f"such files cannot be written to ({error.strerror}): tell whoever runs it, or "
                "load a part of it."
            ) from error
        return name

    def delete(self, name: str) -> bool:
        """Take an upload of this person away; False where it is not theirs, or gone."""
        found = self._own(name)
        if found is None:
            return False
        found.unlink(missing_ok=True)
        return True

    def is_own(self, name: str) -> bool:
        """Whether it is this person's."""
        return self._own(name) is not None

    def _own(self, name: str) -> Path | None:
        return next((file for file in _files(self._home) if _name(file) == name), None)

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
            since, last = json.loads(seen.read_text())
        except (OSError, ValueError, TypeError):
            since = last = -inf
        since = since if 0 <= now - last <= LEAP else now
        with suppress(OSError):
            seen.write_text(json.dumps([since, now]))
        return now - since >= DAY


def find(folder: str, name: str) -> str:
    """The file of an upload, which counts as used now; "" where there is none of this name."""
    if folder and MARK in name:
        for file in _all(folder):
            if _name(file) == name:
                with suppress(OSError):  # where the folder can be read only, for now
                    # A clock that was set back makes nothing older than it is.
                    os.utime(file, (max(time.time(), file.stat().st_atime), 0))
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
    return re.sub(r"[^\w .()-]+", "_", stem)[:LONGEST].strip(" ._") or "table"


def _check_pieces(filename: str, content: bytes) -> None:
    """Raise DataError where a piece of it takes more than a table may: it is read by pieces."""
    from pyarrow import parquet

    info = parquet.ParquetFile(io.BytesIO(content)).metadata
    rows = max((info.row_group(i).num_rows for i in range(info.num_row_groups)), default=0)
    if rows * info.num_columns > MAX_CELLS:
        raise DataError(
            f"{filename!r} is larger than a table may be, and its row groups of {rows:,} rows are "
            f"too large to be read one by one: write it with row groups of at most "
            f"{max(1, MAX_CELLS // info.num_columns):,} rows, or load a part of it."
        )
