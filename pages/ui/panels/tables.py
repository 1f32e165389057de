"""Tables on a page: light ones as HTML, large ones in a grid that draws only what is in sight."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st
from pandas.io.formats.style import Styler

from pages.ui.sharing.naming import slug, stem
from pages.ui.state import shell
from pages.ui.state.session import session
from pages.ui.tables.titles import titles_in
from pages.ui.tables.writing import as_html, to_csv_bytes
from pages.ui.text import MISSING, number, plain

# A grid takes a browser a tenth of a second to set up; this many cells of HTML take less.
MOST_LIGHT_CELLS = 400
# A grid that still sorts numbers as such takes 60 microseconds a cell, one of text 10: what is
# larger is text.
MOST_SORTED_CELLS = 5_000


def show(
    frame: pd.DataFrame,
    caption: str,
    called: str,
    *more: str,
    index: bool = True,
    whole: pd.DataFrame | None = None,
) -> None:
    """A table of numbers and names under its caption, and a button that gives it as CSV. What its
    columns are in words, if the table at hand says so, is told on hover.

    called, more: what it is, for the button and its file, and what else the file's name says.
    whole: what is given, where the first rows of it are shown.
    """
    titles = session().titles
    if frame.size > MOST_LIGHT_CELLS:
        st.caption(plain(caption))
        shown = written(frame)
        st.dataframe(
            shown, hide_index=not index, column_config=_configuration(frame, shown, titles)
        )
    else:
        st.html(as_html(frame, caption, index, titles))
    offer_csv(frame if whole is None else whole, called, *more, index=index)


def offer_csv(frame: pd.DataFrame, called: str, *more: str, index: bool = True) -> None:
    """A button that gives a table as CSV, numbers with all their digits; its name says of which
    table and model it is, as far as there are any at hand."""
    whole = frame.rename_axis("").reset_index() if index else frame
    table, words = session().table_name, (called.lower(), *more)
    name = stem(shell.settings(), table, *words) if table else slug(*words)
    st.download_button(
        f"{plain(called)} (CSV)",
        data=lambda: to_csv_bytes(whole),
        file_name=f"{name}.csv",
        mime="text/csv",
        on_click="ignore",
        key=f"csv {words}",
        icon=":material/download:",
        type="tertiary",
    )


def _configuration(
    frame: pd.DataFrame, shown: Styler | pd.DataFrame, titles: Mapping[str, str]
) -> dict[str, Any]:
    """Numbers that have become text stand where numbers do; what columns are is told on hover."""
    written_out = isinstance(shown, pd.DataFrame)
    numbers = set(frame.select_dtypes("number").columns) if written_out else set()
    columns: dict[str, Any] = {}
    for name in frame.columns:
        words = "  \n".join(map(plain, titles_in(str(name), titles)))
        if name in numbers:
            columns[name] = st.column_config.TextColumn(alignment="right", help=words or None)
        elif words:
            columns[name] = st.column_config.Column(help=words)
    return columns


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
