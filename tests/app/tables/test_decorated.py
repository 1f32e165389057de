"""Numbers with something beside them, encodings, and words for missing."""

import io
import json
import random
import re

import numpy as np
import openpyxl
import pytest

from pages.ui.tables.answers import ENCODINGS, Reading
from pages.ui.tables.reading import read_table, samples
from pages.ui.tables.table import DataError, Table
from support.tables import TABLES

# cells -> (numbers, unit)
READ = {
    "percent": (["12 %", "3.5%", "0 %"], [12, 3.5, 0], "%"),
    "euros behind": (["1.200,50 EUR", "3,00 EUR"], [1200.5, 3], "EUR"),
    "euros before": (["€ 1200.00", "€1,237.00"], [1200, 1237], "€"),
    "dollars": (["$ 3,400", "$1,200", "-$5.5"], [3400, 1200, -5.5], "$"),
    "brackets": (["(5)", "7", "(1,234.5)"], [-5, 7, -1234.5], ""),
    "brackets and dollars": (["($5)", "$7"], [-5, 7], "$"),
    "thousands by spaces": (["1 234", "12 345"], [1234, 12345], ""),
    "lakhs and crores": (["12,34,567", "1,00,000", "50,000", "2,10,00,000"], None, ""),
    "lakhs with decimals": (["12,34,567.50", "1,234.25", "-1,00,000"], None, ""),
    "lakhs of rupees": (["\u20b912,34,567.50", "\u20b9 1,234", "-\u20b95"], None, "\u20b9"),
    "lakhs of Rs.": (["Rs. 12,34,567", "Rs.500", "Rs. 1,23,456.5"], None, "Rs."),
    "lakhs in brackets": (["(1,00,000)", "50,000"], [-100000, 50000], ""),
    "a minus of typesetters before dollars": (["\u2212$107.04", "$5.5", "$\u22122"], None, "$"),
    "dashes for a minus": (["\u20131.5", "\u20110.25", "\uff0d3", "2"], None, ""),
    "dashes before a unit": (["\u20131.5 kg", "2 kg", "\u22123 kg"], None, "kg"),
    "kilograms": (["3.2 kg", "4 kg", "1 200.5 kg"], [3.2, 4, 1200.5], "kg"),
    "joined": (["3.2kg", "4kg"], [3.2, 4], "kg"),
    "grams": (["3.2g", "4g"], [3.2, 4], "g"),
    "speed": (["3 km/h", "40 km/h"], [3, 40], "km/h"),
    "degrees": (["21.5°C", "-3°C"], [21.5, -3], "°C"),
    "with holes": (["12 %", "", "NA"], [12, np.nan, np.nan], "%"),
    "a letter behind a space": (["10 h", "", "12 h"], [10, np.nan, 12], "h"),
}
TEXTS = [
    *(["12 %", "13"], ["3.2 kg", "500 g"], ["1A", "2A"], ["S1", "S2"], ["Q 1", "Q 2"]),
    *(["1st", "2nd"], ["5-10", "10-20"], ["4pm", "5pm"], ["12:30", "9:15"], ["(a)", "(b)"]),
    *(["1 kg (net)", "2 kg (net)"], ["5)", "6)"], ["(5", "(6"], ["€ 5 %", "€ 6 %"]),
    # Lists: wavelengths of a spectrum.
    *([mark.join(str(first + i) for i in range(7)) for first in (290, 300)] for mark in ",. "),
    *(["12,34,567", "1,234,567"], ["12,34,56", "1,234"], ["1,2,345", "1,23,456"]),
    *(["\u2013", "\u2013a"], ["5\u201310", "10\u201320"], ["\u2014 5", "7"]),
    *(["A1", "A2"], ["10x", "20x"], ["%", "kg"], ["<0.5", "x"], ["<", ">"], ["<b>1", "<b>2"]),
]


def column(cells: list[str], **reading) -> Table:
    rows = "\n".join(f'"{cell}";x' for cell in cells)
    return read_table("t.csv", f"a;b\n{rows}\n".encode(), Reading(**reading))


@pytest.mark.parametrize("case", READ)
def test_numbers_beside_a_unit_are_numbers(case: str) -> None:
    cells, numbers, unit = READ[case]
    table = column(cells)
    if numbers is None:  # what is left without marks, commas and the unit
        bare = [re.sub("[\u2010-\u2015\u2212\uff0d]", "-", cell) for cell in cells]
        numbers = [float(re.sub(r"Rs\.|[^-.0-9]", "", cell)) for cell in bare]
    np.testing.assert_array_equal(table.frame["a"].to_numpy(float, na_value=np.nan), numbers)
    assert (table.units or ("", ""))[0] == unit
    said = " ".join(table.parsing)
    assert (f"'a' ({unit})" in said) == bool(unit)
    assert ("brackets" in said) == ("brackets" in case)


@pytest.mark.parametrize("cells", TEXTS, ids=lambda cells: cells[0])
def test_what_only_looks_like_it_stays_text(cells: list[str]) -> None:
    table = column(cells)
    assert table.frame["a"].tolist() == cells and not table.questions


def test_drawn_numbers_come_back_from_beside_their_units(rng: random.Random) -> None:
    templates = ["{} %", "{}%", "{} kg", "€ {}", "{} EUR", "{} mm/s", "{}°C", "CHF {}"]
    for _ in range(200):
        numbers = [round(rng.uniform(-999, 999), rng.choice([1, 2])) for _ in range(6)]
        template = rng.choice(templates)
        table = column([template.format(repr(number)) for number in numbers])
        assert table.frame["a"].tolist() == numbers, template
        assert table.units[0] in template


def test_an_open_mark_beside_a_unit_is_asked_about() -> None:
    table = column(["1,234 kg", "5,678 kg"])
    (question,) = table.questions
    assert question.about == "marks" and table.frame["a"].tolist() == ["1,234 kg", "5,678 kg"]
    table = column(["1,234 kg", "5,678 kg"], marks=(("a", "."),))
    assert table.frame["a"].tolist() == [1234, 5678] and table.units[0] == "kg"


def test_09b_cells_beyond_a_limit_become_what_a_person_says() -> None:
    (path,) = TABLES.glob("09b-*")
    table = read_table(path.name, path.read_bytes())
    (question,) = table.questions
    assert question.column == "arsenic" and "5 cells" in question.sentence
    assert [answer for answer, _ in question.choices] == ["missing", "limit", "half"]
    for answer, low, high in (
        ("missing", np.nan, np.nan),
        ("limit", 0.5, 50.0),
        ("half", 0.25, 50.0),
    ):
        table = read_table(path.name, path.read_bytes(), Reading(limits=(("arsenic", answer),)))
        values = table.frame["arsenic"].to_numpy()
        np.testing.assert_array_equal(values[[0, 3, 14, 5, 6]], [low, low, low, high, np.nan])
        assert values[1] == 0.7 and not table.questions
        assert "does not know of censoring" in " ".join(table.parsing)


def test_06_words_that_count_as_missing_are_counted_and_may_be_answers() -> None:
    (path,) = TABLES.glob("06-*")
    table = read_table(path.name, path.read_bytes())
    assert "'NA' 10 times in 'country'" in " ".join(table.parsing)
    assert table.words == (("country", ("NA",)),)
    assert (table.frame["owns"] == "None").sum() == 10
    table = read_table(path.name, path.read_bytes(), Reading(answers=("country",)))
    assert (table.frame["country"] == "NA").sum() == 10 and not table.words


def test_a_broken_byte_names_its_line_and_spoils_nothing_else(rng: random.Random) -> None:
    (path,) = TABLES.glob("02d-*")
    table = read_table(path.name, path.read_bytes())
    assert table.frame.columns[0] == "Größe_cm" and (table.frame["Bemerkung"] == "fünf").sum() == 11
    assert "1 byte in line 11" in table.parsing[1]
    lines = [f"{i},größer als {i} Meter: 日本" for i in range(40)]
    for _ in range(100):
        place = rng.randrange(40)
        content = "\n".join(["n,text", *lines]).encode().split(b"\n")
        content[place + 1] += bytes([rng.choice([0x80, 0xC3, 0xFF, 0xA0])])
        table = read_table("t.csv", b"\n".join(content))
        assert f"1 byte in line {place + 2} " in table.parsing[1]
        right = [line.partition(",")[2] for line in lines]
        right[place] += "\ufffd"
        assert table.frame["text"].tolist() == right


@pytest.mark.parametrize("codec", [name for name in ENCODINGS if name != "utf-16"])
def test_the_encoding_can_be_chosen_and_is_shown_before(codec: str) -> None:
    text = {"cp1251": "Жук", "koi8-r": "Жук", "cp1253": "λόγος", "cp1255": "שלום"}.get(codec)
    text = text or {"cp1256": "سلام", "shift-jis": "日本", "gb18030": "中文"}.get(codec)
    text = text or {"big5": "中文", "euc-kr": "한국", "cp1250": "łódź", "cp437": "grün"}.get(codec)
    content = f"a,b\n1,{text or 'größe'}\n".encode(codec)
    table = read_table("t.csv", content, Reading(encoding=codec))
    assert table.frame["b"].tolist() == [text or "größe"]
    assert ENCODINGS[codec] in table.parsing[0]
    assert (text or "größe")[1:] in samples(content)[codec]


def test_an_encoding_that_cannot_be_is_said() -> None:
    with pytest.raises(DataError, match="choose another encoding"):
        read_table("t.csv", "a,b\n1,2\n".encode("utf-16-le"), Reading(encoding="cp1252"))
    assert samples(b"a,b\n1,2\n") == {}


def in_india(n: int) -> str:
    """A whole number with its digits grouped as in India."""
    if n < 1000:
        return str(n)
    digits, last = str(n // 1000), f"{n % 1000:03}"
    groups = [digits[max(end - 2, 0) : end] for end in range(len(digits), 0, -2)][::-1]
    return ",".join([*groups, last])


@pytest.mark.parametrize("name", ["t.csv", "t.json", "t.xlsx"])
def test_numbers_as_they_are_grouped_in_india_come_back(name: str, rng: random.Random) -> None:
    numbers = [10**5 + rng.randrange(10**5), *(rng.randrange(10**9) for _ in range(20))]
    assert [in_india(n) for n in (7, 1234, 12345, 123456, 12345678)] == [
        *("7", "1,234", "12,345", "1,23,456", "1,23,45,678")
    ]
    texts = [in_india(number) for number in numbers]
    if name == "t.csv":
        content = "\n".join(["k\tn", *(f"x\t{text}" for text in texts)]).encode()
    elif name == "t.json":
        content = json.dumps([{"k": "x", "n": text} for text in texts]).encode()
    else:
        book = openpyxl.Workbook()
        for row in (["k", "n"], *(["x", text] for text in texts)):
            book.active.append(row)
        buffer = io.BytesIO()
        book.save(buffer)
        content = buffer.getvalue()
    table = read_table(name, content)
    assert table.frame["n"].tolist() == numbers
    assert "Commas inside the numbers of 'n' separate thousands." in table.parsing
