"""What visits hold in the server: what is large is made one after the other."""

import threading
import time

from pages.ui.state.memory import LARGE, Memory


def most_at_once(expected: int) -> int:
    """How many of three threads make something of so many bytes at the same time."""
    memory, at_work, most = Memory(10**9, 10**9), [], []
    begun = threading.Barrier(3)

    def make() -> None:
        begun.wait()
        with memory.making(expected):
            at_work.append(None)
            most.append(len(at_work))
            time.sleep(0.05)  # long enough for the others to come
            at_work.pop()

    threads = [threading.Thread(target=make) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return max(most)


def test_what_is_large_is_made_one_after_the_other() -> None:
    assert most_at_once(LARGE) == 1


def test_what_is_made_of_others_does_not_wait_for_itself() -> None:
    memory = Memory(10**9, 10**9)
    with memory.making(LARGE), memory.making(LARGE), memory.making(1):
        pass
