"""When the fit of a page begins, and what is said of one that has ended."""

import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from em_core import Bernoulli, HiddenMarkov, Mixture, Poisson, StudentT, fit
from pages.ui.panels import fit_panel
from pages.ui.panels.report import size_of
from pages.ui.running.runs import Run
from pages.ui.state.changes import changed
from pages.ui.state.session import Session
from pages.ui.state.settings import Settings
from support.runs import read


def test_a_change_of_the_fit_alone_begins_before_the_widgets(monkeypatch) -> None:
    state = Session()
    monkeypatch.setattr(st, "session_state", {"session": state})
    first = Settings(family="gaussian-mixture", example="faithful")
    table, selection = read(first)

    def runs_begun_early(settings: Settings) -> list:
        state.settings = settings
        before = [*state.runs._runs.values()] if state.runs else []
        fit_panel.begin_early()
        return [run for run in state.runs._runs.values() if run not in before] if before else []

    assert runs_begun_early(first) == [] and state.runs is None
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


def ended(model, data) -> Run:
    run = Run(key="k", model=model, data=data, start=None, tolerance=1e-3, max_iterations=1000)
    made = fit(model, data, seed=0)
    run.trace, run.stop_reason, run.fit = list(made.trace), made.stop_reason, made
    return run


def page() -> None:
    import streamlit as st

    from pages.ui.panels import fit_panel
    from pages.ui.state import shell

    run, selection = st.session_state["ended"]
    about = st.empty()
    fit_panel._status(run, selection, shell.settings())
    fit_panel._identification(run, about)


def said(run: Run, n_rows: int) -> str:
    _, selection = read(Settings(family="gaussian-mixture", example="faithful"))
    app = AppTest.from_function(page)
    app.session_state["ended"] = run, selection._replace(values=np.zeros((n_rows, 1)))
    app.session_state["session"] = Session(settings=Settings())
    app.run()
    assert not app.exception
    return "\n".join(markdown.value for markdown in app.markdown)


def test_what_is_not_identified_is_said_beside_the_fit_and_looked_at_once(monkeypatch) -> None:
    items = np.random.default_rng(0).integers(0, 2, (300, 3)).astype(float)
    run = ended(Mixture(Bernoulli(), 3), items)
    assert not run.is_looked_at
    assert "**Not identified: 11 parameters, 7 cells.**" in said(run, 300)
    assert run.is_looked_at
    assert "not identified" not in said(ended(Mixture(Bernoulli(), 1), items), 300).lower()
    run.fit = fit(run.model, items, seed=1)
    assert not run.is_looked_at


@pytest.mark.parametrize("parts", [1, 3])
def test_the_n_of_bic_stands_beside_it(parts) -> None:
    """Rows count, also in sequences, and BIC is what it says with them."""
    counts = np.random.default_rng(1).poisson(3, (60, 1)).astype(float)
    run = ended(HiddenMarkov(Poisson(), 2), np.split(counts, parts))
    made = run.fit
    assert made.bic == pytest.approx(-2 * made.log_likelihood + made.n_parameters * np.log(60))
    assert f"({made.n_parameters} parameters, n = 60 rows; smaller is better)" in said(run, 60)
    _, selection = read(Settings(family="gaussian-mixture", example="faithful"))
    fewer = selection._replace(values=np.zeros((61, 1)))
    assert size_of(made, fewer).endswith("n = 60")


def test_parameters_are_counted_by_the_rule_that_the_page_states() -> None:
    """Degrees of freedom count unless the component is the Gaussian; others at a limit count."""
    model = Mixture(StudentT(), 2)
    rows = np.random.default_rng(2).standard_normal((50, 1))
    params = fit(model, rows, seed=0, max_iterations=1).params
    counted = {}
    for freedom in (0.1, 5.0, 200.0):
        emission = params.emission._replace(degrees_of_freedom=np.array([3.0, freedom]))
        counted[freedom] = model.n_parameters(params._replace(emission=emission))
    assert counted[0.1] == counted[5.0] == counted[200.0] + 1
    ones = np.ones((40, 2))
    ones[:20, 0] = 0
    made = fit(Mixture(Bernoulli(), 2), ones, seed=0)
    assert made.n_parameters == 5
