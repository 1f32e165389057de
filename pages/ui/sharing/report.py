"""A report on a fit as one HTML file: no script, nothing fetched, to be read, printed or pasted."""

from __future__ import annotations

import base64
import html
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

import pandas as pd

from pages.ui.tables.writing import as_html

CONFIGURATION = Path(__file__).parents[3] / ".streamlit/config.toml"
SVG = "http://www.w3.org/2000/svg"
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
STYLE = """
body { font: 15px/1.5 sans-serif; color: #1c2230; background: #ffffff; max-width: 60rem;
  margin: 2rem auto; padding: 0 1rem; overflow-wrap: break-word; }
h2 { border-bottom: 1px solid #d5d9e0; margin-top: 2rem; }
.table { overflow-x: auto; margin: 1rem 0; }
table { border-collapse: collapse; font-size: 0.85rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; padding-bottom: 0.3rem; color: #5a6272; }
th, td { border-bottom: 1px solid #d5d9e0; padding: 0.2rem 0.8rem 0.2rem 0; text-align: right; }
th { font-weight: 600; }
th[scope="row"], .words td { text-align: left; font-weight: 400; }
pre { background: #f5f6f8; padding: 0.8rem; overflow-x: auto; font-size: 0.8rem; }
img { max-width: 100%; height: auto; }
@media print { body { margin: 0; max-width: none; } h2 { break-after: avoid; }
  img, tr { break-inside: avoid; } pre { white-space: pre-wrap; }
  /* Paper does not scroll: a table of all models has more than a dozen columns. */
  .table { overflow: visible; } table { font-size: 0.6rem; } th { overflow-wrap: anywhere; }
  th, td { padding: 0.1rem 0.3rem 0.1rem 0; } }
"""


class Grid(NamedTuple):
    """A table under its caption."""

    frame: pd.DataFrame
    caption: str
    index: bool = True


class Drawing(NamedTuple):
    """A picture as SVG under words."""

    svg: str
    caption: str = ""


class Code(NamedTuple):
    """Text as it is."""

    text: str


class Points(NamedTuple):
    """A list of sentences."""

    sentences: Sequence[str]


# A paragraph is its text.
Block = str | Grid | Drawing | Code | Points
Section = tuple[str, Sequence[Block]]


def page(title: str, sections: Sequence[Section], titles: Mapping[str, str] = {}) -> bytes:
    """The report: sections of blocks, each under its heading; those without blocks are left out.

    titles: what columns are in words, told on hover.
    """
    body = [f"<h1>{html.escape(title)}</h1>"]
    for heading, blocks in sections:
        if blocks:
            body.append(f"<h2>{html.escape(heading)}</h2>")
            body += (_written(block, titles) for block in blocks)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{html.escape(POLICY)}">'
        f"<title>{html.escape(title)}</title><style>{STYLE}</style></head>"
        f"<body>{''.join(body)}</body></html>\n"
    ).encode()


def _written(block: Block, titles: Mapping[str, str]) -> str:
    if isinstance(block, str):
        return f"<p>{html.escape(block)}</p>"
    if isinstance(block, Grid):
        return as_html(block.frame, block.caption, block.index, titles)
    if isinstance(block, Drawing):
        said = f"<p>{html.escape(block.caption)}</p>" if block.caption else ""
        return f"<figure>{_image(block.svg)}</figure>{said}"
    if isinstance(block, Code):
        return f"<pre>{html.escape(block.text)}</pre>"
    return f"<ul>{''.join(f'<li>{html.escape(one)}</li>' for one in block.sentences)}</ul>"


def _image(svg: str) -> str:
    """A drawing as an image with its size and title: a program that writes documents has no other
    way to take it with what is copied."""
    root = ElementTree.fromstring(svg)
    _, _, width, height = root.get("viewBox", "").split()
    alt = html.escape(root.findtext(f"{{{SVG}}}title", ""))
    content = base64.b64encode(svg.encode()).decode()
    return (
        f'<img src="data:image/svg+xml;base64,{content}" width="{width}" height="{height}" '
        f'alt="{alt}">'
    )


def colours() -> tuple[str, ...]:
    """Those of clusters on a light page."""
    theme = tomllib.loads(CONFIGURATION.read_text(encoding="utf-8"))["theme"]
    return tuple(theme["light"]["chartCategoricalColors"])
