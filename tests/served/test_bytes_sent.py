"""What a rerun sends to a browser that has the rest. Budgets are in tests/benchmarks/browser.py."""

import base64
import json
import re

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState

from pages.ui.pictures.picture import View
from support.visitor import Visitor

LINK = "v=1&s=generate&g=overlapping&n=5000&tk=5&k=5&d=5000&tol=1e-12&it=60"


class Keeping(Visitor):
    """A visitor who keeps what is sent, as browsers do, and says so."""

    def __init__(self, url: str, query: str) -> None:
        self.kept: dict[str, ForwardMsg] = {}
        super().__init__(url, query)

    def receive(self) -> bool:
        ended = super().receive()
        message = self.messages[-1]
        if message.metadata.cacheable:
            self.kept[message.hash] = message
        return ended

    def part(self, component: str) -> tuple[str, str]:
        """A component of the page: its widget, and the fragment that it runs."""
        *_, message = (
            message
            for message in self.kept.values()
            if message.delta.new_element.bidi_component.component_name == component
        )
        return message.delta.new_element.bidi_component.id, message.delta.fragment_id

    def report(self, component: str, **values: object) -> int:
        """Report values of a component; the bytes that are sent for it."""
        id_, fragment = self.part(component)
        self._states[id_] = WidgetState(id=id_, json_value=json.dumps(values))
        message = BackMsg()
        run = message.rerun_script
        run.page_script_hash, run.query_string = self._page_hash, self._query
        run.fragment_id = fragment
        run.widget_states.widgets.extend(self._states.values())
        run.cached_message_hashes.extend(self.kept)
        self.messages.clear()
        before = len(self.received)
        self._socket.send(message.SerializeToString())
        self.wait()
        return len(self.received) - before

    def made(self, file: str) -> bytes:
        """The content of a download that is made when it is asked for."""
        message = BackMsg()
        message.backend_operation_request.request_id = "1"
        message.backend_operation_request.session_id = self._session
        message.backend_operation_request.deferred_file.file_id = file
        self._socket.send(message.SerializeToString())
        while not self.messages[-1].HasField("backend_operation_response"):
            self.receive()
        address = self.messages[-1].backend_operation_response.deferred_file.url
        return self._http.get(self._url + address).content


def test_another_view_sends_little_and_is_in_the_link(app: str) -> None:
    visitor = Keeping(app, LINK)
    visitor.settle()
    for on in (True, False, True):
        sent = visitor.report("em_player_view", view=View()._asdict() | {"contours": on})
        assert sent <= 2_980
        told = [
            json.loads(message.delta.new_element.bidi_component.json)["query"]
            for message in visitor.messages
            if message.delta.new_element.bidi_component.component_name == "tell_link"
        ]
        assert [("dc=1" in query) for query in told] == [on]
    print(f"{sent} bytes")
    visitor.close()


def test_what_is_taken_away_later_is_in_the_view_then(app: str) -> None:
    visitor = Keeping(app, LINK)
    visitor.settle()
    visitor.report("em_player_view", view=View()._asdict() | {"contours": True})
    button = next(
        message.delta.new_element.download_button
        for message in reversed(visitor.kept.values())
        if message.delta.new_element.download_button.label == "Animation (HTML)"
    )
    (packed,) = re.findall(rb'atob\("([^"]+)', visitor.made(button.deferred_file_id))
    assert b'"contours": true' in base64.b64decode(packed)[:2_000]
    visitor.close()
