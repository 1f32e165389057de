"""A visitor without a browser: speaks Streamlit's own protocol, so that many fit on a machine."""

import html
import json
import re
import struct
import time
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from urllib.parse import parse_qsl

import pyarrow as pa
import requests
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Common_pb2 import FileURLs
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.sync.client import connect

FINISHED = (
    ForwardMsg.ScriptFinishedStatus.FINISHED_SUCCESSFULLY,
    ForwardMsg.ScriptFinishedStatus.FINISHED_FRAGMENT_RUN_SUCCESSFULLY,
)
PICTURE = b"EMP1"
# Seconds. Whoever waits so waits a fifth longer than the work takes at most, and never a second.
FIRST_LOOK, LATER, LAST_LOOK = 0.2, 1.2, 1.0


class Visitor:
    """One session. `received` holds every byte the server sent; `texts` what is on the page.

    `messages` are those of the last run. cookie: what its browser was told to say to the server.
    """

    def __init__(self, url: str, query: str = "v=1", page: str = "", cookie: str = ""):
        self._url = url
        self._http = requests.Session()
        self._http.get(f"{url}/_stcore/health").raise_for_status()
        self._session, self._urls = "", None
        self._numbers: dict[str, float] = {}
        self._downloads: dict[str, str] = {}
        self.given = ""  # what the last download was called, as its header has it
        self._open = ExitStack()
        address = url.replace("http", "ws", 1) + "/_stcore/stream"
        headers = {"Cookie": cookie} if cookie else None
        self._socket = self._open.enter_context(
            connect(
                address,
                subprotocols=["streamlit"],
                additional_headers=headers,
                max_size=None,
                open_timeout=60,
            )
        )
        self.received = bytearray()
        self.messages: list[ForwardMsg] = []
        self._query = query
        self.link: dict[str, str] = {}  # as the page last pushed it
        self.page, self._page_hash = page, ""
        self.places: dict[str, str] = {}
        self._ids: dict[tuple[str, str], str] = {}
        self._fragments: dict[str, str] = {}
        self._states: dict[str, WidgetState] = {}
        self._page: dict[tuple[int, ...], str] = {}
        self._polling: str | None = None
        self.run()

    def close(self) -> None:
        self._open.close()

    def run(self, fragment: str = "", *triggers: WidgetState) -> float:
        """Ask for a run of the script, wait for its end; the seconds it took."""
        began = time.monotonic()
        self.messages.clear()
        self.ask(fragment, *triggers)
        self.wait()
        return time.monotonic() - began

    @property
    def written(self) -> str:
        """The query of the address as the page last wrote it."""
        return re.findall(rb"v=1[\w=&%.,+~-]*", bytes(self.received))[-1].decode()

    def ask(
        self,
        fragment: str = "",
        *triggers: WidgetState,
        page_hash: str = "",
        by_itself: bool = False,
    ) -> None:
        """Ask for a run of the script. by_itself: as a part of the page that looks after itself."""
        message = BackMsg()
        message.rerun_script.page_script_hash = page_hash or self._page_hash
        message.rerun_script.query_string = self._query
        message.rerun_script.page_name = self.page
        message.rerun_script.fragment_id = fragment
        message.rerun_script.is_auto_rerun = by_itself
        message.rerun_script.widget_states.widgets.extend([*self._states.values(), *triggers])
        self._socket.send(message.SerializeToString())

    def wait(self) -> None:
        """Take messages until a run has ended."""
        while not self.receive():
            pass

    def receive(self) -> bool:
        """Take one message; whether it says that a run has ended."""
        content = self._socket.recv(timeout=120)
        self.received += content
        message = ForwardMsg.FromString(content)
        self.messages.append(message)
        kind = message.WhichOneof("type")
        if kind == "new_session":
            self._session = message.new_session.initialize.session_id
        elif kind == "page_info_changed":
            self.link = dict(parse_qsl(message.page_info_changed.query_string))
        elif kind == "file_urls_response":
            self._urls = message.file_urls_response.file_urls[0]
        elif kind == "navigation":  # the whole page runs
            self._page_hash = message.navigation.page_script_hash
            self.places = {p.url_pathname: p.page_script_hash for p in message.navigation.app_pages}
            self._page.clear()
            self._polling = None
        elif kind == "auto_rerun":
            self._polling = message.auto_rerun.fragment_id
        elif kind == "stop_auto_rerun":
            self._polling = None
        elif kind == "delta" and message.delta.WhichOneof("type") == "add_block":
            expander = message.delta.add_block.expandable
            self._page[tuple(message.metadata.delta_path)] = expander.label
            id_ = message.delta.add_block.id or expander.id
            self._ids["expander", expander.label] = id_
            self._fragments[id_] = message.delta.fragment_id
        elif kind == "delta" and message.delta.WhichOneof("type") == "new_element":
            self._adopt(tuple(message.metadata.delta_path), message.delta)
        return kind == "script_finished" and message.script_finished in FINISHED

    def _adopt(self, place: tuple[int, ...], delta) -> None:
        element = delta.new_element
        kind = element.WhichOneof("type")
        part = getattr(element, kind)
        if hasattr(part, "label") and hasattr(part, "id"):
            self._ids[kind, part.label] = part.id
            self._fragments[part.id] = delta.fragment_id
        elif kind in ("bidi_component", "plotly_chart") and part.id:
            self._ids[kind, part.id] = part.id
        if kind == "dataframe" and part.id:
            first = next(iter(_columns(part.arrow_data.data)))
            self._ids["grid", first] = part.id
            self._fragments[part.id] = delta.fragment_id
        if kind == "download_button":
            self._downloads[part.label] = part.deferred_file_id
        if getattr(part, "set_value", False):
            self._states.pop(part.id, None)  # the page has put another one in its place
        if kind == "number_input":
            self._numbers[part.label] = part.value if part.set_value else part.default
        words = [getattr(part, name, "") for name in ("body", "label", "value", "code_text")]
        if kind == "dataframe":
            words = [_cells(part.arrow_data.data)]
        elif kind == "bidi_component" and PICTURE in part.bytes:
            words = _in_the_player(part.bytes)
        self._page[place] = " ".join(word for word in words if isinstance(word, str))

    @property
    def texts(self) -> str:
        return "\n".join(self._page.values())

    @property
    def said(self) -> str:
        """What a person reads: `texts` without marks, the cells of tables apart by tabs."""
        text = re.sub(r"<style>.*?</style>", "", self.texts, flags=re.DOTALL)
        text = re.sub(r"</t[dh]>", "\t", re.sub(r"</tr>|</caption>", "\n", text))
        text = html.unescape(re.sub(r"</?[a-z][^>]*>", "", text))
        return re.sub(r"\\(?=[^\w\s])|\*\*", "", text)

    def settle(self) -> None:
        """Run what runs by itself until nothing does. The end of a fit runs the whole page."""
        for pause in looks():
            if not self._polling:
                return
            time.sleep(pause)
            self.run(self._polling)

    def watch(self, words: str) -> None:
        """Look at what is at work until it says so; words: a regular expression."""
        until = time.monotonic() + 180
        while not re.search(words, self.said):
            assert self._polling and time.monotonic() < until, self.said
            time.sleep(0.1)
            self.run(self._polling)

    def go(self, page: str) -> None:
        """To another page, as by its name above the pages."""
        self._states.clear()
        self.messages.clear()
        self.ask(page_hash=self.places[page])
        self.wait()
        self.settle()

    def click(self, label: str) -> float:
        return self.run("", WidgetState(id=self._ids["button", label], trigger_value=True))

    def press(self, label: str) -> float:
        """A button of a dialog, or of another part of the page that runs by itself."""
        id_ = self._ids["button", label]
        return self.run(self._fragments[id_], WidgetState(id=id_, trigger_value=True))

    def type(self, label: str, text: str) -> float:
        id_ = self._ids["text_area", label]
        self._states[id_] = WidgetState(id=id_, string_value=text)
        return self.run()

    def write(self, label: str, text: str) -> float:
        """Into a line of text."""
        id_ = self._ids["text_input", label]
        self._states[id_] = WidgetState(id=id_, string_value=text)
        return self.run()

    def open(self, label: str) -> float:
        """An expander whose content is made once it is open."""
        id_ = self._ids["expander", label]
        self._states[id_] = WidgetState(id=id_, bool_value=True)
        return self.run(self._fragments[id_])

    def enter(self, label: str, number: int) -> float:
        id_ = self._ids["number_input", label]
        self._states[id_] = WidgetState(id=id_, int_value=number)
        return self.run()

    def toggle(self, label: str, on: bool) -> float:
        """A toggle."""
        id_ = self._ids["checkbox", label]
        self._states[id_] = WidgetState(id=id_, bool_value=on)
        return self.run()

    def choose(self, label: str, *names: str) -> float:
        id_ = self._ids["multiselect", label]
        self._states[id_] = WidgetState(id=id_)
        self._states[id_].string_array_value.data.extend(names)
        return self.run()

    def pick(self, label: str, name: str) -> float:
        id_ = self._ids["selectbox", label]
        self._states[id_] = WidgetState(id=id_, string_value=name)
        return self.run()

    def answer(self, label: str, choice: str) -> float:
        """One of the choices beside a question."""
        id_ = self._ids["radio", label]
        self._states[id_] = WidgetState(id=id_, string_value=choice)
        return self.run()

    def switch(self, label: str, choice: str) -> float:
        """One of the segments of a control."""
        id_ = self._ids["button_group", label]
        self._states[id_] = WidgetState(id=id_)
        self._states[id_].string_array_value.data.append(choice)
        return self.run()

    def edit(self, first: str, edits: dict[int, dict[str, object]]) -> float:
        """Change cells of the grid whose first column is called so: by row, then by column."""
        id_ = self._ids["grid", first]
        rows = {str(row): cells for row, cells in edits.items()}
        state = {"edited_rows": rows, "added_rows": [], "deleted_rows": []}
        self._states[id_] = WidgetState(id=id_, string_value=json.dumps(state))
        return self.run(self._fragments[id_])

    def upload(self, label: str, name: str, content: bytes) -> float:
        id_ = self._ids["file_uploader", label]
        self._states[id_] = self.sent(id_, name, content)
        return self.run()

    def sent(self, id_: str, name: str, content: bytes) -> WidgetState:
        """The state of a widget once a file was sent to it."""
        info = self.place_for(name)
        form = {"file": (name, content, "application/octet-stream")}
        answer = self._http.put(self._url + info.upload_url, files=form, headers=self.token)
        answer.raise_for_status()
        state = WidgetState(id=id_)
        state.file_uploader_state_value.uploaded_file_info.add(
            file_id=info.file_id, name=name, size=len(content), file_urls=info
        )
        return state

    def download(self, label: str) -> bytes:
        """What a button gives, made when it is asked for."""
        return self.fetch(self.made(label))

    def made(self, label: str) -> str:
        """Where what a button gives can be fetched, now that it was asked for."""
        message = BackMsg()
        message.backend_operation_request.request_id = "1"
        message.backend_operation_request.session_id = self._session
        message.backend_operation_request.deferred_file.file_id = self._downloads[label]
        self._socket.send(message.SerializeToString())
        self.receive()
        while not self.messages[-1].HasField("backend_operation_response"):
            self.receive()
        return self.messages[-1].backend_operation_response.deferred_file.url

    def fetch(self, place: str) -> bytes:
        answer = self._http.get(self._url + place)
        answer.raise_for_status()
        self.given = answer.headers.get("Content-Disposition", "")
        return answer.content

    def place_for(self, name: str) -> FileURLs:
        """Where a file can be sent to."""
        message = BackMsg()
        message.file_urls_request.request_id = "1"
        message.file_urls_request.file_names.append(name)
        message.file_urls_request.session_id = self._session
        self._socket.send(message.SerializeToString())
        self._urls = None
        while self._urls is None:
            self.receive()
        return self._urls

    @property
    def token(self) -> dict[str, str]:
        """What a request that changes something has in its head."""
        cookie = self._http.cookies["_streamlit_xsrf"]
        return {"X-Xsrftoken": cookie, "Cookie": f"_streamlit_xsrf={cookie}"}

    def shown(self, label: str) -> float:
        """The number in a box."""
        return self._numbers[label]


def looks() -> Iterator[float]:
    """Seconds before each look at what is at work: soon at first, then less and less often, as a
    browser whose page is not in front. A look draws again all there is of a fit or a grid: four in
    a second took the server more than the work itself."""
    pause = FIRST_LOOK
    while True:
        yield pause
        pause = min(LATER * pause, LAST_LOOK)


def _cells(content: bytes) -> str:
    """A grid as text: a line of names, then a line for each row, cells apart by tabs."""
    if not content:
        return ""
    columns = _columns(content)
    lines = [columns, *zip(*columns.values(), strict=True)]
    return "\n".join("\t".join(map(str, line)) for line in lines)


def _columns(content: bytes) -> dict[str, list]:
    return pa.ipc.open_stream(content).read_all().to_pydict() if content else {"": []}


def _in_the_player(content: bytes) -> list[str]:
    """The caption and the warnings of the last half-step of a packed picture."""
    packed = content[content.index(PICTURE) + len(PICTURE) :]
    (length,) = struct.unpack_from("<I", packed)
    unpacked = zlib.decompressobj().decompress(packed[4 + length :])
    (length,) = struct.unpack_from("<I", unpacked)
    header = json.loads(unpacked[4 : 4 + length])
    return [header["captions"][-1], *header["flags"][-1]]
