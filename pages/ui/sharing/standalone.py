"""The player, and a lesson, as one HTML file: scripts, plotly.js and pictures inside, no network
needed."""

from __future__ import annotations

import base64
import html
import json
import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pages.ui.lessons.lesson import PAGES, Lesson, Step
from pages.ui.pictures.picture import View
from pages.ui.player.assets import FRONTEND, PLOTLY
from pages.ui.player.component import HTML, envelope

CONFIGURATION = Path(__file__).parents[3] / ".streamlit/config.toml"
# Nothing may be fetched from anywhere, whatever a column is called.
POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' data:; style-src 'unsafe-inline'; "
    "img-src data: blob:"
)
LESSON_STYLE = """
.lesson { border: 1px solid var(--st-border-color); border-radius: 8px; padding: 0.5rem 1rem 1rem; margin-bottom: 1rem; }
.lesson-text { white-space: pre-line; }
.lesson-note { opacity: 0.75; }
.lesson fieldset { border: 0; padding: 0; margin: 0 0 1rem; }
.lesson fieldset div { display: flex; flex-wrap: wrap; gap: 0.4rem 1.4rem; margin-top: 0.4rem; }
.lesson nav { display: flex; flex-wrap: wrap; align-items: center; gap: 1rem; }
.lesson button { min-height: 40px; padding: 0 1rem; border: 1px solid var(--st-border-color); border-radius: 7px; font: inherit;
  color: inherit; background: none; cursor: pointer; }
.lesson button[data-step="on"]:not(:disabled) { color: var(--st-background-color); background: var(--st-primary-color); }
.lesson button:disabled { opacity: 0.5; cursor: default; }
"""  # noqa: E501
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
{script}
</script>
</body>
</html>
"""
ONE = """
import {{ mount }} from "{module}index.js";
const data = Uint8Array.from(atob("{data}"), (letter) => letter.charCodeAt(0));
mount({{ parentElement: document.querySelector("main"), data, setStateValue() {{}}, alone: true }});
"""
MANY = """
import {{ give }} from "{module}lesson.js";
const [lesson, pictures, player] = {all};
const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
give(document.querySelector("main"), lesson, pictures.map((text) => text && bytes(text)), player);
"""


class Shot(NamedTuple):
    """A picture as a step of a lesson shows it: packed, in a view, at a frame (None: the last)."""

    payload: bytes
    view: View
    frame: int | None


def page(payload: bytes, view: View, frame: int, title: str, text: str) -> bytes:
    """A page that plays a packed picture, which opens at a frame."""
    return _page(title, text, HTML, ONE.format(module=MODULE, data=_sent(payload, view, frame)))


def lesson_page(lesson: Lesson, shots: Sequence[Shot | None]) -> bytes:
    """A page that gives a lesson; shots: the picture of each step, None for one without."""
    pictures = [shot and _sent(shot.payload, shot.view, shot.frame) for shot in shots]
    steps = [_told(*each) for each in zip(lesson.steps, shots, strict=True)]
    everything = json.dumps([{"own": lesson.own, "steps": steps}, pictures, HTML])
    script = MANY.format(module=MODULE, all=_in_script(everything))
    return _page(lesson.title, lesson.about, "", script)


def _told(step: Step, shot: Shot | None) -> dict[str, Any]:
    note = ""
    if step.page:
        note = f"In EM Explorer this step is on the page “{PAGES[step.page]}”."
    if shot is None:
        note = f"{note} It has no picture here.".strip()
    question = None if step.question is None else step.question._asdict()
    return {"text": step.text, "note": note, "question": question}


def _sent(payload: bytes, view: View, frame: int | None) -> str:
    return base64.b64encode(envelope(payload, view, frame)).decode()


def _page(title: str, text: str, player: str, script: str) -> bytes:
    return PAGE.format(
        policy=html.escape(POLICY),
        title=html.escape(title),
        text=html.escape(text),
        style=_style(),
        modules=_in_script(json.dumps({"imports": _modules()})),
        player=player,
        plotly=_in_script(PLOTLY.read_text(encoding="utf-8")),
        script=script,
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
        "h1 { font-size: 1.4rem; }\n"
        + LESSON_STYLE
        + (FRONTEND / "player.css").read_text(encoding="utf-8")
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
