"""The real front door and frame around two small pages, whatever the real pages are."""

import shutil
from pathlib import Path

from support.browser import ROOT

MAIN = """
import streamlit as st
from pages.ui.state import shell

st.set_page_config(layout="wide")
page = st.navigation(
    [st.Page("first.py", default=True), st.Page("second.py")], position="top"
)
with shell.frame(page.url_path):
    page.run()
"""

PAGE = """
import time
import streamlit as st
from pages.ui.state import shell

shell.header("The {name} page")
shell.widget("n_components", max_value=40)
shell.widget("covariance")
shell.widget("seed")
columns = shell.widget("columns", options=["a", "b, c", "d"], default=("a", "d"))
axis = shell.widget("axis_x", options=columns)
st.text(f"columns {{columns}} axis {{axis}}")
st.button("Next seed", on_click=lambda: shell.change(seed=shell.settings().seed + 1))
time.sleep(0.3)

@st.fragment
def player():
    if st.button("Next frame"):
        shell.change(frame=(shell.settings().frame or 0) + 1)
    shell.remember()
    st.text(f"frame {{shell.settings().frame}}")

player()
st.session_state["runs"] = st.session_state.get("runs", 0) + 1
st.text(f"run {{st.session_state['runs']}}")
"""


def build_small_app(folder: Path) -> None:
    (folder / "pages").mkdir()
    for name in ("pages/ui", "em_core", ".streamlit"):
        (folder / name).symlink_to(ROOT / name)
    shutil.copy(ROOT / "dashboard.py", folder)
    (folder / "pages/main.py").write_text(MAIN)
    for name in ("first", "second"):
        (folder / f"pages/{name}.py").write_text(PAGE.format(name=name))
