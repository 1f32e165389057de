"""What a button gives is there when the browser comes for it, and is what was asked for."""

from contextlib import closing

import pytest
from streamlit.runtime.media_file_storage import MediaFileKind
from streamlit.runtime.memory_media_file_storage import MemoryMediaFileStorage

from pages.ui.server import downloads
from pages.ui.server.downloads import Unfetched, whole_hash
from support.visitor import Visitor

BUTTON = "Parameters (CSV)"


@pytest.mark.slow
def test_a_file_is_there_though_others_go_on_meanwhile(app: str) -> None:
    with closing(Visitor(app, "v=1&e=faithful&k=2")) as one, closing(Visitor(app)) as other:
        one.settle()
        place = one.made(BUTTON)
        for _ in range(3):
            other.run()
            other.settle()
        assert b"eruptions" in one.fetch(place)


@pytest.fixture
def storage() -> MemoryMediaFileStorage:
    return MemoryMediaFileStorage("/media")


def files(storage: MemoryMediaFileStorage) -> set[str]:
    return set(storage._files_by_id)


def test_it_goes_when_its_time_is_up(
    storage: MemoryMediaFileStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    unfetched = Unfetched(most=1000)
    made = unfetched.load(storage, b"a", "text/csv", MediaFileKind.DOWNLOADABLE, "a.csv")
    unfetched.delete(storage, made)
    assert files(storage) == {made}
    again = unfetched.load(storage, b"a", "text/csv", MediaFileKind.DOWNLOADABLE, "a.csv")
    assert again == made
    monkeypatch.setattr(downloads, "SECONDS", 0)
    unfetched.clear_away(storage)
    assert files(storage) == {made}  # Streamlit has it in use
    unfetched.delete(storage, made)
    assert not files(storage)


def test_the_oldest_goes_where_many_are_not_fetched(storage: MemoryMediaFileStorage) -> None:
    unfetched = Unfetched(most=1000)
    made = [
        unfetched.load(storage, bytes([k]) * 400, "text/csv", MediaFileKind.DOWNLOADABLE, None)
        for k in range(4)
    ]
    for file_id in reversed(made):
        unfetched.delete(storage, file_id)
    assert files(storage) == set(made[2:])
    large = unfetched.load(storage, b"x" * 2000, "text/csv", MediaFileKind.DOWNLOADABLE, None)
    unfetched.delete(storage, large)
    assert files(storage) == set(made[2:])


def test_pictures_go_at_once(storage: MemoryMediaFileStorage) -> None:
    unfetched = Unfetched(most=1000)
    unfetched.delete(storage, unfetched.load(storage, b"a", "image/png", MediaFileKind.MEDIA))
    assert not files(storage)


def test_large_files_that_differ_in_one_byte_are_two() -> None:
    one, other = bytearray(3_000_000), bytearray(3_000_000)
    other[700_000] = 1
    assert whole_hash(one, "text/csv", "a") != whole_hash(other, "text/csv", "a")
    assert whole_hash(one, "text/csv", "a") == whole_hash(bytes(one), "text/csv", "a")
    assert whole_hash(one, "text/csv", "a") != whole_hash(one, "text/csv", "b")
