"""Questions to what may be long in answering: pages wait once, and not for ever."""

import threading
import time

import pytest

from pages.ui.running import answers
from pages.ui.running.answers import Answers, NoAnswer


@pytest.fixture(autouse=True)
def _hardly_patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "PATIENCE", 0.2)


def test_an_answer_stays_while_it_is_fresh_and_errors_are_answers() -> None:
    asked, found = [], Answers()

    def twice(number: int) -> int:
        asked.append(number)
        if number > 2:
            raise ValueError("more than two")
        return 2 * number

    assert [found.to(twice, n, fresh=60) for n in (1, 2, 1, 2)] == [2, 4, 2, 4] and asked == [1, 2]
    assert found.to(twice, 1, fresh=-1) == 2 and asked == [1, 2, 1]
    for _ in range(2):
        with pytest.raises(ValueError, match="more than two"):
            found.to(twice, 3, fresh=60)
    assert asked == [1, 2, 1, 3]


def test_what_has_failed_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "TRIED_AGAIN", -1.0)
    asked, found = [], Answers()

    def sound_later() -> str:
        asked.append(1)
        if len(asked) < 4:
            raise ValueError("not yet")
        return "there"

    lengths = []
    for _ in range(3):
        with pytest.raises(ValueError, match="not yet") as raised:
            found.to(sound_later, fresh=1e9)
        lengths.append(len(raised.traceback))
    # Each is told without the frames of the others.
    assert len(set(lengths)) == 1
    assert [found.to(sound_later, fresh=1e9) for _ in range(2)] == ["there"] * 2
    assert len(asked) == 4
    # What was told stays where it fails later.
    asked.clear()
    assert found.to(sound_later, fresh=-1) == "there" and len(asked) == 1


def test_nobody_waits_again_while_nothing_comes() -> None:
    goes_on, asked, found = threading.Event(), [], Answers()

    def slow() -> str:
        asked.append(1)
        goes_on.wait(60)
        return "there"

    began = time.monotonic()
    with pytest.raises(NoAnswer):
        found.to(slow, fresh=60)
    waited = time.monotonic() - began
    for _ in range(50):
        with pytest.raises(NoAnswer):
            found.to(slow, fresh=60)
    # By the first only; and it was asked once.
    assert waited >= 0.2 and asked == [1]
    assert time.monotonic() - began - waited < 50 * 0.2
    goes_on.set()
    answered = threading.Event()
    while not answered.is_set():
        try:
            assert found.to(slow, fresh=60) == "there"
            answered.set()
        except NoAnswer:
            pass
    # Late again, the last answer is told.
    goes_on.clear()
    assert found.to(slow, fresh=-1) == "there" and found.to(slow, fresh=-1) == "there"
    assert asked == [1, 1]
    goes_on.set()


def test_what_nobody_asks_for_any_more_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "MOST_KNOWN", 5)
    found = Answers()
    for number in range(40):
        assert found.to(abs, -number, fresh=60) == number
    assert len(found._known) <= 6
