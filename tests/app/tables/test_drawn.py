"""Points drawn by hand, as text and as a table."""

import numpy as np
import pytest

from pages.ui.state.links import parse, to_query
from pages.ui.state.settings import FIELDS, Settings
from pages.ui.tables.drawn import MOST_POINTS, SIDE, in_the_square, points_of, table_of, text_of


def test_points_stay_where_they_were_drawn(rng) -> None:
    points = np.array([[rng.uniform(0, SIDE), rng.uniform(0, SIDE)] for _ in range(MOST_POINTS)])
    text = text_of(points)
    np.testing.assert_allclose(points_of(text), points, atol=SIDE / 4000)
    assert text_of(points_of(text)) == text
    corners = np.array([[0, 0], [SIDE, SIDE], [0, SIDE]])
    np.testing.assert_array_equal(points_of(text_of(corners)), corners)


def test_as_many_as_can_be_drawn_travel_in_a_link() -> None:
    text = text_of(np.full((MOST_POINTS + 7, 2), 5.0))
    assert len(points_of(text)) == MOST_POINTS
    drawn = Settings(source="draw", drawn=text)
    query = to_query(drawn)
    assert len(query["dw"]) <= 2_000
    assert parse(query) == (drawn, ())


@pytest.mark.parametrize("text", ["____", "AAA", "AAAAA", "zzzz zzz", "é" * 4])
def test_what_is_no_drawing_is_refused_or_lies_in_the_square(text: str) -> None:
    if FIELDS["drawn"].takes(text):
        assert (points_of(text) <= SIDE).all()
    else:
        assert len(text) % 4 or not text.isascii() or " " in text


def test_a_table_of_what_is_drawn() -> None:
    assert table_of("") is None
    table = table_of(text_of(np.array([[1.0, 2.0], [3.0, 4.0]])))
    assert table is not None
    assert table.frame.to_dict("list") == {"x": [1, 3], "y": [2, 4]}
    other = table_of(text_of(np.array([[1.0, 2.0], [3.0, 4.1]])))
    assert other is not None and other.fingerprint != table.fingerprint


def test_points_of_a_table_fill_the_square() -> None:
    values = np.column_stack([np.arange(2_000) * 1e6, np.full(2_000, 7.0)])
    values[3] = np.nan
    points = in_the_square(values)
    assert points.shape == (MOST_POINTS, 2)
    assert points[:, 0].min() == pytest.approx(0.5) and points[:, 0].max() == pytest.approx(9.5)
    assert (points[:, 1] == SIDE / 2).all()
    assert len(in_the_square(np.full((3, 2), np.nan))) == 0
