"""How a file is read: what it leaves open is asked beside its table, the rest can be changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

import streamlit as st

from pages.ui.panels.sidebar import upload_panel
from pages.ui.state import shell
from pages.ui.state.fragments import fragment, runs_alone
from pages.ui.tables.answers import AS_IT_IS, ENCODINGS, Reading, answered
from pages.ui.tables.reading import samples
from pages.ui.tables.table import Lines, Question, Table
from pages.ui.text import counted, plain

MOST_QUESTIONS = 3  # at once
MOST_SHOWN = 10  # lines that are not read
# What answers mean in several columns at once.
ALIKE = {
    ".": "the point is decimal",
    ",": "the comma is decimal",
    "both": "both are decimal marks",
    "missing": "missing",
    "limit": "the limit",
    "half": "half of it",
}
LOAD_AGAIN = "To change how it is read, load the file again: the page has no longer got it."
READ_ALREADY = "The table came with the link, read already: whoever loads its file can answer."
CENSORED = "The model does not know of limits: what you put there, it takes for measured."


def show(table: Table, preparing: bool) -> None:
    """Questions about columns, each with its answers; and for those who open it all the rest, where
    the page is for `preparing`."""
    at_hand = upload_panel.can_read_again()
    if table.questions:
        if not at_hand:
            st.caption(LOAD_AGAIN if table.file else READ_ALREADY)
        _questions(table.questions)
    if complaint := upload_panel.complaint():
        st.error(plain(complaint))
    if not preparing:
        return
    if at_hand:
        fragment(_unfold)(table)
    elif table.file and not table.questions:
        st.caption(LOAD_AGAIN)


def _questions(questions: Sequence[Question]) -> None:
    for question in questions[:MOST_QUESTIONS]:
        sentence = f"**{plain(question.column)}** {plain(question.sentence)}"
        _ask(sentence, [question], question.choices)
    if any(question.about == "limits" for question in questions):
        st.caption(CENSORED)
    alike = [question for question in questions if _answers(question) == _answers(questions[0])]
    if len(alike) > 1:
        meanings = ((answer, ALIKE[answer]) for answer, _ in alike[0].choices)
        _ask(f"In all **{counted(len(alike), 'such column')}**:", alike, meanings)
    if rest := questions[MOST_QUESTIONS:]:
        st.caption(f"{counted(len(rest), 'more column')} with such a question.")


def _answers(question: Question) -> list[str]:
    return [question.about, *(answer for answer, _ in question.choices)]


def _ask(sentence: str, questions: Sequence[Question], meanings: Iterable[tuple[str, str]]) -> None:
    """A line with a button for each answer, for all these columns alike."""
    first = questions[0]
    columns = [question.column for question in questions]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f":material/help: {sentence}")
        for answer, meaning in meanings:
            shell.button(
                plain(meaning),
                partial(upload_panel.read_again, partial(_with, first.about, columns, answer)),
                key=f"answer {first.about} {answer} {len(columns)} {first.column}",
                disabled=not upload_panel.can_read_again(),
            )


def _with(about: str, columns: Sequence[str], answer: str, reading: Reading) -> Reading:
    """A reading with an answer for these columns."""
    pairs = getattr(reading, about)
    for column in columns:
        pairs = answered(pairs, column, answer)
    return _replaced(reading, **{about: pairs})


def _replaced(reading: Reading, **values: Any) -> Reading:
    return reading._replace(**values)


# What can be changed


def _unfold(table: Table) -> None:
    if runs_alone() and upload_panel.is_waiting():
        st.rerun()  # it is read in a run of the whole page
    key = f"reading {table.fingerprint}"
    title = "Change how the file is read"
    with st.expander(title, key=key, on_change="rerun") as expander:
        if not expander.open:
            return
        if len(table.sheets) > 1:
            _choose_sheet(table)
        if table.lines is not None:
            _show_unread(table.lines)
            _choose_lines(table.lines, table.fingerprint)
        if table.lines is not None and not table.sheets:
            _choose_encoding(table)
        _choose_words(table)
        if table.reading != AS_IT_IS:
            _button("Read it as at first", lambda reading: AS_IT_IS, "as at first")


def _button(label: str, change: Callable[[Reading], Reading], key: str) -> None:
    shell.button(label, partial(upload_panel.read_again, change), key=f"read {key}")


def _choose_sheet(table: Table) -> None:
    shell.box(
        st.selectbox,
        "Sheet",
        # Lines and columns are those of the other sheet.
        lambda sheet: upload_panel.read_again(lambda reading: Reading(sheet=sheet)),
        table.sheet,
        options=table.sheets,
        index=table.sheets.index(table.sheet),
        key=f"sheet {table.fingerprint}",
    )


def _show_unread(lines: Lines) -> None:
    for where, found in (("above the table", lines.above), ("below it", lines.below)):
        if found:
            shown = [f"- Line {line}: {plain(text)}" for line, text in found[:MOST_SHOWN]]
            shown += [f"- and {len(found) - MOST_SHOWN:,} more"] * (len(found) > MOST_SHOWN)
            st.markdown("\n".join([f"Not read, {where}:", *shown]))


def _choose_lines(lines: Lines, fingerprint: str) -> None:
    """Numbers of lines, as they stand in the file."""
    for place, field, label, value, least in zip(
        st.columns(4),
        ("header", "header_lines", "first", "last"),
        ("Line of the names, or 0", "Lines of names", "First row: line", "Last row: line"),
        (lines.header, max(lines.header_lines, 1), lines.first, max(lines.last, 1)),
        (0, 1, 1, 1),
        strict=True,
    ):
        with place:
            shell.box(
                st.number_input,
                label,
                partial(_take_line, field),
                value,
                key=f"line {field} {fingerprint}",
                value=value,
                min_value=least,
                step=1,
            )


def _take_line(field: str, line: int | None) -> None:
    if line is not None:
        upload_panel.read_again(partial(_at_line, field, line))


def _at_line(field: str, line: int, reading: Reading) -> Reading:
    """A reading with another line; where the names move, the rows follow them."""
    if field == "header":
        reading = reading._replace(header_lines=None, first=None)
    if field == "header_lines":
        reading = reading._replace(first=None)
    return _replaced(reading, **{field: line})


def _choose_encoding(table: Table) -> None:
    found = samples(upload_panel.content())
    if not found:
        return
    chosen = table.reading.encoding
    shell.box(
        st.selectbox,
        "Encoding, and what it makes of a line",
        lambda name: upload_panel.read_again(lambda reading: reading._replace(encoding=name)),
        chosen,
        options=["", *found],
        index=["", *found].index(chosen),
        format_func=shell.always(
            lambda name: f"{ENCODINGS[name]}: {found[name]}" if name in found else "as found"
        ),
        key=f"encoding {table.fingerprint}",
    )


def _choose_words(table: Table) -> None:
    """Words that count as missing, and may be answers."""
    for column, words in table.words[:MOST_QUESTIONS]:
        with st.container(horizontal=True, vertical_alignment="center"):
            said = ", ".join(f"“{plain(word)}”" for word in words)
            st.markdown(f"{said} in **{plain(column)}** counts as missing.")
            names = tuple(sorted({*table.reading.answers, column}))
            _button("It is an answer", partial(_replaced, answers=names), f"answer {column}")
    for column in table.reading.answers[:MOST_QUESTIONS]:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"In **{plain(column)}** only empty cells are missing.")
            names = tuple(name for name in table.reading.answers if name != column)
            _button("NA is missing", partial(_replaced, answers=names), f"missing {column}")
