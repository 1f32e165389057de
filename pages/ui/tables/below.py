"""Which lines below the names are no rows: names once more, comments, sums, and notes."""

import re
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pages.ui.tables import cells
from pages.ui.tables.lines import Body, Head, Record, are_numbers, filled, first_text

MOST_BELOW = 20
MOST_TOTALS = 12  # with what stands beside them
_TOTAL = re.compile(
    r"((grand|sub) ?)?(total|totals|sum|mean|average|avg|summe|gesamt|insgesamt|mittelwert|"
    r"somme|moyenne|totale|media|suma|totaal)[:.]?",
    re.IGNORECASE,
)
# What may stand beside a sum or a mean, and is a row like others by itself.
_BESIDE_TOTAL = re.compile(
    r"(n|count|median|min(imum)?|max(imum)?|range|s\.?d|s\.?e|s\.?e\.?m|rsd|cv|cv ?%|var|variance|"
    r"(std?|standard)\.? ?(dev(iation)?|err(or)?)|std|anzahl|stabw|standardabweichung|"
    r"[eé]cart[- ]type|desviaci[oó]n( est[aá]ndar)?|m[eé]diane|mediana)[:.]?",
    re.IGNORECASE,
)
_COMMENT = r"^\s*#+(\s|\S+\s+\S)"  # of words, as no name or error of a spreadsheet is
_NOTE = re.compile(
    r"\W*\b(notes?|source|sources|remarks?|legend|quelle|anmerkung|anmerkungen|hinweis|fuente|nota|"
    r"created|exported|generated|printed|copyright|downloaded|last updated)\b|[*†‡#©]",
    re.IGNORECASE,
)


def is_note(row: list[str], width: int) -> bool:
    """Whether a row below a table is a note to it: one text alone, where there are columns."""
    if width < 2 or not row or not row[0].strip() or filled(row) > 1:
        return False
    text = row[0].strip()
    if are_numbers([text])[0] or text.lower() in cells.MISSING:
        return False
    return len(row) == 1 or bool(_NOTE.match(text)) or len(text) > 40


def is_total(row: list[str]) -> bool:
    """Whether a row below others is a sum or a mean of them: it says so, and is numbers else."""
    return _sums_up(row, _TOTAL)


def _sums_up(row: list[str], words: re.Pattern) -> bool:
    texts = [cell.strip() for cell in row if cell.strip()]
    if len(texts) < 2 or not words.fullmatch(texts[0]):
        return False
    rest = [text for text in texts[1:] if not words.fullmatch(text)]
    return bool(rest) and all(
        number or text.lower() in cells.MISSING
        for number, text in zip(are_numbers(rest), rest, strict=True)
    )


def _totals(rows: Sequence[Record]) -> int:
    """How many of the last rows sum up those above: sums and means, with what stands beside them.

    0 where all of them do: then that is what the table is of.
    """
    n_sums = 0
    for n_totals, record in enumerate(reversed(rows)):
        total = is_total(record.cells)
        if not total and not _sums_up(record.cells, _BESIDE_TOTAL):
            return n_totals if n_sums else 0
        n_sums += total
    return 0


def empty_rows_at_end(columns: Sequence[pa.ChunkedArray]) -> int:
    """How many of the last rows have no cell, as spreadsheets write those once in use; 0 where no
    row has one."""
    n_rows = len(columns[0])
    if not n_rows or any(column[n_rows - 1].as_py().strip() for column in columns):
        return 0
    filled_rows = np.zeros(n_rows, bool)
    for column in columns:
        filled_rows |= pc.not_equal(pc.utf8_trim_whitespace(column), "").to_numpy()
    places = np.flatnonzero(filled_rows)
    return n_rows - int(places[-1]) - 1 if len(places) else 0


def without_totals(body: Body, lines: list[int]) -> Body:
    """Without notes and sums in the last rows. lines: where these stand."""
    columns = body.columns
    n_rows = len(columns[0])
    # A table may begin in a later column than its sheet does.
    used = (j for j, column in enumerate(columns) if pc.any(pc.not_equal(column, "")).as_py())
    own = columns[next(used, 0) :]
    rows = [
        Record(line, [column[n_rows - len(lines) + i].as_py() for column in own], line)
        for i, line in enumerate(lines)
    ]
    notes: list[Record] = []
    totals: list[Record] = []
    while len(rows) > 1 and is_note(rows[-1].cells, len(own)):
        notes.insert(0, rows.pop())
    if n_totals := _totals(rows):
        rows, totals = rows[:-n_totals], rows[-n_totals:]
    left = n_rows - len(notes) - len(totals)
    words = [first_text(record.cells) for record in totals]
    if any(pc.any(pc.equal(own[j].slice(0, left), word)).as_py() for j, word in words):
        # Elsewhere the word is one of those that rows have.
        rows, totals, left = [*rows, *totals], [], left + len(totals)
    columns = [column.slice(0, left) for column in columns]
    empty = empty_rows_at_end(columns) if totals or notes else 0
    return body._replace(
        columns=[column.slice(0, left - empty) for column in columns],
        blank=body.blank + empty,
        last=rows[-1].line if rows else body.last,
        totals=tuple(totals),
        notes=(*notes, *body.notes),
    )


def rows_left(head: Head, columns: Sequence[pa.ChunkedArray]) -> pa.ChunkedArray | None:
    """Mask of the rows that are neither names once more nor comments; None for all."""
    return _neither(_repeats(head, columns), _comments(columns))


def without_repeats(head: Head, body: Body) -> Body:
    """Without rows that are the names once more, or comments."""
    repeats, comments = _repeats(head, body.columns), _comments(body.columns)
    rows = _neither(repeats, comments)
    if rows is None:
        return body
    return body._replace(
        columns=[column.filter(rows) for column in body.columns],
        repeats=_count(repeats),
        comments=body.comments + _count(comments),
    )


def _neither(one: pa.ChunkedArray | None, other: pa.ChunkedArray | None) -> pa.ChunkedArray | None:
    if one is None or other is None:
        found = other if one is None else one
        return None if found is None else pc.invert(found)
    return pc.invert(pc.or_(one, other))


def _repeats(head: Head, columns: Sequence[pa.ChunkedArray]) -> pa.ChunkedArray | None:
    """Mask of the rows that are the names once more, as in files that were put together; None for
    none."""
    if not head.line or len(head.names) < 2:
        return None
    repeats: pa.ChunkedArray | None = None
    for name, column in zip(head.names, columns, strict=True):
        same = pc.equal(column, name)
        repeats = same if repeats is None else pc.and_(repeats, same)
        if not pc.any(repeats).as_py():
            return None
    return repeats


def _comments(columns: Sequence[pa.ChunkedArray]) -> pa.ChunkedArray | None:
    """Mask of the rows whose first cell is a comment, with no number beside it: all other first
    cells begin with digits, or nothing stands beside it. None for none."""
    first = columns[0]
    marked = pc.match_substring_regex(first, _COMMENT)
    if len(columns) < 2 or not pc.any(marked).as_py():
        return None
    words = [pc.utf8_trim_whitespace(column.filter(marked)) for column in columns[1:]]
    if any(pc.any(cells.is_number(column)).as_py() for column in words):
        return None
    others = first.filter(pc.invert(marked))
    digits = pc.match_substring_regex(others, r"^\s*[-+.]?[0-9]")
    missing = cells.missing_mask(pc.utf8_trim_whitespace(others))
    of_digits = pc.any(digits).as_py() and pc.all(pc.or_(digits, missing)).as_py()
    alone = not any(pc.any(pc.not_equal(column, "")).as_py() for column in words)
    signs = pc.any(pc.match_substring_regex(others, r"^\s*#")).as_py()
    return marked if of_digits or (alone and len(others) and not signs) else None


def _count(mask: pa.ChunkedArray | None) -> int:
    return 0 if mask is None else pc.sum(mask).as_py() or 0
