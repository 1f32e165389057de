"""What the data part of a page says of columns, groups and rows that cannot be used."""

import pytest
from streamlit.testing.v1 import AppTest

from em_core.datasets import EXAMPLES
from em_core.examples.zero_inflated_poisson import ZeroInflatedPoisson
from pages.ui.families.own_data import own_examples
from pages.ui.families.table import FAMILIES
from pages.ui.panels.sidebar.data_panel import MOST_REASONS, reasons_of
from pages.ui.panels.sidebar.groups_panel import MOST_NAMES
from pages.ui.state.session import Session
from pages.ui.state.settings import Settings
from pages.ui.tables.columns import describe_columns, why_no_levels, why_not_binary
from pages.ui.tables.reading import read_table


def page() -> None:
    import streamlit as st

    from pages.ui.panels.sidebar import columns_panel, data_panel

    table = st.session_state["table"] or data_panel.choose_table()
    columns = data_panel.choose_columns(table)
    columns_panel._content(table, columns, columns_panel.words_of(table, columns))


def shown(text: str = "", **settings) -> AppTest:
    """The data part of the page with a table of one's own, or else an example."""
    app = AppTest.from_function(page)
    session = Session(settings=Settings(**settings), settled=True, page="Explore")
    app.session_state["session"] = session
    app.session_state["table"] = read_table("a.csv", text.encode()) if text else None
    app.run()
    assert not app.exception
    return app


def said(app: AppTest) -> str:
    kinds = app.markdown, app.error, app.warning
    return "\n".join(element.value for kind in kinds for element in kind).replace("\\", "")


def test_columns_that_cannot_be_used_share_a_sentence_for_each_reason():
    lines = [",".join(f"c{i}" for i in range(121))]
    lines += [",".join(["a" if i % 2 else "b"] * 121) for i in range(4)]
    reports = describe_columns(read_table("a.csv", "\n".join(lines).encode()))
    (only,) = {report.why_not for report in reports}
    assert only == "It holds text, not numbers."
    named = f"c0, c1, c2, c3 and {121 - MOST_NAMES + 1} more"
    assert reasons_of(reports) == [(named, "Each holds text, not numbers.")]
    assert reasons_of(reports[:1]) == [("c0", only)]
    # Also where each has a reason of its own: none is left out of the count.
    own = [report._replace(why_not=f"Because of {report.name}.") for report in reports]
    found = reasons_of(own)
    assert len(found) == MOST_REASONS + 1 and found[-1][0] == f"{121 - MOST_REASONS} more"
    assert reasons_of([]) == []


@pytest.mark.parametrize(
    "family, unused",
    [("two-level", "note"), ("gaussian-hmm", ""), ("gaussian-mixture", "school and note")],
)
def test_a_column_in_use_for_groups_or_labels_is_not_told_as_one_that_cannot_be(family, unused):
    rows = "\n".join(f"{'ab'[i % 2]},{i * i % 7},{'uvw'[i % 3]},{i}x" for i in range(12))
    text = f"school,score,species,note\n{rows}\n"
    words = said(shown(text, family=family, group_column="school"))
    if not unused:  # sequences may be of one row each
        assert "can't be used" not in words
        return
    whose = "Each" if " and " in unused else "It"
    assert f"**{unused}** can't be used by this model. {whose} holds text, not numbers." in words
    assert words.count("can't be used") == 1


def test_the_groups_are_by_whose_the_rows_are_before_they_are_by_a_label() -> None:
    rows = "\n".join(f"{i % 20},{'ab'[i % 2]},{i * i % 7}" for i in range(60))
    app = shown(f"subject,group,score\n{rows}\n", family="two-level")
    assert [box.value for box in app.selectbox if box.label == "Groups"] == ["subject"]


def test_columns_with_too_many_values_are_named_in_one_sentence() -> None:
    rows = "\n".join(f"{i + 0.5},{i / 2 + 0.25},{i % 2},{i % 3}" for i in range(60))
    reports = describe_columns(read_table("t.csv", f"age,fare,q,r\n{rows}\n".encode()))
    assert reasons_of(reports[:2], why_no_levels) == [("age and fare", "Each has too many values.")]
    [one] = reasons_of(reports[:1], why_no_levels)
    assert one == ("age", "It has 60 different values, too many.")
    told = reasons_of([*reports[:2], reports[3]], why_not_binary)
    assert told == [("age, fare and r", "Each has more than two levels.")]


@pytest.mark.parametrize("family", ["gaussian-mixture", "factor-analysis", "gaussian-hmm"])
def test_a_row_is_left_out_for_what_is_so(family):
    """With holes: all chosen columns are missing, and no word of a single one."""
    app = shown("a,b\n1,2\n,\n3,\n4,1\n5,6\n2,2\n3,9\n", family=family)
    assert "**1 of 7 rows left out:**" in said(app)
    [table] = [t.value for t in app.dataframe if "reason" in t.value]
    assert table.to_dict("list") == {"row": [2], "reason": ["all chosen columns are missing"]}


@pytest.mark.parametrize(
    "text, told",
    [
        ("school,score\nS1,8\nS2,12\nS3,9\n", "By school every group has one row"),
        ("id,score\n1,8\n2,12.5\n3,9\n", "By id every group has one row"),
        ("x,score\n1.5,8.1\n2.5,12.5\n3,9\n", "needs a column that says which group"),
    ],
)
def test_groups_of_one_are_not_told_as_no_groups(text, told):
    app = shown(text, family="two-level")
    words = said(app)
    assert told in words and len(app.error) == 1 and not app.multiselect
    assert words.count("This model needs a column that") == 1


def test_what_can_be_used_but_is_not_chosen_is_told_for_what_it_is():
    rows = "\n".join(f"{i},{'Yes' if i % 3 else 'No'}" for i in range(1, 13))
    words = said(shown(f"id,a\n{rows}\n", family="gaussian-mixture"))
    assert "Of these columns this model can use only id, which numbers the rows." in words


@pytest.mark.parametrize("family", FAMILIES)
def test_a_list_of_one_example_is_no_widget(family):
    app = shown(family=family)
    several = len(FAMILIES[family].examples) > 1
    assert [box.label for box in app.selectbox if box.label == "Example"] == ["Example"] * several


def test_a_model_of_ones_own_is_offered_the_examples_that_it_takes():
    offered = own_examples(ZeroInflatedPoisson())
    assert "earthquakes" in offered and not {"faithful", "iris", "wine"} & set(offered)

    class Fussy(ZeroInflatedPoisson):
        def check(self, data):
            raise ValueError("never")

    assert own_examples(Fussy()) == EXAMPLES
