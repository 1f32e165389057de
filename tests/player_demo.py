"""A small app with nothing but the player: `streamlit run tests/player_demo.py`, for tests and by hand."""

import sys
from pathlib import Path

import streamlit as st

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parent)]

from picture_demo import demo_picture

import pages.ui.player
from pages.ui.figures.picture import View, pack
from pages.ui.player import player, preload

pages.ui.player.STATIC = (
    Path(__file__).parent / "static"
)  # Streamlit looks beside the script it runs

st.set_page_config(layout="wide")
preload()
query = st.query_params


@st.cache_data
def packed(n_points: int, n_components: int, n_columns: int, matrix: bool, seed: int) -> bytes:
    picture = demo_picture(
        n_points,
        n_components,
        n_columns=n_columns,
        matrix=matrix,
        seed=seed,
        note="Generated data.",
    )
    flags = list(picture.flags)
    flags[7] = ("component 2 is collapsing onto one point: use a shared covariance.",)
    return pack(picture._replace(flags=tuple(flags)))


seed = int(st.number_input("seed", value=int(query.get("seed", 0))))
payload = packed(
    int(query.get("n", 500)),
    int(query.get("k", 5)),
    int(query.get("d", 2)),
    query.get("matrix") == "1",
    seed,
)


@st.fragment
def explore() -> None:
    asked = st.query_params.get("frame")
    state = player(payload, key="player", frame=None if asked is None else int(asked), view=View())
    st.session_state.runs = st.session_state.get("runs", 0) + 1
    st.text(f"frame={state.frame} point={state.point} runs={st.session_state.runs}")
    st.text(f"view={state.view}")
    st.button("rerun the fragment")


explore()
st.button("rerun the page")
