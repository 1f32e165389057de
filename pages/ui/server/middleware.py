"""What every answer of the server says, and what it does not take in."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from contextlib import suppress
from urllib.parse import parse_qs, urlsplit

from google.protobuf.message import DecodeError
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, HTTPConnection
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit import runtime
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.web.server.server import UPLOAD_FILE_ENDPOINT

from pages.ui.state.memory import FULL_FOR_ALL
from pages.ui.state.reloads import COOKIE
from pages.ui.state.shell import OWNER_KEY

log = logging.getLogger(__name__)

# A file travels with a name and a type before it, and a line after it.
AROUND_A_FILE = 1_000_000
# The address of a page: in each message that says which page begins, and in few others.
A_PAGE = b"model_selection"
# The dialog on sharing has one, for how many days; every page has more.
WIDGETS_OF_A_DIALOG = 2
# Files that are brought at once.
MOST_FILES = 100
# Characters of an address after its "?": the server takes no longer one when a page is asked for.
LONGEST_QUERY = 200_000
# Characters of what a part of a page tells of itself: Streamlit takes it apart before it is known
# whether that is what the part can tell.
LONGEST_REPORT = 1_000_000
# What is so for one run only.
CLICKS = {
    *("trigger_value", "string_trigger_value", "json_trigger_value", "chat_input_value"),
}
# What the names of widgets and of parts of them begin with.
OF_A_WIDGET = "$$"
# Why a connection ends (RFC 6455, 7.4.1).
UNSUPPORTED_DATA, INVALID_DATA, POLICY_VIOLATION = 1003, 1007, 1008


class SecurityHeaders:
    """No guessing at types, no address told to other sites, and no frames but those meant for it.

    A link made for embedding, with `embed=true`, may be shown by any site; others by this one only,
    and so may a link that deletes what it was given for. A proxy may allow fewer.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def say(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["X-Content-Type-Options"] = "nosniff"
                headers["Referrer-Policy"] = "no-referrer"
                headers["Content-Security-Policy"] = f"frame-ancestors {_frames(scope)}"
            await send(message)

        await self.app(scope, receive, say if scope["type"] == "http" else send)


def _frames(scope: Scope) -> str:
    query = parse_qs(scope["query_string"].decode("latin-1"))
    return "*" if "true" in query.get("embed", ()) and OWNER_KEY not in query else "'self'"


class KnownBrowsers:
    """Each browser that asks for a page gets a token of its own, 144 random bits, until it closes.

    Only this server is told it. A reload shows by it that it comes from where a table came from.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _is_asked_for_a_page(scope):
            await self.app(scope, receive, send)
            return
        https = "https" in (scope["scheme"], Headers(scope=scope).get("x-forwarded-proto"))

        async def say(message: Message) -> None:
            if message["type"] == "http.response.start":
                kept = "; Path=/; HttpOnly; SameSite=Lax" + "; Secure" * https
                token = f"{COOKIE}={secrets.token_urlsafe(18)}{kept}"
                MutableHeaders(scope=message).append("Set-Cookie", token)
            await send(message)

        await self.app(scope, receive, say)


def _is_asked_for_a_page(scope: Scope) -> bool:
    """Whether a browser without a token asks for a page."""
    connection = HTTPConnection(scope)
    page = scope["method"] == "GET" and "text/html" in connection.headers.get("accept", "")
    return page and COOKIE not in connection.cookies


class LimitedBodies:
    """Refuses what is larger than a file may be: before it is read where its length is told.

    limit: bytes that one file may have.
    """

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self.app = app
        self._limit = limit + AROUND_A_FILE
        self._refusal = f"A file may have at most {limit / 1e6:,.0f} MB here."

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if int(Headers(scope=scope).get("content-length", 0)) > self._limit:
            refusal = PlainTextResponse(self._refusal, 413, {"Connection": "close"})
            await refusal(scope, receive, send)
            return
        taken = 0

        def count(size: int) -> None:
            nonlocal taken
            taken += size
            if taken > self._limit:
                raise HTTPException(413, self._refusal, {"Connection": "close"})

        with suppress(ClientDisconnect):  # in the middle of it: nobody is there to be told
            await self.app(scope, _counted(receive, count), send)


class LimitedUploads:
    """Files that were sent and that no page has taken yet: the last two of a visit are kept.

    limit: bytes that all visits together may have sent so, or have sent of files on their way.
    """

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self.app = app
        self._limit = limit
        self._coming = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        _, _, file = scope.get("path", "").partition(f"{UPLOAD_FILE_ENDPOINT}/")
        if scope["type"] != "http" or scope["method"] != "PUT" or not file:
            await self.app(scope, receive, send)
            return
        session = file.partition("/")[0]
        _keep_last(session, 1)
        if self._full(int(Headers(scope=scope).get("content-length", 0))):
            refusal = PlainTextResponse(FULL_FOR_ALL, 507, {"Connection": "close"})
            await refusal(scope, receive, send)
            return
        taken = 0

        def count(size: int) -> None:
            nonlocal taken
            if self._full(size):
                raise HTTPException(507, FULL_FOR_ALL, {"Connection": "close"})
            taken += size
            self._coming += size

        try:
            await self.app(scope, _counted(receive, count), send)
        finally:
            self._coming -= taken
            # Its visit may have ended meanwhile.
            _keep_last(session, 2 if _is_here(session) else 0)

    def _full(self, size: int) -> bool:
        """Whether there is no room for so many bytes more."""
        storage = _uploaded().file_storage
        held = sum(
            len(file.data) for files in list(storage.values()) for file in list(files.values())
        )
        return held + self._coming + size > self._limit


class SoundMessages:
    """A connection that is no browser's, or a message, is refused with a line in the log.

    Nor does a message ask for places of more files than anybody brings at once: Streamlit makes an
    address for each on the thread that serves everybody. One of 5 MB with 1,500,000 names held up
    all others for 12.8 s and took 1 GB.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "websocket":
            await self.app(scope, receive, send)
            return
        if not _is_an_address(Headers(scope=scope).get("origin", "")):
            log.warning("A connection was refused: it names its origin as no browser does.")
            await receive()
            await send({"type": "websocket.close", "code": POLICY_VIOLATION})
            return

        async def refuse(code: int, what: str) -> Message:
            log.warning("A connection was ended: what came by it is %s.", what)
            await send({"type": "websocket.close", "code": code})
            return {"type": "websocket.disconnect", "code": code}

        async def take() -> Message:
            message = await receive()
            if message["type"] != "websocket.receive":
                return message
            content = message.get("bytes")
            if content is None:
                return await refuse(UNSUPPORTED_DATA, "text, which no page of this app sends")
            asked = _read(content)
            if asked is None:
                return await refuse(INVALID_DATA, "no message of a page")
            if asked.WhichOneof("type") == "file_urls_request":
                del asked.file_urls_request.file_names[MOST_FILES:]
                message["bytes"] = asked.SerializeToString()
            elif asked.WhichOneof("type") == "rerun_script":
                if len(asked.rerun_script.query_string) > LONGEST_QUERY:
                    log.warning("A message had a longer address than a page has: left out.")
                    asked.rerun_script.query_string = ""
                    message["bytes"] = asked.SerializeToString()
                told = asked.rerun_script.widget_states.widgets
                sound = [
                    state
                    for state in told
                    if state.id.startswith(OF_A_WIDGET) and len(state.json_value) <= LONGEST_REPORT
                ]
                if len(sound) < len(told):
                    log.warning("A message told more of a widget than any page has: left out.")
                    del told[:]
                    told.extend(sound)
                    message["bytes"] = asked.SerializeToString()
            return message

        await self.app(scope, take, send)


def _is_an_address(text: str) -> bool:
    """Whether an address can be taken apart, be it any or none."""
    try:
        urlsplit(text)
    except ValueError:
        return False
    return True


class LateEvents:
    """Whoever has clicked on the link to another page gets there, whatever they use until then.

    Until the browser has heard of that page, its messages name the one before: Streamlit would go
    back to it. They tell what was done to its widgets, so it is the next page that takes them.

    A click counts once, while a fit is watched too.

    And whoever has a page from before the server was started again is heard, too: the first run of
    a session is one of the whole page. Of a part of it, as a dialog, Streamlit would know nothing.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "websocket":
            await self.app(scope, receive, send)
            return
        pages = _Pages(_continues(scope))

        async def take() -> Message:
            message = await receive()
            if content := message.get("bytes"):
                message["bytes"] = pages.asked_by(content)
            return message

        async def say(message: Message) -> None:
            if content := message.get("bytes"):
                pages.told(content)
            await send(message)

        await self.app(scope, take, say)


class _Pages:
    """Which page one browser is to be on: what it asked for last, or what the app led it to."""

    def __init__(self, continues: bool) -> None:
        self._has_run = continues
        self._page = ""
        # The one before, until the browser speaks from the page that it is to be on.
        self._left = ""
        self._begun = False  # whether the browser was told that this page comes

    def asked_by(self, content: bytes) -> bytes:
        """A message of the browser, with the page that it is to be on."""
        message = _read(content)
        if message is None or message.WhichOneof("type") != "rerun_script":
            return content
        run = message.rerun_script
        if run.is_auto_rerun:
            # A part of the page that looks after itself comes between a click and its message: the
            # browser names the click in both, and Streamlit would take it twice.
            others = [w for w in run.widget_states.widgets if w.WhichOneof("value") not in CLICKS]
            if len(others) < len(run.widget_states.widgets):
                del run.widget_states.widgets[:]
                run.widget_states.widgets.extend(others)
                content = message.SerializeToString()
        if not self._has_run:
            self._has_run = True
            if run.fragment_id:
                run.fragment_id = ""
                content = message.SerializeToString()
        page = run.page_script_hash
        if not page:
            return content
        if (used := _tells_what_was_done(run)) and page == self._left:
            run.page_script_hash = self._page
            return message.SerializeToString()
        if page != self._page:
            self._go_to(page, begun=False)
        elif used:
            self._left = ""
        return content

    def told(self, content: bytes) -> None:
        """A message to the browser. Once a page has begun, another begins only where it led to."""
        if A_PAGE not in content:
            return
        message = ForwardMsg.FromString(content)
        if message.WhichOneof("type") != "navigation":
            return
        page = message.navigation.page_script_hash
        if page == self._page:
            self._begun = True
        elif self._begun or not self._page:
            self._go_to(page, begun=True)

    def _go_to(self, page: str, begun: bool) -> None:
        self._left, self._page, self._begun = self._page, page, begun


def _continues(scope: Scope) -> bool:
    """Whether a browser comes back to a session that is still here: it names the last it had."""
    named = Headers(scope=scope).get("sec-websocket-protocol", "").split(",")
    last = named[2].strip() if len(named) > 2 else ""
    return bool(last) and _is_here(last)


def _is_here(session: str) -> bool:
    """Whether a session has not ended, be its window open or not."""
    return runtime.get_instance()._session_mgr.get_session_info(session) is not None


def _read(content: bytes) -> BackMsg | None:
    """A message of the browser; None for what is none."""
    try:
        return BackMsg.FromString(content)
    except DecodeError:
        return None


def _tells_what_was_done(run: ClientState) -> bool:
    """Whether a browser asks for a run as widgets were used. A click on a link, or the way back,
    comes without query and without what is on the page, but for what an open dialog holds."""
    if run.is_history_navigation:
        return False
    n_widgets = len(run.widget_states.widgets)
    return bool(
        run.fragment_id or n_widgets > WIDGETS_OF_A_DIALOG or (n_widgets and run.query_string)
    )


def _counted(receive: Receive, count: Callable[[int], None]) -> Receive:
    """What is received, after `count` was called with the bytes of its body; it may refuse them."""

    async def take() -> Message:
        message = await receive()
        count(len(message.get("body", b"")))
        return message

    return take


def _uploaded() -> MemoryUploadedFileManager:
    manager = runtime.get_instance().uploaded_file_mgr
    assert isinstance(manager, MemoryUploadedFileManager)
    return manager


def _keep_last(session: str, most: int) -> None:
    """Let go of the earlier files of a visit."""
    manager = _uploaded()
    files = list(manager.file_storage.get(session, {}))
    for earlier in files[: max(len(files) - most, 0)]:
        manager.remove_file(session, earlier)
