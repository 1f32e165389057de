"""Every family of models on the running app without a browser: the numbers of its whole fit."""

import re
from urllib.parse import urlencode

import pytest

from pages.ui.state.changes import changed
from pages.ui.state.links import to_query
from pages.ui.state.presets import GALLERY, Preset
from pages.ui.state.settings import Settings
from support.runs import expected
from support.visitor import Visitor


@pytest.mark.parametrize("preset", GALLERY, ids=lambda preset: preset.title)
def test_the_page_and_a_link_to_a_half_step_show_the_whole_fit(app: str, preset: Preset) -> None:
    settings = changed(Settings(), **preset.settings)
    likelihood, iterations = expected(settings)
    visitor = Visitor(app, urlencode(to_query(settings)) + "&f=3")
    visitor.settle()
    assert likelihood in visitor.said
    assert f"E-step {iterations}:" in visitor.said  # the last in the player
    assert re.search(rb'"frame": (-?\d+)', bytes(visitor.received))[1] == b"3"
    assert "M-step 2" in visitor.said
    visitor.close()


def test_a_row_typed_by_its_number_shows_its_posterior(app: str) -> None:
    visitor = Visitor(app, "v=1&m=poisson-hmm&e=earthquakes&k=3&dt=Points")
    visitor.settle()
    visitor.enter("Row of the table, or click a point in the picture", 44)
    assert "Row 44 of the table" in visitor.said
    assert "probability given the whole sequence" in visitor.said
    visitor.close()
