"""A visitor without a browser: speaks Streamlit's own protocol, so that many fit on a machine."""

import time

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.sync.client import connect

FINISHED = (
    ForwardMsg.ScriptFinishedStatus.FINISHED_SUCCESSFULLY,
    ForwardMsg.ScriptFinishedStatus.FINISHED_FRAGMENT_RUN_SUCCESSFULLY,
)


class Visitor:
    """One session. `received` holds every byte the server sent; `texts` what is on the page."""

    def __init__(self, url: str, query: str = ""):
        self._socket = connect(
            url.replace("http", "ws", 1) + "/_stcore/stream",
            subprotocols=["streamlit"],
            max_size=None,
            open_timeout=60,
        )
        self.received = bytearray()
        self._query = query
        self._ids: dict[tuple[str, str], str] = {}
        self._states: dict[str, WidgetState] = {}
        self._page: dict[tuple[int, ...], str] = {}
        self._polling: str | None = None
        self.run()

    def close(self) -> None:
        self._socket.close()

    def run(self, fragment: str = "", *triggers: WidgetState) -> float:
        """Ask for a run of the script, wait for its end; the seconds it took."""
        began = time.monotonic()
        if not fragment:
            self._page.clear()
        message = BackMsg()
        message.rerun_script.query_string = self._query
        message.rerun_script.fragment_id = fragment
        message.rerun_script.widget_states.widgets.extend([*self._states.values(), *triggers])
        self._socket.send(message.SerializeToString())
        while not self._receive():
            pass
        return time.monotonic() - began

    def _receive(self) -> bool:
        """Take one message; whether it says that a run has ended."""
        content = self._socket.recv(timeout=120)
        self.received += content
        message = ForwardMsg.FromString(content)
        kind = message.WhichOneof("type")
        if kind == "auto_rerun":
            self._polling = message.auto_rerun.fragment_id
        elif kind == "stop_auto_rerun":
            self._polling = None
        elif kind == "delta" and message.delta.WhichOneof("type") == "new_element":
            self._adopt(tuple(message.metadata.delta_path), message.delta.new_element)
        return kind == "script_finished" and message.script_finished in FINISHED

    def _adopt(self, place: tuple[int, ...], element) -> None:
        kind = element.WhichOneof("type")
        part = getattr(element, kind)
        if hasattr(part, "label") and hasattr(part, "id"):
            self._ids[kind, part.label] = part.id
        words = [getattr(part, name, "") for name in ("body", "label", "value")]
        self._page[place] = " ".join(word for word in words if isinstance(word, str))

    @property
    def texts(self) -> str:
        return "\n".join(self._page.values())

    def settle(self) -> None:
        """Let fragments that run by themselves run until none does."""
        while self._polling:
            time.sleep(0.25)
            self.run(self._polling)
            # The end of a fit asks for a run of the whole page, which comes by itself.
            self._drain()

    def _drain(self) -> None:
        while True:
            try:
                content = self._socket.recv(timeout=0.3)
            except TimeoutError:
                return
            self.received += content
            message = ForwardMsg.FromString(content)
            if message.WhichOneof("type") == "new_session":
                self._page.clear()
                self._polling = None
                while not self._receive():
                    pass

    def click(self, label: str) -> float:
        return self.run("", WidgetState(id=self._ids["button", label], trigger_value=True))

    def type(self, label: str, text: str) -> float:
        id_ = self._ids["text_area", label]
        self._states[id_] = WidgetState(id=id_, string_value=text)
        return self.run()

    def enter(self, label: str, number: int) -> float:
        id_ = self._ids["number_input", label]
        self._states[id_] = WidgetState(id=id_, int_value=number)
        return self.run()
