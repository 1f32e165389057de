"""A column of weights in the running app: offered, asked about, refused, said beside results."""

import pytest

from support.visitor import Visitor

pytestmark = pytest.mark.slow

PATTERNS = b"a,b,freq\n0,0,40\n0,1,10\n1,0,12\n1,1,38\n"
MEASURED = b"x,y,w\n1,2,0.5\n3,1,2\n2,2,1.5\n5,4,1\n7,7,1\n3,9,1\n4,4,0\n"


def uploaded(app: str, query: str, content: bytes, page: str = "") -> Visitor:
    visitor = Visitor(app, f"v=1&s=table&{query}", page)
    visitor.upload("Upload a table", "rows.csv", content)
    visitor.settle()
    return visitor


def test_one_click_makes_a_column_that_looks_like_weights_the_weights(app: str) -> None:
    visitor = uploaded(app, "m=bernoulli-mixture&k=1", PATTERNS)
    assert "freq looks like a weight, so it is not among the columns." in visitor.said
    assert "n = 4 rows" in visitor.said
    visitor.click("Use freq as weights")
    visitor.settle()
    said = visitor.said
    visitor.close()
    assert "n = 100, the sum of the weights of 4 rows" in said and "looks like" not in said


@pytest.mark.parametrize(
    "page, words",
    [
        ("", "With sampling weights these are a pseudo-likelihood"),
        ("model_selection", "With sampling weights there is none"),
        ("variants", "EM's relatives know no sampling weights"),
    ],
)
def test_weights_that_do_not_count_may_be_sampling_weights(app: str, page: str, words: str) -> None:
    visitor = uploaded(app, "m=gaussian-mixture&k=1&kt=2&ne=2&cov2=spherical", MEASURED, page)
    visitor.pick("Weights", "w")
    visitor.settle()
    assert "Column 'w' does not count rows: 0.5 in row 1 (and 1 more)" in visitor.said
    visitor.click("They are sampling weights")
    visitor.settle()
    said = visitor.said
    visitor.close()
    assert words in said and "n = 6 rows, to which their weights are scaled" in said
    assert "Something went wrong" not in said


def test_weights_that_differ_within_a_sequence_are_refused_with_the_rows(app: str) -> None:
    content = MEASURED.replace(b"0.5", b"3").replace(b"1.5", b"2")
    visitor = uploaded(app, "m=gaussian-hmm&k=1", content)
    visitor.pick("Weights", "w")
    visitor.settle()
    said = visitor.said
    visitor.close()
    assert "differ within the sequence: 3 in row 1 and 2 in row 2" in said
