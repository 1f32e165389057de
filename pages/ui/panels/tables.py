"""Tables on a page: light ones as HTML, large ones in a grid that draws only what is in sight."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from pages.ui.text import cell

# A grid takes a browser a tenth of a second to set up; this many cells of HTML take less.
MOST_LIGHT_CELLS = 400


def show(frame: pd.DataFrame, caption: str, *, index: bool = True) -> None:
    """A table of numbers and names under its caption."""
    if frame.size > MOST_LIGHT_CELLS:
        st.caption(caption)
        st.dataframe(frame, hide_index=not index)
    else:
        st.html(_html(frame, caption, index))


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
