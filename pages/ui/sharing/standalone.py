"""The player as one HTML file: scripts, plotly.js and the picture inside, no network needed."""

from __future__ import annotations

import base64
import html
import json
import re
import tomllib
from pathlib import Path

from pages.ui.pictures.picture import View
from pages.ui.player.assets import FRONTEND, PLOTLY
from pages.ui.player.component import HTML, envelope

CONFIGURATION = Path(__file__).parents[3] / ".streamlit/config.toml"
# Nothing may be fetched from anywhere, whatever a column is called.
POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' data:; style-src 'unsafe-inline'; "
    "img-src data: blob:"
)
# How a module is called inside the page: the import map leads from there to its text.
MODULE = "em-explorer/"

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<title>{title}</title>
<style>{style}</style>
<script type="importmap">{modules}</script>
</head>
<body>
<h1>{title}</h1>
<p>{text}</p>
<main>{player}</main>
<script>{plotly}</script>
<script type="module">
import {{ mount }} from "{start}";
const data = Uint8Array.from(atob("{data}"), (letter) => letter.charCodeAt(0));
mount({{ parentElement: document.querySelector("main"), data, setStateValue() {{}} }});
</script>
</body>
</html>
"""


def page(payload: bytes, view: View, frame: int, title: str, text: str) -> bytes:
    """A page that plays a packed picture, which opens at a frame."""
    return PAGE.format(
        policy=html.escape(POLICY),
        title=html.escape(title),
        text=html.escape(text),
        style=_style(),
        modules=_in_script(json.dumps({"imports": _modules()})),
        player=HTML,
        plotly=_in_script(PLOTLY.read_text(encoding="utf-8")),
        start=f"{MODULE}index.js",
        data=base64.b64encode(envelope(payload, view, frame)).decode(),
    ).encode()


def _modules() -> dict[str, str]:
    """The player's scripts by name, each as an address that holds its text."""
    modules = {}
    for path in sorted(FRONTEND.glob("*.js")):
        text = re.sub(r'from "\./', f'from "{MODULE}', path.read_text(encoding="utf-8"))
        packed = base64.b64encode(text.encode()).decode()
        modules[MODULE + path.name] = f"data:text/javascript;base64,{packed}"
    return modules


def _in_script(text: str) -> str:
    """Text that cannot end the script it stands in."""
    return re.sub(r"<(/script|!--)", r"<\\\1", text, flags=re.IGNORECASE)


def _style() -> str:
    """The player's own style, and the colours of the app, light or dark as the reader has it."""
    themes = tomllib.loads(CONFIGURATION.read_text(encoding="utf-8"))["theme"]
    light, dark = (_variables(themes[name]) for name in ("light", "dark"))
    return (
        f":root {{ color-scheme: light dark; --st-font: system-ui, sans-serif; {light} }}\n"
        f"@media (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}\n"
        "body { max-width: 1100px; margin: 2rem auto; padding: 0 1rem; font-family: var(--st-font);"
        " color: var(--st-text-color); background: var(--st-background-color); }\n"
        "h1 { font-size: 1.4rem; }\n" + (FRONTEND / "player.css").read_text(encoding="utf-8")
    )


def _variables(theme: dict) -> str:
    names = {
        "text-color": theme["textColor"],
        "background-color": theme["backgroundColor"],
        "border-color": theme["borderColor"],
        "primary-color": theme["primaryColor"],
        "chart-categorical-colors": ", ".join(theme["chartCategoricalColors"]),
    }
    return " ".join(f"--st-{name}: {value};" for name, value in names.items())
