"""Which visits come from one browser."""

import gc

from pages.ui.state.reloads import Browsers
from pages.ui.state.session import Session


def test_a_browser_finds_its_own_visits_and_none_is_kept() -> None:
    browsers, mine, reloaded, other = Browsers(), Session(), Session(), Session()
    browsers.note("mine", mine)
    browsers.note("other", other)
    assert browsers.others("mine", reloaded) == [mine]
    assert browsers.others("mine", mine) == [] == browsers.others("a guess", reloaded)
    del mine
    gc.collect()
    assert browsers.others("mine", reloaded) == []
    browsers.note("other", reloaded)
    assert len(browsers) == 1


def test_without_a_token_there_is_nothing_in_common() -> None:
    browsers, one, two = Browsers(), Session(), Session()
    browsers.note("", one)
    assert browsers.others("", two) == [] and len(browsers) == 0
