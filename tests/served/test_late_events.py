"""What a person does to a page that is being left is taken: no page dies of it."""

from urllib.parse import parse_qsl

import pytest
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState

from pages.ui.state.settings import LINES
from support.walk import Walker

PAGES = ("", "local_optima", "model_selection", "describe", "lower_bound", "variants", "theory")
# Few starts, a small grid and a short race: what is begun here is not waited for.
LINK = "v=1&e=iris&k=3&ns=2&ne=1&kt=2&rp=10"
RESULTS = ("r", "rr", "rg")
ENDLESS = "v=1&s=generate&g=overlapping&n=20000&tk=9&k=20&tol=1e-12&it=100000"
# It ends not with the first answer, but soon: with the first of these numbers of iterations that
# takes longer than an answer does, which a busy machine makes late.
LONG = "v=1&s=generate&g=overlapping&n=50000&tk=9&k=9&tol=1e-12&it="
ITERATIONS = (50, 150, 450)
CHANGES = {"model_selection": ("to", "kt", 4), "theory": ("Weight of component 1", "tw", 0.7)}


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


@pytest.mark.parametrize("still_here", [True, False])
@pytest.mark.parametrize("page", PAGES)
def test_a_click_just_after_that_on_another_page_is_taken(
    app: str, page: str, still_here: bool
) -> None:
    """The browser names the page it is on: the one before, until it has heard of the next."""
    # Where the next page was there already, there was nothing left to click on.
    assert any(in_time(app, page, still_here) for _ in range(5))


def in_time(app: str, page: str, still_here: bool) -> bool:
    """Click on a link, then elsewhere; whether that was while the next page was made."""
    other = PAGES[PAGES.index(page) - 2]
    visitor = Walker(app, LINK, page)
    known, places = list(visitor.messages), hashes(visitor)
    name, key, value = CHANGES.get(page, ("Components", "k", 4))
    states = named(known, name, value)
    assert len(states) >= 3
    visitor.messages.clear()
    visitor.ask(page_hash=places[other])
    while not any(message.HasField("navigation") for message in visitor.messages):
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
    if other == "lower_bound":  # which opens where bound and likelihood part
        chosen = {key: text for key, text in chosen.items() if key not in ("li", "f")}
    expected = dict(parse_qsl(LINK))
    assert chosen in ([] if interrupted else [expected]) + [expected | {key: str(value)}]
    visitor.close()
    return interrupted


def test_a_link_leads_to_its_page_beside_an_open_dialog_and_back(app: str) -> None:
    """The browser sends what the dialog holds along with the link, and no query."""
    visitor = Walker(app, LINK, "")
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

    def __init__(self, app: str, query: str, page: str, *states: WidgetState) -> None:
        self._states_before = states
        super().__init__(app, query, page)

    def ask(self, fragment: str = "", *triggers: WidgetState, page_hash: str = "") -> None:
        states, self._states_before = self._states_before, ()
        super().ask(fragment, *triggers, *states, page_hash=page_hash)


@pytest.mark.parametrize("page", PAGES)
def test_what_was_done_while_the_server_was_started_again_is_taken(app: str, page: str) -> None:
    visitor = Walker(app, LINK, page)
    known = list(visitor.messages)
    visitor.close()
    name, key, value = CHANGES.get(page, ("Components", "k", 4))
    chosen = dict(parse_qsl(LINK))
    # Nothing; something before it was reached again; and after, while it makes the page.
    visitor = Returning(app, LINK, page, *named(known, "", 0))
    assert settings_of(visitor) == chosen
    visitor.close()
    visitor = Returning(app, LINK, page, *named(known, name, value))
    assert settings_of(visitor) == chosen | {key: str(value)}
    visitor.close()
    for received in (3, 30):
        visitor = Interrupting(app, page, received, named(known, "", 0), named(known, name, value))
        assert settings_of(visitor) == chosen | {key: str(value)}
        assert visitor.errors == []
        visitor.close()


class Interrupting(Walker):
    """Does something else once it has received so many messages of the first answer."""

    def __init__(
        self,
        app: str,
        page: str,
        received: int,
        first: list[WidgetState],
        then: list[WidgetState],
    ) -> None:
        self._received, self._first, self._then = received, first, then
        super().__init__(app, LINK, page)
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
    told = dict(part.split("=") for part in visitor.written.split("&"))
    return {key: told[key] for key in told if key not in RESULTS}


def test_a_button_clicked_while_the_server_was_started_again_is_heard(app: str) -> None:
    visitor = Walker(app, LINK)
    click = WidgetState(id=visitor._ids["button", "Next seed"], trigger_value=True)
    known = named(visitor.messages, "", 0)
    visitor.close()
    visitor = Returning(app, LINK, "", *known, click)
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
# The same of what a page shows once its fit has ended.
DONE_LATER = {
    "button": ("", {("button", "Is this the best answer?"): True}, " have ended"),
    "setting": ("lower_bound", {("selectbox", "Slice along"): LINES["end"]}, "li=end"),
    "name": ("describe", {("text_input", "Name of component 2"): "Second"}, "nm=%2CSecond"),
}


@pytest.mark.parametrize("what", DONE)
def test_any_widget_used_while_the_server_was_started_again_is_heard(app: str, what: str) -> None:
    query, page, done, then = DONE[what]
    visitor = Returning(app, query, page, *used(app, query, page, done))
    assert is_heard(visitor, then)
    visitor.close()


@pytest.mark.parametrize("what", DONE_LATER)
def test_and_so_is_one_that_is_first_shown_once_a_fit_has_ended(app: str, what: str) -> None:
    page, done, then = DONE_LATER[what]
    for iterations in ITERATIONS:
        query = f"{LONG}{iterations}"
        states = used(app, query, page, done)
        visitor = Returning(app, query, page, *states)
        if not visitor._ids.keys() & done.keys():
            break
        visitor.close()
    else:
        pytest.fail("none of the fits is long enough for this test")
    assert is_heard(visitor, then)
    # The browser has forgotten what the first answer did not show: it is told again, once.
    if not states[0].HasField("trigger_value"):
        assert told(visitor, states[0].id)
        visitor.messages.clear()
        visitor.run()
        assert not told(visitor, states[0].id)
    visitor.close()


def used(app: str, query: str, page: str, done: dict[tuple[str, str], object]) -> list[WidgetState]:
    """The values of widgets once they are there, as a browser names them."""
    visitor = Walker(app, query, page)
    while not done.keys() <= visitor._ids.keys():
        assert visitor._polling, f"the page has ended without its widgets: {visitor.said}"
        visitor.run(visitor._polling)
    states = []
    for (kind, label), value in done.items():
        state = WidgetState(id=visitor._ids[kind, label])
        fields = {"button": "trigger_value", "number_input": "int_value", "checkbox": "bool_value"}
        setattr(state, fields.get(kind, "string_value"), value)
        states.append(state)
    visitor.close()
    return states


def is_heard(visitor: Walker, then: str) -> bool:
    """Whether the page comes to say something, or its address does."""
    while not (then in visitor.texts or then in visitor.written) and visitor._polling:
        visitor.run(visitor._polling)
    assert "does not know" not in visitor.texts
    return then in visitor.texts or then in visitor.written


def told(visitor: Walker, id_: str) -> bool:
    """Whether the last answer tells the browser the value of a widget."""
    elements = (message.delta.new_element for message in visitor.messages)
    parts = (getattr(element, element.WhichOneof("type") or "", None) for element in elements)
    return any(
        getattr(part, "set_value", False) for part in parts if getattr(part, "id", "") == id_
    )


class Uploading(Walker):
    """A visitor whose file is there before the page."""

    def ask(self, fragment: str = "", *triggers: WidgetState, page_hash: str = "") -> None:
        if not self._states:
            visitor = Walker(self._url, self._query)
            id_ = visitor._ids["file_uploader", "Upload a table"]
            visitor.close()
            self._states[id_] = self.sent(id_, "rows.csv", ROWS.encode())
        super().ask(fragment, *triggers, page_hash=page_hash)


def test_a_file_sent_before_the_page_was_made_is_read(app: str) -> None:
    visitor = Uploading(app, "v=1&s=table")
    visitor.settle()
    assert "In use: rows" in visitor.texts
    visitor.close()


def test_where_the_app_leads_to_another_page_what_is_done_there_stays_there(app: str) -> None:
    visitor = Walker(app, "v=1&e=iris&kf=2&kt=3&ne=1", "model_selection")
    places = hashes(visitor)
    visitor.settle()
    visitor.click("Open in Explore")
    assert visitor._page_hash == places[""]
    visitor.settle()
    visitor.enter("Components", 5)
    assert visitor._page_hash == places[""]
    assert settings_of(visitor)["k"] == "5"
    visitor.close()


def test_a_click_counts_once_while_a_fit_is_watched(app: str) -> None:
    """A part of the page that asks for itself just then names the click, too."""
    visitor = Walker(app, f"{ENDLESS}&seed=3")
    while visitor._polling is None:
        visitor.receive()
    click = WidgetState(id=visitor._ids["button", "Next seed"], trigger_value=True)
    visitor.ask(visitor._polling, click, by_itself=True)
    visitor.wait()
    visitor.run("", click)
    assert visitor.shown("Seed") == 4
    visitor.click("Stop")
    visitor.close()


def test_the_first_message_of_a_session_is_heard_whatever_part_of_a_page_it_is_of(app: str) -> None:
    """As of a dialog that is open while the server is started again."""

    class WithADialog(Walker):
        def run(self, fragment: str = "", *triggers: WidgetState) -> float:
            first = not self.received
            return super().run("a part of before" if first else fragment, *triggers)

    visitor = WithADialog(app, "v=1&k=3")
    visitor.settle()
    assert visitor.shown("Components") == 3 and "Log-likelihood" in visitor.said
    visitor.close()
