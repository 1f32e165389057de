"""Small files that would grow without bound if they were opened: run as a script, it opens them.

Prints for each its name, the sentence it is refused with, seconds of computing, and megabytes by
which the process of the app grew at its largest.
"""

import bz2
import gzip
import io
import json
import lzma
import math
import os
import resource
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

ROOT = Path(__file__).parents[2]
ZEROS = b"0" * 1_000_000
SHEET = '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
ROW = '<row r="{r}"><c r="A{r}" t="inlineStr"><is><t>{text}</t></is></c></row>'


def workbook(sheet: bytes | None = None, zeros: int = 0, extra: int = 0) -> bytes:
    """An Excel file with this text, and so many megabytes of zeros, as its first sheet.

    extra: megabytes of a picture in it.
    """
    from openpyxl import Workbook

    plain = io.BytesIO()
    book = Workbook()
    book.active.append(["x", "y"])
    book.active.append([1, 2])
    book.save(plain)
    changed = io.BytesIO()
    with (
        zipfile.ZipFile(plain) as source,
        zipfile.ZipFile(changed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as target,
    ):
        for name in source.namelist():
            is_sheet = name == "xl/worksheets/sheet1.xml" and sheet is not None
            with target.open(name, "w", force_zip64=True) as part:
                part.write(sheet if is_sheet else source.read(name))
                for _ in range(zeros * is_sheet):
                    part.write(ZEROS)
        if extra:
            with target.open("xl/media/image1.png", "w", force_zip64=True) as large:
                for _ in range(extra):
                    large.write(ZEROS)
    return changed.getvalue()


def sheet_of(rows: str, above: str = "") -> bytes:
    """A workbook of one sheet with columns x and y, its rows and what stands above them as they are
    in the file."""
    cells = '<c r="{}1" t="inlineStr"><is><t>{}</t></is></c>'
    names = f'<row r="1">{cells.format("A", "x")}{cells.format("B", "y")}</row>'
    return workbook(f"{SHEET}{above}<sheetData>{names}{rows}</sheetData></worksheet>".encode())


def archive(*contents: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as target:
        for number, content in enumerate(contents):
            target.writestr(f"{number}.csv", content)
    return buffer.getvalue()


def lying_workbook() -> bytes:
    """Its directory says that the sheet is small."""
    rows = "".join(ROW.format(r=r, text="0" * 900) for r in range(1, 200_000))
    content = bytearray(workbook(f"{SHEET}<sheetData>{rows}</sheetData></worksheet>".encode()))
    place = content.rfind(b"PK\x01\x02", 0, content.rfind(b"xl/worksheets/sheet1.xml"))
    content[place + 24 : place + 28] = (1000).to_bytes(4, "little")
    return bytes(content)


def entities(levels: int) -> bytes:
    """Each entity is ten of the one before."""
    lines = ['<!ENTITY a0 "0123456789">']
    lines += [f'<!ENTITY a{i} "{f"&a{i - 1};" * 10}">' for i in range(1, levels)]
    body = f"<sheetData>{ROW.format(r=1, text=f'&a{levels - 1};')}</sheetData></worksheet>"
    return f"<!DOCTYPE x [{''.join(lines)}]>{SHEET}{body}".encode()


def parquet(columns: dict, **options) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns), buffer, compression="zstd", **options)
    return buffer.getvalue()


def many_rows() -> bytes:
    rows = 100_000_000
    column = pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, np.int8)), pa.array(["x"]))
    return parquet({"x": column})


def long_texts() -> bytes:
    indices = pa.array(np.zeros(1_500_000, np.int32))
    return parquet({"x": pa.DictionaryArray.from_arrays(indices, pa.array(["y" * 3_000]))})


def one_text(kind: pa.DataType, wrap: Callable[[pa.Array], pa.Array] = lambda texts: texts):
    """One value of 100 kB named by 4,000 rows, in a column of this type."""
    text = "y" * 100_000
    value = text if pa.types.is_string(kind) or pa.types.is_large_string(kind) else text.encode()
    return parquet({"x": wrap(pa.array([value] * 4_000, kind)), "z": np.arange(4_000)})


def in_maps(texts: pa.Array) -> pa.Array:
    offsets = pa.array(np.arange(len(texts) + 1, dtype=np.int32))
    return pa.MapArray.from_arrays(offsets, pa.array(["k"] * len(texts)), texts)


def in_lists(texts: pa.Array) -> pa.Array:
    return pa.ListArray.from_arrays(pa.array(np.arange(len(texts) + 1, dtype=np.int32)), texts)


def in_structures(texts: pa.Array) -> pa.Array:
    return pa.StructArray.from_arrays([texts], ["a"])


def shared_string() -> bytes:
    """An Excel file of 40,000 cells that share one text of 32 kB."""
    text = "y" * 32_000
    shared = (
        '<?xml version="1.0"?><sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/'
        f'main" count="40000" uniqueCount="1"><si><t>{text}</t></si></sst>'
    )
    cell = '<c r="{c}{r}" t="s"><v>0</v></c>'
    rows = "".join(
        f'<row r="{r}">{"".join(cell.format(c=c, r=r) for c in "ABCDEFGHIJ")}</row>'
        for r in range(1, 4001)
    )
    sheet = f"{SHEET}<sheetData>{rows}</sheetData></worksheet>".encode()
    part = (
        '<Override PartName="/xl/sharedStrings.xml" ContentType="application/vnd.openxmlformats-'
        'officedocument.spreadsheetml.sharedStrings+xml"/></Types>'
    )
    changed = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(workbook(sheet))) as source,
        zipfile.ZipFile(changed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as target,
    ):
        for name in source.namelist():
            content = source.read(name)
            if name == "[Content_Types].xml":
                content = content.replace(b"</Types>", part.encode())
            target.writestr(name, content)
        target.writestr("xl/sharedStrings.xml", shared)
    return changed.getvalue()


def long_list() -> bytes:
    values = pa.array(np.zeros(25_000_000, np.int8))
    return parquet({"x": pa.ListArray.from_arrays(pa.array([0, len(values)], pa.int32()), values)})


def arrow(columns: dict, **options) -> bytes:
    table = pa.table(columns)
    buffer = io.BytesIO()
    with pa.ipc.new_file(
        buffer, table.schema, options=pa.ipc.IpcWriteOptions(compression="zstd")
    ) as writer:
        writer.write_table(table)
    return buffer.getvalue()


def nested(kind: pa.DataType, each: int, n_rows: int = 4_000) -> pa.Array:
    """Lists of so many values that take little or nothing in the file, and more as text."""
    offsets = pa.array(np.arange(n_rows + 1, dtype=np.int32) * each)
    zeros = pa.array(np.zeros(n_rows * each, np.int8))
    values = pa.nulls(n_rows * each) if pa.types.is_null(kind) else zeros.cast(kind)
    return pa.ListArray.from_arrays(offsets, values)


def long_member(n_rows: int = 4_000) -> pa.Array:
    """A structure whose member has a long name, which stands in every row once it is text."""
    return pa.StructArray.from_arrays([pa.array(np.zeros(n_rows, np.int8))], ["n" * 9_000])


def merged(n_ranges: int, text: str) -> bytes:
    """A sheet with numbers under merged cells."""
    from openpyxl import Workbook
    from openpyxl.worksheet.cell_range import CellRange

    book = Workbook()
    sheet = book.active
    sheet.append([f"c{j}" for j in range(20)])
    for _ in range(1_000):
        sheet.append([1.5] * 20)
    sheet["A2"] = text
    for place in range(n_ranges):
        sheet.merged_cells.ranges.add(CellRange(f"A2:S{1001 - place}"))
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def spss(n_rows: int, n_columns: int) -> bytes:
    """Zeros, compressed to next to nothing."""
    import pyreadstat

    frame = pd.DataFrame(np.zeros((n_rows, n_columns)), columns=[f"x{j}" for j in range(n_columns)])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "x.zsav")
        pyreadstat.write_sav(frame, path, compress=True)
        return path.read_bytes()


BOMBS: dict[str, Callable[[], tuple[str, bytes]]] = {
    "a sheet of a gigabyte": lambda: ("x.xlsx", workbook(SHEET.encode(), zeros=1000)),
    "a picture of a gigabyte": lambda: ("x.xlsx", workbook(extra=1000)),
    "a sheet of 300 MB": lambda: ("x.xlsx", workbook(SHEET.encode(), zeros=300)),
    "a sheet larger than it says": lambda: ("x.xlsx", lying_workbook()),
    "a billion laughs": lambda: ("x.xlsx", workbook(entities(10))),
    "a few laughs": lambda: ("x.xlsx", workbook(entities(7))),
    "all cells of a sheet claimed": lambda: (
        "x.xlsx",
        workbook(
            f'{SHEET}<dimension ref="A1:XFD1048576"/><sheetData><row r="1"><c r="XFD1"><v>1</v></c>'
            '</row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData></worksheet>'
            "".encode()
        ),
    ),
    "gzip": lambda: ("x.csv", gzip.compress(b"1,2\n" * 50_000_000, 1)),
    "gzip of gzip": lambda: ("x.csv.gz", gzip.compress(gzip.compress(ZEROS * 100, 1), 1)),
    "zeros of SPSS": lambda: ("x.zsav", spss(150_000, 20)),
    "zeros of SPSS called Stata": lambda: ("x.dta", spss(10, 2)),
    "a text of Arrow": lambda: (
        "x.feather",
        arrow({"x": pa.DictionaryArray.from_arrays(np.zeros(10_000, np.int8), ["y" * 100_000])}),
    ),
    "zeros of Arrow": lambda: ("x.arrow", arrow({"x": np.zeros(60_000_000, np.int8)})),
    "a deep JSON": lambda: ("x.jsonl", b"[" * 30_000_000),
    "a JSON of many names": lambda: (
        "x.jsonl",
        b"\n".join(b'{"x%d":1}' % i for i in range(100_000)),
    ),
    "empty objects of JSON": lambda: (
        "x.json.gz",
        gzip.compress(b"[" + b"{}," * 30_000_000 + b"1]"),
    ),
    "empty objects of JSON, not compressed": lambda: ("x.json", b"[" + b"{}," * 15_000_000 + b"1]"),
    "empty lists of JSON": lambda: (
        "x.json.gz",
        gzip.compress(b'{"a":[' + b"[]," * 30_000_000 + b"1]}"),
    ),
    "lines of empty objects": lambda: ("x.jsonl.gz", gzip.compress(b"{}\n" * 30_000_000)),
    "a column of JSON": lambda: ("x.json", b'{"x":[' + b"1," * 15_000_000 + b"1]}"),
    "rows of an Excel sheet in a comment": lambda: (
        "x.xlsx",
        sheet_of("<!-- " + "<row " * 190_000),
    ),
    "gzip called Parquet": lambda: ("x.parquet", gzip.compress(ZEROS * 100, 1)),
    "bzip2": lambda: ("x.csv", bz2.compress(ZEROS * 100, 1)),
    "xz": lambda: ("x.csv", lzma.compress(ZEROS * 100, preset=0)),
    "zip": lambda: ("x.csv", archive(ZEROS * 300)),
    "zip in zip called Excel": lambda: ("x.xlsx", archive(*[archive(ZEROS * 100)] * 16)),
    "a hundred million rows": lambda: ("x.parquet", many_rows()),
    "long texts, each the same": lambda: ("x.parquet", long_texts()),
    "one long list": lambda: ("x.parquet", long_list()),
    "one text, large": lambda: ("x.parquet", one_text(pa.large_string())),
    "one value of bytes": lambda: ("x.parquet", one_text(pa.binary())),
    "one value of bytes, large": lambda: ("x.parquet", one_text(pa.large_binary())),
    "one value of a fixed size": lambda: ("x.parquet", one_text(pa.binary(100_000))),
    "one text in structures": lambda: ("x.parquet", one_text(pa.string(), in_structures)),
    "one text in lists": lambda: ("x.parquet", one_text(pa.string(), in_lists)),
    "one text in lists of structures": lambda: (
        "x.parquet",
        one_text(pa.string(), lambda texts: in_lists(in_structures(texts))),
    ),
    "one text in maps": lambda: ("x.parquet", one_text(pa.string(), in_maps)),
    "one text in all cells of a sheet": lambda: ("x.xlsx", shared_string()),
    "one name, 60,000 times": lambda: ("x.csv", b",".join([b"x"] * 60_000) + b"\n1\n"),
    "40,000 names": lambda: ("x.csv", ",".join(f"x{i}" for i in range(40_000)).encode() + b"\n1"),
    "40,000 names with spaces": lambda: (
        "x.csv",
        " ".join(f"x{i}" for i in range(40_000)).encode() + b"\n1",
    ),
    "200,000 columns": lambda: ("x.csv", ",".join("x" * 200_000).encode() + b"\n1,2\n"),
    "a million columns of Parquet": lambda: (
        "x.parquet",
        parquet({f"x{i}": [1] for i in range(20_000)}),
    ),
    "lists of bits": lambda: ("x.feather", arrow({"x": nested(pa.bool_(), 1_400)})),
    "lists of bytes": lambda: ("x.feather", arrow({"x": nested(pa.int8(), 3_000)})),
    "lists of nothing": lambda: ("x.feather", arrow({"x": nested(pa.null(), 1_400)})),
    "lists of bits in Parquet": lambda: ("x.parquet", parquet({"x": nested(pa.bool_(), 1_400)})),
    "the long name of a member": lambda: ("x.parquet", parquet({"x": long_member()})),
    "the long name of a member in Arrow": lambda: ("x.feather", arrow({"x": long_member()})),
    "a long text in merged cells": lambda: ("x.xlsx", merged(1, "x" * 4_000)),
    "many merged ranges": lambda: ("x.xlsx", merged(200, "x")),
    "a text in every row": lambda: ("x.parquet", parquet({"x": ["x" * 9_000] * 4_000})),
    "a line of commas": lambda: ("x.csv", b"x,y\n1,2\n" + b"," * 30_000_000),
    "a line of spaces": lambda: ("x.csv", b"x y\n1 2\n" + b"1 " * 15_000_000),
    "a line of quotes": lambda: ("x.csv", b"x,y\n1,2\n" + b'"' * 30_000_000),
    "a number of many digits": lambda: ("x.csv", b"x,y\n1," + b"7" * 30_000_000),
}


def open_all() -> None:
    """As the app does: in processes beside it. What is measured is the process of the app."""
    sys.path.insert(0, str(ROOT))
    from pages.ui.compute import readings
    from pages.ui.running import workers
    from pages.ui.running.pools import READING
    from pages.ui.running.workers import Limits, Pool

    # The app replaces a process that keeps much. Here the beginning of another would count as well.
    workers.HEAVY = math.inf
    readers = Pool(Limits.for_reading()._replace(workers=1), modules=READING)

    def read(name: str, content: bytes) -> object:
        steps = readers.job(readings.read, name, content).results()
        while True:
            try:
                next(steps)
            except StopIteration as end:
                return end.value

    # The readers themselves are no growth.
    read("x.xlsx", workbook())
    read("x.parquet", parquet({"x": [1.0, 2.0]}))
    for name, make in BOMBS.items():
        content = make()
        read("x.csv", b"x,y\n1,2\n")  # a process that has just been replaced is loaded
        Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
        before, began = _megabytes("VmRSS"), _computed(readers)
        result = read(*content)
        took = _computed(readers) - began
        said = result if isinstance(result, str) else f"read: {result.frame.shape}"
        print(json.dumps([name, said, took, _megabytes("VmHWM") - before]), flush=True)
        del content


def _computed(readers) -> float:
    """Seconds of computing by this process and those that read for it, ended ones among them."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = time.process_time() + ended.ru_utime + ended.ru_stime
    for process in readers.processes:
        times = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[11:13]
        seconds += sum(map(int, times)) / os.sysconf("SC_CLK_TCK")
    return seconds


def _megabytes(what: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(what)).split()[1]) / 1000


if __name__ == "__main__":
    open_all()
