"""Where shared tables live: a database, so that a link outlives the session and the server.

SQLite in one file by default; PostgreSQL, for several servers behind one address, by its URL.
Rows hold the bytes of `packing.to_parquet` and only the hashes of the tokens: who reads the
database learns no link. No Streamlit import.
"""

from __future__ import annotations

import hashlib
import itertools
import logging
import os
import secrets
import sqlite3
import time
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import NamedTuple

import sqlalchemy as sql
from sqlalchemy import event
from sqlalchemy.exc import SQLAlchemyError

from pages.ui import environment
from pages.ui.text import number

DEFAULT_PLACE = "~/.local/share/em-explorer"
TOKEN_BYTES = 18  # 144 random bits, 24 characters
DAY = 86_400
SWEEP_EVERY = 3600  # seconds
MOST_DRIFT = 3600  # seconds between two looks by which a clock may be put right
LOCK = 0x656D  # PostgreSQL's name for "one writer at a time" here; any number

GONE = (
    "The table of this link is not here: the link is wrong, or the table was deleted or has "
    "expired. Ask whoever sent it, or upload the table yourself."
)
# What is wrong with the store, by what the database says of it: SQLite's name of the error, or the
# number that PostgreSQL gives it.
TROUBLES = {
    # Where its table has gone, SQLite names it no better than by SQLITE_ERROR.
    "damaged": ("SQLITE_NOTADB", "SQLITE_CORRUPT", "SQLITE_ERROR", "XX001", "XX002"),
    "read-only": ("SQLITE_READONLY", "SQLITE_PERM", "25006"),
    "full": ("SQLITE_FULL", "53100"),
    "closed": ("SQLITE_CANTOPEN", "SQLITE_IOERR"),
    "busy": ("SQLITE_BUSY", "SQLITE_LOCKED", "55P03"),
}
SENTENCES = {
    "damaged": "The file with the shared tables is damaged.",
    "read-only": "The store of shared tables can be read only.",
    "full": "The disk with the store of shared tables is full.",
    "closed": "The file of shared tables has gone, or its folder cannot be made or used.",
    "busy": "The store of shared tables is busy.",
    "driver": "The driver for the database of shared tables is not installed.",
    "away": "The store of shared tables cannot be reached.",
}
WAY_ON = (
    "Links to tables in it do not open now, and no table can be stored; all else works. Whoever "
    "runs this server finds the reason in its log. Try again later, or send the file along."
)
WAY_ON_WHERE_IT_CAN_BE_READ = (
    "No table can be stored now; links to those that are there may open, and all else works. "
    "Whoever runs this server finds the reason in its log. Send the file along with the link."
)
# Another writer is waited for, and a person is told so after the first of these seconds.
SECONDS_UNTIL_SAID, SECONDS_WAITED = 2, 30
WAITING = "The store of shared tables is busy with something else: still trying …"
ALMOST_FULL = 0.9  # of the quota of all, from where on the log says so
log = logging.getLogger(__name__)


class Refused(Exception):
    """Why a table is not kept; str() is for the person: what is wrong, and what to do."""


class Busy(Refused):
    """Another writer takes longer than one waits."""


class Quotas(NamedTuple):
    """Limits of the store, in bytes and days."""

    table: int
    person: int
    store: int
    days: int

    @classmethod
    def configured(cls) -> Quotas:
        """From the environment."""
        names = ("TABLE_MB", "SESSION_MB", "STORE_MB")
        table, person, store = (round(environment.number(name) * 1e6) for name in names)
        return cls(table, person, store, days=int(environment.number("DAYS")))


class Receipt(NamedTuple):
    """What the owner of a kept table gets: the link's token, the owner's, and when it ends."""

    token: str
    owner_token: str
    expires: float  # seconds since 1970


_schema = sql.MetaData()
_tables = sql.Table(
    "shared_tables",
    _schema,
    sql.Column("token_hash", sql.String(64), primary_key=True),
    sql.Column("owner_hash", sql.String(64), nullable=False, unique=True),
    sql.Column("session_hash", sql.String(64), nullable=False, index=True),
    sql.Column("content", sql.LargeBinary, nullable=False),
    sql.Column("size", sql.BigInteger, nullable=False),
    sql.Column("created", sql.Float(53), nullable=False),
    sql.Column("expires", sql.Float(53), nullable=False, index=True),
)


def _seconds_passed() -> float:
    """Since any moment, whatever the clock is set to; while the machine sleeps, too, if it can."""
    boot = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boot is None else time.clock_gettime(boot)


class Store:
    """Tables as bytes, each under a token that cannot be guessed, until they expire.

    place: a directory or a database URL, as in the environment variable. Every method raises
    `Refused` where the database cannot be reached.
    """

    def __init__(
        self,
        place: str,
        quotas: Quotas,
        now: Callable[[], float] = time.time,
        passed: Callable[[], float] = _seconds_passed,
    ):
        self.quotas = quotas
        self._now, self._passed = now, passed
        self._swept = 0.0
        self._seen: tuple[float, float] | None = None  # the clock when last believed, and `passed`
        self._leapt: float | None = None  # `passed` when the clock was first found to have leapt
        self._prepared = False
        with _understandable():
            self._engine = _engine(place, lambda: not self._prepared)
        with suppress(Busy), self._alone() as connection:  # else with the first table
            _schema.create_all(connection)
            self._prepared = True

    def keep(
        self,
        content: bytes,
        person: str,
        days: float,
        waiting: Callable[[], object] = lambda: None,
    ) -> Receipt:
        """Store `content`; it is safe on disk when this returns.

        person: whose quota it counts for. waiting: called where another writer makes it wait.
        Raises Refused where that would exceed a quota.
        """
        if len(content) > self.quotas.table:
            raise Refused(
                f"This table takes {_size(len(content))} and the most for one is "
                f"{_size(self.quotas.table)}: share fewer rows or columns."
            )
        now = self._now()
        expires = now + DAY * min(days, self.quotas.days)
        receipt = Receipt(
            secrets.token_urlsafe(TOKEN_BYTES), secrets.token_urlsafe(TOKEN_BYTES), expires
        )
        with self._writing(waiting) as connection:
            self._sweep(connection)
            taken = sql.select(sql.func.coalesce(sql.func.sum(_tables.c.size), 0))
            mine = taken.where(_tables.c.session_hash == _hash(person))
            if connection.scalars(mine).one() + len(content) > self.quotas.person:
                raise Refused(
                    f"One person may keep {_size(self.quotas.person)} of tables and this would "
                    "be more: delete one that you shared before."
                )
            full = connection.scalars(taken).one() + len(content)
            if full > ALMOST_FULL * self.quotas.store:
                log.warning(
                    "Shared tables take %s of the %s that EM_EXPLORER_STORE_MB allows.",
                    _size(min(full, self.quotas.store)), _size(self.quotas.store),
                )  # fmt: skip
            if full > self.quotas.store:
                raise Refused(
                    "The store of shared tables is full: send the file along with the link, or "
                    "ask whoever runs this server for more room."
                )
            connection.execute(
                _tables.insert().values(
                    token_hash=_hash(receipt.token),
                    owner_hash=_hash(receipt.owner_token),
                    session_hash=_hash(person),
                    content=content,
                    size=len(content),
                    created=now,
                    expires=expires,
                )
            )
        return receipt

    def fetch(self, token: str) -> bytes | None:
        """The bytes under a token; None alike for wrong, expired and deleted."""
        if abs(self._now() - self._swept) > SWEEP_EVERY:  # clocks are set back, too
            # What has expired is not found anyway; who only reads need not wait for a writer.
            with suppress(Refused), self._alone() as connection:
                self._sweep(connection)
        found = sql.select(_tables.c.content).where(
            _tables.c.token_hash == _hash(token), _tables.c.expires > self._now()
        )
        with self._reading() as connection:
            return connection.scalar(found)

    def delete(self, owner_token: str) -> bool:
        """Delete at once; False alike for a token that is wrong, expired or used before."""
        its = _tables.c.owner_hash == _hash(owner_token), _tables.c.expires > self._now()
        with self._writing() as connection:
            return connection.execute(_tables.delete().where(*its)).rowcount > 0

    def _sweep(self, connection: sql.Connection) -> None:
        self._swept = self._now()
        if self._believes_the_clock(connection):
            connection.execute(_tables.delete().where(_tables.c.expires <= self._now()))

    def _believes_the_clock(self, connection: sql.Connection) -> bool:
        """Whether what has expired by the clock may be deleted for good.

        A clock set forward by mistake would delete everything. So one that has leapt is believed
        only when it has stayed there for a day. At the start, one by which no table that was ever
        stored can be left counts as having leapt.
        """
        now, passed = self._now(), self._passed()
        if self._seen is None:
            last = connection.scalar(sql.select(sql.func.max(_tables.c.created)))
            leap = 0 if last is None else now - last - DAY * self.quotas.days
        else:
            leap = now - self._seen[0] - (passed - self._seen[1]) - MOST_DRIFT
        if leap > 0:
            if self._leapt is None:
                self._leapt = passed
                log.warning(
                    "The clock seems to have leapt forward: nothing that has expired by it is "
                    "deleted before it has stayed so for a day."
                )
            if passed - self._leapt < DAY:
                return False
        self._seen, self._leapt = (now, passed), None
        return True

    @contextmanager
    def _reading(self) -> Generator[sql.Connection]:
        with _understandable(), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def _writing(self, waiting: Callable[[], object] = lambda: None) -> Generator[sql.Connection]:
        """A transaction without another writer beside it, or two could share the last room."""
        until = time.monotonic() + SECONDS_WAITED
        with ExitStack() as transaction:
            for attempt in itertools.count():
                try:
                    connection = transaction.enter_context(self._alone())
                    break
                except Busy:
                    if attempt and time.monotonic() > until:
                        raise
                    waiting()
            if not self._prepared:
                _schema.create_all(connection)
                self._prepared = True
            yield connection

    @contextmanager
    def _alone(self) -> Generator[sql.Connection]:
        with _understandable(), self._engine.execution_options(writes=True).begin() as connection:
            if connection.dialect.name == "postgresql":
                wait = f"SET LOCAL lock_timeout = '{SECONDS_UNTIL_SAID}s'"
                connection.exec_driver_sql(wait)
                connection.execute(sql.select(sql.func.pg_advisory_xact_lock(LOCK)))
            yield connection


@contextmanager
def _understandable() -> Generator[None]:
    try:
        yield
    # The database; its address; its folder, or a home to have it in; its driver.
    except (
        SQLAlchemyError, sqlite3.Error, ValueError, OSError, RuntimeError, ImportError
    ) as error:  # fmt: skip
        what = _trouble(error)
        if what == "busy":
            raise Busy(f"{SENTENCES[what]} Try again in a minute.") from None
        log.error("%s", SENTENCES[what], exc_info=error)
        read = what in ("read-only", "full")
        way_on = WAY_ON_WHERE_IT_CAN_BE_READ if read else WAY_ON
        raise Refused(f"{SENTENCES[what]} {way_on}") from None


def _trouble(error: Exception) -> str:
    """Which of SENTENCES tells of an error."""
    if isinstance(error, ImportError):
        return "driver"
    if isinstance(error, OSError | RuntimeError):
        return "closed"
    cause = getattr(error, "orig", None) or error
    name = getattr(cause, "sqlite_errorname", None) or getattr(cause, "sqlstate", None) or ""
    known = (what for what, names in TROUBLES.items() if name.startswith(names))
    return next(known, "away")


@cache
def the_store() -> Store:
    """The store of this server. Raises `Refused` where it cannot be had now."""
    return open_store()


def open_store() -> Store:
    """The store that the environment names. Raises `Refused` where it cannot be had."""
    return Store(os.environ.get(environment.STORE) or DEFAULT_PLACE, Quotas.configured())


def _engine(place: str, is_new: Callable[[], bool]) -> sql.Engine:
    """is_new: asked for each connection, whether what is not there may be made."""
    if "://" in place:
        url = sql.make_url(place)
        if url.get_backend_name() == "postgresql":
            url = url.set(drivername="postgresql+psycopg")
        # Connections that died with the database are noticed before they are used.
        return sql.create_engine(url, pool_pre_ping=True)
    folder = Path(place).expanduser().absolute()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = folder / "em-explorer.sqlite"

    def connect() -> sqlite3.Connection:
        # A file that has gone is not made anew: links to what it held are refused with the reason,
        # and open again once it is back.
        mode = "rwc" if is_new() else "rw"
        if not os.access(folder, os.W_OK) and not file.with_name(f"{file.name}-wal").exists():
            # SQLite would make files beside it that it needs where others may write.
            mode = "ro&immutable=1"
        return sqlite3.connect(f"{file.as_uri()}?mode={mode}", timeout=SECONDS_UNTIL_SAID, uri=True)

    # Each time anew: an open connection stays with the file that it found, which may have been
    # removed since, or moved away for another one, and what is written there is lost.
    engine = sql.create_engine("sqlite://", creator=connect, poolclass=sql.NullPool)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection, _record) -> None:
    # Python's driver would begin transactions by itself, too late to lock what is read first.
    connection.isolation_level = None
    connection.execute("PRAGMA journal_mode=WAL")
    # Each commit reaches the disk before it is acknowledged.
    connection.execute("PRAGMA synchronous=FULL")
    # What is deleted is overwritten.
    connection.execute("PRAGMA secure_delete=ON")


def _begin_sqlite(connection: sql.Connection) -> None:
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _size(size: float) -> str:
    return f"{number(size / 1e6, 3)} MB"
