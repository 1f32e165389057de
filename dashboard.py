"""EM Explorer: the front door. `streamlit run dashboard.py`"""

import streamlit as st

from pages.ui import shell
from pages.ui.player import preload
from pages.ui.sharing import share
from pages.ui.work.workers import pool

# So wide that the sources of data stand on one line, and at 1280 pixels the player's controls do.
st.set_page_config(page_title="EM Explorer", layout="wide", initial_sidebar_state=310)
preload()
shell.one_blas_thread()
pool()

page = st.navigation(
    [
        st.Page("pages/explore.py", title="Explore", default=True),
        st.Page("pages/local_optima.py", title="Local optima"),
        st.Page("pages/model_selection.py", title="How many?"),
        st.Page("pages/lower_bound.py", title="The bound"),
        st.Page("pages/variants.py", title="Relatives"),
        st.Page("pages/theory.py", title="Theory"),
    ],
    position="top",
)
with shell.frame(page.url_path):
    page.run()
    share.show_dialogs()
