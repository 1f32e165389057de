"""A lesson on the running app, without a browser: its steps, and what they notice."""

import base64
import json
import re

import pytest
from streamlit.proto.WidgetStates_pb2 import WidgetState

from pages.ui.lessons.lesson import lessons
from support.visitor import Visitor


def test_the_list_begins_a_lesson(app: str) -> None:
    visitor = Visitor(app, "v=1", "lessons")
    for lesson in lessons().values():
        assert lesson.title in visitor.said
    visitor.click("Begin")
    visitor.settle()
    assert f"{lesson.title}: step 1 of {len(lesson.steps)}" in visitor.said
    visitor.close()


@pytest.mark.parametrize("name", ["local-optima", "why-it-never-falls"])
def test_a_lesson_is_taken_to_its_end(app: str, name: str) -> None:
    """Over pages: each step opens on its own, and what was there goes when the lesson is left."""
    lesson = lessons()[name]
    visitor = Visitor(app, f"v=1&le={name}&lt=1", lesson.steps[0].page)
    for number, _ in enumerate(lesson.steps, 1):
        visitor.settle()
        assert f"{lesson.title}: step {number} of {len(lesson.steps)}" in visitor.said
        assert "This step is on the page" not in visitor.said
        if number < len(lesson.steps):
            visitor.click("Skip this step" if "not done yet" in visitor.said else "Next step")
    visitor.click("Leave")
    visitor.settle()
    assert f"{lesson.title}: step" not in visitor.said
    visitor.close()


def test_a_link_that_names_a_step_and_nothing_else_shows_its_view(app: str) -> None:
    """As it is written by hand: not the usual view under the words of the step."""
    step = lessons()["local-optima"].steps[0]
    visitor = Visitor(app, "v=1&le=local-optima")
    visitor.settle()
    assert "step 1 of 6" in visitor.said and "not done yet" in visitor.said
    assert f"{step.settings.n_rows:,} rows" in visitor.said
    visitor.close()


def test_a_step_notices_that_it_is_done_and_a_question_waits_for_its_answer(app: str) -> None:
    visitor = Visitor(app, "v=1&e=faithful&k=2&f=0&le=what-em-does&lt=3")
    visitor.settle()
    assert "step 3 of 6" in visitor.said and "not done yet" in visitor.said
    visitor.close()
    visitor = Visitor(app, "v=1&e=faithful&k=2&f=1&le=what-em-does&lt=3")
    visitor.settle()
    assert "not done yet" in visitor.said, "the question is open"
    visitor.answer("What has changed?", "Both")
    assert "Not quite" in visitor.said and "not done yet" in visitor.said
    visitor.answer("What has changed?", "The places and shapes of the ellipses")
    assert "Yes." in visitor.said and "not done yet" not in visitor.said
    visitor.close()


def test_a_damaged_place_in_a_lesson_is_said(app: str) -> None:
    visitor = Visitor(app, "v=1&le=nonsense&lt=3")
    visitor.settle()
    assert "There is no lesson called" in visitor.said
    visitor.close()
    visitor = Visitor(app, "v=1&le=what-em-does&lt=99")
    visitor.settle()
    assert "step 6 of 6" in visitor.said or "lt" in visitor.said
    visitor.close()


def test_a_lesson_is_made_of_views_shared_by_a_link_and_taken_by_another(app: str) -> None:
    visitor = Visitor(app, "v=1&e=faithful&k=3&f=2&hc=1")
    visitor.settle()
    visitor.click("Add to lesson")
    visitor.go("lessons")
    assert "Step 1: Explore" in visitor.said and "Step 1 has no words yet" in visitor.said
    visitor.type("What step 1 says", "Where does **mean 2** go? <img src=x>")
    visitor.write("Title", "Ours")
    assert "has no words yet" not in visitor.said
    visitor.click("Share as a link")
    (token,) = set(re.findall(rb"~[A-Za-z0-9_-]{24}", bytes(visitor.received)))
    visitor.click("Save as one HTML file")
    visitor.settle()
    file = visitor.download("Download the HTML file").decode()
    (told,) = re.findall(r"^const \[lesson, pictures, player\] = (.*);$", file, re.MULTILINE)
    (step,), (picture,) = (json.loads(told)[0]["steps"], json.loads(told)[1])
    assert step["text"] == "Where does **mean 2** go? <img src=x>"
    assert b'"hidden": true' in base64.b64decode(picture) and len(file) < 10e6
    visitor.click("Try it")
    visitor.settle()
    assert "Ours: step 1 of 1" in visitor.said and "What comes is hidden" in visitor.said
    visitor.close()
    name = token.decode()
    other = Visitor(app, f"v=1&le={name}", "lessons")
    assert "Ours" in other.said
    other.close()
    other = Visitor(app, f"v=1&s=table&sh={name.removeprefix('~')}")
    other.settle()
    assert "is damaged, or no table: ask for the link" in other.said
    other.close()
    other = Visitor(app, f"v=1&e=faithful&k=3&f=2&hc=1&le={name}")
    other.settle()
    assert "Ours: step 1 of 1" in other.said
    assert r"\*\*mean 2\*\*" in other.texts and r"\<img" in other.texts, "it is text, no markup"
    other.close()


@pytest.mark.parametrize("name", ["~" + "x" * 24, "own"])
def test_a_lesson_that_is_not_there_is_said(app: str, name: str) -> None:
    visitor = Visitor(app, f"v=1&le={name}")
    visitor.settle()
    assert "There is no lesson called" in visitor.said
    visitor.close()
    visitor = Visitor(app, f"v=1&le={name}", "lessons")
    assert ("The lesson of this link is not here" in visitor.said) == (name != "own")
    visitor.close()


def test_a_file_is_opened_as_the_lesson_that_is_made_and_a_hostile_one_is_refused(app: str) -> None:
    visitor = Visitor(app, "v=1", "lessons")
    file = b'title = "Mine"\n[[steps]]\nlink = "e=iris&k=3"\ntext = "Look."\n'
    visitor.upload("Open a lesson file", "lesson.toml", file)
    visitor.upload("Open a lesson file, in place of this one", "bad.toml", b"a = " + b"[" * 9_000)
    assert "cannot be read as TOML" in visitor.said
    assert b'title = "Mine"' in visitor.download("Save as a file")
    visitor.close()


def test_a_view_added_on_the_way_to_a_page_without_one_is_said(app: str) -> None:
    """A click and, before its run has ended, another on the page's link."""
    visitor = Visitor(app, "v=1&e=iris")
    visitor.settle()
    click = WidgetState(id=visitor._ids["button", "Add to lesson"], trigger_value=True)
    visitor.ask("", click, page_hash=visitor.places["lessons"])
    visitor.wait()
    assert "This view was not added to the lesson" in visitor.said
    assert all(lesson.title in visitor.said for lesson in lessons().values())
    visitor.close()
