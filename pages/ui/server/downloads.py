"""A file made when somebody asks for it stays until they have fetched it, and is that file.

Streamlit tells the browser where the file is and removes it as soon as two runs of anybody have
ended: in a class at work that is before the browser has come for it ("404"). And of a file over a
megabyte it looks at a tenth only to tell whether it has it already, so that a table with one other
cell would be given as the one before.
"""

from __future__ import annotations

import hashlib
import threading
import time
from typing import Any

from streamlit.runtime import memory_media_file_storage
from streamlit.runtime.media_file_storage import MediaFileKind
from streamlit.runtime.memory_media_file_storage import MemoryMediaFileStorage

from pages.ui.state.memory import memory

SECONDS = 30
SHARE = 16  # of what all visits may hold, so much is kept for those who have not come yet

_streamlits_load = MemoryMediaFileStorage.load_and_get_id
_streamlits_delete = MemoryMediaFileStorage.delete_file


class Unfetched:
    """Files that Streamlit would remove though they were made only just now.

    most: bytes; the oldest go first where there are more, and a larger file at once.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._made: dict[str, float] = {}  # when, of all that Streamlit has
        self._kept: dict[str, int] = {}  # bytes, of those it would remove

    def load(self, storage: MemoryMediaFileStorage, *told: Any, **more: Any) -> str:
        """As Streamlit's `load_and_get_id`."""
        with self._lock:
            file_id = _streamlits_load(storage, *told, **more)
            self._made[file_id] = time.monotonic()
            self._kept.pop(file_id, None)
        return file_id

    def delete(self, storage: MemoryMediaFileStorage, file_id: str) -> None:
        """As Streamlit's `delete_file`, but what was made to be fetched waits a while."""
        with self._lock:
            file = storage._files_by_id.get(file_id)
            to_fetch = file is not None and file.kind is MediaFileKind.DOWNLOADABLE
            if to_fetch and file.content_size <= self._most:
                self._kept[file_id] = file.content_size
            else:
                self._remove(storage, file_id)
            self._clear_away(storage)

    def clear_away(self, storage: MemoryMediaFileStorage) -> None:
        """Whose time is up."""
        with self._lock:
            self._clear_away(storage)

    def _clear_away(self, storage: MemoryMediaFileStorage) -> None:
        before = time.monotonic() - SECONDS
        for file_id in [file_id for file_id in self._kept if self._made[file_id] <= before]:
            self._remove(storage, file_id)
        while sum(self._kept.values()) > self._most:
            self._remove(storage, min(self._kept, key=lambda file_id: self._made[file_id]))

    def _remove(self, storage: MemoryMediaFileStorage, file_id: str) -> None:
        self._kept.pop(file_id, None)
        self._made.pop(file_id, None)
        _streamlits_delete(storage, file_id)


def whole_hash(data: bytes, mimetype: str, filename: str | None = None) -> str:
    """What a file is known by: all of it, what it is and what it is called."""
    told = hashlib.sha256(repr((len(data), mimetype, filename)).encode())
    told.update(data)
    return told.hexdigest()


def keep_downloads() -> Unfetched:
    """From now on, for all visitors. What is returned is to be cleared away every few seconds."""
    unfetched = Unfetched(memory().for_all // SHARE)
    vars(memory_media_file_storage)["_calculate_file_id"] = whole_hash
    MemoryMediaFileStorage.load_and_get_id = lambda self, *told, **more: unfetched.load(
        self, *told, **more
    )
    MemoryMediaFileStorage.delete_file = lambda self, file_id: unfetched.delete(self, file_id)
    return unfetched
