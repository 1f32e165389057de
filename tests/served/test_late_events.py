"""What a person does to a page that is being left is taken: no page dies of it."""

import re
from collections.abc import Iterator

import pytest
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState

from support.browser import ROOT, serve
from support.walk import Walker

PAGES = ("", "local_optima", "model_selection", "lower_bound", "variants", "theory")
LINK = "v=1&e=iris&k=3"
RESULTS = ("r", "rr", "rg")
ENDLESS = "v=1&s=generate&g=overlapping&n=20000&tk=9&k=20&tol=1e-12&it=100000"
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
    visitor._states = {state.id: state for state in states}
    visitor.ask(page_hash=places[page if still_here else other])
    visitor.wait()
    interrupted = any(message.HasField("new_session") for message in visitor.messages)
    visitor.run()  # where it was not, the one that was asked for
    # And it is the page of the link, wherever the browser still was.
    assert visitor._page_hash == places[other]
    assert visitor.errors == [] and "Something went wrong" not in visitor.texts
    # It is in the link, and nothing else that was only usual has become a choice.
    chosen = settings_of(visitor)
    expected = {"v": "1", "e": "iris", "k": "3"}
    assert chosen in ([] if interrupted else [expected]) + [expected | {key: str(value)}]
    visitor.close()
    return interrupted


def test_a_link_leads_to_its_page_beside_an_open_dialog_and_back(server: str) -> None:
    """The browser sends what the dialog holds along with the link, and no query."""
    visitor = Walker(server, LINK, "")
    places = hashes(visitor)
    days, *_ = named(list(visitor.messages), "Components", 4)
    for page in ("local_optima", "", "theory", "local_optima"):
        visitor._states, visitor._query = {days.id: days}, ""
        visitor.messages.clear()
        visitor.ask(page_hash=places[page])
        visitor.wait()
        assert visitor._page_hash == places[page]
    visitor.close()


class Returning(Walker):
    """A visitor whose browser knows the page from a server that was started again since."""

    def __init__(self, server: str, query: str, page: str, *states: WidgetState) -> None:
        self._states_before = states
        super().__init__(server, query, page)

    def ask(self, fragment: str = "", *triggers: WidgetState, page_hash: str = "") -> None:
        states, self._states_before = self._states_before, ()
        super().ask(fragment, *triggers, *states, page_hash=page_hash)


@pytest.mark.parametrize("page", PAGES)
def test_what_was_done_while_the_server_was_started_again_is_taken(server: str, page: str) -> None:
    visitor = Walker(server, LINK, page)
    known = list(visitor.messages)
    visitor.close()
    name, key, value = CHANGES.get(page, ("Components", "k", 4))
    chosen = {"v": "1", "e": "iris", "k": "3"}
    # Nothing; something before it was reached again; and after, while it makes the page.
    visitor = Returning(server, LINK, page, *named(known, "", 0))
    assert settings_of(visitor) == chosen
    visitor.close()
    visitor = Returning(server, LINK, page, *named(known, name, value))
    assert settings_of(visitor) == chosen | {key: str(value)}
    visitor.close()
    for received in (3, 30):
        visitor = Interrupting(
            server, page, received, named(known, "", 0), named(known, name, value)
        )
        assert settings_of(visitor) == chosen | {key: str(value)}
        assert visitor.errors == []
        visitor.close()


class Interrupting(Walker):
    """Does something else once it has received so many messages of the first answer."""

    def __init__(
        self,
        server: str,
        page: str,
        received: int,
        first: list[WidgetState],
        then: list[WidgetState],
    ) -> None:
        self._received, self._first, self._then = received, first, then
        super().__init__(server, LINK, page)
        self.run()  # where the first answer had ended, that to the second

    def ask(self, fragment: str = "", *triggers: WidgetState, page_hash: str = "") -> None:
        if not self._states:
            super().ask(fragment, *self._first)
            while len(self.messages) < self._received and not self.receive():
                pass
            self.messages.clear()
            self._states = {state.id: state for state in self._then}
        super().ask(fragment, *triggers, page_hash=page_hash)


def settings_of(visitor: Walker) -> dict[str, str]:
    """What the address was last told, but for results."""
    told = dict(part.split("=") for part in link(visitor).split("&"))
    return {key: told[key] for key in told if key not in RESULTS}


def test_a_button_clicked_while_the_server_was_started_again_is_heard(server: str) -> None:
    visitor = Walker(server, LINK)
    click = WidgetState(id=visitor._ids["button", "Next seed"], trigger_value=True)
    known = named(visitor.messages, "", 0)
    visitor.close()
    visitor = Returning(server, LINK, "", *known, click)
    assert settings_of(visitor)["seed"] == "1"
    visitor.click("Next seed")
    assert settings_of(visitor)["seed"] == "2"
    visitor.close()


ROWS = "x,y\n" + "".join(f"{i % 7},{i % 5}.5\n" for i in range(60))
# What is done in a browser while the server is started again: the link, the page, the widgets by
# kind and label with what they hold, and what the page then says, or its address.
DONE = {
    "Stop": (ENDLESS, "", {("button", "Stop"): True}, " stopped "),
    "Dismiss": ("v=1&e=iris&zz=1", "", {("button", "Dismiss"): True}, "e=iris"),
    "Next": ("v=1&th=sum", "theory", {("button", "Next: Jensen"): True}, "th=jensen"),
    "paste": (
        "v=1&s=table",
        "",
        {("text_area", "Rows with a header"): ROWS, ("button", "Use the pasted table"): True},
        "In use: pasted text",
    ),
    "numbers": (
        "v=1",
        "theory",
        {("text_input", "Numbers: two to twelve, separated by commas"): "1, 2, 9"},
        "td=1%2C+2%2C+9",
    ),
    "row": (
        "v=1&e=iris&pt=3&dt=Points",
        "",
        {("number_input", "Row of the table, or click a point in the picture"): 9},
        "Row 9 of the table",
    ),
}


@pytest.mark.parametrize("what", DONE)
def test_any_widget_used_while_the_server_was_started_again_is_heard(
    server: str, what: str
) -> None:
    query, page, done, then = DONE[what]
    visitor = Walker(server, query, page)
    states = []
    for (kind, label), value in done.items():
        state = WidgetState(id=visitor._ids[kind, label])
        if kind == "button":
            state.trigger_value = True
        elif kind == "number_input":
            state.int_value = value
        else:
            state.string_value = value
        states.append(state)
    visitor.close()
    visitor = Returning(server, query, page, *states)
    visitor.settle()
    assert then in visitor.texts or then in link(visitor)
    assert "does not know" not in visitor.texts
    visitor.close()


class Uploading(Walker):
    """A visitor whose file is there before the page."""

    def ask(self, fragment: str = "", *triggers: WidgetState, page_hash: str = "") -> None:
        if not self._states:
            visitor = Walker(self._url, self._query)
            id_ = visitor._ids["file_uploader", "Upload a table"]
            visitor.close()
            self._states[id_] = self.sent(id_, "rows.csv", ROWS.encode())
        super().ask(fragment, *triggers, page_hash=page_hash)


def test_a_file_sent_before_the_page_was_made_is_read(server: str) -> None:
    visitor = Uploading(server, "v=1&s=table")
    visitor.settle()
    assert "In use: rows" in visitor.texts
    visitor.close()


def test_where_the_app_leads_to_another_page_what_is_done_there_stays_there(server: str) -> None:
    visitor = Walker(server, "v=1&e=iris&kf=2&kt=3&ne=1", "model_selection")
    places = hashes(visitor)
    visitor.settle()
    visitor.click("Open in Explore")
    assert visitor._page_hash == places[""]
    visitor.settle()
    visitor.enter("Components", 5)
    assert visitor._page_hash == places[""]
    assert settings_of(visitor)["k"] == "5"
    visitor.close()
