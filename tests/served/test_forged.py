"""What no browser sends: it is refused with a line in the log, and costs nobody anything."""

import json
import re
from collections.abc import Iterator
from itertools import repeat
from pathlib import Path
from typing import NamedTuple

import pytest
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from pages.ui.pictures.payload import MAGIC, run_of
from support.browser import ROOT, process_of, serve
from support.visitor import Visitor
from support.walk import FEW, PAGES

MB = 1_000_000


class Server(NamedTuple):
    url: str
    log: Path

    @property
    def stream(self) -> str:
        return f"ws{self.url[4:]}/_stcore/stream"

    def said(self, since: int) -> str:
        return self.log.read_text()[since:]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    log = tmp_path_factory.mktemp("forged") / "log"
    with serve(ROOT, log) as url:
        yield Server(url, log)


@pytest.fixture
def since(server: Server) -> int:
    return len(server.log.read_text())


@pytest.mark.parametrize("origin", ["http://[", "//]x[", "http://[::1"])
def test_an_origin_that_is_no_address_is_refused(server: Server, since: int, origin: str) -> None:
    with pytest.raises(InvalidStatus, match="403"):
        connect(server.stream, origin=origin)
    said = server.said(since)
    assert said.count("\n") == 1 and "A connection was refused" in said


@pytest.mark.parametrize("content", ["text", "", b"\xff\xff\xff", b"\x0a\xff", bytes(200)])
def test_what_is_no_message_of_a_page_ends_the_connection(
    server: Server, since: int, content: str | bytes
) -> None:
    with connect(server.stream, subprotocols=["streamlit"]) as socket:
        socket.send(content)
        with pytest.raises(ConnectionClosed):
            while True:
                socket.recv(timeout=120)
        assert socket.close_code == (1003 if isinstance(content, str) else 1007)
    said = server.said(since)
    assert said.count("\n") == 1 and "A connection was ended" in said


def test_a_message_too_large_is_refused_before_it_comes(server: Server, since: int) -> None:
    process = Path(f"/proc/{process_of(server.url)}")
    (process / "clear_refs").write_text("5")  # its peak starts anew
    before = megabytes(process, "VmRSS")
    for whole in (True, False):
        with (
            connect(server.stream, subprotocols=["streamlit"]) as socket,
            pytest.raises(ConnectionClosed),
        ):
            socket.send(bytes(150 * MB) if whole else repeat(bytes(MB), 150))
            while True:
                socket.recv(timeout=120)
    assert megabytes(process, "VmHWM") - before < 40
    assert "Traceback" not in server.said(since)


def test_a_part_of_a_page_that_tells_more_than_it_can_is_not_heard(
    server: Server, since: int
) -> None:
    """Millions of lists were taken apart, and kept."""
    visitor = Visitor(server.url, "v=1&s=draw")
    process = Path(f"/proc/{process_of(server.url)}")
    before = megabytes(process, "VmRSS")
    part = next(id_ for (kind, _), id_ in visitor._ids.items() if kind == "bidi_component")
    told = '{"drawn":[' + "[]," * 8_000_000 + "[]]}"
    visitor._states = {part: WidgetState(id=part, json_value=told)}
    visitor.run()
    assert "Something went wrong" not in visitor.texts
    visitor.close()
    assert megabytes(process, "VmRSS") - before < 150
    assert "more of a widget than any page has" in server.said(since)


def test_a_mean_placed_where_there_is_none_is_not_heard(server: Server, since: int) -> None:
    visitor = Visitor(server.url, "v=1&m=factor-analysis&f=0")
    visitor.settle()
    received = bytes(visitor.received)
    run = run_of(received[received.rindex(MAGIC) :])
    placed = {"run": run, "number": 1, "kind": "move", "index": 0, "place": [1.0, 2.0]}
    for (kind, _), part in list(visitor._ids.items()):
        if kind == "bidi_component":
            told = json.dumps({"hand": placed})
            visitor._states = {part: WidgetState(id=part, json_value=told)}
            visitor.run()
    assert "Something went wrong" not in visitor.texts
    visitor.close()
    assert "Traceback" not in server.said(since)


def test_a_longer_address_than_any_is_left_out(server: Server, since: int) -> None:
    """Whatever is in it: 20 MB of commas were read for a minute, and everybody waited."""
    visitor = Visitor(server.url, "v=1&c=" + "," * 20 * MB)
    assert visitor.texts and "Something went wrong" not in visitor.texts
    visitor.close()
    said = server.said(since)
    assert said.count("longer address than a page has") == 1 and "Traceback" not in said


def megabytes(process: Path, what: str) -> float:
    return int((process / "status").read_text().partition(f"{what}:")[2].split()[0]) / 1000


def forged(id_: str) -> Iterator[WidgetState]:
    """A value of every type there is."""
    yield from (WidgetState(id=id_, string_value=text) for text in ("nonsense", "", "9" * 300))
    yield from (WidgetState(id=id_, int_value=number) for number in (-7, 2**62))
    yield from (WidgetState(id=id_, double_value=number) for number in (1e308, float("nan")))
    yield from (WidgetState(id=id_, json_value=text) for text in ('{"a": 1}', "[1]", "{"))
    yield WidgetState(id=id_, bool_value=True)
    yield WidgetState(id=id_, bytes_value=b"\xff\0")
    yield WidgetState(id=id_, string_trigger_value={"data": "x"})
    yield WidgetState(id=id_, chat_input_value={"data": "x"})
    yield WidgetState(id=id_, arrow_value={"data": b"x"})
    yield WidgetState(id=id_, int_array_value={"data": [99, -1]})
    yield WidgetState(id=id_, string_array_value={"data": ["nonsense", "x" * 300]})
    yield WidgetState(id=id_, double_array_value={"data": [1e308, float("nan")]})
    yield WidgetState(id=id_, file_uploader_state_value={"uploaded_file_info": [{"size": 3}]})
    yield WidgetState(id=id_)


# What browsers send of each kind of widget, but nothing that can be chosen.
NONSENSE = {
    "button_group": [{"string_array_value": {"data": ["nonsense", "more"]}}],
    "checkbox": [{"bool_value": True}],
    "multiselect": [{"string_array_value": {"data": ["nonsense", "x" * 300] * 300}}],
    "number_input": [{"int_value": -(2**62)}, {"double_value": 1e300}],
    "selectbox": [{"string_value": "nonsense"}, {"string_value": "x" * 300}],
    "slider": [{"double_array_value": {"data": [1e300]}}, {"double_array_value": {"data": [1, 2]}}],
    "text_area": [{"string_value": "nonsense"}],
    "text_input": [{"string_value": "nonsense"}],
    "bidi_component": [
        {"json_value": json.dumps(dict.fromkeys(("frame", "point", "view"), told))}
        for told in ("nonsense", {"run": 1, "frame": 2, "picture": "x", "point": "y"}, [1], -1)
    ],
    "plotly_chart": [
        {"json_value": json.dumps({"selection": told})}
        for told in ({}, "x", {"points": 3}, {"points": [{"customdata": [[], {}]}, "x"]})
    ],
}


def messages(ids: dict[tuple[str, str], str]) -> Iterator[list[WidgetState]]:
    """Of values of every type for all widgets, and of nonsense that is of each one's kind."""
    yield from map(list, zip(*map(forged, ids.values()), strict=True))
    yield [WidgetState(id=name, string_value="x") for name in ("", "session", "own table")]
    for number in range(max(map(len, NONSENSE.values()))):
        yield [
            WidgetState(id=id_, **values[number])
            for (of, _), id_ in ids.items()
            for values in [NONSENSE.get(of, [])]
            if number < len(values)
        ]


# Of those that take what they are given further: some of each page.
WITHIN = {
    "": {"Open saved work", "Notes"},
    "describe": {"Name of component 1", "New rows", "Open saved work"},
}


def unfold(visitor: Visitor) -> None:
    """Open all there is to open."""
    for id_ in [id_ for (kind, _), id_ in visitor._ids.items() if kind == "expander" and id_]:
        visitor._states[id_] = WidgetState(id=id_, bool_value=True)
    visitor.run()
    visitor.settle()


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES)
def test_a_value_that_no_widget_sends_changes_nothing(
    server: Server, since: int, page: str
) -> None:
    """All widgets of a page at once; the person who goes on finds it as it was.

    None keeps another's from being heard: then its own would go untried.
    """
    visitor = Visitor(server.url, f"v=1&{FEW}", page)
    visitor.settle()
    unfold(visitor)
    ids, n = dict(visitor._ids), 0
    assert WITHIN.get(page, set()) <= {label for _, label in ids}
    for states in messages(ids):
        visitor._states = {state.id: state for state in states}
        visitor.run()
        n += len(states)
        assert not re.search("Something went wrong|cannot read", visitor.texts)
    print(f"{n} forged values of {len(ids)} widgets")
    visitor.close()
    assert not re.search(r"Error [0-9A-F]{6}\n", server.said(since))
