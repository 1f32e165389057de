"""Lines that are no rows are recognised, said, and put back by hand; in text and in workbooks."""

import contextlib
import csv
import io
import random
from datetime import timedelta

import numpy as np
import openpyxl
import pandas as pd
import pytest

from pages.ui.tables.answers import Reading
from pages.ui.tables.reading import read_table
from pages.ui.tables.table import DataError, Table
from support.tables import TABLES


def read(content: str | bytes, reading: Reading = Reading(), name: str = "t.csv") -> Table:  # noqa: B008
    content = content.encode() if isinstance(content, str) else content
    return read_table(name, content, reading)


def small(name: str, **reading) -> Table:
    (path,) = TABLES.glob(f"{name}-*")
    return read(path.read_bytes(), Reading(**reading))


def workbook(rows: list[list], change=lambda book: None) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    change(book)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def test_the_small_tables_are_read_as_they_are_meant() -> None:
    table = small("03a")
    assert list(table.frame) == ["nr", "length", "count"] and len(table.frame) == 10
    assert "“sep=;”" in " ".join(table.parsing)
    table = small("03b")
    assert table.frame.mean(numeric_only=True).tolist() == [12.25, 86.5]
    assert [line for line, _ in table.lines.above] == [1, 2, 3]
    assert table.lines.below == ((16, "Total  122.50  865"),)
    table = small("03c")
    assert table.units == ("", "mm", "g") and table.frame["length"].mean() == 12.25
    table = small("04")
    assert list(table.frame)[2:] == ["Q1_1", "Q1_2", "Q2_1", "Q2_2"] and len(table.frame) == 12
    assert dict(table.titles)["Q1_1"] == "How satisfied are you, overall? - Service"
    assert table.frame["Q1_1"].dtype == "Int64" and "three header lines" in str(table.parsing)


def test_lines_are_changed_by_hand() -> None:
    assert small("03b", last=16).frame["length"].tolist()[-1] == 122.5
    assert len(small("03b", first=8).frame) == 8
    assert len(small("03b", first=8, last=9).frame) == 2
    table = small("03b", header=6)
    assert list(table.frame) == ["S1", "10.00", "100"] and len(table.frame) == 9
    table = small("03b", header=0, first=6)
    assert list(table.frame) == ["column 1", "column 2", "column 3"] and len(table.frame) == 10
    assert small("03c", header_lines=2).frame["length"].dtype == float
    assert small("03c", header_lines=2).titles == (("length", "mm"), ("mass", "g"))
    assert len(small("04", header_lines=1).frame) == 14
    with pytest.raises(DataError, match="no rows"):
        small("03b", first=900)
    with pytest.raises(DataError, match="no rows"):
        small("03b", last=3)


# What is no line of another kind stays a row, or is refused with its line.
ROWS = {
    "a total among totals": ("k,n\nTotal,1\nNew,2\nTotal,3\n", 3),
    "a text in one number column": ("k,n\nx,refused\ny,2\nz,3\n", 3),
    "refused twice": ("m,n\nrefused,refused\n1,2\n3,4\n", 3),
    "a last row with holes": ("k,m,n\nx,1,2\ny,3,4\nz,,\n", 3),
    "a text in the middle": ("k,m\nsay,hello\nx,y\nu,v\n", 3),
    "levels only": ("k,m\na,b\nc,d\n", 2),
    "total of words": ("k,m\na,x\nTotal,y\n", 2),
}


@pytest.mark.parametrize("case", ROWS)
def test_rows_stay_rows(case: str) -> None:
    content, n = ROWS[case]
    table = read(content)
    assert len(table.frame) == n and table.lines.header == 1 and not table.lines.below


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("a,b\n1,2\nnote\n3,4\n", 3),
        ("a,b,c\n1,2,3\n1,2\n", 3),
        ("a,b\n1,2\n7\n", 3),
    ],
)
def test_a_row_of_another_length_is_refused_with_its_line(content: str, line: int) -> None:
    with pytest.raises(DataError, match=f"line {line} has"):
        read(content)


WORDS = [
    "Report",
    "Lab",
    "exported",
    "by",
    "hand",
    "period",
    "of",
    "Summer",
    "data",
    "Institute",
    "page",
    "version",
]
NAMES = ["length", "mass", "speed", "height", "depth"]
UNITS = ["mm", "kg", "km/h", "[°C]", "(µg/m³)", "%", "s"]
TOTALS = ["Total", "Sum", "Mean", "Summe", "TOTAL:", "Grand total"]


def drawn(rng: random.Random) -> tuple[list[list[str]], dict]:
    """Rows of a file with lines that are none, and what is right of it."""
    width = rng.randrange(2, 6)
    names = ["sample", *NAMES[: width - 1]]
    n = rng.randrange(3, 12)
    numbers = [[round(rng.uniform(1, 99), 2) for _ in names[1:]] for _ in range(n)]
    rows = [[f"S{i}", *map(repr, row)] for i, row in enumerate(numbers)]
    above = []
    for _ in range(rng.choice([0, 0, 1, 2, 5])):
        words = " ".join(rng.choices(WORDS, k=3))
        above.append(rng.choice([[words], [words, rng.choice(WORDS)] if width > 2 else [words]]))
    if above and len(above[-1]) == width:
        above[-1] = above[-1][:1]
    units = ["", *rng.choices(UNITS, k=width - 1)] if rng.random() < 0.4 else []
    titles = []
    if not units and width > 2 and rng.random() < 0.4:
        titles = ["Which sample?", *(f"What is its {name}?" for name in names[1:])]
    total = [rng.choice(TOTALS), *["1000.5"] * (width - 1)] if rng.random() < 0.4 else []
    notes = [[f"Source: {rng.choice(WORDS)}"]] if rng.random() < 0.4 else []
    lines = [*above, names, *[titles] * bool(titles), *[units] * bool(units), *rows]
    lines += [*[total] * bool(total), *notes]
    right = {"names": names, "numbers": numbers, "above": len(above), "titles": titles}
    right |= {"below": bool(total) + len(notes), "units": bool(units)}
    return lines, right


@pytest.mark.parametrize("kind", ["text", "padded text", "workbook"])
def test_drawn_files_are_read_without_their_other_lines(kind: str, rng: random.Random) -> None:
    for _ in range(60 if kind == "workbook" else 250):
        lines, right = drawn(rng)
        width = len(right["names"])
        if kind != "text":
            lines = [line + [""] * (width - len(line)) for line in lines]
        if kind == "workbook":
            cells = [[_cell(text) for text in line] for line in lines]
            table = read(workbook(cells), name="t.xlsx")
        else:
            buffer = io.StringIO()
            separator = rng.choice(";,\t|")
            writer = csv.writer(buffer, delimiter=separator, lineterminator="\n")
            writer.writerows(lines)
            declared = f"sep={separator}\n" if rng.random() < 0.2 else ""
            table = read(declared + buffer.getvalue())
        assert list(table.frame) == right["names"], lines
        assert table.frame.iloc[:, 1:].astype(float).to_numpy().tolist() == right["numbers"], lines
        assert len(table.lines.above) == right["above"], lines
        assert len(table.lines.below) == right["below"], lines
        assert [title for _, title in table.titles] == right["titles"], lines
        assert any(table.units) == right["units"], lines


def _cell(text: str) -> object:
    try:
        return float(text)
    except ValueError:
        return text or None


def test_a_workbook_is_read_from_the_sheet_with_a_table_or_the_one_chosen() -> None:
    def more(book: openpyxl.Workbook) -> None:
        data, codes = [["x", "y"], [1, 2], [3, 4]], [["k", 1], ["m", 2]]
        for title, rows in (("Data", data), ("Codes", codes)):
            sheet = book.create_sheet(title)
            for row in rows:
                sheet.append(row)

    content = workbook([["About this file"], ["Asked in May"]], more)
    table = read(content, name="t.xlsx")
    assert list(table.frame) == ["x", "y"] and table.sheet == "Data"
    assert table.sheets == ("Sheet", "Data", "Codes")
    assert "sheet 'Data', the second of 3. The others: 'Sheet', 'Codes'." in table.parsing[0]
    table = read(content, Reading(sheet="Codes"), "t.xlsx")
    assert table.sheet == "Codes" and len(table.frame) == 2
    assert read(content, Reading(sheet="none of it"), "t.xlsx").sheet == "Data"


def test_a_workbook_with_merged_titles_hidden_rows_and_numbers_as_text() -> None:
    def change(book: openpyxl.Workbook) -> None:
        sheet = book.active
        sheet.merge_cells("A1:E1")
        sheet.merge_cells("B2:C2")
        sheet.merge_cells("D2:E2")
        sheet.merge_cells("A4:A5")
        sheet.row_dimensions[6].hidden = True

    rows = [
        ["Trial of 2023"],
        ["group", "before", None, "after", None],
        [None, "left", "right", "left", "right"],
        ["a", 1.5, 2, 3, "7,78"],
        [None, 2.5, 3, 4, "8,5"],
        ["b", 3.5, 4, 5, "9,25"],
    ]
    table = read(workbook(rows, change), name="t.xlsx")
    names = ["group", "before left", "before right", "after left", "after right"]
    assert list(table.frame) == names
    assert table.frame["group"].tolist() == ["a", "a", "b"]
    assert table.frame["after right"].tolist() == [7.78, 8.5, 9.25]
    said = " ".join(table.parsing)
    assert "3 numbers of 'after right' kept as text in the file, such as '7,78'." in said
    assert "4 merged ranges" in said and "1 hidden row is read like the others." in said
    assert table.lines.above == ((1, "Trial of 2023"),)


@pytest.mark.parametrize(
    ("rows", "merged", "names", "units"),
    [
        (
            [["id", "before", None], [None, "mean", "sd"]],
            ["A1:A2", "B1:C1"],
            ["id", "before mean", "before sd"],
            (),
        ),
        (
            [["id", "before", None], [None, "at rest", None], [None, "mean", "sd"]],
            ["A1:A3", "B1:C1", "B2:C2"],
            ["id", "before at rest mean", "before at rest sd"],
            (),
        ),
        (
            [["id", "length", "mass"], [None, "mm", "g"]],
            ["A1:A2"],
            ["id", "length", "mass"],
            ("", "mm", "g"),
        ),
        (
            [["id", "size", None], [None, "length", "mass"], [None, "mm", "g"]],
            ["A1:A3", "B1:C1"],
            ["id", "size length", "size mass"],
            ("", "mm", "g"),
        ),
    ],
)
def test_a_name_merged_over_all_lines_of_names_is_said_once(rows, merged, names, units) -> None:
    def change(book: openpyxl.Workbook) -> None:
        for cells in merged:
            book.active.merge_cells(cells)

    numbers = [["a", 1.5, 2.5], ["b", 3.5, 4.5], ["c", 5.5, 6.25]]
    table = read(workbook([*rows, *numbers], change), name="t.xlsx")
    assert list(table.frame) == names and len(table.frame) == 3 and table.units == units


@pytest.mark.parametrize("above", [0, 4])
@pytest.mark.parametrize("first", ["", "Person"])
@pytest.mark.parametrize("more", [0, 1])
def test_titles_over_several_names_each_are_part_of_them_in_texts_too(
    above: int, first: str, more: int
) -> None:
    lines = ["Trial of 2023,,,,", "Made in May,,,,", ",,,,", "Page,1,,,"][:above]
    lines += [
        f"{first},before,,after,",
        *[",at rest,,at work,"] * more,
        "who,left,right,left,right",
    ]
    lines += [f"p{i},{i}.5,{i + 1},{i + 2},{i + 3}" for i in range(9)]
    table = read("\n".join(lines))
    titles = ("before at rest", "after at work") if more else ("before", "after")
    names = [f"{title} {side}" for title in titles for side in ("left", "right")]
    assert list(table.frame) == [f"{first} who".strip(), *names]
    assert table.frame[names[2]].tolist() == [i + 2 for i in range(9)]
    assert len(table.lines.above) == above


def test_a_sheet_with_titles_over_its_names_is_found_behind_an_empty_one() -> None:
    def more(book: openpyxl.Workbook) -> None:
        for row in (["Report"], ["A", None, "B"], ["x", "y", "z"], [1, 2, 3], [4, 5, 6]):
            sheet = book["Data"] if "Data" in book.sheetnames else book.create_sheet("Data")
            sheet.append(row)

    table = read(workbook([], more), name="t.xlsx")
    assert table.sheet == "Data" and list(table.frame) == ["A x", "A y", "B z"]


def test_pandas_with_two_levels_of_columns() -> None:
    frame = pd.DataFrame(
        [[1, 2, 3, 4], [5, 6, 7, 8], [1, 3, 5, 7]],
        columns=pd.MultiIndex.from_product([["m", "n"], ["lo", "hi"]]),
    )
    table = read(frame.to_csv(index=False))
    assert list(table.frame) == ["m lo", "m hi", "n lo", "n hi"] and len(table.frame) == 3


@pytest.mark.parametrize("levels", [2, 3])
def test_names_of_several_levels_as_pandas_writes_them(levels: int) -> None:
    names = [("1", "1", "lh"), ("1", "1", "rh"), ("2", "1", "lh")]
    columns = pd.MultiIndex.from_tuples(
        [name[3 - levels :] for name in names], names=["network", "node", "hemi"][3 - levels :]
    )
    frame = pd.DataFrame([[0.5, 1.5, -2.0], [3.5, 4, 5.25], [1, 2, 3]], columns=columns)
    table = read_table("x.csv", frame.to_csv().encode())
    assert table.frame.shape[0] in (3, 4)
    numbers = table.frame.iloc[-3:, 1:].to_numpy(float)
    assert numbers.tolist() == frame.to_numpy().tolist()
    assert any(fact.startswith(f"Lines 1 to {levels} are ") for fact in table.parsing)


@pytest.mark.parametrize(
    ("first", "kept"),
    [
        ("A,<0.5,<0.1", ["<0.5", "<0.1"]),
        ("A,>300,>250", [">300", ">250"]),
        ("A,1.2*,3.4*", ["1.2*", "3.4*"]),
        ("A,10%,20%", ["10%", "20%"]),
        ("A,$10,$20", ["$10", "$20"]),
        ("A,5 mg,7 mg", ["5 mg", "7 mg"]),
        ("A,trace,not measured", ["trace", "not measured"]),
    ],
)
def test_a_first_row_of_values_with_something_beside_them_is_no_line_of_names(first, kept) -> None:
    lines = ["sample,Pb,Cd", first, "B,1.2,0.3", "C,2.3,0.4", "D,2.9,0.5"]
    table = read_table("x.csv", "\n".join(lines).encode())
    assert len(table.frame) == 4 and table.frame.iloc[0, 1:].tolist() == kept


@pytest.mark.parametrize("word", ["NA", "n/a", "..", ":", "-", "\u2026", "no data", "None", "c"])
@pytest.mark.parametrize(
    "names", ["2019,2020,2021", "0,5,10", "400,410,420", "a,b,c", "low dose,mid dose,high dose"]
)
def test_a_first_row_of_words_for_missing_values_is_no_line_of_names(word: str, names: str) -> None:
    rows = ["B,1.5,2.25,3.5", f"C,3.25,{word},4.5", "D,1.5,0.25,0.5"]
    for first in (f"A,{word},{word},{word}", f"A,{word},..,NA", f"A,,{word},n/a"):
        table = read("\n".join([f"country,{names}", first, *rows]))
        assert list(table.frame) == ["country", *names.split(",")]
        assert table.frame["country"].tolist() == list("ABCD") and not any(table.units)
        table = read("\n".join([f"country,{names}", "Z,1,2,3", first, *rows]))
        assert table.frame["country"].tolist() == list("ZABCD")


def test_values_over_words_are_no_levels_of_names() -> None:
    table = read("who,2019,2020\nA,1.5,2.5\nB,low,high\nC,3,4\nD,5,6\n")
    assert table.frame["who"].tolist() == list("ABCD")


WORLD_BANK = (
    '"Data Source","World Development Indicators",\n\n"Last Updated Date","2024-01-01",\n\n'
    '"Country Name","Country Code","1960","1961",\n"Aruba","ABW","1","2",\n'
    '"Africa","AFE","3.5","4.5",\n"Chad","TCD","","4.5",\n'
)


@pytest.mark.parametrize(
    ("text", "names", "rows"),
    [
        ("Device,12\nUser,Me\nc,2019,2020\nA,2,3\nB,5,6\nC,8,9\n", ["c", "2019", "2020"], 3),
        (WORLD_BANK, ["Country Name", "Country Code", "1960", "1961"], 3),
        ("Prices\nitem,price\nA,$1.50\nB,$2.50\nC,$3.75\n", ["item", "price"], 3),
        (
            'Lab X report\n"sample";"yield"\n"A";"12,5%"\n"B";"3%"\n"C";"4%"\n',
            ["sample", "yield"],
            3,
        ),
        ('Lab X\n"sample";"mass"\n"A";"<0,5"\n"B";"3,5"\n"C";"4"\n', ["sample", "mass"], 3),
    ],
)
def test_lines_above_years_units_and_limits_are_none_of_the_table(text, names, rows) -> None:
    table = read_table("x.csv", text.encode())
    assert list(table.frame)[: len(names)] == names and len(table.frame) == rows
    assert any("above the names" in said for said in table.parsing)


def test_lines_of_any_widths_are_read_or_refused_in_a_sentence() -> None:
    rng = np.random.default_rng(20261130)
    kinds = ("", "12", "2019", "x", "mm", "<5", "3%", "A b", "1.5", "NA", '"q', "-")
    for _ in range(600):
        lines = [",".join(rng.choice(kinds, rng.integers(1, 5))) for _ in range(rng.integers(1, 9))]
        with contextlib.suppress(DataError):
            read_table("x.csv", "\n".join(lines).encode())


@pytest.mark.parametrize(
    ("rows", "names", "n_rows"),
    [
        ([["Survey"], ["by us"], [], ["id", "cm"], [1, 170], [2, 180], [3, 165]], ["id", "cm"], 3),
        ([["Survey"], ["id", "cm"], [1, 170], [2, 180], [3, 165]], ["id", "cm"], 3),
        ([["sex", "smoker"], ["m", "yes"], ["f", "no"], ["m", "no"]], ["sex", "smoker"], 3),
    ],
)
def test_a_sheet_whose_table_begins_in_its_second_column(rows, names, n_rows) -> None:
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    assert sheet is not None
    for i, row in enumerate(rows, start=1):
        for j, value in enumerate(row, start=2):
            sheet.cell(i, j, value)
    content = io.BytesIO()
    workbook.save(content)
    frame = read_table("x.xlsx", content.getvalue()).frame
    assert list(frame) == names and len(frame) == n_rows
    assert frame[names].to_numpy().tolist() == rows[-n_rows:]


@pytest.mark.parametrize("lead", ["", ",", ",,"])
@pytest.mark.parametrize("word", ["Total", "Mean"])
def test_sums_and_notes_below_a_table_wherever_it_begins(lead: str, word: str) -> None:
    lines = ["g,v", "a,2.5", "b,3.5", "c,5.5", f"{word},11.5", "Source: own data,"]
    table = read_table("x.csv", "\n".join(lead + line for line in lines).encode())
    assert table.frame["v"].tolist() == [2.5, 3.5, 5.5]
    assert any(f"{word!r}, sums up the rows above: not read." in said for said in table.parsing)
    assert any("of notes below the rows" in said for said in table.parsing)


def test_a_sum_is_told_by_its_word_in_whatever_column() -> None:
    lines = ["id,g,w", "1,a,2.5", ",b,3.5", "3,c,5.5", ",Total,11.5"]
    table = read_table("x.csv", "\n".join(lines).encode())
    assert table.frame["w"].tolist() == [2.5, 3.5, 5.5]
    assert "Line 5, 'Total', sums up the rows above: not read." in table.parsing
    kept = "\n".join([*lines[:3], "3,Total,5.5", lines[4]]).encode()
    assert len(read_table("x.csv", kept).frame) == 4


@pytest.mark.parametrize(
    ("lines", "names"),
    [
        (["id,Pre,,Post,", ",m,sd,m,sd"], ["id", "Pre m", "Pre sd", "Post m", "Post sd"]),
        ([",A,A,B", ",x,y,z"], ["column 1", "A x", "A y", "B z"]),
        (
            ["Respondent,Collector,Satisfied?,Devices?,", ",,Response,Phone,Tablet"],
            ["Respondent", "Collector", "Satisfied? Response", "Devices? Phone", "Devices? Tablet"],
        ),
    ],
)
def test_a_second_line_of_names_may_leave_out_the_first_columns(lines, names) -> None:
    rows = [",".join(str(i + j) for j in range(len(names))) for i in range(5)]
    frame = read_table("x.csv", "\n".join([*lines, *rows]).encode()).frame
    assert list(frame) == names and len(frame) == 5
    assert all(pd.api.types.is_numeric_dtype(frame[name]) for name in names)


SUMMED_UP = ["sample,a,b", *(f"s{i},{i}.5,{i}.25" for i in range(6))]


@pytest.mark.parametrize(
    "below",
    [
        ["Mean,3.5,3.25", "SD,2.1,2.2", "SEM,0.3,0.4", "n,6,6"],
        ["N,6,6", "Mean,3.5,3.25", "Std. Dev.,2.1,2.2"],
        ["Min,0.5,0.25", "Max,5.5,5.25", "Average,1.0,1.1", "Standard error,2.1,2.2"],
    ],
)
def test_what_stands_beside_a_sum_is_no_row(below: list[str]) -> None:
    table = read_table("x.csv", "\n".join([*SUMMED_UP, *below]).encode())
    assert len(table.frame) == 6
    assert sum("sums up the rows above: not read." in said for said in table.parsing) == len(below)


@pytest.mark.parametrize(
    "words",
    [
        ["count", "mean", "std", "min", "25%", "50%", "75%", "max"],
        ["mean", "sd"],
        ["n", "mean", "sd"],
        ["min", "max", "mean"],
        ["a", "b", "n", "min", "max"],
    ],
)
def test_a_table_of_such_words_keeps_them(words: list[str]) -> None:
    lines = ["what,a,b", *(f"{word},{i}.5,{i}.25" for i, word in enumerate(words))]
    assert read_table("x.csv", "\n".join(lines).encode()).frame["what"].tolist() == words


@pytest.mark.parametrize("quoted", [False, True])
def test_names_that_stand_in_a_file_once_more_are_no_row(quoted: bool) -> None:
    last = '9,"1.2 "' if quoted else "9,1.2"
    lines = ["a,b", "1,2.5", "a,b", "", "5,6.5", "a,b", last]
    table = read_table("x.csv", "\n".join(lines).encode())
    assert table.frame.to_numpy().tolist() == [[1, 2.5], [5, 6.5], [9, 1.2]]
    assert "2 lines of the same names are not read." in table.parsing
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    assert sheet is not None
    for row in (["a", "b"], [1, 2.5], ["a", "b"], [5, 6.5]):
        sheet.append(row)
    content = io.BytesIO()
    workbook.save(content)
    table = read_table("x.xlsx", content.getvalue())
    assert table.frame.to_numpy().tolist() == [[1, 2.5], [5, 6.5]]
    assert "1 line of the same names is not read." in table.parsing


WORDS = [f"p{i},{'blue' if i % 2 else 'red'},{'round' if i % 3 else 'square'}" for i in range(9)]


@pytest.mark.parametrize("title", ["Survey of colours", "Survey of colours,,"])
@pytest.mark.parametrize("more", [[], ["May 2026"]])
def test_a_table_of_words_below_a_title(title: str, more: list[str]) -> None:
    lines = [title, *more, "person,colour,shape", *WORDS]
    table = read_table("x.csv", "\n".join(lines).encode())
    assert list(table.frame) == ["person", "colour", "shape"] and len(table.frame) == 9
    assert any("above the names" in said for said in table.parsing)


def test_sentences_below_a_name_are_no_table() -> None:
    lines = ["Comment", "I like it, very much", "No, thanks", "Yes, fine", "no, fine", "Ok, fine"]
    table = read_table("x.csv", "\n".join(lines).encode())
    assert table.frame["Comment"].tolist() == lines[1:]


def test_names_behind_a_comment_sign_as_numpy_writes_them() -> None:
    rows = np.random.default_rng(0).normal(size=(6, 3))
    content = io.StringIO()
    np.savetxt(content, rows, header="height weight age")
    table = read_table("x.txt", content.getvalue().encode())
    assert list(table.frame) == ["height", "weight", "age"]
    np.testing.assert_array_equal(table.frame.to_numpy(), rows)
    with_signs = "# a b\n1 2.5 3\n2 3.5 4\n"
    assert list(read_table("x.txt", with_signs.encode()).frame) == ["#", "a", "b"]


@pytest.mark.parametrize(
    ("lines", "names"),
    [
        (["Country,2000,2010,2020", "AT,1.5,2.5,3.5", "DE,1.6,2.6,3.6"], "2000 2010 2020"),
        (["Country,Area,2019", "AT,83,1.5", "DE,357,1.6", "FR,543,1.7"], "Area 2019"),
        (["Country,2019", "AT,1.5", "DE,1.6"], "2019"),
        (["Country,Code,2021,2020,2019", "AT,A,1,2,3", "DE,D,2,3,4"], "Code 2021 2020 2019"),
        (["sex,0,1,2,3", "m,120,130,140,150", "f,121,131,141,151"], "0 1 2 3"),
        (["subject,0,5,10,20", "a,1.5,2.5,3.5,4.5", "b,1.5,2.6,3.5,4.5"], "0 5 10 20"),
        (["sample,400,410,420", "a,0.1,0.2,0.3", "b,0.1,0.2,0.4"], "400 410 420"),
        (["sample,400.5,410.5", "a,0.1,0.2", "b,0.1,0.3"], "400.5 410.5"),
    ],
)
def test_years_doses_and_wavelengths_are_names(lines: list[str], names: str) -> None:
    frame = read("\n".join(lines)).frame
    assert list(frame)[1:] == names.split() and len(frame) == len(lines) - 1
    rows = [[cell if cell.isalpha() else float(cell) for cell in r.split(",")] for r in lines[1:]]
    sheet = read(workbook([lines[0].split(","), *rows]), name="t.xlsx").frame
    assert list(sheet)[1:] == names.split()


@pytest.mark.parametrize(
    "lines",
    [
        ["Smith,2019,4.5", "Jones,2020,3.5", "Miller,2021,2.5"],
        ["A,1,2,3", "B,1,3,5", "A,1,2,4"],
        ["setosa,5,3,1", "setosa,4.9,3.0,1.4", "virginica,6.1,3.1,4.4"],
        ["M,0.455,0.365,15", "M,0.35,0.265,7", "F,0.53,0.42,9", "I,0.33,.255,7"],
    ],
)
def test_numbers_like_those_below_them_are_a_row(lines: list[str]) -> None:
    assert len(read("\n".join(lines)).frame) == len(lines)


@pytest.mark.parametrize(
    ("content", "names", "first"),
    [
        ('Umsätze, Giro\n"Tag";"Betrag"\n"1.2.";"2,5"\n"2.2.";"3,5"\n', "Tag Betrag", "1.2."),
        ('name;Income, net\n"A; B";5\nC;6\n', "name Income, net", "A; B"),
        ('name\tIncome, net\n"A\nB"\t5\nC\t6\n', "name Income, net", "A\nB"),
        ("Sales, Austria\n\nregion,amount\nWest,12.5\nEast,13.5\n", "region amount", "West"),
        ("Sales in A, 2024, by x\nr,amount,n\nW,1.5,2\nE,2.5,3\n", "r amount n", "W"),
        ("Sales; 2024\nregion;amount\nW;1,5\nE;2,5\n", "region amount", "W"),
        ("# made by x, in y\n# z\na,b\n1,2\n3,4\n", "a b", 1),
        ("# z, y\n# a,b\n1,2\n3,4\n", "# a b", 1),
        (
            "Logger,HOBO\nAt,Lab\n\nDate,Temp\n2020-01-01,20.5\n2020-01-02,1\n",
            "Date Temp",
            "2020-01-01",
        ),
        ("Serial,12345\nStep,10\n\nDay,Temp\nMon,20.5\nTue,20.7\n", "Day Temp", "Mon"),
        (
            "Report\n\nBorn|Bird\n2017-04-08|jay\n2019-01-11|a, b\n2015-04-18|Ibis\n",
            "Born Bird",
            "2017-04-08",
        ),
        ('Report\n\nBorn;Bird\n2017-04-08;"jay"\n2019-01-11;"a; b"\n', "Born Bird", "2017-04-08"),
        ("Konto;Betrag;\nA;(12,50);\nB;3,00;\nC;(4,00);\n", "Konto Betrag", "A"),
        ('"","g","x"\n"0","A","(12.50)"\n"1","B","3.00"\n', "column 1 g x", 0),
        ("Name;Antwort;\nA;ja;\nB;nein;\nC;ja;\n", "Name Antwort", "A"),
        ("Name,Gain,\nA,trace,\nC,5,\nD,6,\n", "Name Gain", "A"),
        (",city,color\n0,Bern,red\n1,Oslo,blue\n2,Rome,red\n", "column 1 city color", 0),
        ('"","city","color"\n"1","Bern","red"\n"2","Oslo","blue"\n', "column 1 city color", 1),
    ],
)
def test_names_are_found_whatever_is_above_and_beside_them(content, names, first) -> None:
    table = read(content)
    assert " ".join(table.frame) == names
    assert table.frame.iloc[0, 0] == first


@pytest.mark.parametrize("name", ["t.csv", "t.xlsx"])
@pytest.mark.parametrize(
    "lines",
    [
        ["name,group,score", "Ann,A,5", "Bob,A,absent", "", "Cid,B,ill", "Dan,B,7", "Eve,B,8"],
        ["id,result", "a1,pos", "a2,3", "", "b1,neg", "b2,4", "b3,5"],
        ["id,2019,2020", "a1,low,4", "a2,3,2", "", "b1,low,high", "b2,4,4", "b3,5,2"],
        ["k,m,n", "a,x,y", "b,x,z", "", "c,u,v", "d,1,2", "e,3,4"],
    ],
)
def test_rows_below_a_blank_line_are_of_the_table_above(lines: list[str], name: str) -> None:
    content = "\n".join(lines)
    if name == "t.xlsx":
        content = workbook([[_cell(text) for text in line.split(",")] for line in lines])
    table = read(content, name=name)
    rows = [line for line in lines[1:] if line]
    assert list(table.frame) == lines[0].split(",")
    assert table.frame.iloc[:, 0].tolist() == [row.partition(",")[0] for row in rows]


@pytest.mark.parametrize("apart", [0, 1])
@pytest.mark.parametrize(
    ("pairs", "names", "rows"),
    [
        (
            ["Device,TempLog 3", "Serial,A1234", "Interval,60"],
            "Time,Temperature",
            ["2024-03-01 10:00:00,15.8", "2024-03-01 10:01:00,16.1"],
        ),
        (["Made by,Ann", "With,a lamp"], "wavelength,absorbance", ["400,0.12", "410,0.15"]),
        (["Run,7", "Of,Monday"], "t [s],U [V]", ["0,0.12", "0.5,NA", "1,0.25", "Source: us"]),
        (["Logger,HOBO", "At,Lab", "By,us"], "Date,Temp", ["1.2.2020,20.5", "2.2.2020,21"]),
    ],
)
def test_pairs_above_a_table_of_two_columns_are_none_of_it(pairs, names, rows, apart: int) -> None:
    table = read("\n".join([*pairs, *[""] * apart, names, *rows]))
    assert list(table.frame) == names.split(",") and table.lines.header == len(pairs) + apart + 1
    assert table.frame.iloc[:, 1].dtype == float
    assert f"{len(pairs)} lines above the names are not read." in table.parsing


@pytest.mark.parametrize(
    "lines",
    [
        ["day,count", "unknown,low", "n/a,high", "2024-01-01,5.5", "2024-01-02,6.5"],
        ["day,count", "first,low", "last,7", "2024-01-01,5.5", "2024-01-02,6.5"],
        ["t,U", "s,V", "0,1.5", "1,2.5"],
        ["t,U", "time,voltage", "s,V", "0,1.5", "1,2.5"],
    ],
)
def test_first_rows_and_units_of_two_columns_are_no_pairs_above_them(lines: list[str]) -> None:
    table = read("\n".join(lines))
    assert table.lines.header == 1 and not table.lines.above


@pytest.mark.parametrize(
    ("content", "units"),
    [
        ("a,b\nkg,\n1,x\n3,y\nSource: here\n", ("kg", "")),
        ("a,b\nkg,\n1,x\n3,y\nSource: here,\n", ("kg", "")),
        ("a;b\nkg;\n1;x\n3;y\nQuelle: Amt\n", ("kg", "")),
        ("a,b\nkg,mm\n1,2\n3,4\nSource: here\n* made up\n", ("kg", "mm")),
        ("Report\na,b\nkg,\n1,x\n3,y\nSource: here\n", ("kg", "")),
    ],
)
@pytest.mark.parametrize("name", ["t.csv", "t.xlsx"])
def test_units_are_found_whatever_stands_below_the_rows(content, units, name: str) -> None:
    if name == "t.xlsx":
        lines = content.replace(";", ",").splitlines()
        content = workbook([[_cell(text) for text in line.split(",")] for line in lines])
    table = read(content, name=name)
    assert table.units == units and table.frame["a"].tolist() == [1, 3]


def test_comments_above_numbers_without_names_are_no_rows() -> None:
    content = "# year month value and more words\n# x\n2019 1 3.5\n2019 2 4.5\n"
    frame = read(content, name="t.txt").frame
    assert frame.to_numpy().tolist() == [[2019, 1, 3.5], [2019, 2, 4.5]]


PRICES = ["2024-01-02,185.6,370.9", "2024-01-03,184.2,370.6", "2024-01-04,181.9,367.9"]


@pytest.mark.parametrize(
    ("lines", "names"),
    [
        (["Price,Close,Close", "Ticker,AAPL,MSFT", "Date,,"], "Date Close AAPL/Close MSFT"),
        (["Price,Close,High", "Ticker,AAPL,AAPL", "Date,,"], "Date Close/High"),
        ([",v,v", "year,2000,2001", "g,,"], "g v 2000/v 2001"),
    ],
)
def test_a_line_that_names_the_index_is_no_row(lines: list[str], names: str) -> None:
    table = read("\n".join([*lines, *PRICES]))
    index, columns = names.split(" ", 1)
    assert list(table.frame) == [index, *columns.split("/")] and len(table.frame) == 3
    assert "Line 3 names the columns before those." in table.parsing


def test_pandas_with_a_named_index_below_two_levels_comes_back() -> None:
    long = pd.DataFrame({"day": [1, 1, 2, 2], "c": list("abab"), "v": [1.5, 2.5, 3.5, 4.5]})
    wide = long.pivot(index="day", columns="c")
    table = read(wide.to_csv())
    assert list(table.frame) == ["day", "v a", "v b"]
    assert table.frame.to_numpy().tolist() == [[1, 1.5, 2.5], [2, 3.5, 4.5]]


@pytest.mark.parametrize(
    "lines",
    [
        ["site,pH,temp", "A,7,12", "B,,", "C,6.5,11.5", "D,7.25,13.5"],
        ["site,2019,2020", "A,7,12", "B,,", "C,6.5,11.5", "D,7.25,13.5"],
        ["id,x1,x2", "a,0,1", "b,,", "c,0.5,2.5", "d,0.7,1.5"],
        ["day,pH,temp", "2024-01-01,7,12", "2024-01-02,,", "2024-01-03,6.5,1.5", "2024-01-04,7,2"],
        ["day,pH,temp", "2024-01-01,low,low", "2024-01-02,,", "2024-01-03,6.5,1.5"],
        ["id,Pre,,Post,", ",m,sd,m,sd", "Ann,,,,", "Ben,1.5,2,3,4", "Cid,1,2.5,3,4"],
        ["id,Pre,Pre,Post,Post", ",m,sd,m,sd", "Ann,,,,", "Ben,1.5,2,3,4", "Cid,1,2.5,3,4"],
    ],
)
def test_a_row_of_which_only_its_name_is_known_names_no_index(lines: list[str]) -> None:
    table = read("\n".join(lines))
    n_names = 2 if "m,sd" in lines[1] else 1
    first = lines[0].partition(",")[0]
    assert table.frame[first].tolist() == [line.partition(",")[0] for line in lines[n_names:]]
    assert not any("names the columns before" in said for said in table.parsing)


@pytest.mark.parametrize("second", ["Anna,1,2", "Anna,n.d.,n.d.", "-,kg,kg"])
def test_a_row_of_which_only_a_name_is_known_stays(second: str) -> None:
    frame = read("\n".join(["name,x,y", second, "Ben,,", "Carl,3,4", "Dora,5,6"])).frame
    assert frame["name"].tolist()[-3:] == ["Ben", "Carl", "Dora"]


@pytest.mark.parametrize(
    ("first", "second", "last"),
    [
        ("Id,Start,How?,,Sex?", ",,Service,Price,Response", "Sex? Response"),
        ("Id,Start,How?,Why?,Sex?", ",,Response,Response,Response", "Sex?"),
    ],
)
def test_answers_in_words_below_two_lines_of_names(first: str, second: str, last: str) -> None:
    rows = ["17,a,very,some,f", "18,b,not,some,m"]
    table = read("\n".join([first, second, *rows]))
    assert len(table.frame) == 2 and list(table.frame)[-1] == last


def test_columns_of_nothing_are_said_and_left_out() -> None:
    table = read(",a,b,,\n,1,2,,\n,3,4,,\n")
    assert list(table.frame) == ["a", "b"]
    assert "3 columns without a name or a cell are not read." in table.parsing
    sheet = read(workbook([[None, "a"], [None, 1], [None, 2]]), name="t.xlsx")
    assert list(sheet.frame) == ["a"]
    assert list(read("a,,b\n1,5,2\n3,,4\n").frame) == ["a", "column 2", "b"]


def test_a_date_kept_as_text_in_a_workbook_is_no_number() -> None:
    table = read(workbook([["d", "n"], ["01.02.2024", "1.5"], ["1.2.3", 2]]), name="t.xlsx")
    said = [note for note in table.parsing if "kept as text in the file" in note]
    assert said == ["1 number of 'n' kept as text in the file, such as '1.5'."]


@pytest.mark.parametrize("quoted", [False, True])
def test_rows_of_nothing_at_the_end_are_none_and_hide_no_sum(quoted: bool) -> None:
    two = '"2 "' if quoted else "2"
    table = read(f"a,b\n1,{two}\n,\n3,4\nTotal,6\n,\n , \n,\n")
    assert table.frame["a"].tolist()[::2] == [1, 3] and len(table.frame) == 3
    assert any("'Total', sums up" in said for said in table.parsing)
    assert any("3 blank lines skipped" in said for said in table.parsing)


@pytest.mark.parametrize(
    ("content", "n_rows"),
    [
        (",ret_a,ret_b\n2020-01-01,,\n2020-01-02,0.01,0.02\n2020-01-03,0.03,0.01\n", 3),
        ('"","x","y"\n"a","",""\n"b",1,2\n"c",3,4\n', 3),
        ("city,inhabitants\n\nAltdorf,2019\nBerg,4120\nCelle,812\n", 3),
        ("Altdorf,2019\nBerg,4120\nCelle,812\n", 3),
        ("x, y, z\n0,1,2\n0.5,1.5,2.5\n1.5,2.5,3.5\n", 3),
        ("# t,x\n0,1\n0.1,0.99\n0.2,0.95\n0.3,0.9\n", 4),
        ("a,b,\n1,2,x\n2,3.5,y\n3,4.5,z\n", 3),
        ("name,b,\nAnn,2019,x\nBen,3500,y\nCid,4500,z\n", 3),
        ("a,b\nx,1\ny,2\n,\nTotal,3\n", 2),
    ],
)
def test_a_first_row_that_looks_like_names_is_one(content: str, n_rows: int) -> None:
    assert len(read(content).frame) == n_rows


def test_a_word_for_the_sum_in_several_columns() -> None:
    table = read("region,town,n\nN,a,5\nN,b,4\nS,c,5\nTotal,Total,14\n")
    assert len(table.frame) == 3 and any("'Total', sums up" in said for said in table.parsing)


def test_durations_of_a_workbook_are_as_they_are_shown() -> None:
    hours = [timedelta(hours=25, minutes=3), timedelta(minutes=-90), timedelta(seconds=1.5)]
    table = read(
        workbook([["d", "n"], *([value, i] for i, value in enumerate(hours))]), name="t.xlsx"
    )
    assert table.frame["d"].tolist() == ["25:03:00", "-1:30:00", "0:00:01.5"]


def test_words_for_missing_are_no_units() -> None:
    table = read("x,y\nn/a,n/a\n1,2\n2,3\n")
    assert len(table.frame) == 3 and not any(table.units)


def test_boxes_that_were_ticked_say_what_their_name_does() -> None:
    lines = ["Respondent ID,Which do you use?,,Any comments?", ",Car,Bus,Open-Ended Response"]
    rows = ["11000000000,Car,,ok", "11000000001,,Bus,no", "11000000002,Car,Bus,ok"]
    table = read("\n".join([*lines, *rows]))
    assert len(table.frame) == 3
    assert list(table.frame)[1:3] == ["Which do you use? Car", "Which do you use? Bus"]


@pytest.mark.parametrize(
    ("content", "names"),
    [
        ('"len" "supp"\n"1" 2 "OJ"\n"2" 6.88 "VC"\n"3" 11.04 "VC"\n', "len supp"),
        ("len dose supp\n1 NA 2 OJ\n2 6.88 2 VC\n3 11.04 1 VC\n", "len dose supp"),
    ],
)
def test_row_names_of_r_hide_no_row(content: str, names: str) -> None:
    table = read(content, name="t.txt")
    assert list(table.frame) == ["column 1", *names.split()] and len(table.frame) == 3


def test_whole_numbers_name_columns_of_long_floats() -> None:
    rows = np.random.default_rng(0).normal(size=(2, 3))
    frame = pd.DataFrame(rows, index=["x", "y"], columns=[0, 1, 3]).rename_axis("c")
    table = read(frame.to_csv())
    assert list(table.frame) == ["c", "0", "1", "3"] and len(table.frame) == 2


def test_a_titled_sheet_comes_before_a_list_and_a_hidden_one_last() -> None:
    def more(book: openpyxl.Workbook) -> None:
        for name, state in (("Hidden", "hidden"), ("Codes", "visible")):
            sheet = book.create_sheet(name)
            sheet.sheet_state = state
            sheet.append(["x"])
            sheet.append([1])

    rows = [["Report"], [], ["Name", "Value"], ["a", 1], ["b", 2]]
    assert list(read(workbook(rows, more), name="t.xlsx").frame) == ["Name", "Value"]
    assert read(workbook([], more), name="t.xlsx").sheet == "Codes"


def test_however_many_columns_of_nothing_are_left_out() -> None:
    more = "," * 50
    table = read(f"a,b{more}\n1,2{more}\n3,4{more}\n")
    assert list(table.frame) == ["a", "b"]
    assert "50 columns without a name or a cell are not read." in table.parsing


def test_a_cell_that_says_the_name_of_the_only_column_is_a_row() -> None:
    assert len(read(workbook([["a"], ["b"], ["a"]]), name="t.xlsx").frame) == 2


@pytest.mark.parametrize(
    ("content", "n_comments"),
    [
        ("t,x\n0,1\n1,2\n# battery changed\n2,3\n", 1),
        ("t,x\n0,1\n# battery changed, again\n# and once more\n1,2\n2,3\n", 2),
        ("t,x\n# seconds, V, and so on\n0,1\n1,2\n# end, or not\n2,3\n", 2),
        ('t,x\n0,"1 "\n# a\n1,2\n2,3\n', 1),
        ("t;x\n0;1\n1;2\n# battery changed;\n2;3\n", 1),
        ("t x\n0 1\n# battery was changed\n1 2\n2 3\n", 1),
        ("t\tx\n" + "# c\n" * 50 + "0\t1\n1\t2\n2\t3\n", 50),
    ],
)
def test_comments_between_rows_are_none_and_said(content: str, n_comments: int) -> None:
    table = read(content)
    assert table.frame.to_dict("list") == {"t": [0, 1, 2], "x": [1, 2, 3]}
    lines = "1 line of comments between the rows is" if n_comments == 1 else f"{n_comments} lines"
    assert any(said.startswith(lines) for said in table.parsing)
    if content.startswith(("t,x\n0", "t;x\n0")):
        separator = ";" if ";" in content else ","
        rows = [line.split(separator) for line in content.replace('"', "").splitlines()]
        sheet = read(
            workbook([[_cell(text.strip()) for text in row] for row in rows]), name="t.xlsx"
        )
        assert sheet.frame["t"].tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    "rows",
    [
        ["#1,a", "#2,b", "#3,c"],
        ["A,a", "#2,b", "C,c"],
        ["A,a", "#2,", "C,c"],
        ["#red,a", "#blue,b", "# x,c"],
        ["1,a", "#NV,b", "3,c"],
        ["1,a", "#,b", "3,c"],
        ["1,a", "#NV,", "3,c"],
        ["1,a", "#BEZUG!,2", "3,c"],
        ["1,a", "# 2,5", "3,c"],
    ],
)
def test_a_sign_before_what_rows_are_called_makes_no_comment(rows: list[str]) -> None:
    table = read("\n".join(["id,k", *rows]))
    assert table.frame["id"].tolist() == [row.partition(",")[0] for row in rows]


@pytest.mark.parametrize("error", ["#N/A", "#DIV/0!", "#ref!", "#VALUE!"])
def test_errors_of_spreadsheets_are_no_comments(error: str) -> None:
    for rest in ("1.5", "", "x y"):
        table = read(f"k,v\n1,{rest}\n{error},{rest}\n3,2.5\n")
        assert table.frame["k"].fillna(0).tolist() == [1, 0, 3]
        assert "comments" not in str(table.parsing)


def test_a_sign_that_names_a_column_is_no_comment() -> None:
    content = (
        '"Plot Title: Greenhouse 3"\n#,"Time, GMT","RH, %"\n1,03/01/24,50.5\n2,03/01/24,51.5\n'
    )
    table = read(content)
    assert list(table.frame) == ["#", "Time, GMT", "RH, %"] and len(table.frame) == 2


def test_a_line_of_another_length_beside_a_comment_is_refused_with_its_line() -> None:
    with pytest.raises(DataError, match="line 4 has 1 cell"):
        read("a,b\n1,2\n# x\n7\n3,4\n")
