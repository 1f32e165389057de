"""The table of columns in the running app, by websocket."""

import io
import json
import re
from urllib.parse import parse_qsl, urlencode

import numpy as np
import pandas as pd
import pytest

from pages.ui.families.table import FAMILIES
from support.visitor import Visitor

pytestmark = pytest.mark.slow

JSON = "Parameters and trace (JSON)"
USED_FOR = "used for"


def visit(app: str, frame: pd.DataFrame, query: str = "v=1", page: str = "") -> Visitor:
    visitor = Visitor(app, f"v=1&s=table&{query}", page)
    upload(visitor, frame)
    return visitor


def upload(visitor: Visitor, frame: pd.DataFrame, name: str = "rows.csv") -> None:
    visitor.upload("Upload a table", name, frame.to_csv(index=False).encode())
    visitor.settle()


def fitted(visitor: Visitor) -> list[str]:
    visitor.settle()
    return json.loads(visitor.download(JSON))["columns"]


def a_table(seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    kind = rng.integers(2, size=40)
    columns = {f"x{d}": rng.normal(4 * kind, 1).round(2) for d in range(3)}
    return pd.DataFrame({"person_id": 1000 + rng.permutation(40), **columns, "species": kind})


def test_what_columns_are_used_for_is_chosen_in_the_table_and_in_the_sidebar(app: str) -> None:
    visitor = visit(app, a_table())
    assert "3 measurements, known labels, identifier: change" in visitor.said
    visitor.edit("column", {2: {USED_FOR: "left out"}, 0: {USED_FOR: "measurement"}})
    assert fitted(visitor) == ["person_id", "x0", "x2"]
    assert visitor.link["c"] == "person_id,x0,x2"
    # The sidebar knows, and the table follows it.
    visitor.choose("Columns", "x0", "x1")
    assert fitted(visitor) == ["x0", "x1"] and "2 measurements" in visitor.said
    assert re.search(r"^person_id\t.*\tidentifier\t", visitor.said, re.MULTILINE)
    visitor.edit("column", {4: {USED_FOR: "left out"}})
    assert "known labels" not in visitor.said.partition(": change")[0]
    # Texts are no measurements, and the last column can't go.
    visitor.edit("column", {1: {USED_FOR: "left out"}, 2: {USED_FOR: "left out"}})
    assert "At least one column is needed" in visitor.said
    assert fitted(visitor) == ["x0", "x1"]
    visitor.close()


def test_columns_named_by_whole_questions_are_used_for_anything(app: str) -> None:
    """As Google Forms and LimeSurvey call them."""
    question = "How satisfied are you, all things considered, with the answers that you had "
    frame = a_table().rename(columns=lambda name: f"{question * 4}[{name}]"[-240:].strip())
    names = list(frame.columns)
    frame[names[1]] = np.arange(len(frame)) % 3 + 1
    visitor = visit(app, frame)
    for row, use in ((0, "identifier"), (1, "weight"), (4, "known labels")):
        visitor.edit("column", {row: {USED_FOR: "left out"}})
        visitor.edit("column", {row: {USED_FOR: use}})
        visitor.settle()
        assert names[row] in dict(parse_qsl(visitor.written)).values(), use
    again = Visitor(app, visitor.written)
    again.settle()
    assert fitted(again) == fitted(visitor)
    again.close()
    visitor.close()


def test_a_column_is_the_time_by_one_word_and_another_model_keeps_it(app: str) -> None:
    frame = a_table().assign(day=[f"2024-01-{31 - i // 2:02}" for i in range(40)], odd="1/2/2024")
    visitor = visit(app, frame.assign(zip=[10115, 80331] * 20), "m=gaussian-hmm")
    assert "Not clustered by unless you choose it: " in visitor.said
    assert "zip (postal codes)." in visitor.said
    assert re.search("day\t.*It could be the time", visitor.said)
    visitor.edit("column", {5: {USED_FOR: "time"}})
    visitor.settle()
    assert visitor.link["pr"] == '[["time",{"column":"day"}]]'
    assert "time" in visitor.said.partition(": change")[0]
    assert "The rows ran backwards, newest first: they are turned." in visitor.said
    visitor.edit("column", {6: {USED_FOR: "time"}})
    assert "can be read with the day or the month first" in visitor.said
    visitor.pick("Model", FAMILIES["gaussian-mixture"].label)
    visitor.settle()
    assert visitor.link["pr"] == '[["time",{"column":"day"}]]'
    assert re.search("rows.csv: .*, time, .*: change", visitor.said)
    visitor.close()


def test_steps_are_listed_and_undone(app: str) -> None:
    frame = pd.DataFrame({"q": [1, 2, 3, 4, 99, 99] * 4, "r": [5, 4, 3, 2, 1, 1] * 4})
    visitor = visit(app, frame, "m=categorical-mixture")
    assert "1 code may mean missing: look" in visitor.said
    visitor.press("Count it as missing")
    visitor.settle()
    assert "1. Missing: 99." in visitor.said and "may mean missing" not in visitor.said
    assert visitor.link["pr"] == '[["missing",{"codes":["99"]}]]'
    visitor.press("Undo")
    visitor.settle()
    assert "1 code may mean missing: look" in visitor.said and "pr" not in visitor.link
    visitor.close()


def linked(visitor: Visitor) -> dict[str, str]:
    """The settings that the address was last told."""
    return dict(parse_qsl(visitor.written))


def status(visitor: Visitor) -> str:
    found = re.search(r"Log-likelihood \S+ nats", visitor.said)
    assert found is not None, visitor.said
    return found[0]


def large_table() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    frame = pd.concat([a_table(seed) for seed in range(12)], ignore_index=True)
    return frame.assign(person_id=rng.permutation(480) + 1000, age=rng.integers(18, 80, 480))


def test_a_table_shared_holds_the_columns_in_use_and_gives_the_same(app: str) -> None:
    visitor = visit(app, large_table())
    visitor.choose("Columns", "x0", "x2")
    visitor.settle()
    here = status(visitor)
    assert "rows.csv" in visitor.said
    # The link says what it lacks before it is copied.
    visitor.click("Copy link")
    assert "This link does not have the table yet." in visitor.said
    assert "Also the 3 columns not in use" in visitor.said
    without = Visitor(app, urlencode(linked(visitor)))
    assert "with a table that is not in the link: rows.csv (480 rows, 6 columns)" in without.said
    assert "Load that file in the sidebar to see the same" in without.said
    upload(without, large_table())
    assert status(without) == here and fitted(without) == ["x0", "x2"]
    without.close()
    visitor.press("Store the table and complete the link")
    visitor.close()
    colleague = Visitor(app, urlencode(linked(visitor)))
    colleague.settle()
    assert status(colleague) == here
    assert (
        "480 rows, 3 columns" in colleague.said and "3 more columns not shared." in colleague.said
    )
    assert "person_id" not in colleague.said
    colleague.close()


def test_what_was_chosen_stays_with_another_model_and_another_table(app: str) -> None:
    visitor = visit(app, a_table().assign(note=["a", "b"] * 20))
    visitor.choose("Columns", "x0", "x2")
    visitor.settle()
    visitor.pick("Model", FAMILIES["student-mixture"].label)
    assert fitted(visitor) == ["x0", "x2"]
    # A model that can use neither says so once, and both are back with one that can.
    visitor.pick("Model", FAMILIES["poisson-mixture"].label)
    visitor.settle()
    assert visitor.said.count("This model can't use x0 and x2") == 1
    visitor.pick("Model", FAMILIES["factor-analysers"].label)
    visitor.pick("Model", FAMILIES["gaussian-mixture"].label)
    assert fitted(visitor) == ["x0", "x2"]
    upload(visitor, a_table(1).assign(note=["a", "b"] * 20), "newer.csv")
    assert fitted(visitor) == ["x0", "x2"] and "newer.csv" in visitor.said
    upload(visitor, a_table(1).rename(columns={"x0": "y"}), "other.csv")
    assert fitted(visitor) == ["y", "x1", "x2"]
    visitor.close()


def test_steps_stay_with_another_table_of_the_same_columns(app: str) -> None:
    frame = pd.DataFrame({"q": [1, 2, 3, 4, 99, 99] * 4, "r": [5, 4, 3, 2, 1, 1] * 4})
    visitor = visit(app, frame, "m=categorical-mixture")
    visitor.press("Count it as missing")
    visitor.settle()
    upload(visitor, frame.iloc[::-1], "newer.csv")
    assert "1. Missing: 99." in visitor.said and "8 cells in 'q'" in visitor.said
    visitor.close()


def test_all_columns_are_as_many_as_the_button_says(app: str) -> None:
    rng = np.random.default_rng(0)
    answers = pd.DataFrame(rng.integers(1, 4, (12, 664)), columns=[f"q{d}" for d in range(664)])
    visitor = visit(app, answers, "m=categorical-mixture&k=1&it=3")
    visitor.click("Use all 664")
    assert len(fitted(visitor)) == 664 and len(visitor.link["c"].split(",")) == 664
    visitor.close()


def test_what_cells_were_before_they_were_missing_is_taken_away_too(app: str) -> None:
    frame = pd.DataFrame({"q": [1, 2, 3, 4, 99, 99] * 4, "r": [1, 2] * 12})
    frame.loc[5, "r"] = 3
    visitor = visit(app, frame, "m=categorical-mixture")
    visitor.press("Count it as missing")
    visitor.settle()
    assert "Seen in one row only: 3 in r." in visitor.said
    rows = pd.read_csv(io.BytesIO(visitor.download("Rows with results (CSV)")))
    assert rows["q as read"].tolist() == frame["q"].tolist()
    assert rows["q"].isna().tolist() == (frame["q"] == 99).tolist() and "r as read" not in rows
    assert json.loads(visitor.download(JSON))["preparation"] == ["Missing: 99."]
    visitor.close()


def test_where_nothing_can_be_fitted_the_page_says_so_where_results_would_be(app: str) -> None:
    visitor = visit(app, a_table()[["x0", "x1"]], "m=bernoulli-mixture")
    assert "Nothing is fitted yet. This model can use no column of this table." in visitor.said
    visitor.close()
