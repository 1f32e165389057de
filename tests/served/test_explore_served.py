"""The Explore page of the running app without a browser: what is said of data, links, settings."""

import json
import re
from urllib.parse import parse_qs

import numpy as np
import pytest
from streamlit.proto.WidgetStates_pb2 import WidgetState

from em_core import Gaussian, Mixture, fit
from em_core.datasets import load
from pages.ui.families.table import FAMILIES
from pages.ui.state.presets import WELCOME
from pages.ui.text import MINUS
from support.explore import STATUS
from support.visitor import Visitor

GAUSSIAN = FAMILIES["gaussian-mixture"].label
ROW = "Row of the table, or click a point in the picture"


def nats(value: float) -> str:
    return f"{value:,.2f}".replace("-", MINUS)


def status(visitor: Visitor) -> str:
    visitor.settle()
    found = STATUS.search(visitor.said)
    assert found, visitor.said
    return found[0]


def link(visitor: Visitor) -> dict[str, list[str]]:
    """The settings that the address was last told."""
    return parse_qs(visitor.written)


def test_a_first_visit_stands_before_the_first_step_and_a_link_where_it_says(app: str) -> None:
    first = Visitor(app, "")
    first.settle()
    about = "EM Explorer: watch Expectation-Maximization find groups in data"
    assert about in first.said and "Press Play" in first.said
    assert first.said.count(f"{WELCOME.title}. {WELCOME.look_for}".replace("*", "")) == 1
    told = link(first)
    assert told["f"] == ["-1"] and told["s"] == ["generate"] and asked_frames(first) == [-1]
    # The address is a link: it opens there, too, and one that says nothing of it at the end.
    for query, frame in (
        (first.written, -1),
        (first.written.replace("f=-1", "f=3"), 3),
        ("v=1", None),
    ):
        again = Visitor(app, query)
        again.settle()
        assert asked_frames(again) == [frame]
        again.close()
    first.close()


def asked_frames(visitor: Visitor) -> list[int | None]:
    """Which frames the player was told to show, in turn."""
    told = re.findall(rb'"frame": (-?\d+|null)', bytes(visitor.received))
    return [json.loads(frame) for frame in dict.fromkeys(told)]


def test_a_download_before_the_end_offers_the_end_first(app: str) -> None:
    visitor = Visitor(app, "v=1&f=1")
    visitor.settle()
    assert "The fit is not shown at its end, but at M-step 1 of" in visitor.said
    visitor.click("Go to the end")
    visitor.settle()
    assert "not shown at its end" not in visitor.said and "f" not in link(visitor)
    assert asked_frames(visitor) == [1, None]
    visitor.close()


def test_no_cell_of_a_placed_mean_is_cut_to_its_zeros(app: str) -> None:
    visitor = Visitor(app, "v=1&st=means")
    visitor.settle()
    assert visitor.received.count(b"%.6g") >= 2  # of both columns
    visitor.close()


def uploaded(app: str, query: str, content: str, name: str = "mine.csv") -> Visitor:
    visitor = Visitor(app, f"v=1&s=table&{query}")
    visitor.upload("Upload a table", name, content.encode())
    visitor.settle()
    return visitor


WRONG_FILES = [
    ("empty.csv", b"", "is empty"),
    ("words.csv", b"name\nalice\nbob\ncarol\n", "It holds text, not numbers"),
    ("picture.csv", bytes(range(256)) * 20, "isn't a text file"),
    ("gone.csv", b"a,b\n1,\n2,\n4,\n", "It has no values"),
    ("nothing.csv", b"a,b\n1,\n,2\n3,\n,4\n", "No row has a number in every chosen column"),
    ("same.csv", b"a,b\n1,2\n1,2\n1,2\n", "All its values are the same"),
    ("few.csv", b"a,b\n1,2\n1,2\n3,4\n", "distinct rows"),
]


def test_wrong_files_get_a_sentence_and_settings_stay(app: str) -> None:
    visitor = Visitor(app, "v=1&s=table&k=3&cov=diag&seed=5&mv=0")
    for name, content, words in WRONG_FILES:
        visitor.upload("Upload a table", name, content)
        visitor.settle()
        assert words in visitor.said, name
        told = link(visitor)
        assert [told[key] for key in ("k", "cov", "seed")] == [["3"], ["diag"], ["5"]]
    visitor.close()


WRONG_FOR_THE_FAMILY = {
    "3 in a binary column": ("bernoulli-mixture", "a\n0\n1\n3\n1\n", "3 levels, not two"),
    "a negative count": ("poisson-mixture", "n,m\n1,2\n-3,1\n2,5\n", "3 isn't a count, in row 2"),
    "text in a numeric model": ("gaussian-mixture", "paint\nred\nblue\ngreen\n", "paint"),
    "a sequence of length 1": ("gaussian-hmm", "x,y\n1,2\n", "All its values are the same"),
    "all values missing": (
        "factor-analysis",
        "a,b,c\n1,,2\n2,,3\n4,,1\n3,,4\n",
        "It has no values",
    ),
    "fewer rows than parameters": ("factor-analysis", "a,b,c,d\n1,2,3,4\n2,1,5,3\n", "rows"),
    "no groups": ("two-level", "x,y\n1.5,2.5\n2.5,1.5\n3.5,0.5\n", "which group"),
}


@pytest.mark.parametrize("case", WRONG_FOR_THE_FAMILY)
def test_wrong_data_get_a_sentence(app: str, case: str) -> None:
    family, table, sentence = WRONG_FOR_THE_FAMILY[case]
    visitor = Visitor(app, f"v=1&m={family}&s=table")
    assert sentence not in visitor.said
    visitor.type("Rows with a header", table)
    visitor.click("Use the pasted table")
    visitor.settle()
    assert sentence in visitor.said
    assert "Traceback" not in visitor.said and "Something went wrong" not in visitor.said
    visitor.close()


def test_rows_are_counted_as_in_the_table(app: str) -> None:
    rows = "".join(f"{i},{i * i % 7}\n" for i in range(20))
    visitor = uploaded(app, "mv=0&dt=Points", "x,y\n1,\n" + rows, "gap.csv")
    assert b"21 rows, 2 columns; 1 row left out" in visitor.received
    for row, words in (
        (5, "Row 5 of the table (x = 3, y = 2)"),
        (1, "Row 1 was left out: y is missing."),
    ):
        visitor.enter(ROW, row)
        assert words in visitor.said
    visitor.close()


def test_columns_that_are_not_chosen_at_first_are_told_and_offered(app: str) -> None:
    rng = np.random.default_rng(1)
    names = [f"sensor {i}" for i in range(1, 13)]
    lines = [",".join(f"{x:.3f}" for x in row) for row in rng.normal(size=(80, 12))]
    visitor = uploaded(app, "k=2", "\n".join([",".join(names), *lines]))
    assert "8 of 12 columns are used." in visitor.said
    visitor.click("Use all 12")
    visitor.settle()
    assert "8 of 12 columns are used." not in visitor.said
    assert "181 parameters" in visitor.said
    visitor.close()


def test_a_survey_in_words_is_told_which_models_take_it(app: str) -> None:
    rng = np.random.default_rng(2)
    answers = np.array(["Yes", "No"])[rng.integers(2, size=(60, 4))]
    answers[:3, 0] = ""
    table = "\n".join(["a,b,c,d", *map(",".join, answers)])
    visitor = uploaded(app, "k=2", table, "survey.csv")
    assert re.search("Choose one that can: .*Latent class analysis", visitor.said)
    visitor.close()
    # None of the answers is taken for a known label.
    visitor = uploaded(app, "k=2&m=bernoulli-mixture", table, "survey.csv")
    assert "(9 parameters, n = 60 rows; smaller is better)" in visitor.said
    assert "can't be used" not in visitor.said
    assert "p of b = Yes" in visitor.said
    visitor.close()
    visitor = uploaded(app, "k=2&m=bernoulli-mixture&dt=Points", table, "survey.csv")
    doubtful = visitor.said.partition("the least sure")[2]
    assert "class 2" in doubtful and "Yes" in doubtful
    visitor.close()


def test_numbers_that_only_count_the_rows_are_told(app: str) -> None:
    answers = ["Yes,No", "No,No", "Yes,Yes", "No,Yes"] * 10
    lines = ["id,a,b", *(f"{i},{row}" for i, row in enumerate(answers))]
    visitor = uploaded(app, "k=2", "\n".join(lines))
    assert re.search("can use only id, which numbers the rows. .*Latent class", visitor.said)
    assert status(visitor)
    visitor.close()


def test_a_pasted_table_is_fitted(app: str) -> None:
    visitor = Visitor(app, "v=1&s=table")
    pasted = "x,y\n" + "\n".join(f"{i},{i * i % 17}" for i in range(3, 43))
    visitor.type("Rows with a header", pasted)
    visitor.click("Use the pasted table")
    assert status(visitor) and b"pasted text: 40 rows, 2 columns" in visitor.received
    visitor.close()


def test_a_link_with_nonsense_opens_and_says_so(app: str) -> None:
    visitor = Visitor(app, "k=banana&cov=round&it=-5&zebra=1")
    visitor.settle()
    assert "Log-likelihood" in visitor.said and "Components:" in visitor.said
    assert "which EM Explorer does not know" in visitor.said
    visitor.close()


def test_every_choice_survives_in_the_link(app: str) -> None:
    query = "e=iris&k=3&cov=tied&st=k-means&seed=7&z=1&tol=1e-05&ax=principal&col=certainty&dc=1"
    visitor = Visitor(app, query)
    iris = load("iris").values
    scale = iris.std(axis=0)
    result = fit(
        Mixture(Gaussian("tied"), 3), (iris - iris.mean(axis=0)) / scale, seed=7, start="k-means",
        tolerance=1e-5,
    )  # fmt: skip
    expected = result.log_likelihood - len(iris) * np.log(scale).sum()
    assert nats(expected) in status(visitor)
    told = re.findall(rb"v=1[\w=&%.,+-]*", visitor.received)[-1].decode()
    assert parse_qs(told).items() >= parse_qs(query).items()
    again = Visitor(app, told)
    assert status(again) == status(visitor) and link(again) == link(visitor)
    for one in (visitor, again):
        one.close()


def test_hand_placed_means_stay_when_components_come_and_go(app: str) -> None:
    visitor = Visitor(app, "v=1&st=means&sm=2.0,50.0;4.0,80.0&f=0")
    visitor.settle()
    assert "mean of eruptions\t2\t4\t" in visitor.said
    assert "mean of waiting\t50\t80\t" in visitor.said
    for count in (3, 2):
        visitor.enter("Components", count)
        visitor.settle()
        (means,) = link(visitor)["sm"]
        assert means.startswith("2.0,50.0;4.0,80.0") and len(means.split(";")) == count
    visitor.close()


def test_explicit_parameters_that_cannot_be_used_are_named(app: str) -> None:
    visitor = Visitor(app, "v=1&st=parameters")
    assert "Give the start as JSON with weights, means" in visitor.said
    visitor.type("Parameters as JSON", "xx")
    assert "this is not JSON" in visitor.said
    visitor.type(
        "Parameters as JSON",
        '{"weights": [0.5, 0.5], "means": [[2, 50], [4, 80]],'
        ' "covariances": [[[1, 0], [0, 9]], [[1, 0], [0, 9]]]}',
    )
    assert status(visitor) and "this is not JSON" not in visitor.said
    visitor.close()


def test_a_family_is_found_as_it_was_left(app: str) -> None:
    visitor = Visitor(app, "v=1&e=wine&k=3&c=ash&c=hue")
    before = status(visitor)
    for name in ("Poisson mixture: counts", GAUSSIAN):
        visitor.pick("Model", name)
        visitor.settle()
    assert status(visitor) == before and link(visitor)["e"] == ["wine"]
    visitor.close()


def test_what_comes_is_said_nowhere_while_it_is_hidden(app: str) -> None:
    end = ("Converged after", "BIC", "Rows with results (CSV)", "Is this the best answer?")
    for query, hidden in (("f=2&hc=1", True), ("f=2", False), ("hc=1", False)):
        visitor = Visitor(app, f"v=1&e=faithful&k=2&{query}")
        visitor.settle()
        assert ("What comes is hidden" in visitor.said) == hidden
        assert ("Converged after" in visitor.said) != hidden
        assert not hidden or not any(words in visitor.said for words in end)
        visitor.close()


def test_tabs_stay_the_same_to_a_browser_whichever_is_open(app: str) -> None:
    """Else whoever goes through them by keyboard would be on them no more after the first step."""
    visitor = Visitor(app, "v=1&e=faithful&k=2")
    visitor.settle()

    def tabs() -> str:
        blocks = [m.delta.add_block for m in visitor.messages if m.HasField("delta")]
        (found,) = {block.id for block in blocks if block.HasField("tab_container")}
        return found

    before = tabs()
    visitor.run("", WidgetState(id=before, string_value="Points"))
    visitor.settle()
    assert "Row of the table, or click a point" in visitor.said
    assert tabs() == before
    visitor.close()
