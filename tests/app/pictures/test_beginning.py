"""What is said before the first E-step, of every kind of picture."""

import pytest

from pages.ui.families.table import FAMILIES, family_of
from pages.ui.state.changes import changed
from pages.ui.state.settings import Settings
from support.runs import started

SAID = {
    ("gaussian-mixture", 3): "the data, and the 3 components as they start. No point belongs",
    ("gaussian-hmm", 2): "the data, and the 2 states as they start. No point belongs",
    ("categorical-mixture", 2): "the 2 classes as they start.",
    ("factor-analysis", 2): "the parameters as they start.",
}


@pytest.mark.parametrize(("family", "size"), SAID)
def test_the_beginning_says_what_there_is_to_see(family: str, size: int) -> None:
    example = FAMILIES[family].examples[0]
    settings = changed(Settings(), family=family, example=example, n_components=size)
    picture, _ = family_of(settings).picture(started(settings, 1)[2])
    assert picture.before.startswith(f"Before the first E-step: {SAID[family, size]}")
    assert "E-step 0" in picture.captions[0]
