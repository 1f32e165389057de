"""A page with nothing but the player, for its tests: see `player_app.py`."""

import streamlit as st

from pages.ui.pictures.payload import pack
from pages.ui.pictures.picture import View
from pages.ui.player.component import player, preload
from support.picture_demo import demo_picture

st.set_page_config(layout="wide")
preload()
query = st.query_params


@st.cache_data
def packed(n_points: int, n_components: int, n_columns: int, matrix: bool, seed: int) -> bytes:
    picture = demo_picture(n_points, n_components, n_columns=n_columns, matrix=matrix, seed=seed)
    flags = list(picture.flags)
    flags[7] = ("component 2 is collapsing onto one point", "component 3 is flat")
    columns = ("<b>price</b> in $ & $", *picture.columns[1:])
    return pack(picture._replace(flags=tuple(flags), columns=columns, note="Generated data."))


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
    wish = st.number_input("frame", value=None, step=1, min_value=0)
    state = player(payload, key="player", frame=wish, view=View())
    st.session_state.runs = st.session_state.get("runs", 0) + 1
    st.text(f"frame={state.frame} point={state.point} runs={st.session_state.runs}")
    st.text(f"view={state.view}")
    st.button("rerun the fragment")


if st.toggle("show the player", value=True):
    explore()
st.button("rerun the page")
st.text_input("elsewhere")
