"""Where the page on the bound opens, and what it and Relatives hide, without a browser."""

from urllib.parse import parse_qs

import pytest

from support.visitor import Visitor


def opened(app: str, query: str) -> dict[str, list[str]]:
    visitor = Visitor(app, query, "lower_bound")
    visitor.settle()
    told = parse_qs(visitor.written)
    visitor.close()
    return told


def test_it_opens_where_bound_and_likelihood_part_and_a_link_where_it_says(app: str) -> None:
    first = opened(app, "")
    assert (first["li"], first["f"]) == (["next"], ["1"])
    linked = opened(app, "v=1")
    assert not {"li", "f"} & set(linked)


@pytest.mark.parametrize("query", ["li=next", "li=end", "li=other&ls=5", "lp=weight%200"])
def test_every_slice_has_its_slopes(app: str, query: str) -> None:
    visitor = Visitor(app, f"v=1&e=faithful&k=2&{query}", "lower_bound")
    visitor.settle()
    assert "slope of the bound" in visitor.texts
    visitor.close()


def test_where_what_comes_is_hidden_nothing_tells_of_it(app: str) -> None:
    link = "v=1&e=faithful&k=2&f=2"
    next_gain = "M-step 2: gain of the bound"
    for hides in (False, True):
        visitor = Visitor(app, f"{link}&li=next&hc={hides:d}", "lower_bound")
        visitor.settle()
        assert "slope of the bound" in visitor.texts
        assert ("What comes is hidden" in visitor.texts) == hides
        assert (next_gain in visitor.texts) != hides
        visitor.close()
    visitor = Visitor(app, f"{link}&li=end&hc=1", "lower_bound")
    visitor.settle()
    assert "this line leads there" in visitor.texts and "slope of the bound" not in visitor.texts
    visitor.click("Show what comes")
    visitor.settle()
    assert "slope of the bound" in visitor.texts and next_gain in visitor.texts
    visitor.close()


def test_relatives_are_promised_much_and_seen_only_where_nothing_is_hidden(app: str) -> None:
    for hides in (False, True):
        visitor = Visitor(app, f"v=1&e=faithful&k=2&rp=5&rv=exact,hard&hc={hides:d}", "variants")
        visitor.settle()
        assert "Promises:" in visitor.texts
        assert ("What comes is hidden" in visitor.texts) == hides
        for told in ("Seen:", "Where each of them ended", "In words: the race"):
            assert (told in visitor.texts) != hides
        visitor.close()
