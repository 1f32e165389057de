"""Tables to be read: made by hand, drawn by a seed, damaged; and those of tests/tables."""

import csv
import gzip
import io
import json
import math
import random
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyreadstat

from support.bombs import arrow, parquet, workbook

TABLES = Path(__file__).parents[1] / "tables"


def table(name: str) -> pd.DataFrame:
    (path,) = TABLES.glob(f"{name}-*.csv")
    return pd.read_csv(path, keep_default_na=False, na_values=[""])


def of_others(name: str) -> bytes:
    """A file that nobody here wrote; compressed ones as they were before."""
    path = TABLES / "others" / name
    return (
        path.read_bytes()
        if path.exists()
        else gzip.decompress((TABLES / "others" / f"{name}.gz").read_bytes())
    )


def coded(frame: pd.DataFrame) -> np.ndarray:
    """Levels as 0, 1, 2, ... in order."""
    return np.column_stack(
        [np.unique(column, return_inverse=True)[1] for _, column in frame.items()]
    )


WORDS = [
    "ash",
    "birch, silver",
    'elm "wych"',
    "x;y",
    "new\nline",
    "München",
    "日本",
    "a|b",
    "tab\tx",
]


def a_number(rng: random.Random) -> float:
    match rng.randrange(6):
        case 0:
            return rng.gauss(0, 1)
        case 1:
            return rng.randrange(-1000, 1000) / 8
        case 2:
            return rng.uniform(-1, 1) * 10.0 ** rng.randrange(-300, 300)
        case 3:
            return round(rng.uniform(0, 100), rng.randrange(1, 4))
        case 4:
            return float(rng.randrange(10**6))
        case _:
            return rng.choice([0.1 + 0.2, 5e-324, 1.7976931348623157e308, -0.0, 123.456])


def written(cell: float | int | str | None, mark: str) -> str:
    if isinstance(cell, float):
        return repr(cell).replace(".", mark)
    return "" if cell is None else str(cell)


def a_table(rng: random.Random) -> tuple[str, bytes, list[str], list[list]]:
    """A file, and what a person who made it means by it: names and rows."""
    rows = rng.randrange(2, 12)
    names, columns = [], []
    for j in range(rng.randrange(1, 6)):
        kind = rng.choice(["number", "whole", "text"])
        names.append(f"{kind} {'abcdef'[j]}")
        make = {
            "number": lambda: a_number(rng),
            "whole": lambda: rng.randrange(-(10**9), 10**9),
            "text": lambda: rng.choice(WORDS),
        }[kind]
        column = [make() if rng.random() < 0.95 else None for _ in range(rows)]
        columns.append(column if any(cell is not None for cell in column) else [make()] * rows)
    table = [list(row) for row in zip(*columns, strict=True)]
    encoding = rng.choice(["utf-8", "utf-8-sig", "utf-16"])
    separator, mark = rng.choice([(",", "."), (";", "."), (";", ","), ("\t", "."), ("|", ",")])
    text = [
        [
            "" if c is None else repr(c).replace(".", mark) if isinstance(c, float) else c
            for c in row
        ]
        for row in table
    ]
    buffer = io.StringIO()
    newline = rng.choice(["\n", "\r\n"])
    quoting = rng.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
    writer = csv.writer(buffer, delimiter=separator, lineterminator=newline, quoting=quoting)
    writer.writerows([names, *text])
    return "x.csv", buffer.getvalue().encode(encoding), names, table


FORMATS = ("sav", "zsav", "dta", "xpt", "feather", "arrow", "jsonl", "json", "csv.gz")
# Further than these from 0, or nearer to it, not all of these programs have numbers.
_LEAST, _MOST = 1e-60, 1e60


def in_another_format(
    rng: random.Random, names: list[str], rows: list[list]
) -> tuple[str, bytes, list[str], list[list]]:
    """A drawn table in a format of another program, and what it means there."""
    ending = rng.choice(FORMATS)
    statistical = ending in ("sav", "zsav", "dta", "xpt")
    if statistical:
        # Their names are short and have no spaces; an empty text is what they have for none.
        names = [name[0] + name[-1] for name in names]
        rows = [[_held(cell) for cell in row] for row in rows]
    frame = pd.DataFrame(rows, columns=names)
    buffer = io.BytesIO()
    if statistical:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"x.{ending}"
            write = {"dta": pyreadstat.write_dta, "xpt": pyreadstat.write_xport}
            compress = {"compress": True} if ending == "zsav" else {}
            write.get(ending, pyreadstat.write_sav)(frame, path, **compress)
            return path.name, path.read_bytes(), names, rows
    if ending in ("feather", "arrow"):
        table = pa.Table.from_pandas(frame, preserve_index=False)
        made = pa.ipc.new_file if ending == "feather" else pa.ipc.new_stream
        with made(buffer, table.schema) as writer:
            writer.write_table(table)
        return f"x.{ending}", buffer.getvalue(), names, rows
    if ending == "csv.gz":
        text = io.StringIO()
        csv.writer(text).writerows([names, *[[written(c, ".") for c in row] for row in rows]])
        return f"x.{ending}", gzip.compress(text.getvalue().encode(), 1), names, rows
    objects = [dict(zip(names, row, strict=True)) for row in rows]
    text = "\n".join(map(json.dumps, objects)) if ending == "jsonl" else json.dumps(objects)
    return f"x.{ending}", text.encode(), names, rows


def _held(cell: float | int | str | None) -> float | int | str | None:
    """A cell as every program of statistics holds it."""
    far = isinstance(cell, float) and cell and not _LEAST < abs(cell) < _MOST
    return 1.5 if far else cell


def statistical(frame: pd.DataFrame, ending: str) -> bytes:
    """A file of a program of statistics."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"x.{ending}"
        write = {"dta": pyreadstat.write_dta, "xpt": pyreadstat.write_xport}
        write.get(ending, pyreadstat.write_sav)(frame, path)
        return path.read_bytes()


def files() -> list[tuple[str, bytes]]:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(40, 3)), columns=["a", "b", "c"])
    excel = io.BytesIO()
    frame.to_excel(excel, index=False)
    return [
        ("x.csv", frame.to_csv(index=False).encode()),
        ("x.tsv", frame.to_csv(index=False, sep="\t").encode("utf-16")),
        ("x.csv", frame.to_csv(index=False, sep=";", decimal=",").encode("utf-8-sig")),
        ("x.xlsx", excel.getvalue()),
        ("x.xlsx", workbook()),
        ("x.parquet", parquet({name: frame[name].to_numpy() for name in frame})),
        ("x.feather", arrow({name: frame[name].to_numpy() for name in frame})),
        ("x.jsonl", frame.to_json(orient="records", lines=True).encode()),
        ("x.sas7bdat", of_others("datetime.sas7bdat")),
        ("x.por", of_others("sample.por")),
        ("x.csv.gz", gzip.compress(frame.to_csv(index=False).encode())),
        *((f"x.{ending}", statistical(frame, ending)) for ending in ("sav", "zsav", "dta", "xpt")),
    ]


def damaged(rng: random.Random, content: bytes) -> bytes:
    changed = bytearray(content)
    for _ in range(rng.randrange(1, 6)):
        place = rng.randrange(max(1, len(changed)))
        match rng.randrange(5):
            case 0:
                changed[place : place + 1] = rng.randbytes(1)
            case 1:
                del changed[place : place + rng.randrange(1, 200)]
            case 2:
                changed[place:place] = rng.randbytes(rng.randrange(1, 20))
            case 3:
                changed[place:place] = rng.choice(
                    [b'"', b"\x00", b"\n\n", b",,,", b"1e999", b"\xff"]
                )
            case _:
                changed = changed[: max(1, place)]
    return bytes(changed)


NAN = math.nan


# name -> (content, column names, rows, facts that must be said)
READ = {
    "commas": ("a,b\n1,2\n3,4\n", ["a", "b"], [[1, 2], [3, 4]], ["commas", "UTF-8", "2 rows"]),
    "semicolons": ("a;b\n1;2\n", ["a", "b"], [[1, 2]], ["semicolons", "1 row, 2 columns"]),
    "tabs": ("a\tb\n1\t2.5\n", ["a", "b"], [[1, 2.5]], ["tabs", "Decimal point"]),
    "bars": ("a|b\n1|2\n", ["a", "b"], [[1, 2]], ["vertical bars"]),
    "spaces": ("a   b\n1   2.5\n 30  4\n", ["a", "b"], [[1, 2.5], [30, 4]], ["spaces"]),
    "space after comma": ('a, b\n1, 2\n3, "x, y"\n', ["a", "b"], [[1, "2"], [3, "x, y"]], []),
    "spaces and decimal commas": (
        "1,5 2,5\n3,25 4\n",
        ["column 1", "column 2"],
        [[1.5, 2.5], [3.25, 4]],
        ["spaces", "Decimal comma"],
    ),
    "blanks and a tab, as auto-mpg.data of UCI": (
        '18.0   8   307.0\t"chevrolet malibu"\n15.0   8   ?\t"buick skylark 320"\n',
        ["column 1", "column 2", "column 3", "column 4"],
        [[18, 8, 307, "chevrolet malibu"], [15, 8, None, "buick skylark 320"]],
        ["spaces", "No column names"],
    ),
    "two tabs in some lines, as seeds_dataset.txt of UCI": (
        "15.26\t14.84\t1\n14.88\t14.57\t1\n14.29\t\t14.09\t2\n",
        ["column 1", "column 2", "column 3"],
        [[15.26, 14.84, 1], [14.88, 14.57, 1], [14.29, 14.09, 2]],
        ["spaces"],
    ),
    "a tab here and a blank there": (
        "x\ty z\n1\t2 3\n4 5\t6\n",
        ["x", "y", "z"],
        [[1, 2, 3], [4, 5, 6]],
        ["spaces"],
    ),
    "names with tabs over rows with spaces": (
        "x\ty\tz\n1 2 3\n4 5 6\n",
        ["x", "y", "z"],
        [[1, 2, 3], [4, 5, 6]],
        ["spaces"],
    ),
    "tabs and spaced thousands": (
        "id\ttotal pop\nA\t1 234\nB\t5 678\n",
        ["id", "total pop"],
        [["A", 1234], ["B", 5678]],
        ["tabs"],
    ),
    "tabs and two numbers in a cell of one name": (
        "id\tcoords\nA\t12.5 45.2\nB\t13.5 46.2\n",
        ["id", "coords"],
        [["A", "12.5 45.2"], ["B", "13.5 46.2"]],
        ["tabs"],
    ),
    "tabs and texts of two words": (
        "sp\tx\nHomo sapiens\t1\nPan troglodytes\t2\n",
        ["sp", "x"],
        [["Homo sapiens", 1], ["Pan troglodytes", 2]],
        ["tabs"],
    ),
    "tabs below a title of as many words": (
        "My data set\na\tb\tc\n1\t2\t3\n4\t5\t6\n",
        ["a", "b", "c"],
        [[1, 2, 3], [4, 5, 6]],
        ["tabs", "1 line above"],
    ),
    "spaces and units": (
        "x y\nmm kg\n1 2\n3 4\n",
        ["x", "y"],
        [[1, 2], [3, 4]],
        ["spaces", "Line 2 holds units"],
    ),
    "spaces, words and units": (
        "id  x    y\n-   [mm] (kg)\nA   1    2\nB   3    4\n",
        ["id", "x", "y"],
        [["A", 1, 2], ["B", 3, 4]],
        ["spaces", "Line 2 holds units"],
    ),
    "spaces and units behind comment signs, as of NOAA": (
        "#YY  MM WDIR WSPD\n#yr  mo degT m/s\n2024 11 270  2.3\n2024 12 280  2.5\n",
        ["#YY", "MM", "WDIR", "WSPD"],
        [[2024, 11, 270, 2.3], [2024, 12, 280, 2.5]],
        ["spaces", "Line 2 holds units"],
    ),
    "spaces and two lines of names": (
        "before after\nmean mean2\n1 2\n3 4\n5 6\n",
        ["before", "after"],
        [[1, 2], [3, 4], [5, 6]],
        ["spaces", "two header lines"],
    ),
    "bars inside cells between commas": (
        "a|id,x\na|0,-0.93\na|1,0.36\n",
        ["a|id", "x"],
        [["a|0", -0.93], ["a|1", 0.36]],
        ["commas"],
    ),
    "semicolons inside cells between commas": (
        "t;u,txt,x\n1;2,a,0.5\n3;4,b,0.7\n",
        ["t;u", "txt", "x"],
        [["1;2", "a", 0.5], ["3;4", "b", 0.7]],
        ["commas"],
    ),
    "texts with commas between semicolons": (
        "Ort;Adresse, Nr\nA;Weg, 5\nB;Gasse, 7\n",
        ["Ort", "Adresse, Nr"],
        [["A", "Weg, 5"], ["B", "Gasse, 7"]],
        ["semicolons"],
    ),
    "texts with commas between tabs": (
        "name\tplace,nr\nA\tB,5\nC\tD,7\n",
        ["name", "place,nr"],
        [["A", "B,5"], ["C", "D,7"]],
        ["tabs"],
    ),
    "one name over spaced thousands": ("a\n1 234\n5 678\n", ["a"], [[1234], [5678]], ["Spaces"]),
    "one column": ("a\n1\n2.5\n", ["a"], [[1], [2.5]], ["One column"]),
    "Windows lines": ("a,b\r\n1,2\r\n", ["a", "b"], [[1, 2]], []),
    "old Mac lines": ("a,b\r1,2\r", ["a", "b"], [[1, 2]], []),
    "no last newline": ("a,b\n1,2", ["a", "b"], [[1, 2]], []),
    "decimal comma": ("a;b\n1,5;2,25\n", ["a", "b"], [[1.5, 2.25]], ["Decimal comma."]),
    "decimals only": ("1,5;2,5\n", ["column 1", "column 2"], [[1.5, 2.5]], ["Decimal comma"]),
    "one column of decimal commas": ("a\n1,5\n-2,25\n", ["a"], [[1.5], [-2.25]], []),
    "quoted decimal commas": ('a,b\n"1,5",2\n', ["a", "b"], [[1.5, 2]], ["Decimal comma"]),
    "two marks": ("a;b\n1,5;2.5\n", ["a", "b"], [[1.5, 2.5]], ["comma in some columns"]),
    "decimal comma before 3 digits": ("a;b\n1,5;0,123\n", ["a", "b"], [[1.5, 0.123]], []),
    "same column settles it": ("a;b\n1,5;x\n1,234;y\n", ["a", "b"], [[1.5, "x"], [1.234, "y"]], []),
    "other column settles it": ("a;b\n1,5;1,234\n", ["a", "b"], [[1.5, 1.234]], []),
    "commas for thousands": (
        'a,b\n"1,234",2.5\n',
        ["a", "b"],
        [[1234, 2.5]],
        ["Commas inside the numbers of 'a' separate thousands"],
    ),
    "millions": ('a\n"1,234,567"\n"12,345"\n', ["a"], [[1234567], [12345]], ["thousands"]),
    "thousands and decimals": ('a\n"1,234.5"\n12\n', ["a"], [[1234.5], [12]], ["thousands"]),
    "European thousands": ("a;b\n1.234,5;1\n", ["a", "b"], [[1234.5, 1]], ["Points", "comma"]),
    "Swiss thousands": ("a,b\n1'234.5,1\n", ["a", "b"], [[1234.5, 1]], ["apostrophes"]),
    "French thousands": (
        "a;b\n1\u202f234,5;1\n",
        ["a", "b"],
        [[1234.5, 1]],
        ["Spaces or apostrophes", "Decimal comma"],
    ),
    "three digits after a point": ("a\n1.234\n2.345\n", ["a"], [[1.234], [2.345]], []),
    "signs and exponents": (
        "a\n+1\n-2e3\n.5\n1E-2\n5.\n",
        ["a"],
        [[1], [-2000], [0.5], [0.01], [5]],
        [],
    ),
    "byte order mark": (b"\xef\xbb\xbfa,b\n1,2\n", ["a", "b"], [[1, 2]], ["byte order mark"]),
    "UTF-16": ("a,b\n1,é\n".encode("utf-16"), ["a", "b"], [[1, "é"]], ["UTF-16"]),
    "UTF-16 BE": (b"\xfe\xff" + "a,b\n1,2\n".encode("utf-16-be"), ["a", "b"], [[1, 2]], []),
    "UTF-16, no mark": ("a,b\n1,2\n".encode("utf-16-le"), ["a", "b"], [[1, 2]], ["UTF-16"]),
    "Latin-1": ("größe,b\n1,2\n".encode("latin-1"), ["größe", "b"], [[1, 2]], ["Latin-1"]),
    "no header": ("1,2\n3,4\n", ["column 1", "column 2"], [[1, 2], [3, 4]], ["No column names"]),
    "no header, label": (
        "5.1,setosa\n4.9,setosa\n",
        ["column 1", "column 2"],
        [[5.1, "setosa"], [4.9, "setosa"]],
        ["No column names"],
    ),
    "no header, hole": (
        "NA,setosa\n4.9,setosa\n",
        ["column 1", "column 2"],
        [[None, "setosa"], [4.9, "setosa"]],
        ["No column names"],
    ),
    "years as names": ("c,2019,2020\nA,1,2\n", ["c", "2019", "2020"], [["A", 1, 2]], []),
    "numbered names": ("0,1\n1.5,2.5\n", ["0", "1"], [[1.5, 2.5]], ["first line holds"]),
    "a column named Na": ("RI,Na\n1.5,2\n", ["RI", "Na"], [[1.5, 2]], ["first line holds"]),
    "row names of R": (
        '"x" "y"\n"r1" 1.5 2\n"r2" 2 3\n',
        ["column 1", "x", "y"],
        [["r1", 1.5, 2], ["r2", 2, 3]],
        ["one cell more than the header"],
    ),
    "separator at line ends": (
        "a,b\n1,2,\n3,4,\n",
        ["a", "b"],
        [[1, 2], [3, 4]],
        ["one cell more", "1 column without a name or a cell is not read"],
    ),
    "repeated names": ("a,a,a (2)\n1,2,3\n", ["a", "a (3)", "a (2)"], [[1, 2, 3]], ["second 'a'"]),
    "empty name": ("a,,c\n1,2,3\n", ["a", "column 2", "c"], [[1, 2, 3]], ["has no name"]),
    "name in two lines": ('"a\nb",c\n1,2\n', ["a b", "c"], [[1, 2]], []),
    "quoted newline": ('a,b\n"x\ny",2\n', ["a", "b"], [["x\ny", 2]], []),
    "doubled quotes": ('a,b\n"say ""hi""",2\n', ["a", "b"], [['say "hi"', 2]], []),
    "quote inside": ('a,b\n5" disk,2\n', ["a", "b"], [['5" disk', 2]], []),
    "missing words": (
        "a,b\n1,NA\nNaN,?\n.,n/a\nnull,\n2,3\n",
        ["a", "b"],
        [[1, None], [None, None], [None, None], [None, None], [2, 3]],
        ["count as missing"],
    ),
    "infinite": ("a\n1\ninf\n-Infinity\n", ["a"], [[1], [math.inf], [-math.inf]], []),
    "too large": ("a\n1.5\n1e400\n", ["a"], [[1.5], [math.inf]], ["1 number of 'a' is too large"]),
    "too small": ("a\n1.5\n1e-400\n0\n", ["a"], [[1.5], [0], [0]], ["too close to 0"]),
    "long whole numbers": ("a\n9007199254740993\n", ["a"], [[9007199254740993]], []),
    "longer still": ("a\n12345678901234567890\n", ["a"], [[12345678901234567890.0]], ["rounded"]),
    "codes": ("zip,b\n01234,1\n99999,2\n", ["zip", "b"], [["01234", 1], ["99999", 2]], ["codes"]),
    "true and false": ("a,b\nTrue,1\nFALSE,2\n", ["a", "b"], [[True, 1], [False, 2]], []),
    "dates": (
        "a,b\n2020-01-31,1\n2020-02-01,2\n",
        ["a", "b"],
        [["2020-01-31", 1], ["2020-02-01", 2]],
        [],
    ),
    "blank lines": ("\na,b\n\n1,2\n  \n3,4\n\n", ["a", "b"], [[1, 2], [3, 4]], ["4 blank lines"]),
    "hole in one column": ("a\n1\n\n2\n\n\n", ["a"], [[1], [None], [2]], ["2 blank lines"]),
    "row of holes": ("a,b\n1,2\n,\n3,4\n", ["a", "b"], [[1, 2], [None, None], [3, 4]], []),
    "spaces around numbers": ("a,b\n 1 ,2\n3, 4 \n", ["a", "b"], [[1, 2], [3, 4]], []),
    "text keeps its spaces": ("a,b\n x,1\ny ,2\n", ["a", "b"], [[" x", 1], ["y ", 2]], []),
    "markup is text": ("<b>a</b>,$x$\n1,2\n", ["<b>a</b>", "$x$"], [[1, 2]], []),
    "underscores are text": ("a,b\n1_000,1\n", ["a", "b"], [["1_000", 1]], []),
    "one row": ("a,b\n1,2\n", ["a", "b"], [[1, 2]], []),
    "one number": ("5\n", ["column 1"], [[5]], []),
}
