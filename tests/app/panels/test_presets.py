"""What there is to see in an example is said once, while the example is what is shown."""

import pytest
from streamlit.testing.v1 import AppTest

from pages.ui.state import shell
from pages.ui.state.changes import changed
from pages.ui.state.presets import GALLERY, PRESETS, WELCOME
from pages.ui.state.session import Session
from pages.ui.state.settings import Settings


def page() -> None:
    import streamlit as st

    from pages.ui.panels import presets_panel

    for preset in st.session_state["clicks"]:
        presets_panel._take(preset)
    presets_panel.show_what_to_look_for()


def shown(*clicks, **changes) -> list[str]:
    """What the page says after clicks on examples; changes: what is then chosen otherwise."""
    app = AppTest.from_function(page)
    session = app.session_state["session"] = Session(settings=Settings())
    app.session_state["clicks"] = clicks
    app.run()
    assert not app.exception and not session.notices and not app.warning
    if changes:
        app.session_state["clicks"] = ()
        session.settings = changed(session.settings, **changes)
        app.run()
        if not app.markdown:  # gone for good
            assert session.preset is None
    return [said.value for said in app.markdown]


@pytest.mark.parametrize("preset", [*GALLERY, *PRESETS], ids=lambda preset: preset.title)
def test_it_is_said_once_and_goes_with_its_data_or_its_model(preset) -> None:
    said = [f"**{preset.title}.** {preset.look_for}"]
    assert shown(preset) == shown(preset, preset) == said
    assert shown(preset, seed=preset.settings.get("seed", 0) + 1, n_components=4) == said
    other = "generate" if preset.settings["source"] == "example" else "example"
    assert shown(preset, source=other, example="iris") == []
    family = "two-level" if preset.settings["family"] != "two-level" else "gaussian-mixture"
    assert shown(preset, family=family) == []


def test_of_many_clicks_the_last_is_explained() -> None:
    assert shown(*GALLERY) == [f"**{GALLERY[-1].title}.** {GALLERY[-1].look_for}"]
    assert shown() == []


@pytest.mark.parametrize(
    ("chosen", "components", "start"),
    [({}, 2, ""), ({"n_components": 6}, 6, ""), ({"start": "k-means"}, 2, "k-means")],
    ids=["nothing", "a number", "a start"],
)
@pytest.mark.parametrize("other", [{"source": "table"}, {"source": "example", "example": "iris"}])
def test_its_fit_goes_with_its_data_but_not_what_a_person_chose(
    chosen, components, start, other, monkeypatch
) -> None:
    session = Session(settings=changed(Settings(), **WELCOME.settings), preset=WELCOME)
    monkeypatch.setattr(shell, "session", lambda: session)
    shell.change(**chosen)
    shell.change(n_rows=500, data_seed=3)  # still its data
    assert session.settings.n_components == chosen.get("n_components", 4)
    shell.change(**other)
    now = session.settings
    assert (now.n_components, now.start, now.seed) == (components, start, 0)
