"""What a person does to a page that is being left is taken: no page dies of it."""

import re
from collections.abc import Iterator

import pytest
from browser import ROOT, serve
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from walk import Walker

PAGES = ("", "local_optima", "model_selection", "lower_bound", "variants", "theory")
LINK = "v=1&e=iris&k=3"
RESULTS = ("r", "rr", "rg")
CHANGES = {"model_selection": ("to", "kt", 4), "theory": ("Weight of component 1", "tw", 0.7)}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serve(ROOT, tmp_path_factory.mktemp("app") / "log") as url:
        yield url


def named(messages: list[ForwardMsg], changed: str, value: float) -> list[WidgetState]:
    """The values of the widgets as a browser names them all with every message.

    changed, value: the label of the one that is other than it was shown.
    """
    states = {}
    for message in messages:
        if not message.delta.HasField("new_element"):
            continue
        element = message.delta.new_element
        kind = element.WhichOneof("type")
        part = getattr(element, kind)
        state = WidgetState(id=getattr(part, "id", ""))
        match kind:
            case "number_input":
                number = value if part.label == changed else part.default
                if part.data_type == part.INT:
                    state.int_value = int(number)
                else:
                    state.double_value = number
            case "slider":
                number = value if part.label == changed else part.default[0]
                state.double_array_value.data.append(number)
            case "selectbox":
                state.string_value = part.options[part.default]
            case "multiselect":
                state.string_array_value.data.extend(part.options[i] for i in part.default)
            case "button_group":
                chosen = [part.options[i].content for i in part.default]
                state.string_array_value.data.extend(chosen)
            case "checkbox":
                state.bool_value = part.default
            case "text_input" | "text_area":
                state.string_value = part.default
            case _:
                continue
        states[state.id] = state
    return list(states.values())


def hashes(visitor: Walker) -> dict[str, str]:
    (pages,) = (m.navigation.app_pages for m in visitor.messages if m.HasField("navigation"))
    return {page.url_pathname: page.page_script_hash for page in pages}


def link(visitor: Walker) -> str:
    """The settings that the address was last told."""
    return re.findall(rb"v=1[\w=&%.,+-]*", visitor.received)[-1].decode()


@pytest.mark.parametrize("still_here", [True, False])
@pytest.mark.parametrize("page", PAGES)
def test_a_click_just_after_that_on_another_page_is_taken(
    server: str, page: str, still_here: bool
) -> None:
    """The browser names the page it is on: the one before, until it has heard of the next."""
    # Where the next page was there already, there was nothing left to click on.
    assert any(in_time(server, page, still_here) for _ in range(5))


def in_time(server: str, page: str, still_here: bool) -> bool:
    """Click on a link, then elsewhere; whether that was while the next page was made."""
    other = PAGES[PAGES.index(page) - 2]
    visitor = Walker(server, LINK, page)
    known, places = list(visitor.messages), hashes(visitor)
    name, key, value = CHANGES.get(page, ("Components", "k", 4))
    states = named(known, name, value)
    assert len(states) >= 3
    visitor.messages.clear()
    visitor.ask(page_hash=places[other])
    while not any(list(m.metadata.delta_path[:2]) == [0, 2] for m in visitor.messages):
        assert not visitor.receive()
    visitor.messages.clear()
    visitor.ask("", *states, page_hash=places[page if still_here else other])
    visitor.wait()
    interrupted = any(message.HasField("new_session") for message in visitor.messages)
    visitor.run()  # where it was not, the one that was asked for
    assert visitor.errors == [] and "Something went wrong" not in visitor.texts
    # It is in the link, and nothing else that was only usual has become a choice.
    told = dict(part.split("=") for part in link(visitor).split("&"))
    chosen = {key: told[key] for key in told if key not in RESULTS}
    expected = {"v": "1", "e": "iris", "k": "3"}
    assert chosen in ([] if interrupted else [expected]) + [expected | {key: str(value)}]
    visitor.close()
    return interrupted
