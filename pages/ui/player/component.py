"""The animation player: a packed picture in; the frame, point and view a person chose out.

Playing and scrubbing happen in the browser (`frontend/`). The same bytes are not sent twice, so
what is sent must not change when only the frame or the view does: see `_send`.
"""

import functools
import hashlib
import json
import math
import struct
import time
from collections.abc import Callable, Mapping
from secrets import token_hex
from typing import Any, Literal, NamedTuple

import streamlit as st

from pages.ui.pictures.payload import run_of
from pages.ui.pictures.picture import BEGINNING, View
from pages.ui.player.assets import FRONTEND, player_address, plotly_address
from pages.ui.state.session import held, session
from pages.ui.state.settings import FIELDS

HTML = '<div class="emx" role="group" aria-label="Animation of the fit"></div>'

# The scripts themselves are files, which the browser keeps: inside the component they would travel
# again with every new picture.
LOADER = """
const script = document.querySelector('script[src*="static/js/"]');
const base = script?.src.replace(/static\\/js\\/.*$/, "") ?? new URL(".", document.baseURI).href;
const load = () => import(base + "%(module)s");
"""
MOUNT = """
export default function (component) {
  let cleanUp;
  let left = false;
  load().then((module) => {
    if (left && !component.parentElement.isConnected) return;
    cleanUp = module.mount(component);
    if (left) cleanUp();
  }, () => {
    component.parentElement.querySelector(".emx").textContent =
      "The player did not load. Check the connection to the server, then reload the page.";
  });
  return () => { left = true; cleanUp?.(); };
}
"""
PRELOAD = """
export default function () {
  load().then((module) => module.preload("%(plotly)s")).catch(() => {});
}
"""
VIEW = """
export default function (component) {
  load().then((module) => module.tellOfTheView(component)).catch(() => {});
}
"""
HEAD_START_SECONDS = 0.12  # with 0.08 one in ten comes too late, 0.17 gains no more
# How many of the player's last reports are recognised when they come back as arguments.
ECHOES = 8


class PlayerState(NamedTuple):
    """What the person did in the player, as far as Python knows."""

    frame: int | None  # None: the last one; BEGINNING before the first
    point: int | None  # index into the drawn points
    view: View
    hand: "Deed | None" = None


class Deed(NamedTuple):
    """What a person did to the means that a run starts from. Each has another number."""

    number: int
    kind: Literal["add", "move", "remove"]
    index: int  # of the component that is moved or removed
    place: tuple[float, ...]  # one number for each column of the panel; () where it is removed


class _Sent(NamedTuple):
    """What the browser was last given, and the frames and views it need not be told of.

    packed: picture and rival. asked_for: how often the page had marked a point, and asked for a
    frame; calls: how often it had called for a look at the player.
    order: what sent it, and how many were sent before: Streamlit hands them over in any order.
    """

    order: tuple[str, int]
    packed: tuple[bytes, bytes]
    run: str
    picture: str
    wish: int
    asked_for: tuple[int, int]
    calls: int
    frames: tuple[int | None, ...]
    views: tuple[View, ...]
    data: bytes


def player(
    payload: bytes,
    *,
    key: str,
    frame: int | None,
    view: View,
    point: int | None = None,
    marks: int = 0,
    calls: int = 0,
    asks: int = 0,
    rival: bytes = b"",
) -> PlayerState:
    """Show a packed picture, at `frame` and in `view` unless the person chose otherwise.

    `point` is the point marked at first, and whenever `marks` is another number than before. The
    state's own point is the one clicked in this picture.
    Whenever `calls` is another number than before, and not 0, the page scrolls to the player, and
    the keys are its own. Whenever `asks` is, `frame` is shown whatever was before.
    `rival` is the picture of a second run with as many frames, shown beside it on the same clock.
    """
    asked = PlayerState(frame, point, view)
    run = run_of(payload)
    earlier: _Sent | None = session().sent.get(key)
    before = PlayerState(None, None, earlier.views[-1] if earlier else view)
    known = _reported(_with_the_view(key, held(key)), run, "", before)
    sent = _send(payload, rival, earlier, asked, (marks, asks), calls, known)
    session().sent[key] = sent
    result = _component()(
        key=key,
        data=sent.data,
        on_frame_change=_nothing,
        on_point_change=_nothing,
        on_view_change=_nothing,
        on_hand_change=_nothing,
    )
    reports = _with_the_view(key, result)
    reported = _reported(reports, run, sent.picture, asked._replace(point=None))
    if earlier is None or sent.wish == earlier.wish:
        return reported
    if sent.asked_for[0] == earlier.asked_for[0]:
        asked = asked._replace(point=reported.point)
    return asked._replace(hand=reported.hand)


def view_chosen(key: str) -> View | None:
    """Hear of the view of the player with this key: call it in a fragment that draws nothing.

    What a person chooses in the player then runs this fragment, and not the one with the player.
    None until something is chosen.
    """
    _view_component()(key=_view_key(key), on_view_change=_nothing)
    heard = _with_the_view(key, None).get("view")
    if heard is None or not _is_report("view", heard):
        return None
    view, sent = View(**heard), session().sent.get(key)
    if sent is not None:
        session().sent[key] = sent._replace(views=(*sent.views[-ECHOES:], view))
    return view


def _view_key(key: str) -> str:
    return f"{key}-view"


def _with_the_view(key: str, reports: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """What was reported, with the view that was told elsewhere."""
    elsewhere = held(_view_key(key)) or {}
    view = elsewhere.get("view")
    return {**(reports or {}), **({"view": view} if view else {})}


def preload() -> None:
    """Start loading the player's scripts in the browser: call it first of all.

    Streamlit's page loads its script for components at the first one, and cannot while it draws all
    else that came with it: a player in there then waits for the whole page to be drawn twice. A
    visitor's first one gets a head start, and the first picture shows 0.1 s sooner for it.
    """
    _preload_component()(key="player-preload")
    if not session().preloaded:
        session().preloaded = True
        time.sleep(HEAD_START_SECONDS)


def components() -> None:
    """Make the player's components, once for all visitors."""
    _component()
    _view_component()
    _preload_component()


@functools.cache
def _component() -> Callable[..., Mapping[str, Any]]:
    js = LOADER % {"module": _script()} + MOUNT
    css = (FRONTEND / "player.css").read_text(encoding="utf-8")
    return st.components.v2.component("em_player", html=HTML, css=css, js=js, isolate_styles=False)


@functools.cache
def _view_component() -> Callable[..., object]:
    return st.components.v2.component("em_player_view", js=LOADER % {"module": _script()} + VIEW)


@functools.cache
def _preload_component() -> Callable[..., object]:
    js = LOADER % {"module": _script()} + PRELOAD % {"plotly": plotly_address()}
    return st.components.v2.component("em_player_preload", js=js)


def _script() -> str:
    return f"{player_address()}/index.js"


def _nothing() -> None:
    """A state of the component is readable only if it has a callback."""


def _send(
    payload: bytes,
    rival: bytes,
    earlier: _Sent | None,
    asked: PlayerState,
    asked_for: tuple[int, int],
    calls: int,
    reported: PlayerState,
) -> _Sent:
    """What to send: the same bytes as last time unless there is something new to show.

    Usually the frame and the view that come in are the player's own, back from the link, perhaps a
    run or two late. Sending them would pull the player back under the person's hand. Only what
    the player did not report lately is a wish of the page.
    """
    run, wish = run_of(payload), 0
    if earlier is not None and earlier.packed == (payload, rival):
        picture = earlier.picture
    else:
        picture = hashlib.blake2b(payload + rival, digest_size=12).hexdigest()
    frames, views = (None, asked.frame), (asked.view,)
    order = token_hex(4), 0
    if earlier is not None:
        order = earlier.order[0], earlier.order[1] + 1
        wish = earlier.wish
        if run == earlier.run:
            known = (*earlier.frames, reported.frame), (*earlier.views, reported.view)
            new = asked.frame not in known[0] or asked.view not in known[1]
            wish += new or asked_for != earlier.asked_for
            frames = (None, *known[0][-ECHOES:], asked.frame)
            views = (*known[1][-ECHOES:], asked.view)
        else:
            wish += asked_for != earlier.asked_for
        same = picture == earlier.picture and wish == earlier.wish and calls == earlier.calls
        if same:
            return earlier._replace(frames=frames, views=views)
    wishes = {"picture": picture, "wish": wish, "point": asked.point, "marks": asked_for[0]}
    wishes |= {"plotly": plotly_address(), "rival": len(payload) if rival else 0}
    wishes |= {"calls": calls}
    data = envelope(payload, asked.view, asked.frame, order=order, **wishes) + rival
    packed = payload, rival
    return _Sent(order, packed, run, picture, wish, asked_for, calls, frames, views, data)


def envelope(payload: bytes, view: View, frame: int | None, **wishes: Any) -> bytes:
    """What the player's script reads: the wishes of the page as JSON, then the packed picture."""
    usual = {"order": ("", 0), "picture": "", "wish": 0, "point": None, "marks": 0}
    usual |= {"plotly": "", "rival": 0, "calls": 0}
    text = json.dumps(usual | wishes | {"frame": frame, "view": view._asdict()}).encode()
    return struct.pack("<I", len(text)) + text + payload


def _reported(
    reports: Mapping[str, Any] | None, run: str, picture: str, otherwise: PlayerState
) -> PlayerState:
    """What the player reported about this run and picture; `otherwise` where it did not."""
    reports = {name: {**told} for name, told in (reports or {}).items() if _is_report(name, told)}
    frame, point, view = (reports.get(name) for name in ("frame", "point", "view"))
    hand = reports.get("hand")
    return PlayerState(
        frame=frame["frame"] if frame and frame["run"] == run else otherwise.frame,
        point=point["point"] if point and point["picture"] == picture else otherwise.point,
        view=View(**view) if view else otherwise.view,
        hand=_deed(**hand) if hand and hand.pop("run") == run else None,
    )


def _deed(number: int, kind: Literal["add", "move", "remove"], index: int, place: list) -> Deed:
    return Deed(number, kind, index, tuple(map(float, place)))


def _is_finite(value: Any) -> bool:
    return isinstance(value, int | float) and -math.inf < value < math.inf


def _is_report(name: str, told: Any) -> bool:
    """Whether the player can have reported this: anybody may send anything in its place."""
    match name, told:
        case ("frame", {"run": str(), "frame": index}) | ("point", {"picture": _, "point": index}):
            least = BEGINNING if name == "frame" else 0
            return index is None or (isinstance(index, int) and index >= least)
        case "hand", {
            "run": str(),
            "number": int(),
            "kind": "add" | "move" | "remove",
            "index": int(),
            "place": list(place),
            **more,
        }:
            return not more and len(place) <= 2 and all(map(_is_finite, place))
        case "view", {**switches}:
            return switches.keys() == set(View._fields) and all(
                isinstance(value, str | int | float) and FIELDS[switch].takes(value)
                for switch, value in switches.items()
            )
    return False
