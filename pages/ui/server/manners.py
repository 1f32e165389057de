"""How the server says where it is, asks nobody outside, takes in so much, and ends when told to."""

from __future__ import annotations

import logging
import signal
from collections.abc import Iterator

import uvicorn
from streamlit import config, net_util
from streamlit.runtime.runtime_util import get_max_widget_state_size_bytes
from streamlit.web.server.server_util import get_url

log = logging.getLogger(__name__)

# What is under way when the server is told to end has so long: an upload that hangs would else keep
# it for ever.
SECONDS_TO_END = 5
EVERYWHERE = ("0.0.0.0", "::")


def ask_nobody_outside() -> None:
    """Streamlit would ask a server of Amazon's for this machine's address: where it starts without
    a window, which `logger.hideWelcomeMessage` prevents, and, each time anew and while everybody
    waits, where a page of another site asks for a connection."""
    net_util._external_ip = ""  # no address, and known


def say_where() -> None:
    """The addresses that the app has, in place of Streamlit's message with them."""
    address = config.get_option("server.address")
    hosts = [config.get_option("browser.serverAddress") or "localhost"]
    if address and address not in EVERYWHERE:
        hosts = [f"[{address}]" if ":" in address else address]
    elif not config.is_manually_set("browser.serverAddress"):
        hosts += filter(None, [net_util.get_internal_ip()])
    print(f"EM Explorer: {'  '.join(map(get_url, dict.fromkeys(hosts)))}", flush=True)


def take_in_no_more() -> None:
    """A message of a browser that is too large is refused when its size is told, before it comes.

    Streamlit lets 200 MB come, as much as it sends itself, before it refuses what is above 25.
    """
    for server in _servers():
        server.config.ws_max_size = get_max_widget_state_size_bytes()


def end_in_time() -> None:
    """Whatever is under way ends within SECONDS_TO_END of a signal to end."""
    # Streamlit starts uvicorn's server with no limit; who starts it otherwise may have set one.
    for server in _servers():
        if server.config.timeout_graceful_shutdown is None:
            server.config.timeout_graceful_shutdown = SECONDS_TO_END


def _servers() -> Iterator[uvicorn.Server]:
    """The server at work, which it is who hears of signals."""
    for number in (signal.SIGTERM, signal.SIGINT):
        server = getattr(signal.getsignal(number), "__self__", None)
        if isinstance(server, uvicorn.Server):
            yield server
