"""Charts on a page, each with what it shows in words."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from pages.ui.charts.told import told
from pages.ui.text import plain


def show(
    figure: go.Figure,
    key: str,
    title: str,
    also: Sequence[str] = (),
    note: str = "",
    **options: Any,
) -> Any:
    """A chart, and under it the same in words: for who cannot see it or has no pointer, and for all
    who want its numbers. What Streamlit returns.

    title: what the chart is of. also: further sentences of it. note: what stands right under the
    chart. options go to Streamlit.
    """
    drawn = st.plotly_chart(figure, key=key, **options)
    if note:
        st.caption(note)
    with st.expander(f"In words: {plain(title)}", key=f"in-words {key}"):
        lines = "".join(f"<li>{html.escape(line)}</li>" for line in [*told(figure), *also])
        st.html(f"<ul>{lines}</ul>")
    return drawn
