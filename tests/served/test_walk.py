"""Nothing that can be chosen or linked to ends in an error box, a traceback or an endless run."""

import itertools
import random
from collections.abc import Iterator
from functools import cache
from typing import Any
from urllib.parse import quote

import pytest

from pages.ui.state.links import parse
from pages.ui.state.settings import FIELDS
from support.browser import ROOT, serve
from support.data_sets import write_gaps, write_mixed
from support.walk import (
    PAGES,
    SECONDS_PER_FIT,
    Place,
    Walk,
    Walker,
    covering,
    factors,
    hostile,
    link_of,
    places,
    values_of,
)

slow = pytest.mark.slow
PIECES = 20
ZERO = '{"weights":[0.5,0.5],"rates":[[0],[0]]}'
TOO_LARGE = '{"weights":[0.5,0.5],"rates":[[1e308],[1e308]]}'


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walk]:
    log = tmp_path_factory.mktemp("walk") / "log"
    folder = tmp_path_factory.mktemp("sets")
    write_mixed(folder)
    write_gaps(folder)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("EM_EXPLORER_FIT_SECONDS", str(SECONDS_PER_FIT))
        environment.setenv("EM_EXPLORER_DATASETS", str(folder))
        with serve(ROOT, log) as url:
            yield Walk(url, log)


@cache
def rows_of_all_pairs() -> list[dict[str, Any]]:
    return list(covering(factors(), random.Random(0)))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """The long walk goes in pieces, so that several go at once; the short one is a few steps."""
    long = metafunc.config.getoption("--long")
    if "place" in metafunc.fixturenames:
        some = places() if long else random.Random(2).sample(places(), 5)
        metafunc.parametrize("place", some, ids=str)
    if "piece" in metafunc.fixturenames:
        metafunc.parametrize("piece", range(PIECES) if long else [0])


def assert_nothing_found(walk: Walk) -> None:
    if walk.visits:
        print(f"{walk.visits} links visited, {walk.uses} widgets used")
    found, walk.found, walk.visits, walk.uses = walk.found, [], 0, 0
    assert not found, "\n".join(map(str, found))


def test_every_pair_is_covered_by_far_fewer_rows_than_there_are_combinations() -> None:
    sizes = {"a": 7, "b": 5, "c": 4, "d": 4, "e": 3, "f": 2, "g": 2, "h": 1}
    values = {name: [f"{name}{i}" for i in range(size)] for name, size in sizes.items()}
    rows = list(covering(values, random.Random(0)))
    for one, other in itertools.combinations(values, 2):
        seen = {(row[one], row[other]) for row in rows}
        assert seen == set(itertools.product(values[one], values[other]))
    assert len(rows) <= 50
    assert rows == list(covering(values, random.Random(0)))


@pytest.mark.parametrize("name", FIELDS)
def test_every_field_is_walked_missing_valid_and_damaged(name: str) -> None:
    about = FIELDS[name]
    texts = values_of(about)
    said = [text for text in texts if text is not None and parse({about.key: text})[1]]
    quiet = [text for text in texts if text is not None and not parse({about.key: text})[1]]
    assert None in texts and said and quiet


@slow
def test_links_of_all_pairs_of_values(walk: Walk, long: bool, piece: int) -> None:
    rng = random.Random(piece)
    some = itertools.islice(covering(factors(), random.Random(0)), 6)
    for row in rows_of_all_pairs()[piece::PIECES] if long else some:
        walk.visit(*link_of(row), n_uses=2, rng=rng)
    assert_nothing_found(walk)


@slow
def test_every_option_of_every_widget(walk: Walk, long: bool, place: Place) -> None:
    """From each page with each family as it opens; the short walk uses a few here and there."""
    if long:
        walk.options(place)
    else:
        walk.visit(place.page, place.query, n_uses=3, rng=random.Random(2))
    assert_nothing_found(walk)


@slow
def test_hostile_links(walk: Walk, long: bool, piece: int) -> None:
    rng = random.Random(piece)
    for _ in range(100 if long else 8):
        walk.visit(rng.choice(PAGES), hostile(rng), n_uses=1, rng=rng)
    assert_nothing_found(walk)


@slow
@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("st=means", "Change the numbers to place a mean"),
        ("st=means&k=4", "Log-likelihood"),
        ("st=means&k=3&sm=2.0,60.0", "Log-likelihood"),
        ("st=means&sm=1.0;2.0", "each has 1 number where 2 are needed, so rows of the data"),
        ("st=means&sm=1.0,2.0,3.0", "each has 3 numbers where 2 are needed, so rows of the data"),
        ("st=means&sm=1,2;3", "Hand-placed means: the points do not all have"),
        ("st=means&sm=,", "Hand-placed means: the value given is not a number"),
        ("st=means&sm=1e308,1e308;-1e308,-1e308", "placed"),
        ("f=99999", "Frame: half-step 99,999 is not from 0 to"),
        ("f=99999&m=two-level", "Frame: half-step 99,999 is not from 0 to"),
        ("pt=272", "Point: row 273 is not among the 272 that are fitted"),
        (f"m=poisson-mixture&st=parameters&sp={quote(TOO_LARGE)}", "from 0 to 1,000,000,000,000"),
        ("m=poisson-mixture&r=-9.5_3_1.0", "not what the link"),
        ("theory?th=questions", "See the BIC of a fit"),
        (f"lower_bound?m=poisson-mixture&st=parameters&sp={quote(TOO_LARGE)}", "and from 0 to"),
        (f"variants?m=poisson-mixture&st=parameters&sp={quote(TOO_LARGE)}", "and from 0 to"),
        (
            f"m=poisson-mixture&st=parameters&k=2&sp={quote(ZERO)}",
            "of the table probability 0, because of “",
        ),
        ("lower_bound?li=other", "Its components are numbered as here"),
        ("local_optima?ns=3&pk=0&ps=nonsense", "“nonsense” is not among the starts of this model"),
        (
            f"local_optima?ns=3&pk=0&ps={quote('![x](http://x)')}",
            "the value given is not among the",
        ),
        (f"local_optima?ns=3&pk=0&rk=1&rs={quote('![x](http://x)')}", "The race: "),
        ("local_optima?ns=3&pk=9&rk=1", "There is no run from"),
        ("m=poisson-hmm&ax=columns", "Log-likelihood"),
        ("m=poisson-hmm&ax=pairs", "Log-likelihood"),
        (
            "st=parameters&sp=" + quote(f'{{"weights":[{"9" * 400}]}}'),
            "this is not JSON with finite",
        ),
    ],
)
def test_what_a_link_asks_for_and_cannot_be_is_said(walk: Walk, query: str, sentence: str) -> None:
    page, _, query = query.rpartition("?")
    walker = Walker(walk.url, f"v=1&{query}", page)
    walker.settle()
    said = walker.texts
    walk.end(walker, ())
    assert sentence in said and "![" not in said
    assert_nothing_found(walk)


@slow
def test_a_model_of_the_grid_opens_in_explore(walk: Walk) -> None:
    walker = Walker(walk.url, "v=1&kt=2&ne=1", "model_selection")
    walker.settle()
    button = next(w for w in walker.widgets if w.label == "Open in Explore")
    walker.use(button, ("trigger_value", True))
    said = walker.texts
    walk.end(walker, ())
    assert "Explore" in said and "Log-likelihood" in said
    assert_nothing_found(walk)
