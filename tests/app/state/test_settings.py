"""The settings and their link."""

import json
import math
from dataclasses import fields, replace
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pages.ui.state import kinds
from pages.ui.state.changes import changed
from pages.ui.state.links import VERSION_KEY, parse, to_query
from pages.ui.state.settings import FIELDS, Field, Settings
from pages.ui.tables.preparation.missing import Missing
from pages.ui.tables.preparation.transformed_column import Transform
from pages.ui.text import number
from support.answers import READINGS

# Anything that can be written in UTF-8, so in a link.
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
FINITE = st.floats(allow_nan=False, allow_infinity=False)
JSON = st.dictionaries(
    TEXT, st.recursive(FINITE | st.integers() | st.none(), st.lists, max_leaves=5), max_size=4
)


def values(about: Field) -> st.SearchStrategy:
    """Valid values of a field."""
    kind = about.kind
    match kind:
        case kinds.Choice():
            return st.sampled_from(list(kind.options))
        case kinds.Integer():
            return st.just(about.default) | st.integers(kind.low, kind.high)
        case kinds.Number():
            return st.floats(kind.low, kind.high)
        case kinds.YesNo():
            return st.booleans()
        case kinds.Names():
            return st.lists(TEXT, max_size=8).map(tuple)
        case kinds.Points():
            size = st.integers(1, 5)
            return st.just(()) | size.flatmap(
                lambda n: st.lists(st.tuples(*[FINITE] * n), min_size=1, max_size=6).map(tuple)
            )
        case kinds.JsonObject():
            return st.just("") | JSON.map(lambda members: kind.read(json.dumps(members))[0])
        case kinds.Steps():
            codes, columns = (st.lists(TEXT, max_size=3).map(tuple) for _ in range(2))
            return st.lists(st.builds(Missing, codes, columns), max_size=3).map(tuple)
        case kinds.Fingerprint():
            version = st.from_regex(r"[0-9]\.[0-9]{1,3}", fullmatch=True)
            result = st.builds(kinds.Result, FINITE, st.integers(0, 10**6), version)
            return st.none() | result
        case kinds.Answers():
            return READINGS
        case kinds.Text() if about.name in ("carried", "shared"):
            return st.text("aZ0-_", max_size=64)
        case kinds.Text() if about.name in ("fingerprint", "data_set_files"):
            return st.text("0123456789abcdef", max_size=64)
        case kinds.Text() if about.name == "drawn":
            return st.from_regex(about.kind.pattern, fullmatch=True)
        case kinds.Text() if about.name == "tiny_data":
            return st.text("0123456789.,;eE+- ", max_size=100)
        case kinds.Text():
            return st.just(about.default) | TEXT
    raise AssertionError(f"no strategy for {kind}")


SETTINGS = st.fixed_dictionaries({about.name: values(about) for about in FIELDS.values()}).map(
    lambda chosen: Settings(**chosen)
)


@given(SETTINGS)
def test_a_link_round_trips(settings: Settings) -> None:
    assert parse(to_query(settings)) == (settings, ())


@given(SETTINGS)
def test_a_link_round_trips_through_an_address(settings: Settings) -> None:
    address = urlencode(to_query(settings))
    assert parse(dict(parse_qsl(address, keep_blank_values=True))) == (settings, ())


@given(st.dictionaries(st.sampled_from([a.key for a in FIELDS.values()]) | TEXT, TEXT))
def test_any_link_opens_with_valid_settings(query: dict[str, str]) -> None:
    settings, _ = parse(query)
    assert parse(to_query(settings)) == (settings, ())


@given(st.dictionaries(TEXT, TEXT, min_size=1), st.text(max_size=100))
def test_messages_hold_no_markup_from_the_link(query: dict[str, str], payload: str) -> None:
    hostile = {key: f"<![`$*]({payload}" for key in ("k", "cov", "tol", "sm", "sp", "fp", "z")}
    _, said = parse(query | hostile)
    assert len(said) >= len(hostile)
    assert not set("<![`$*]") & set("".join(said))


def test_defaults_make_a_link_unlike_a_first_visit() -> None:
    assert to_query(Settings()) == {"v": "1"}
    assert parse({}) == (Settings(), ())


def test_only_what_differs_is_in_the_link() -> None:
    assert to_query(Settings(n_components=5)) == {"v": "1", "k": "5"}


def test_keys_and_names_are_unique_and_complete() -> None:
    keys = [about.key for about in FIELDS.values()] + [VERSION_KEY]
    assert len(keys) == len(set(keys))
    assert not any(key.startswith("embed") for key in keys), "Streamlit's own"
    assert list(FIELDS) == [f.name for f in fields(Settings)]


def test_numbers_keep_their_last_digit() -> None:
    settings = Settings(tolerance=0.1 + 0.2, start_means=((math.pi, 5e-324), (1e308, -0.1)))
    assert parse(to_query(settings))[0] == settings


@pytest.mark.parametrize(
    ("query", "settings", "sentence"),
    [
        ({"k": "99"}, Settings(n_components=50), "99 is not from 1 to 50, so 50 is used"),
        ({"k": "0"}, Settings(n_components=1), "0 is not from 1 to 50, so 1 is used"),
        ({"k": "9" * 29}, Settings(n_components=50), "so 50 is used"),
        ({"k": "3.5"}, Settings(), "not a whole number, so 2 is used"),
        ({"k": ""}, Settings(), "not a whole number"),
        ({"k": "٣"}, Settings(), "not a whole number"),
        ({"tol": "nan"}, Settings(), "“nan” is not a number, so 0.001 is used"),
        ({"tol": "1e999"}, Settings(), "too large"),
        ({"tol": "0"}, Settings(tolerance=1e-12), f"0 is not from {number(1e-12)} to 1,000"),
        ({"tol": "1-2"}, Settings(), "not a number"),
        ({"z": "yes"}, Settings(), "“yes” is neither 1 (on) nor 0 (off)"),
        ({"cov": "round"}, Settings(), "not one of full, tied, diag, spherical"),
        ({"x": "a" * 10_001}, Settings(), "not a text of at most 10,000 characters"),
        ({"sm": "1,2;3"}, Settings(), "not all have the same number"),
        ({"sm": "1,inf"}, Settings(), "“inf” is not a number"),
        ({"sp": "[1]"}, Settings(), "not a JSON object"),
        ({"sp": '{"a":NaN}'}, Settings(), "not JSON with finite numbers"),
        ({"sp": '{"a":[' + "9" * 309 + "]}"}, Settings(), "not JSON with finite numbers"),
        ({"sp": '{"a":' + "9" * 5000 + "}"}, Settings(), "not JSON with finite numbers"),
        ({"sp": "[" * 5000}, Settings(), "not JSON"),
        ({"fp": "zz"}, Settings(), "not a fingerprint"),
        ({"v": "2"}, Settings(), "another version"),
        ({"zz": "1"}, Settings(), "“zz”, which EM Explorer does not know"),
    ],
)
def test_wrong_fields_are_said_and_the_nearest_is_used(
    query: dict[str, str], settings: Settings, sentence: str
) -> None:
    got, said = parse(query)
    assert got == settings
    assert len(said) == 1
    assert sentence in said[0]
    assert said[0].endswith(".")


def test_many_unknown_fields_make_one_sentence() -> None:
    _, said = parse({f"utm{i}": "1" for i in range(1000)})
    assert len(said) == 1
    assert len(said[0]) < 200


def test_a_wrong_field_leaves_the_others_alone() -> None:
    assert parse({"k": "x", "seed": "7"})[0] == Settings(seed=7)


def test_other_data_makes_choices_about_the_old_data_obsolete() -> None:
    before = Settings(columns=("a", "b"), axis_x="a", label_column="l", frame=3, n_components=4)
    assert changed(before, example="iris") == Settings(example="iris", n_components=4)
    assert changed(before, example="iris", columns=("c",)).columns == ("c",)


def test_another_fit_makes_the_moment_obsolete() -> None:
    before = Settings(frame=3, point=5, colour="certainty")
    assert changed(before, seed=1) == Settings(seed=1, colour="certainty")
    assert changed(before, contours=True) == replace(before, contours=True)
    assert changed(before, seed=before.seed) == before


def test_change_takes_the_nearest_valid_value() -> None:
    assert changed(Settings(), n_components=1000).n_components == 50
    assert changed(Settings(frame=3), frame=None).frame is None
    with pytest.raises(ValueError, match="not one of"):
        changed(Settings(), covariance="round")
    with pytest.raises(KeyError):
        changed(Settings(), no_such_field=1)


def test_a_column_that_is_made_no_longer_gives_way_to_the_one_it_was_made_of():
    log, other = Transform("b", "log"), Transform("c", "log")
    before = Settings(preparation=(log, other), columns=("a", "log(b)", "log(c)"))
    assert changed(before, preparation=(other,)).columns == ("a", "b", "log(c)")
    assert changed(before, preparation=(other,), columns=("a",)).columns == ("a",)
    assert changed(before, preparation=(log, other, Missing(("9",)))).columns == before.columns


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("pr", r'[["missing",{"codes":["\ud800"]}]]'),
        ("pr", r'[["filter",{"column":"\ud800","condition":"is missing"}]]'),
        ("sp", r'{"\udfff":[1]}'),
        ("rd", r'{"answers":["\ud800"]}'),
    ],
)
def test_half_a_character_that_json_spells_out_is_told_and_left_aside(key: str, text: str) -> None:
    """It could be kept, but not written into a page, a link or a file."""
    got, said = parse({"v": "1", key: text})
    assert got == Settings() and len(said) == 1
