"""Steps of preparation in the running app: what suggests itself, what a click does, what a link
with steps shows, and what of it is taken away."""

import io
import json
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pandas as pd
import pytest

from em_core import Gaussian, Mixture, Transformed, fit
from pages.ui.sharing.own_table import short
from pages.ui.tables.packing import to_text
from pages.ui.tables.preparation.filtering import Filter
from pages.ui.tables.preparation.long import WideToLong
from pages.ui.tables.preparation.step import Step
from pages.ui.tables.preparation.table import write_steps
from pages.ui.tables.preparation.time_order import TimeOrder
from pages.ui.tables.preparation.transformed_column import Transform
from pages.ui.tables.reading import read_table
from pages.ui.tables.table import Table
from support.visitor import Visitor

TABLES = Path(__file__).parents[1] / "tables"
SURE = "tol=1e-6&it=5000"
CHAIN = f"m=gaussian-hmm&cov=tied&{SURE}"
NORMAL = f"m=gaussian-mixture&{SURE}"
JSON, ROWS = "Parameters and trace (JSON)", "Rows with results (CSV)"


def brought(app: str, query: str, name: str, content: bytes, *steps: Step) -> Visitor:
    """A visitor with a link of these steps, who has uploaded a table."""
    more = ""
    if steps:
        of_table = short(read_table(name, content).fingerprint)
        more = f"&fp={of_table}&pr={quote(write_steps(steps))}"
    visitor = Visitor(app, f"v=1&s=table&{query}{more}")
    visitor.upload("Upload a table", name, content)
    visitor.settle()
    assert "Something went wrong" not in visitor.texts
    return visitor


def case(app: str, query: str, name: str, *steps: Step) -> Visitor:
    (path,) = TABLES.glob(f"{name}-*.csv")
    return brought(app, query, path.name, path.read_bytes(), *steps)


def parameters(visitor: Visitor) -> dict:
    return json.loads(visitor.download(JSON))


def test_10_rows_that_run_backwards_are_turned_by_a_click(app: str) -> None:
    visitor = case(app, CHAIN, "10")
    assert "date runs backwards" in visitor.said
    assert parameters(visitor)["log_likelihood"] == pytest.approx(-1.6536, abs=1e-3)
    visitor.click("Take the oldest first")
    visitor.settle()
    assert "they are turned" in visitor.said and "file order" not in visitor.said
    found = parameters(visitor)
    assert found["log_likelihood"] == pytest.approx(-1.4421, abs=1e-3)
    transitions = np.array(found["transition_matrix"])
    np.testing.assert_allclose(np.sort(transitions[~np.eye(2, dtype=bool)]), [0, 1 / 9], atol=1e-3)
    rows = pd.read_csv(io.BytesIO(visitor.download(ROWS)))
    assert rows["date"].iloc[0] == "29.03.2022"  # in the order of the file
    visitor.close()
    again = case(app, CHAIN, "10", TimeOrder("date"))
    assert parameters(again)["log_likelihood"] == found["log_likelihood"]
    again.close()


def test_dates_in_order_become_the_axis_by_a_click(app: str) -> None:
    months = [f"{2000 + i // 12}M{i % 12 + 1:02}" for i in range(60)]
    rows = "\n".join(f"{month},{i // 30 + i % 3 / 10}" for i, month in enumerate(months))
    visitor = brought(app, CHAIN, "series.csv", f"month,level\n{rows}".encode())
    assert "Rows are in the order of month, and counted by their numbers." in visitor.said
    visitor.click("Use month as the time")
    visitor.settle()
    assert visitor.link["pr"] == '[["time",{"column":"month"}]]'
    assert "The rows were in that order." in visitor.said and "by their numbers" not in visitor.said
    visitor.close()


RNG = np.random.default_rng(0)
ANSWERS = {
    "levels": (RNG.integers(1, 6, (200, 4)) * 1.0, "", "items with levels", "categorical-mixture"),
    "zeros": (RNG.integers(0, 2, (200, 4)) * 1.0, "", "yes-or-no items", "bernoulli-mixture"),
    "words": (np.array(["no", "yes"])[RNG.integers(0, 2, (200, 4))], "", "yes-or-no items",
              "bernoulli-mixture"),
}  # fmt: skip


@pytest.mark.parametrize("what", ANSWERS)
def test_answers_taken_for_measurements_are_led_to_the_model_for_them(app: str, what: str) -> None:
    values, query, label, family = ANSWERS[what]
    table = Table("survey", pd.DataFrame(values, columns=list("abcd")), (), "")
    visitor = Visitor(app, f"v=1&s=table&t={to_text(table)}{query}")
    visitor.settle()
    assert "All 4 columns hold" in visitor.said
    (offer,) = {
        name for kind, name in visitor._ids if kind == "button" and label in name.replace("\\", "")
    }
    visitor.click(offer)
    visitor.settle()
    assert f"m={family}" in visitor.written and "All 4 columns hold" not in visitor.said
    assert "log-likelihood" in visitor.said.lower()
    visitor.close()


def test_and_measurements_are_not(app: str) -> None:
    values = RNG.integers(0, 40, (200, 4)) * 1.0
    table = Table("sizes", pd.DataFrame(values.round(2), columns=list("abcd")), (), "")
    visitor = Visitor(app, f"v=1&s=table&t={to_text(table)}")
    assert "as answers do" not in visitor.said
    visitor.close()


def test_28c_a_wide_table_is_offered_to_be_made_long(app: str) -> None:
    visitor = case(app, CHAIN, "28c")
    assert "t1 to t4 look like one series" in visitor.said
    visitor.click("Make every row a sequence")
    visitor.settle()
    found = parameters(visitor)
    assert found["log_likelihood"] == pytest.approx(-23.03599, abs=1e-3)
    transitions = np.sort(np.ravel(found["transition_matrix"]))
    np.testing.assert_allclose(transitions, [0.2857, 0.4, 0.6, 0.7143], atol=1e-3)
    assert "6 sequences, 18 rows" in visitor.said
    visitor.close()
    again = case(
        app,
        f"{CHAIN}&c=value&gc=person",
        "28c",
        WideToLong(("t1", "t2", "t3", "t4"), "value", "time"),
    )
    assert parameters(again)["log_likelihood"] == found["log_likelihood"]
    again.close()


def test_28a_rows_that_take_turns_are_offered_as_sequences(app: str) -> None:
    visitor = case(app, f"{CHAIN}&c=score", "28a")
    assert "By person they are 6 sequences" in visitor.said
    visitor.click("Sequences by person")
    visitor.settle()
    assert parameters(visitor)["log_likelihood"] == pytest.approx(-31.18954, abs=1e-3)
    assert "take turns" not in visitor.said
    visitor.close()


@pytest.mark.parametrize(
    ("name", "left_out", "said"),
    [
        ("17a", "blue", "red + green + blue = 1 in all rows"),
        ("17b", "temp_F", "temp_F = 1.8 \N{MULTIPLICATION SIGN} temp_C + 32 in all rows"),
        ("17c", "is_c", "is_a + is_b + is_c = 1 in all rows"),
    ],
)
def test_17_columns_that_depend_on_each_other_are_named_with_a_way_out(
    app: str, name: str, left_out: str, said: str
) -> None:
    visitor = case(app, f"{NORMAL}&k=1", name)
    # An underscore stands for itself.
    assert said.replace("_", "\\_") in visitor.said and "Collapsed" in visitor.said
    visitor.click(f"Leave out {left_out}".replace("_", "\\_"))
    visitor.settle()
    assert "in all rows" not in visitor.said and "Collapsed" not in visitor.said
    visitor.close()
    visitor = case(app, f"{NORMAL}&k=1&cov=diag", name)
    assert "in all rows" not in visitor.said
    visitor.close()


def incomes() -> tuple[pd.DataFrame, bytes]:
    rng = np.random.default_rng(4)
    frame = pd.DataFrame({"age": np.arange(18, 58), "income": rng.lognormal(3, 1, 40).round(3)})
    return frame, frame.to_csv(index=False).encode()


def test_a_logarithm_is_added_by_its_form_and_likelihoods_are_of_the_column(app: str) -> None:
    frame, content = incomes()
    visitor = brought(app, f"{NORMAL}&k=1&c=income", "incomes.csv", content)
    plain = parameters(visitor)
    visitor.open("Prepare the table")
    visitor.pick("Column", "income")
    visitor.click("Add log\\(income\\)")
    visitor.settle()
    assert "the Jacobian of all values there is in them" in visitor.said
    assert "median of income" in visitor.said and "mean of log(income)" in visitor.said
    found = parameters(visitor)
    visitor.close()
    logs = np.log(frame[["income"]].to_numpy())
    right = fit(Transformed.by(Mixture(Gaussian(), 1), ("log",)), logs)
    assert found["columns"] == ["log(income)"]
    assert found["log_likelihood"] == pytest.approx(right.log_likelihood, abs=1e-6)
    assert found["bic"] < plain["bic"] - 10
    assert any("Jacobian" in words for words in found["said"])


def test_a_filter_is_said_with_every_result_and_rows_keep_their_places(app: str) -> None:
    _, content = incomes()
    steps = (Filter("age", "is at least", ("30",)), Filter("age", "is not", ("40",)))
    visitor = brought(app, f"{NORMAL}&k=1&c=income", "incomes.csv", content, *steps)
    said = "27 of 40 rows are used (filter: age is at least 30; filter: age is not 40)."
    assert said in visitor.said and "n = 27 rows" in visitor.said
    found = parameters(visitor)
    assert found["rows"] == 27 and found["said"] == [said]
    rows = pd.read_csv(io.BytesIO(visitor.download(ROWS)))
    kept = (rows["age"] >= 30) & (rows["age"] != 40)
    assert (rows["cluster"].notna() == kept).all()
    assert said in visitor.download("Animation (HTML)").decode()
    visitor.close()


@pytest.mark.parametrize(
    ("step", "said"),
    [
        (Transform("gone", "log"), "This table has no column 'gone'"),
        (Filter("age", "is at least", ("99",)), "No row is left"),
        (Transform("income", "logit"), "can't be transformed"),
        (TimeOrder("name"), "is no time"),
    ],
)
def test_a_step_that_cannot_be_taken_is_named_and_left_out_by_a_click(
    app: str, step: Step, said: str
) -> None:
    frame, _ = incomes()
    content = frame.assign(name="x").to_csv(index=False).encode()
    visitor = brought(app, f"{NORMAL}&k=1", "incomes.csv", content, step)
    assert said in visitor.said and "can't be done here" in visitor.said
    visitor.click("Leave out this step")
    visitor.settle()
    assert "n = 40 rows" in visitor.said
    visitor.close()


def test_a_filter_that_leaves_one_row_is_no_crash(app: str) -> None:
    _, content = incomes()
    visitor = brought(
        app, f"{NORMAL}&k=2&c=income", "incomes.csv", content, Filter("age", "is", ("30",))
    )
    assert "went wrong" not in visitor.said and "1 of 40 rows" in visitor.said
    visitor.close()


def test_a_table_is_prepared_on_explore_and_its_weights_are_no_column_to_compare(app: str) -> None:
    (path,) = TABLES.glob("25-*")
    visitor = brought(app, "m=bernoulli-mixture&wc=freq", path.name, path.read_bytes())
    visitor.press("Use freq as weights")
    visitor.run()
    visitor.settle()
    assert "Prepare the table" in visitor.said
    found = visitor.written
    visitor.close()
    visitor = Visitor(app, found, "describe")
    visitor.settle()
    assert "Prepare the table" not in visitor.said
    assert "Every column is used by the fit" in visitor.said
    visitor.close()
