"""What a chart shows, in words: every chart of a page has them, and they are those of its data."""

import ast
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import plotly.graph_objects as go

from pages.ui.charts import theory
from pages.ui.charts.axes import COLOURS
from pages.ui.charts.criteria import Score, criterion_grid, criterion_lines
from pages.ui.charts.landscape import Climb, curves, strip
from pages.ui.charts.profiles import certainty_figure, residuals_figure, shown_as
from pages.ui.charts.told import told
from pages.ui.compute.tiny import hardness, jensen, staircase, tiny_of
from pages.ui.state.settings import Settings
from pages.ui.text import MINUS

PANELS = Path(__file__).parents[3] / "pages/ui/panels"
# Of these the page has the facts beside it, or is about to have: pictures, and what is being made.
WITHOUT = ("staticPlot", "live=True")


def climbs(n: int) -> list[Climb]:
    ends = np.where(np.arange(n) % 2, -2.0, -1.0)
    return [
        Climb("k-means++", i, np.linspace(-10.0 - i, end, 6), i % 2, f"optimum {i % 2 + 1}")
        for i, end in enumerate(ends)
    ]


def test_every_chart_of_a_page_is_told_in_words() -> None:
    silent = {
        f"{path.name}: {ast.unparse(call)}"
        for path in PANELS.rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.Call)
        and any(ast.unparse(part) == "st.plotly_chart" for part in (call.func, *call.args))
        and not any(allowed in ast.unparse(call) for allowed in WITHOUT)
    }
    assert silent == {"charts.py: st.plotly_chart(figure, key=key, **options)"}


def test_lines_begin_and_end_where_they_do_and_few_marks_are_told_one_by_one() -> None:
    tiny = tiny_of(Settings())
    found = hardness(tiny)
    said = told(theory.hardness_figure(found, tiny.rows, 0.0, COLOURS))
    assert said[0] == "Across: mean of component 1, up: nats."
    top = found.means[found.likelihood.argmax()]
    assert said[1].startswith("log p(x): from ") and f" at {top:.1f}." in said[1]
    assert said[3] == "the numbers: 0.2; 0.8; 1.1; 3.9; 4.4; 5.2."
    constant = told(theory.bound_over_q_figure(*_over_q(tiny), COLOURS))[2]
    assert constant.endswith(" from 0 to 1.") and constant.startswith(f"log p(x): {MINUS}")


def _over_q(tiny):
    found = jensen(tiny, 2, 0.5)
    q = np.linspace(0.01, 0.99, 50)
    return q, -((q - found.posterior[0]) ** 2), found


def test_the_highest_place_of_a_map_is_told_and_the_way_up() -> None:
    said = told(theory.staircase_figure(staircase(1.5, 0.6), COLOURS))
    assert said[1].startswith("Highest: θ = ") and said[2].startswith("Lowest: θ = ")
    assert said[3].startswith("E-steps: move q: 12 lines; they begin from 0.5 to ")


def test_of_many_starts_it_is_told_how_many_ended_where() -> None:
    assert told(strip(climbs(60), COLOURS)) == [
        "Across: final log-likelihood (nats).",
        f"optimum 1: 30 marks, at {MINUS}1.",
        f"optimum 2: 30 marks, at {MINUS}2.",
    ]
    assert told(curves(climbs(60), COLOURS))[1] == (
        f"optimum 1: 30 lines; they begin from {MINUS}68 to {MINUS}10 and end at {MINUS}1."
    )
    (few,) = told(strip(climbs(1), COLOURS))[1:]
    assert few == f"optimum 1: k-means++, seed 0, {MINUS}1.00 nats."


def test_models_are_told_one_by_one_where_they_are_few() -> None:
    scores = [
        Score("full", size, 10.0 * size, 10.0 * (size - 1), "usable", f"full<br>BIC {10 * size}")
        for size in (1, 2)
    ]
    lines = told(criterion_lines(scores, COLOURS, "components", "BIC", "unfinished"))
    assert lines[1:] == ["full: BIC 10; BIC 20.", "the best: full, BIC 10."]
    assert told(criterion_grid(scores, "components"))[1] == "full, BIC 10; full, BIC 20."


def test_names_are_told_as_they_are() -> None:
    name = "a<b> & <i>c</i>"
    assert shown_as(name) != name
    said = told(residuals_figure(np.array([[0, 2.5], [2.5, 0]]), [name, "d"], False))
    assert said == [f"{name} and d: 2.5"], "the other half of the matrix says the same"


def test_what_is_rounding_in_the_picture_is_so_in_words() -> None:
    said = told(residuals_figure(np.full((3, 3), -2.8e-16), ["a", "b", "c"], True))
    assert said == ["a and b: 0", "a and c: 0", "b and c: 0"]


def test_rows_that_reach_from_the_left_are_counted() -> None:
    """A sentence begins with a capital, and says of each cluster how many rows are how sure."""
    certainty = SimpleNamespace(rows=[50, 45], heights=[np.ones(3), np.array([1, 0.95, 0.85])])
    said = told(certainty_figure(certainty, ["one", "other"], "class", COLOURS))
    assert said == [
        "Across: posterior of the class a row is assigned to, up: rows.",
        "one: 50 rows, at 1.",
        "other: 45 rows, from 0.85 to 1.",
    ]
    figure = go.Figure().update_yaxes(title="share")
    assert told(figure) == ["Up: share."]
