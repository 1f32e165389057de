"""What the page on local optima says, on the running app, without a browser."""

import re

from support.visitor import Visitor

IRIS = "v=1&e=iris&k=3&cs=k-means%2B%2B"


def searched(app: str, query: str) -> Visitor:
    """A visitor who has waited for all starts."""
    visitor = Visitor(app, query, "local_optima")
    visitor.settle()
    return visitor


def test_several_starts_are_compared(app: str) -> None:
    visitor = searched(app, f"{IRIS},random%20points&ns=10")
    compared = visitor.said[visitor.said.index("Which start is better?") :]
    for start in ("k-means++", "random points"):
        assert re.search(rf"^.*{re.escape(start)}\t.* of 10\b", compared, re.MULTILINE), compared
    assert re.search(r"[12] of 2 kinds of start reached the best: ", visitor.said)
    assert "A further start like these 20 finds a better one with a chance of at most 14\xa0%" in (
        visitor.said
    )
    visitor.close()


def test_too_many_components_is_a_sentence(app: str) -> None:
    visitor = searched(app, "v=1&s=generate&n=10&k=20&ns=3")
    assert "distinct rows" in visitor.said
    visitor.close()


def test_where_there_is_one_optimum_data_that_trap_em_are_a_click_away(app: str) -> None:
    visitor = searched(app, "v=1&ns=2")
    assert "no other optimum was found" in visitor.said
    assert "To see local optima, choose data that trap EM" in visitor.said
    visitor.click("Unequal sizes")
    visitor.settle()
    assert "choose data that trap EM" not in visitor.said
    assert re.search(r"Why it is worse: Components? [\d, and]+ ", visitor.said), visitor.said
    assert visitor.said.count("The smallest cluster is easily missed") == 1
    visitor.close()


def test_a_first_visit_to_local_optima_shows_some_and_why_they_are_worse(app: str) -> None:
    visitor = searched(app, "")
    assert re.search(
        r"of \d+ independent starts and \d+ of \d+ that split and merge the best of the others "
        r"reached the best optimum .* other optim",
        visitor.said,
    )
    assert "Why it is worse: Components" in visitor.said and "has none of its own" in visitor.said
    assert re.search(r"[4-6] of 6 kinds of start reached the best", visitor.said)
    assert " of independent starts" in visitor.said and "of starts\n" not in visitor.said
    visitor.close()


def test_a_link_without_starts_means_those_that_were_usual_before_the_plan(app: str) -> None:
    visitor = searched(app, "v=1&e=iris&k=3&ns=4")
    compared = visitor.said[visitor.said.index("Which start is better?") :]
    for start in ("short runs", "k-means++"):
        assert re.search(rf"^.*{re.escape(start)}\t.* of 4\b", compared, re.MULTILINE), compared
    assert "independent" not in visitor.said and "cs" not in visitor.link
    visitor.close()


def test_a_run_that_split_and_merged_is_played_and_says_what_it_was_made_from(app: str) -> None:
    planned = "v=1&e=iris&k=3&cs=several%20kinds&ns=16"
    visitor = searched(app, f"{planned}&ps=split%20and%20merge&pk=9")
    made = r"Played: split and merge, seed 9, made from what [-+a-z ]+, seed \d+ found"
    assert re.search(made, visitor.said), visitor.said
    assert "Converged after" in visitor.said
    visitor.close()
    visitor = searched(app, f"{planned}&ps=split%20and%20merge&pk=99")
    assert "There is no run from split and merge, seed 99 among these starts" in visitor.said
    visitor.close()


def test_how_starts_end_is_said_nowhere_while_a_race_is_to_be_guessed(app: str) -> None:
    data = "v=1&s=generate&g=unequal&n=200&tk=5&k=5&ds=1&ns=4"
    race = f"{data}&ps=k-means%2B%2B&pk=0&rs=k-means%2B%2B&rk=1"
    for query, hidden in (
        (f"{race}&f=0&hc=1", True),
        (f"{race}&f=0", False),
        (f"{race}&hc=1", False),
    ):
        visitor = searched(app, query)
        assert ("Say which of the two ends higher" in visitor.said) == hidden
        assert ("Optima, best first" in visitor.said) != hidden
        visitor.close()
