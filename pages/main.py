"""What all pages have in common, around the one that was asked for."""

import streamlit as st

from pages.ui.panels import methods_panel
from pages.ui.panels.lessons import film, lesson_panel, own_lessons
from pages.ui.player.component import preload
from pages.ui.sharing import share
from pages.ui.state import shell

# So wide that the sources of data stand on one line, and at 1280 pixels the player's controls do.
st.set_page_config(page_title="EM Explorer", layout="wide", initial_sidebar_state=310)
preload()

page = st.navigation(
    [
        st.Page("explore.py", title="Explore", default=True),
        st.Page("local_optima.py", title="Local optima"),
        st.Page("model_selection.py", title="How many?"),
        st.Page("describe.py", title="What are they?"),
        st.Page("lower_bound.py", title="The bound"),
        st.Page("variants.py", title="Relatives"),
        st.Page("theory.py", title="Theory"),
        st.Page("lessons.py", title="Lessons"),
    ],
    position="top",
)
with shell.frame(page.url_path):
    # Before all that comes and goes: else the browser takes one that is open for another.
    share.show_dialogs()
    methods_panel.show_dialog()
    film.show(page.url_path)
    lesson_panel.show(page.url_path)
    own_lessons.add_view(page.url_path)
    page.run()
    film.go_on_without()
