"""An app of the player alone; by hand: PYTHONPATH=.:tests streamlit run support/player_app.py"""

from pathlib import Path

import streamlit as st

from pages.ui.player import assets

app = st.App(Path(__file__).with_name("player_demo.py"), routes=assets.routes())
