"""Questions to what may be long in answering, such as an object store: asked beside the pages, so
that none of them stands still with it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

# How long a page waits for an answer, the first time that none comes; and after so many seconds
# what has failed is asked again, however long an answer would stay.
PATIENCE = 2.0
TRIED_AGAIN = 3.0
MOST_KNOWN = 200


class NoAnswer(Exception):
    """Nothing has been answered so far."""


@dataclass
class _Question:
    """outcome: of the last time that it was answered, a value or what was raised, and when."""

    outcome: tuple[Any, Exception | None] | None = None
    at: float = 0.0
    is_asked: bool = False
    waited_for: bool = False
    answered: threading.Event = field(default_factory=threading.Event)

    def is_old(self, fresh: float) -> bool:
        if self.outcome is None:
            return True
        _, error = self.outcome
        most = fresh if error is None else min(fresh, TRIED_AGAIN)
        return time.monotonic() - self.at > most


class Answers:
    """What was answered to calls, by function and arguments; each is asked once at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[tuple, _Question] = {}

    def to(self, function: Callable[..., Any], *arguments: Any, fresh: float) -> Any:
        """What a call returns, as it was at most so many seconds ago; where the answer is late, or
        the call fails now, as it was the last time. Raises what the call does where it has
        returned nothing yet, and NoAnswer where nothing came of it so far."""
        with self._lock:
            question = self._question((function, *arguments))
            if question.is_old(fresh) and not question.is_asked:
                question.is_asked, question.waited_for = True, False
                question.answered.clear()
                call = (question, function, arguments)
                threading.Thread(target=self._ask, args=call, daemon=True).start()
            waits = question.is_asked and not question.waited_for
        if waits and not question.answered.wait(PATIENCE):
            question.waited_for = True
        if question.outcome is None:
            raise NoAnswer
        value, error = question.outcome
        if error is not None:
            # Without the frames of those who were told before.
            raise error.with_traceback(None)
        return value

    def _question(self, call: tuple) -> _Question:
        found = self._known.setdefault(call, _Question())
        for other in [*self._known][: max(len(self._known) - MOST_KNOWN, 0)]:
            if not self._known[other].is_asked and other != call:
                del self._known[other]
        return found

    def _ask(self, question: _Question, function: Callable[..., Any], arguments: tuple) -> None:
        outcome: tuple[Any, Exception | None]
        try:
            outcome = function(*arguments), None
        except Exception as error:  # at the top of a thread: it is raised where it was asked
            outcome = None, error
        with self._lock:
            was_told = question.outcome is not None and question.outcome[1] is None
            if outcome[1] is None or not was_told:
                question.outcome = outcome
            question.at, question.is_asked = time.monotonic(), False
        question.answered.set()


@cache
def answers() -> Answers:
    """Those of this server."""
    return Answers()
