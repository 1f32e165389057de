"""Tables on a page: light ones as HTML, large ones in a grid that draws only what is in sight."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st
from pandas.io.formats.style import Styler

from pages.ui.text import MISSING, cell, number

# A grid takes a browser a tenth of a second to set up; this many cells of HTML take less.
MOST_LIGHT_CELLS = 400
# A grid that still sorts numbers as such takes 60 microseconds a cell, one of text 10: what is
# larger is text.
MOST_SORTED_CELLS = 5_000


def show(frame: pd.DataFrame, caption: str, *, index: bool = True) -> None:
    """A table of numbers and names under its caption."""
    if frame.size > MOST_LIGHT_CELLS:
        st.caption(caption)
        shown = written(frame)
        st.dataframe(shown, hide_index=not index, column_config=_to_the_right(frame, shown))
    else:
        st.html(_html(frame, caption, index))


def _to_the_right(frame: pd.DataFrame, shown: Styler | pd.DataFrame) -> dict[str, Any] | None:
    """Numbers that have become text stand where numbers do."""
    if not isinstance(shown, pd.DataFrame):
        return None
    numbers = frame.select_dtypes("number").columns
    return dict.fromkeys(numbers, st.column_config.TextColumn(alignment="right"))


def written(frame: pd.DataFrame, digits: int = 5) -> Styler | pd.DataFrame:
    """A table for a grid, its numbers written as everywhere; unless it is very large, they are
    sorted as numbers still, but where a column also holds words."""

    def words(value: Any) -> str:
        if isinstance(value, str):
            return value
        return MISSING if value is None or value is pd.NA else number(value, digits)

    if frame.size > MOST_SORTED_CELLS:
        return frame.map(words)
    mixed = [name for name, column in frame.items() if pd.api.types.is_object_dtype(column)]
    frame = frame.copy(deep=False)
    frame[mixed] = frame[mixed].map(words)
    styled = frame.style
    styled.format(words)
    return styled


def _html(frame: pd.DataFrame, caption: str, index: bool) -> str:
    head = "".join(f'<th scope="col">{cell(str(name))}</th>' for name in frame.columns)
    lines = []
    for name, *values in frame.itertuples(name=None):
        first = f'<th scope="row">{cell(str(name))}</th>' if index else ""
        lines.append(f"<tr>{first}{''.join(f'<td>{cell(value)}</td>' for value in values)}</tr>")
    return (
        # Wide tables scroll, so the keyboard must reach them.
        f'<div class="table" tabindex="0"><table><caption>{cell(caption)}</caption>'
        f"<thead><tr>{'<td></td>' if index else ''}{head}</tr></thead>"
        f"<tbody>{''.join(lines)}</tbody></table></div>"
    )
