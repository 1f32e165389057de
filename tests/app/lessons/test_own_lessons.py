"""Lessons that people make: a file comes back as it was, and a hostile one is refused."""

import time
import tomllib
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pages.ui.lessons import own_lesson
from pages.ui.lessons.own_lesson import MOST_BYTES, read_own, written
from support.drawn import examples

WHOLE = {
    "title": 'Two "groups" \\ and more\x7f',
    "about": "Für alle: 🙂\nin two lines",
    "minutes": 7,
    "steps": [
        {"page": "", "link": "v=1&e=faithful&k=2&f=0&hc=1", "text": "**Look** <b>here</b>\ttab"},
        {
            "page": "local_optima",
            "link": "e=iris&k=3&ns=5",
            "text": "Then this.",
            "looks_at": "seed",
            "done": {"frame": ">= 3", "n_components": 4, "contours": True},
            "question": {
                "asked": "Which?",
                "choices": ["= one", "[[two]]"],
                "answer": "[[two]]",
                "why": "So.",
            },
        },
    ],
}


def test_a_lesson_comes_back_from_its_file_as_it_was() -> None:
    lesson, again = read_own(written(WHOLE))
    assert again == WHOLE
    assert written(again) == written(WHOLE)
    assert [step.page for step in lesson.steps] == ["", "local_optima"]
    assert lesson.steps[0].settings.hidden and lesson.steps[0].settings.example == "faithful"
    assert lesson.steps[1].question and lesson.steps[1].question.answer == 1
    assert "**" not in lesson.words(WHOLE["steps"][0]["text"]).replace("\\*", "")


STEP = '[[steps]]\nlink = "k=2"\ntext = "x"\n'
ASKS = STEP + "[steps.question]\n"
HOSTILE = {
    "no TOML": (b"\xff\xfe", "read as TOML"),
    "too long": (b"#" * (MOST_BYTES + 1), "file takes more"),
    "deep": (b"a = " + b"[" * 50_000, "read as TOML"),
    "a number too long": (b"minutes = " + b"9" * 100_000, "read as TOML"),
    "a key of many parts": (b"a." * 50_000 + b"b = 1", "read as TOML"),
    "a table of many parts": (b"[" + b"a." * 50_000 + b"b]", "read as TOML"),
    "one within braces": (b"x = {" + b"a." * 50_000 + b"b = 1}", "read as TOML"),
    "quoted parts": (('"\u2028=".' * 20_000 + '"b" = "x"').encode(), "read as TOML"),
    "hidden behind a text": (
        b'x = {b = """\nz = """, c' + b".c" * 100_000 + b" = 1}",
        "read as TOML",
    ),
    "behind quotes": (
        b'x = [""",\nz = """, {' + rb'"\"x".' * 90_000 + b"c = 1}]",
        "read as TOML",
    ),
    "many keys of some parts": (
        b"".join(b"k%d" % i + b".a" * 98 + b"=1\n" for i in range(4_800)),
        "read as TOML",
    ),
    "a table of parts and keys": (
        STEP.encode()
        + b"[h"
        + b".a" * 4_800
        + b"]\n"
        + b"".join(b"b%d=1\n" % i for i in range(4_800)),
        "read as TOML",
    ),
    "many keys": (b"".join(b"k%d.b=1\n" % i for i in range(90_000)), "read as TOML"),
    "many tables": (b"[[q]]\n" * 150_000, "read as TOML"),
    "nothing": (b"", "no steps"),
    "steps that are none": (b"steps = [1, 2]", "step 1 is not one"),
    "too many": (STEP.encode() * 101, "may have 100 steps"),
    "minutes": (b"minutes = -3\n" + STEP.encode(), "its minutes"),
    "a page that is not there": (f'{STEP}page = "../../etc"'.encode(), "which there is not"),
    "a link that says nothing": (b'[[steps]]\nlink = "nonsense=1"\ntext = "x"', "link of step 1"),
    "a part that ends a style": (f'{STEP}looks_at = "x{{}}</style>"'.encode(), "no part of a page"),
    "a text that is none": (b"[[steps]]\ntext = 5", "no text of at most"),
    "a text too long": (f'[[steps]]\ntext = "{"x" * 2001}"'.encode(), "no text of at most"),
    "an unknown setting": (f"{STEP}done = {{ magic = 1 }}".encode(), "which are no settings"),
    "a size of a word": (f'{STEP}done = {{ family = ">= 3" }}'.encode(), "there cannot be"),
    "a size of nothing": (f'{STEP}done = {{ frame = ">= x" }}'.encode(), "there cannot be"),
    "a number no file can say": (
        STEP.encode() + b"done = {n_components = 0x" + b"f" * 5_000 + b"}",
        "not a list of settings",
    ),
    "a list to wait for": (f"{STEP}done = {{ frame = [1] }}".encode(), "not a list of settings"),
    "one choice": (f'{ASKS}choices = ["a"]\nanswer = "a"'.encode(), "has not 2 to 8 choices"),
    "choices alike": (f'{ASKS}choices = ["a", "a"]\nanswer = "a"'.encode(), "empty or alike"),
    "no answer": (f'{ASKS}choices = ["a", "b"]\nanswer = "c"'.encode(), "is its answer"),
}


@pytest.mark.parametrize(
    "content",
    ['a"\\"""', '"\\', "'a", '"', "\"'", "a", "a ", ". ", "a . b", "a.b.c.d.e.f.g ", "\\"],
)
def test_what_a_lesson_cannot_be_is_found_in_time_that_goes_with_its_length(content: str) -> None:
    def seconds(n: int) -> float:
        # In a text that has begun, and with what may be the beginning of another sign.
        text = f'x = """{(content * n)[:n]}\\'.encode()
        began = time.process_time()
        with suppress(ValueError):
            read_own(text)
        return time.process_time() - began

    assert seconds(800_000) < 40 * max(seconds(50_000), 0.01)


@pytest.mark.parametrize(("content", "words"), HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_lesson_is_refused_with_one_sentence(content: bytes, words: str) -> None:
    with pytest.raises(ValueError, match=words) as refused:
        read_own(content)
    assert str(refused.value).endswith(".") and len(str(refused.value)) < 400


def keys_of(told: object) -> int:
    if isinstance(told, list):
        return sum(map(keys_of, told))
    return sum(1 + keys_of(part) for part in told.values()) if isinstance(told, dict) else 0


@examples(400)
@given(st.lists(st.sampled_from(['"', '""', '"""', "'", "'''", "\\", "\n", "x", "k.k=", "#"])))
def test_keys_are_counted_wherever_texts_end(parts: list[str]) -> None:
    text = "a=" + "".join(f"k{i}.k=" if part == "k.k=" else part for i, part in enumerate(parts))
    with suppress(tomllib.TOMLDecodeError):
        n_keys = keys_of(tomllib.loads(text))
        bare = own_lesson.TEXT.sub('""', text)
        assert n_keys <= bare.count("=") + bare.count(".")


def test_many_dots_in_a_text_or_a_link_are_no_key() -> None:
    means = ",".join(["0.25"] * 120)
    lesson = f'title = "Dots"\n[[steps]]\nlink = "st=means&sm={means}"\ntext = "{"And. " * 150}"'
    found, _ = read_own(lesson.encode())
    assert len(found.steps) == 1
