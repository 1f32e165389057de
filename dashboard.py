"""EM Explorer: the front door. `streamlit run dashboard.py`"""

import streamlit as st

from pages.ui import shell

st.set_page_config(page_title="EM Explorer", layout="wide")
shell.one_blas_thread()

page = st.navigation(
    [st.Page("pages/explore.py", title="Explore", default=True)],
    position="top",
)
with shell.frame(page.url_path):
    page.run()
