"""Tables on a page: light ones as HTML, large ones in a grid that draws only what is in sight."""

from __future__ import annotations

import pandas as pd
import streamlit as st
from pandas.io.formats.style import Styler

from pages.ui.text import MISSING, cell, number

# A grid takes a browser a tenth of a second to set up; this many cells of HTML take less.
MOST_LIGHT_CELLS = 400
# Each that Python writes takes 50 microseconds; the numbers of a larger table the browser writes.
MOST_WRITTEN_CELLS = 5_000


def show(frame: pd.DataFrame, caption: str, *, index: bool = True) -> None:
    """A table of numbers and names under its caption."""
    if frame.size > MOST_LIGHT_CELLS:
        st.caption(caption)
        st.dataframe(written(frame), hide_index=not index)
    else:
        st.html(_html(frame, caption, index))


def written(frame: pd.DataFrame, digits: int = 5) -> Styler | pd.DataFrame:
    """A table for a grid, its numbers written as everywhere; they are sorted as numbers still."""
    if frame.size > MOST_WRITTEN_CELLS:
        return frame

    def words(value: object) -> str:
        if isinstance(value, str):
            return value
        return MISSING if value is None or value is pd.NA else number(value, digits)

    return frame.style.format(words)


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
