"""What the cells of a workbook are evidence of: how texts were typed, where the table is, what is
missing."""

import io

import openpyxl
import pytest

from pages.ui.tables.answers import Reading
from pages.ui.tables.preparation.missing import Missing
from pages.ui.tables.preparation.table import prepared
from pages.ui.tables.reading import read_table
from pages.ui.tables.table import Table
from support.bombs import sheet_of


def read(content: bytes, **reading) -> Table:
    return read_table("t.xlsx", content, Reading(**reading))


def workbook(**sheets: list[list]) -> bytes:
    book = openpyxl.Workbook()
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    del book["Sheet"]
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def of_columns(**columns: list) -> bytes:
    return workbook(Data=[list(columns), *map(list, zip(*columns.values(), strict=True))])


@pytest.mark.parametrize(
    ("columns", "meant"),
    [
        ({"a": ["1,500", 2.25, 3]}, {".": [1500, 2.25, 3], ",": [1.5, 2.25, 3]}),
        (
            {"a": ["1,234", "2,345", "3,456"], "b": [2.5, 1.234, 4]},
            {".": [1234, 2345, 3456], ",": [1.234, 2.345, 3.456]},
        ),
        ({"a": ["1.500", 2, 1250]}, {".": [1.5, 2, 1250], ",": [1500, 2, 1250]}),
        ({"a": ["1.500", 2.125, 1e-7]}, {".": [1.5, 2.125, 1e-7], ",": [1500, 2.125, 1e-7]}),
        ({"a": ["1,500", 2, 2**60]}, {".": [1500, 2, 2**60]}),
    ],
)
def test_numbers_of_a_workbook_leave_open_how_its_texts_were_typed(
    columns: dict[str, list], meant: dict[str, list]
) -> None:
    content = of_columns(**columns)
    (question,) = read(content).questions
    assert question.column == "a" and "decimals, or thousands?" in question.sentence
    assert [answer for answer, _ in question.choices] == [".", ","]
    for answer, numbers in meant.items():
        table = read(content, marks=(("a", answer), ("b", answer)))
        assert table.frame["a"].tolist() == numbers and not table.questions
        assert "b" not in columns or table.frame["b"].tolist() == columns["b"]


def test_texts_of_a_workbook_are_evidence_and_what_they_are_read_as_is_said() -> None:
    table = read(of_columns(a=["1,5", 1.234, 1250], b=[2.5, 3.5, 4.5], c=["1,234", 2.125, 3]))
    assert table.frame["a"].tolist() == [1.5, 1.234, 1250] and not table.questions
    assert table.frame["c"].tolist() == [1.234, 2.125, 3]
    assert "In numbers kept as text: decimal comma." in table.parsing
    table = read(of_columns(a=["1.5", 1.234, 1250], c=["1,234", 2.125, None]))
    assert table.frame["c"].tolist()[:2] == [1234, 2.125]
    said = " ".join(table.parsing)
    assert "In numbers kept as text: decimal point." in said
    assert "Commas inside the numbers of 'c' separate thousands." in said
    table = read(of_columns(a=["1.5", 2], b=["2,25", 3]))
    assert table.frame["b"].tolist() == [2.25, 3]
    assert "decimal comma in some columns, decimal point in others" in " ".join(table.parsing)
    assert "decimal" not in " ".join(read(of_columns(a=[1.5, 2], b=[3.25, 4])).parsing)


def test_texts_beyond_a_limit_are_typed_apart_from_the_numbers_beside_them() -> None:
    content = of_columns(a=["<0,5", 2.125, 3])
    table = read(content, limits=(("a", "limit"),))
    assert table.frame["a"].tolist() == [0.5, 2.125, 3]
    content = of_columns(a=["<1,500", 2.125, 3])
    (question,) = read(content, limits=(("a", "limit"),)).questions
    assert question.about == "marks"
    table = read(content, limits=(("a", "limit"),), marks=(("a", ","),))
    assert table.frame["a"].tolist() == [1.5, 2.125, 3]


def test_rows_below_a_table_and_merged_cells_keep_the_numbers_in_their_places() -> None:
    rows = [["g", "a"], ["x", 2.125], ["y", "1,500"], ["z", 3.5], ["Total", 7.125]]
    content = workbook(Data=rows)
    assert len(read(content).questions) == 1
    assert read(content, marks=(("a", ","),)).frame["a"].tolist() == [2.125, 1.5, 3.5]
    book = openpyxl.load_workbook(io.BytesIO(workbook(Data=[*rows[:4], ["u", None]])))
    book.active.merge_cells("B4:B5")
    buffer = io.BytesIO()
    book.save(buffer)
    table = read(buffer.getvalue(), marks=(("a", ","),))
    assert table.frame["a"].tolist() == [2.125, 1.5, 3.5, 3.5]


WORDS = [["Sex", "Smoker", "Diet"], ["f", "yes", "mixed"], ["m", "no", "vegan"], ["f", "no", "all"]]


@pytest.mark.parametrize(
    "cover",
    [
        [["Read me"]],
        [["Read me"], ["Asked in May"], ["by post"]],
        [["About"], [], ["Author", "Jane"], ["Date", "May"]],
    ],
)
def test_a_sheet_of_words_behind_a_cover_is_read(cover: list[list]) -> None:
    table = read(workbook(**{"Read me": cover, "Answers": WORDS}))
    assert table.sheet == "Answers" and list(table.frame) == WORDS[0] and len(table.frame) == 3
    assert "sheet 'Answers', the second of 2. The others: 'Read me'." in table.parsing[0]
    assert read(workbook(Answers=WORDS, Codes=cover)).sheet == "Answers"
    titled = [["Answers of May"], *WORDS]
    assert read(workbook(**{"Read me": cover[:1], "Answers": titled})).sheet == "Answers"


def test_a_formula_that_gives_nothing_is_an_empty_cell() -> None:
    formula = '<f>IF(A2&gt;1,A2,"")</f>'
    saved = '<row r="{0}"><c r="A{0}"><v>{0}</v></c><c r="B{0}" t="str">{1}<v>{2}</v></c></row>'
    rows = [saved.format(i, formula, "") for i in (2, 3)]
    unsaved = f'<row r="4"><c r="A4"><v>4</v></c><c r="B4">{formula}</c></row>'
    last = '<row r="5"><c r="A5"><v>5</v></c><c r="B5"><v>2.5</v></c></row>'
    table = read(sheet_of("".join([*rows, last])))
    assert table.frame["y"].isna().tolist() == [True, True, False]
    said = " ".join(table.parsing)
    assert "formula" not in said and "NA" not in said and not table.words
    table = read(sheet_of("".join([*rows, unsaved, last])))
    assert "1 formula without a saved result: missing." in table.parsing


@pytest.mark.parametrize("names", [[450.125, 460.25], [1.125, 2.375], [-450.125, 0.125]])
def test_numbers_that_name_columns_or_levels_stand_as_they_are(names: list[float]) -> None:
    rows = [["id", *names], ["p0", 1.5, 2.5], ["p1", 2.5, 4.75]]
    table = read(workbook(Data=rows), header=1)
    assert list(table.frame) == ["id", *map(str, names)]
    table = read(workbook(Data=[["k", "n"], [1.125, 2], ["x", 3], [450.125, 4]]))
    assert table.frame["k"].tolist() == ["1.125", "x", "450.125"]
    left = prepared(table, (Missing(("x",)),))
    assert left.frame["k"].tolist()[::2] == [1.125, 450.125] and not left.questions


def test_numbers_with_three_decimals_below_two_lines_of_names() -> None:
    rows = [["id", 450.125, 450.125], ["who", "lo", "hi"], ["a", 1.125, 2.5], ["b", 2.125, 3]]
    table = read(workbook(Data=rows), header=1, header_lines=2)
    assert list(table.frame) == ["id who", "450.125 lo", "450.125 hi"]
    assert table.frame["450.125 lo"].tolist() == [1.125, 2.125]
