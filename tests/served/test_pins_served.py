"""Starts that are pinned on Explore: returned to, and compared."""

import re

from support.visitor import Visitor

LINK = "v=1&s=generate&g=unequal&n=300&tk=5&k=5&ds=1&seed=0&f=-1"


def test_pinned_starts_are_returned_to_and_compared(app: str) -> None:
    visitor = Visitor(app, LINK)
    visitor.settle()
    visitor.click("Pin this start")
    assert re.search(r"k-means\+\+, seed 0: .[\d,.]+", visitor.texts)
    first = re.search(r"k-means\+\+, seed 0: .[\d,.]+", visitor.texts)
    assert first is not None
    visitor.click("Next seed")
    visitor.settle()
    assert "seed=1" in visitor.written and "f=-1" in visitor.written, "at the start, as before"
    assert re.search(r"seed 0 ends .* (the one shown|rows)", visitor.said)
    visitor.click("Pin this start")
    visitor.click(first.group())
    visitor.settle()
    assert "seed=1" not in visitor.written and "f=-1" in visitor.written
    assert re.search(r"seed 1 ends .* (the one shown|rows)", visitor.said)
    visitor.click("Unpin all")
    assert "seed 1 ends" not in visitor.said
    visitor.close()


def test_other_data_have_pins_of_their_own(app: str) -> None:
    visitor = Visitor(app, LINK)
    visitor.settle()
    visitor.click("Pin this start")
    visitor.enter("Data seed", 2)
    visitor.settle()
    assert "Pin this start" in visitor.texts and "Unpin all" not in visitor.texts
    visitor.enter("Data seed", 1)
    visitor.settle()
    assert "Unpin all" in visitor.texts
    visitor.close()
