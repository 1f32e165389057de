"""The store: acknowledged means kept, and what is kept is found by nobody without the link."""

import os
import random
import secrets
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sql

from pages.ui import environment
from pages.ui.sharing.store import (
    DAY,
    TOKEN_BYTES,
    Quotas,
    Refused,
    Store,
    _hash,
    _tables,
    open_store,
)
from support.browser import ROOT
from support.postgres import cluster

ROOMY = Quotas(table=10_000, person=1_000_000, store=10_000_000, days=365)


class Clock:
    def __init__(self) -> None:
        self.time = 1e9

    def __call__(self) -> float:
        return self.time

    def passed(self) -> float:
        """What has passed by it since some moment: it has not been set."""
        return self.time


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Store:
    return Store(str(tmp_path / "new/folder"), ROOMY, clock, clock.passed)


def test_what_is_kept_is_found_by_its_token_only(store: Store) -> None:
    one, two = store.keep(b"one", "me", 1), store.keep(b"two", "me", 1)
    assert (store.fetch(one.token), store.fetch(two.token)) == (b"one", b"two")
    for wrong in (one.owner_token, one.token[:-1], one.token.swapcase(), ""):
        assert store.fetch(wrong) is None
    assert len(one.token) * 6 >= 8 * TOKEN_BYTES >= 128


def test_it_survives_a_restart(tmp_path: Path) -> None:
    kept = Store(str(tmp_path), ROOMY).keep(b"content", "me", 1)
    assert Store(str(tmp_path), ROOMY).fetch(kept.token) == b"content"


def test_wrong_expired_and_deleted_are_alike(store: Store, clock: Clock) -> None:
    expired, deleted = store.keep(b"1", "me", 1), store.keep(b"2", "me", 30)
    assert not store.delete(deleted.token)
    assert store.delete(deleted.owner_token)
    clock.time += DAY
    assert store.fetch(expired.token) is store.fetch(deleted.token) is store.fetch("wrong") is None
    for owner_token in (expired.owner_token, deleted.owner_token, "wrong"):
        assert store.delete(owner_token) is False


def test_a_clock_that_is_set_back_keeps_nothing_longer_than_it_says(
    store: Store, clock: Clock, tmp_path: Path
) -> None:
    """Of two servers with one store: this one only reads, and was far in the future for a while."""
    begin = clock.time
    clock.time = begin + 3_000 * DAY
    store.fetch("any link sweeps")
    clock.time = begin
    other = Store(str(tmp_path / "new/folder"), ROOMY, clock, clock.passed)
    short, long = other.keep(b"1", "me", 1), other.keep(b"2", "me", 30)
    clock.time = begin - DAY / 2
    assert store.fetch(short.token) == b"1" and store.fetch(long.token) == b"2"
    clock.time = begin + 2 * DAY
    assert store.fetch(short.token) is None and store.fetch(long.token) == b"2"
    with store._reading() as connection:
        assert connection.scalar(sql.select(sql.func.count()).select_from(_tables)) == 1
    assert store.delete(long.owner_token)


def rows(store: Store) -> int:
    with store._reading() as connection:
        return connection.scalars(sql.select(sql.func.count()).select_from(_tables)).one()


def test_a_clock_set_forward_by_mistake_deletes_nothing(
    clock: Clock, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    begin, passed = clock.time, 0.0
    store = Store(str(tmp_path), ROOMY, clock, lambda: passed)
    short, long = store.keep(b"1", "me", 1), store.keep(b"2", "me", 300)
    clock.time = begin + 3_000 * DAY
    for _ in range(5):
        assert store.fetch(short.token) is None and store.fetch(long.token) is None
        passed += 2 * 3600
        clock.time += 2 * 3600
    later = Store(str(tmp_path), ROOMY, clock, lambda: passed)  # the server is started again
    assert later.fetch(long.token) is None
    assert caplog.text.count("leapt forward") == 2
    passed += 3600
    clock.time = begin + passed
    for each in (store, later):
        assert (each.fetch(short.token), each.fetch(long.token)) == (b"1", b"2")
    # Where it goes on as time does, what has expired goes; and where it is right after all.
    passed += 2 * DAY
    clock.time += 2 * DAY
    assert store.fetch(long.token) == b"2" and rows(store) == 1
    clock.time += 3_000 * DAY
    assert store.fetch(long.token) is None and rows(store) == 1
    passed += DAY
    clock.time += DAY
    assert store.fetch(long.token) is None and rows(store) == 0


def test_what_expires_leaves_the_disk(store: Store, clock: Clock, tmp_path: Path) -> None:
    marked = secrets.token_bytes(64)
    kept = store.keep(marked, "me", 1)
    deleted = store.keep(marked[::-1], "me", 30)
    store.delete(deleted.owner_token)
    clock.time += 2 * DAY
    store.fetch("any link sweeps")
    with sqlite3.connect(tmp_path / "new/folder/em-explorer.sqlite") as database:
        assert database.execute("SELECT count(*) FROM shared_tables").fetchone() == (0,)
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    content = b"".join(path.read_bytes() for path in (tmp_path / "new/folder").iterdir())
    assert marked not in content and marked[::-1] not in content
    assert store.fetch(kept.token) is None


def test_nobody_keeps_longer_than_the_longest(store: Store, clock: Clock) -> None:
    assert store.keep(b"1", "me", 10_000).expires == clock.time + 365 * DAY


def test_quotas(tmp_path: Path, clock: Clock) -> None:
    store = Store(
        str(tmp_path), Quotas(table=10, person=25, store=40, days=10), clock, clock.passed
    )
    with pytest.raises(Refused, match="the most for one is"):
        store.keep(b"x" * 11, "me", 1)
    first = store.keep(b"x" * 10, "me", 1)
    store.keep(b"x" * 10, "me", 5)
    with pytest.raises(Refused, match="One person may keep"):
        store.keep(b"x" * 10, "me", 1)
    store.delete(first.owner_token)
    store.keep(b"x" * 10, "me", 1)
    store.keep(b"x" * 10, "you", 1)
    store.keep(b"x" * 10, "you", 1)
    with pytest.raises(Refused, match="store of shared tables is full"):
        store.keep(b"x" * 10, "they", 1)
    clock.time += 2 * DAY
    store.keep(b"x" * 10, "they", 1)  # what has expired counts no more


def test_the_environment_says_where_and_how_much(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv(environment.STORE, str(tmp_path / "here"))
    monkeypatch.setenv("EM_EXPLORER_TABLE_MB", "0.5")
    monkeypatch.setenv("EM_EXPLORER_DAYS", "7")
    assert open_store().quotas[::3] == (500_000, 7)
    folder = tmp_path / "here"
    assert (folder / "em-explorer.sqlite").exists() and folder.stat().st_mode & 0o077 == 0
    with sqlite3.connect(folder / "em-explorer.sqlite") as database:
        assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_the_database_holds_no_token(store: Store, tmp_path: Path) -> None:
    kept = store.keep(b"content", "my session", 1)
    files = (tmp_path / "new/folder").iterdir()
    content = b"".join(path.read_bytes() for path in files)
    for secret in (kept.token, kept.owner_token, "my session"):
        assert secret.encode() not in content


AWAY = "cannot be reached"


@pytest.mark.parametrize(
    "place, sentence",
    [
        ("postgresql://nobody@127.0.0.1:1/nothing", AWAY),
        ("mysql://x/y", "driver for the database"),
        ("a://b:c:d", AWAY),
        ("~nobody-here", "cannot be made or used"),
        ("/proc/nowhere", "cannot be made or used"),
    ],
)
def test_a_store_that_cannot_be_opened_is_said_in_a_sentence(place: str, sentence: str) -> None:
    with pytest.raises(Refused, match=sentence) as refused:
        Store(place, ROOMY)
    assert "all else works" in str(refused.value)


def test_a_store_in_trouble_says_which(store: Store, tmp_path: Path, monkeypatch) -> None:
    """And whoever runs the server finds it in the log, in one line before the whole story."""
    file = tmp_path / "new/folder/em-explorer.sqlite"
    attempts = (lambda: store.keep(b"x" * 9_000, "me", 1), lambda: store.fetch("x"))
    with store._writing() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 8")
        connection.exec_driver_sql("DROP TABLE shared_tables")
    for attempt in attempts:
        with pytest.raises(Refused, match="is damaged"):
            attempt()
    occupied = tmp_path / "file"
    occupied.touch()
    with pytest.raises(Refused, match="cannot be made or used"):
        Store(str(occupied), ROOMY)
    store._engine.dispose()
    for path in file.parent.iterdir():
        path.unlink()
    file.write_bytes(secrets.token_bytes(5000))
    with pytest.raises(Refused, match="is damaged"):
        Store(str(file.parent), ROOMY)


def test_a_store_that_is_read_only_or_full_says_so(store: Store) -> None:
    kept = store.keep(b"content", "me", 1)
    for pragma, sentence in (
        ("PRAGMA query_only = ON", "can be read only"),
        ("PRAGMA max_page_count = 1", "is full"),
    ):

        def listen(connection: sqlite3.Connection, _record: object, pragma: str = pragma) -> None:
            connection.execute(pragma)

        sql.event.listen(store._engine, "connect", listen)
        with pytest.raises(Refused, match=f"{sentence}. No table can be stored now; links to"):
            store.keep(secrets.token_bytes(10_000), "me", 1)
        assert store.fetch(kept.token) == b"content", "what is there can be read"
        sql.event.remove(store._engine, "connect", listen)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_folder_that_can_be_read_only_still_opens_links() -> None:
    """As of a disk that was mounted again so: by somebody who may not write there."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place, "store")
        store = Store(str(folder), ROOMY)
        kept = store.keep(b"content", "me", 1)
        for path, mode in ((Path(place), 0o755), (folder / FILE, 0o444), (folder, 0o555)):
            path.chmod(mode)
        if (child := os.fork()) == 0:
            if os.getuid() == 0:
                os.setuid(65_534)
            try:
                assert store.fetch(kept.token) == b"content"
                with pytest.raises(Refused, match=r"can be read only\. No table can be stored now"):
                    store.keep(b"more", "me", 1)
            except BaseException as error:
                print(error, file=sys.stderr, flush=True)
                os._exit(1)
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        folder.chmod(0o755)
        assert store.keep(b"more", "me", 1).token or (folder / FILE).chmod(0o644)


def _remove(folder: Path) -> None:
    for file in folder.iterdir():
        file.unlink()


def _cut(folder: Path) -> None:
    _remove(folder)
    (folder / FILE).touch()


FILE = "em-explorer.sqlite"
DAMAGES: dict[str, Callable[[Path], object]] = {
    "removed": _remove,
    "cut to nothing": _cut,
    "folder removed": lambda folder: (_remove(folder), folder.rmdir()),
    "folder moved": lambda folder: folder.rename(folder.with_name("elsewhere")),
    "an empty folder in its place": lambda folder: (
        folder.rename(folder.with_name("elsewhere")),
        folder.mkdir(),
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_nothing_is_acknowledged_where_the_file_has_gone(
    store: Store, tmp_path: Path, damage: str
) -> None:
    """An open connection would go on writing to what nobody finds any more."""
    folder, backup = tmp_path / "new/folder", tmp_path / "backup"
    kept, deleted = store.keep(b"content", "me", 1), store.keep(b"more", "me", 1)
    shutil.copytree(folder, backup)
    DAMAGES[damage](folder)
    for attempt in (
        lambda: store.keep(b"x", "me", 1),
        lambda: store.fetch(kept.token),
        lambda: store.delete(deleted.owner_token),
    ):
        with pytest.raises(Refused, match=r"has gone|is damaged"):
            attempt()
    # Once it is put back, all goes on.
    shutil.rmtree(folder, ignore_errors=True)
    shutil.move(backup, folder)
    assert store.fetch(kept.token) == b"content"
    later = store.keep(b"later", "me", 1)
    assert store.delete(deleted.owner_token)
    again = Store(str(folder), ROOMY, store._now, store._passed)
    assert again.fetch(later.token) == b"later" and again.fetch(deleted.token) is None


def test_a_file_put_in_its_place_is_the_one_that_is_used(store: Store, tmp_path: Path) -> None:
    folder = tmp_path / "new/folder"
    kept = store.keep(b"content", "me", 1)
    with (
        closing(sqlite3.connect(folder / FILE)) as file,
        closing(sqlite3.connect(tmp_path / "b")) as backup,
    ):
        file.backup(backup)
    later = store.keep(b"later", "me", 1)
    os.replace(tmp_path / "b", folder / FILE)
    assert store.fetch(kept.token) == b"content" and store.fetch(later.token) is None
    last = store.keep(b"last", "me", 1)
    assert Store(str(folder), ROOMY, store._now, store._passed).fetch(last.token) == b"last"


def test_one_who_waits_for_another_writer_is_told_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pages.ui.sharing.store.SECONDS_UNTIL_SAID", 0.1)
    monkeypatch.setattr("pages.ui.sharing.store.SECONDS_WAITED", 0.3)
    store, told = Store(str(tmp_path), ROOMY), []
    other = sqlite3.connect(tmp_path / "em-explorer.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Refused, match="busy"):
        store.keep(b"x", "me", 1, lambda: told.append("waiting"))
    assert told  # before it gave up
    assert Store(str(tmp_path), ROOMY).fetch("x") is None, "reading goes on, and so does a start"
    # As soon as the other has done, the table is stored.
    assert store.keep(b"x", "me", 1, lambda: other.in_transaction and other.execute("COMMIT")).token
    other.close()


def test_who_runs_the_server_is_told_when_the_store_fills_up(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = Store(str(tmp_path), Quotas(table=10, person=100, store=40, days=10))
    for _ in range(3):
        store.keep(b"x" * 10, "me", 1)
    assert not caplog.records
    store.keep(b"x" * 10, "me", 1)
    with pytest.raises(Refused):
        store.keep(b"x" * 10, "you", 1)
    assert len(caplog.records) == 2
    assert all("EM_EXPLORER_STORE_MB" in record.message for record in caplog.records)


def test_a_million_guesses(store: Store) -> None:
    """Each guess is a lookup of its hash: a million of them against a hundred tables."""
    hashes = {_hash(store.keep(b"x", "me", 1).token) for _ in range(100)}
    rng = random.Random(0)
    guesses = (f"{rng.getrandbits(8 * TOKEN_BYTES):024x}" for _ in range(999_000))
    assert not any(_hash(guess) in hashes for guess in guesses)
    for _ in range(1_000):
        assert store.fetch(secrets.token_urlsafe(TOKEN_BYTES)) is None


HOSTILE = [
    "' OR '1'='1",
    "'; DROP TABLE shared_tables; --",
    '" OR ""="',
    "1 UNION SELECT content FROM shared_tables",
    "%' OR token_hash LIKE '%",
    "../../../../etc/passwd",
    "..\\..\\windows\\win.ini",
    "/etc/passwd",
    "file:///etc/passwd",
    "\x00",
    "%00",
    "%2e%2e%2f",
    "${jndi:ldap://x}",
    "\N{FULLWIDTH APOSTROPHE}",
    "' AND pg_sleep(10)--",
    "'||(SELECT 1)||'",
    ";cat /etc/passwd",
    "`id`",
    "$(id)",
    "\ud7ff",
]


def test_500_payloads_find_nothing_and_make_nothing(store: Store, tmp_path: Path) -> None:
    kept = store.keep(b"content", "me", 1)
    before = sorted(tmp_path.rglob("*"))
    payloads = [
        payload
        for text in HOSTILE
        for twist in range(5)
        for payload in (
            text * (twist + 1),
            kept.token[:twist] + text,
            text + kept.token,
            kept.token + text,
            text.upper() + str(twist),
        )
    ]
    assert len(payloads) == 500
    for payload in payloads:
        assert store.fetch(payload) is None
        assert store.delete(payload) is False
        store.delete(store.keep(b"x", payload, 1).owner_token)
    assert store.fetch(kept.token) == b"content"
    assert sorted(tmp_path.rglob("*")) == before


WRITER = """
import os, random, signal, sys
from pages.ui.sharing.store import Quotas, Store

place, seed = sys.argv[1], int(sys.argv[2])
room = Quotas(table=10**6, person=10**9, store=10**9, days=9)
out = sys.stdout
for child in range(100):
    pid = os.fork()
    if pid == 0:
        store = Store(place, room)
        rng = random.Random((seed, child).__hash__())
        while True:
            content = rng.randbytes(rng.randrange(1, 60_000))
            token = store.keep(content, "me", 1).token
            # One write each, so that a line is whole or not there.
            os.write(1, f"{token} {content[:8].hex()} {len(content)}\\n".encode())
    os.read(0, 1)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    os.write(1, b"killed\\n")
"""


@pytest.mark.slow
def test_kill_minus_nine_100_times_loses_nothing_acknowledged(tmp_path: Path) -> None:
    rng = random.Random(1)
    acknowledged, kills = [], 0
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(tmp_path), "7"],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as writer:  # fmt: skip
        while kills < 100:
            # Somewhere in the middle of what follows the next few acknowledgements.
            for _ in range(rng.randrange(1, 6)):
                acknowledged.append(writer.stdout.readline().split())
            time.sleep(rng.random() * 0.01)
            writer.stdin.write("k")
            writer.stdin.flush()
            while (line := writer.stdout.readline()) != "killed\n":
                acknowledged.append(line.split())
            kills += 1
        writer.wait(20)
    store = Store(str(tmp_path), ROOMY)
    assert len(acknowledged) > 100
    for token, beginning, length in acknowledged:
        content = store.fetch(token)
        assert content is not None and len(content) == int(length)
        assert content[:8].hex() == beginning
    with sqlite3.connect(tmp_path / "em-explorer.sqlite") as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.mark.slow
def test_a_killed_writer_leaves_the_file_to_others(tmp_path: Path) -> None:
    """The lock of a process that is gone is gone."""
    code = "import os, sys; from pages.ui.sharing.store import *\n"
    code += "s = Store(sys.argv[1], Quotas(9, 9, 9, 9))\n"
    code += "with s._writing(): print('in', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as writer:  # fmt: skip
        writer.stdout.readline()
        os.kill(writer.pid, signal.SIGKILL)
    assert Store(str(tmp_path), ROOMY).keep(b"x", "me", 1).token


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    # Not under pytest's own folder: that is closed to the user postgres.
    with tempfile.TemporaryDirectory() as folder, cluster(Path(folder)) as url:
        yield url


@pytest.mark.postgresql
def test_postgresql_keeps_the_same_promises(database: str, clock: Clock) -> None:
    room = Quotas(table=10, person=25, store=40, days=10)
    one, other = (Store(database, room, clock, clock.passed) for _ in range(2))
    kept = one.keep(b"content", "me", 1)
    assert other.fetch(kept.token) == b"content"
    assert other.fetch(kept.owner_token) is None
    assert other.delete(kept.owner_token) and not one.delete(kept.owner_token)
    assert one.fetch(kept.token) is None
    later = one.keep(b"content", "me", 1)
    clock.time += DAY
    assert other.fetch(later.token) is None


@pytest.mark.postgresql
def test_the_last_room_goes_to_one_of_many_at_once(database: str, tmp_path: Path) -> None:
    room = Quotas(table=10, person=50, store=10**9, days=10)
    for place in (database, str(tmp_path)):

        def keep(_: int, place: str = place) -> bool:
            try:
                return bool(Store(place, room).keep(b"x" * 10, "quick", 1))
            except Refused:
                return False

        with ThreadPoolExecutor(8) as several:
            assert sum(several.map(keep, range(12))) == 5


@pytest.mark.postgresql
def test_postgresql_finds_nothing_for_500_payloads(database: str) -> None:
    store = Store(database, ROOMY)
    kept = store.keep(b"content", "me", 1)
    for payload in [text * twist for text in HOSTILE for twist in range(1, 26)]:
        assert store.fetch(payload) is None and store.delete(payload) is False
    assert store.fetch(kept.token) == b"content"
