"""What visits hold in the memory of the server, counted in bytes before it is taken.

Tables, runs, searches and pictures stay with a visit until it ends. One visit may hold so much and
all together so much. Where that is reached, what the same visit has used least lately goes, if it
can be had again; never anything of another visit.
"""

from __future__ import annotations

import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Hashable
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from typing import NamedTuple, TypeVar

from pages.ui import environment
from pages.ui.state.session import memo, session

T = TypeVar("T")
LARGE = 20_000_000  # bytes


class Full(Exception):
    """There is no room; str() is one plain sentence: what is too large and what to do."""


class _Held(NamedTuple):
    """So many bytes, and what lets them go; None where they cannot be had again."""

    size: int
    release: Callable[[], None] | None


class Memory:
    """The bytes that all visits of this process hold. for_one, for_all: the most of them."""

    def __init__(self, for_one: int, for_all: int) -> None:
        self.for_one, self.for_all = for_one, for_all
        self._lock = threading.Lock()
        self._making = threading.RLock()
        self._visits: dict[int, OrderedDict[str, _Held]] = {}

    @classmethod
    def configured(cls) -> Memory:
        """From the environment."""
        one, of_all = (round(environment.number(name) * 1e6) for name in ("VISIT_MB", "MEMORY_MB"))
        return cls(one, of_all)

    @property
    def held(self) -> int:
        """Bytes that all visits hold now."""
        with self._lock:
            return self._total()

    def _total(self) -> int:
        # Visits may end meanwhile, in a collection by any thread: a list of those there are now.
        return sum(map(_total, list(self._visits.values())))

    def open(self, visit: Visit) -> OrderedDict[str, _Held]:
        """The list of what a visit holds, the longest unused first; it closes with the visit."""
        ledger: OrderedDict[str, _Held] = OrderedDict()
        with self._lock:
            self._visits[id(ledger)] = ledger
        weakref.finalize(visit, self._visits.pop, id(ledger), None)
        return ledger

    def hold(self, ledger: OrderedDict[str, _Held], name: str, new: _Held) -> None:
        """Count what a visit is about to take. Raises Full where there is no room for it."""
        with self._lock:
            others = {other: held for other, held in ledger.items() if other != name}
            before = ledger[name].size if name in ledger else 0
            too_much_for_one = sum(held.size for held in others.values()) + new.size - self.for_one
            excess = max(too_much_for_one, self._total() - before + new.size - self.for_all)
            going: list[str] = []
            for other, held in others.items():
                if excess > 0 and held.release is not None:
                    going.append(other)
                    excess -= held.size
                    too_much_for_one -= held.size
            if excess > 0:  # then nothing goes in vain
                raise Full(
                    _FULL_FOR_ONE.format(self.for_one / 1e6)
                    if too_much_for_one > 0
                    else FULL_FOR_ALL
                )
            gone = [ledger.pop(other) for other in going]
            ledger.pop(name, None)
            ledger[name] = new
        for held in gone:
            if held.release is not None:
                held.release()

    def let_go(self, ledger: OrderedDict[str, _Held], name: str) -> None:
        with self._lock:
            ledger.pop(name, None)

    def making(self, expected: int) -> AbstractContextManager:
        """While something of so many bytes is made: what is large takes its size again, or twice,
        until it is done, which is not counted. So it is made one after the other."""
        return self._making if expected >= LARGE else nullcontext()


_FULL_FOR_ONE = (
    "This takes more memory than one visit may hold here ({:,.0f} MB): use fewer rows, columns or "
    "components, or close what else you have open in this window by loading the page again."
)
FULL_FOR_ALL = "The server's memory is taken by other visits: try again in a few minutes."


def _total(ledger: OrderedDict[str, _Held]) -> int:
    return sum(held.size for held in ledger.values())


class Visit:
    """What one visit holds. It ends with the session that keeps it."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._ledger = memory.open(self)

    def hold(self, name: str, size: int, release: Callable[[], None] | None = None) -> None:
        """Count bytes that are about to be taken, in place of those of the same name.

        release: drops them where they can be had again; None where they cannot. Raises Full.
        """
        self.holding(name, release).set(size)

    def let_go(self, name: str) -> None:
        """These bytes are free again."""
        self.holding(name).let_go()

    def holding(self, name: str, release: Callable[[], None] | None = None) -> Holding:
        """Something among what the visit holds that grows."""
        return Holding(self._memory, self._ledger, name, release)


class Holding:
    """One growing thing among what a visit holds. It does not keep the visit."""

    def __init__(
        self,
        memory: Memory,
        ledger: OrderedDict[str, _Held],
        name: str,
        release: Callable[[], None] | None,
    ) -> None:
        self._memory, self._ledger, self._name, self._release = memory, ledger, name, release
        self._size = 0

    def add(self, size: int) -> None:
        """So many bytes more. Raises Full."""
        self.set(self._size + size)

    def set(self, size: int) -> None:
        """So many bytes in all. Raises Full."""
        self._memory.hold(self._ledger, self._name, _Held(size, self._release))
        self._size = size

    def let_go(self) -> None:
        """It is free again."""
        self._memory.let_go(self._ledger, self._name)


def weakly(release: Callable[[], None]) -> Callable[[], None]:
    """Call a method of something while it is there, without keeping it there."""
    method = weakref.WeakMethod(release)

    def call() -> None:
        if (there := method()) is not None:
            there()

    return call


@cache
def memory() -> Memory:
    """The memory of this server."""
    return Memory.configured()


def visit() -> Visit:
    """What the session at work holds."""
    if session().visit is None:
        session().visit = Visit(memory())
    return session().visit


def kept(
    name: str, key: Hashable, make: Callable[[], T], size: Callable[[T], int], expected: int
) -> T:
    """What this visit made last under a name; made again where the key is another. Raises Full.

    size: bytes that it takes. expected: about as many, before it is made.
    """
    slot = f"kept {name}"

    def counted() -> T:
        with memory().making(expected):
            visit().hold(slot, expected)
            made = make()
            visit().hold(slot, size(made))
        return made

    return memo(slot, key, counted)
