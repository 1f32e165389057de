"""Tables that are drawn with lines: no line of the drawing is a row, and no row one of these."""

import pytest

from pages.ui.tables.reading import read_table

# how, its lines, and which of these holds the names
DRAWN = {
    "Markdown": ("| id | v | k |\n|---|--:|:--|\n| 1 | 15.83 | red fox |\n| 2 | 3.5 | b |\n", 1),
    "Markdown without outer bars": (
        "id | v | k\n--- | --- | :---:\n1 | 15.83 | red fox\n2 | 3.5 | b\n",
        1,
    ),
    "Markdown in a text": (
        "# Results\n\nThey are:\n\n| id | v | k |\n| --- | --- | --- |\n| 1 | 15.83 | red fox |\n"
        "| 2 | 3.5 | b |\n\nSource: us\n",
        5,
    ),
    "psql": (
        " id |   v   |    k    \n----+-------+---------\n  1 | 15.83 | red fox\n"
        "  2 |   3.5 | b\n(2 rows)\n\n",
        1,
    ),
    "org-mode": (
        "| id | v | k |\n|----+---+---|\n| 1 | 15.83 | red fox |\n|----+---+---|\n"
        "| 2 | 3.5 | b |\n",
        1,
    ),
    "MySQL": (
        "+----+-------+---------+\n| id | v     | k       |\n+----+-------+---------+\n"
        "|  1 | 15.83 | red fox |\n|  2 |   3.5 | b       |\n+----+-------+---------+\n"
        "2 rows in set (0.00 sec)\n",
        2,
    ),
    "reStructuredText": (
        "====  =====  =======\n  id      v  k\n====  =====  =======\n   1  15.83  red fox\n"
        "   2   3.5   b\n====  =====  =======\n",
        2,
    ),
    "reStructuredText, a grid": (
        "+----+-------+-----+\n| id | v     | k   |\n+====+=======+=====+\n| 1  | 15.83 | red |\n"
        "|    |       | fox |\n+----+-------+-----+\n| 2  | 3.5   | b   |\n+----+-------+-----+\n",
        2,
    ),
    "signs for boxes": (
        "┌────┬───┬──┐\n│ id │ v │ k │\n├────┼───┼──┤\n│ 1 │ 15.83 │ red fox │\n│ 2 │ 3.5 │ b │\n"
        "└────┴───┴──┘\n",
        2,
    ),
    "sqlite": ("id  v      k\n--  -----  -------\n1   15.83  red fox\n2   3.5    b\n", 1),
}


@pytest.mark.parametrize("case", DRAWN)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_lines_that_are_drawn_around_cells_are_no_rows(case: str, end: str) -> None:
    content, names = DRAWN[case]
    table = read_table("t.md", content.replace("\n", end).encode())
    assert table.frame.to_dict("list") == {"id": [1, 2], "v": [15.83, 3.5], "k": ["red fox", "b"]}
    assert table.lines.header == names
    assert any(said.startswith("The cells are drawn with lines: ") for said in table.parsing)


def test_bars_quotes_and_holes_in_drawn_cells_are_theirs() -> None:
    content = '| a | b |\n|---|---|\n| x \\| y | 1 |\n| "z" | -- |\n| -- | -- |\n|  | 3 |\n'
    table = read_table("t.md", content.encode())
    assert table.frame["a"].fillna("").tolist() == ["x | y", '"z"', "--", ""]
    assert table.frame["b"].tolist() == ["1", "--", "--", "3"]
    assert "The cells are drawn with lines: 1 line without a cell." in table.parsing


def test_a_drawn_table_of_one_column() -> None:
    for content in (
        "| v |\n|---|\n| 1.5 |\n| 2.5 |\n",
        "+---+\n| v |\n+---+\n|1.5|\n|2.5|\n+---+\n",
    ):
        assert read_table("t.md", content.encode()).frame.to_dict("list") == {"v": [1.5, 2.5]}


@pytest.mark.parametrize(
    ("content", "n_rows"),
    [
        ("a|b\n1|2\n--|--\n3|4\n", 3),
        ("a,b\n---,---\n1,2\n", 2),
        ("x\n---\n1\n2\n", 3),
        ("a b\n-- --\n1 2\n3 4\n", 3),
        ('id,t\n1,"| a | b |\n|---|---|\n| 1 | 2 |"\n2,x\n', 2),
        ("t;x\n+--+;1\n|--|;2\n", 2),
    ],
)
def test_rows_of_dashes_are_rows(content: str, n_rows: int) -> None:
    table = read_table("t.csv", content.encode())
    assert len(table.frame) == n_rows and "drawn with lines" not in str(table.parsing)
