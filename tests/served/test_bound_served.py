"""Where the page on the bound opens, on the running app, without a browser."""

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
