"""When the fit of a page begins."""

import streamlit as st

from pages.ui.panels import fit_panel
from pages.ui.settings import Settings, changed
from tests.test_families import read


def test_a_change_of_the_fit_alone_begins_before_the_widgets(monkeypatch) -> None:
    state: dict = {}
    monkeypatch.setattr(st, "session_state", state)
    first = Settings(family="gaussian-mixture", example="faithful")
    table, selection = read(first)

    def runs_begun_early(settings: Settings) -> list:
        state["settings"] = settings
        before = [*state["runs"]._runs.values()] if "runs" in state else []
        fit_panel.begin_early()
        return [run for run in state["runs"]._runs.values() if run not in before] if before else []

    assert runs_begun_early(first) == [] and "runs" not in state
    run = fit_panel.current_run(first, table, selection)
    assert run.done.wait(60) and run.fit is not None
    assert runs_begun_early(first) == []
    assert runs_begun_early(changed(first, example="iris")) == []
    for other in ({"missing": False}, {"group_column": "waiting"}, {"columns": ("waiting",)}):
        assert runs_begun_early(changed(first, **other)) == []
    assert runs_begun_early(changed(first, n_components=3, start="means")) == []
    second = changed(first, seed=1)
    [early] = runs_begun_early(second)
    assert fit_panel.current_run(second, table, selection) is early
    assert early.done.wait(60) and early.fit is not None
