"""A part of a page that runs again at once leaves the page whole, however little of it was sent."""

from collections.abc import Iterable

import pytest
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.forward_msg_queue import ForwardMsgQueue

from pages.ui.server.whole_parts import drop_parts_whole
from support.visitor import Visitor

pytestmark = pytest.mark.slow

ENDLESS = "v=1&s=generate&g=overlapping&n=20000&tk=9&k=20&tol=1e-12&it=100000"
PAGES = {
    "": ENDLESS,
    "local_optima": f"{ENDLESS}&ns=500",
    "model_selection": f"{ENDLESS}&kf=19&kt=20",
    "lower_bound": "v=1&e=iris",
    "variants": "v=1&e=iris&rp=3000",
    "theory": "v=1&th=steps",
}


def misplaced(messages: Iterable[ForwardMsg]) -> list[list[int]]:
    """Places that a browser, given these messages, would not find: each new one is the next."""
    children = {(0,): 0, (1,): 0, (2,): 0, (3,): 0}
    lost = []
    for message in messages:
        if not (message.HasField("delta") or message.HasField("ref_hash")):
            continue
        *parent, index = place = tuple(message.metadata.delta_path)
        if index > children.get(tuple(parent), -1):
            lost.append(list(place))
            continue
        children[tuple(parent)] = max(children[tuple(parent)], index + 1)
        if message.delta.WhichOneof("type") == "add_block":
            children.setdefault(place, 0)
    return lost


def kept(messages: Iterable[ForwardMsg], fragment: str) -> list[ForwardMsg]:
    """What Streamlit still sends of these where the fragment runs again before."""
    queue = ForwardMsgQueue()
    for message in messages:
        queue.enqueue(message)
    queue.clear(retain_lifecycle_msgs=True, fragment_ids_this_run=[fragment])
    return queue.flush()


def message(place: list[int], fragment: str = "", kept_by_the_browser: bool = False) -> ForwardMsg:
    """Of a page: a block where it is of no fragment, else an element of one."""
    told = ForwardMsg()
    told.metadata.delta_path.extend(place)
    if kept_by_the_browser:
        told.ref_hash = str(place)
    elif not fragment:
        told.delta.add_block.allow_empty = True
    else:
        told.delta.fragment_id = fragment
        told.delta.new_element.markdown.body = "."
    return told


def test_what_a_browser_keeps_is_dropped_with_the_part_that_it_stands_in() -> None:
    """Streamlit sends a mere name of it, which does not say of which fragment it is."""
    drop_parts_whole()
    messages = [
        message([0, 0]),
        message([0, 0, 0], "one"),
        message([0, 0, 1], kept_by_the_browser=True),
        message([0, 0, 2], "one"),
        message([0, 0, 3], kept_by_the_browser=True),
        message([0, 1]),
        message([0, 1, 0], kept_by_the_browser=True),
        message([0, 1, 1], "other"),
    ]
    assert misplaced(messages) == []
    for sent in range(len(messages)):
        for fragment in ("one", "other"):
            assert misplaced(messages[:sent] + kept(messages[sent:], fragment)) == []
    still = kept(messages, "one")
    assert [list(m.metadata.delta_path) for m in still] == [[0, 0], [0, 1], [0, 1, 0], [0, 1, 1]]


@pytest.mark.parametrize("page", PAGES)
def test_the_page_is_whole_whenever_a_fragment_runs(app: str, page: str) -> None:
    visitor = Visitor(app, PAGES[page], page)
    messages = list(visitor.messages)
    visitor.close()
    assert misplaced(messages) == []
    fragments = {message.delta.fragment_id for message in messages} - {""}
    assert fragments
    for fragment in fragments:
        for sent in range(len(messages)):
            assert misplaced(messages[:sent] + kept(messages[sent:], fragment)) == []


def test_a_fragment_of_the_page_before_runs_no_more(app: str) -> None:
    """Else Streamlit runs that of the next page, and tells the browser it is on the last one."""
    visitor = Visitor(app, "v=1&e=iris")
    *_, pages = (m.navigation.app_pages for m in visitor.messages if m.HasField("navigation"))
    hashes = {page.url_pathname: page.page_script_hash for page in pages}
    fragments = {message.delta.fragment_id for message in visitor.messages} - {""}
    visitor.messages.clear()
    visitor.ask(page_hash=hashes["variants"])
    while not any(list(m.metadata.delta_path[:2]) == [0, 2] for m in visitor.messages):
        assert not visitor.receive()
    for fragment in fragments:
        visitor.ask(fragment, page_hash=hashes[""])
    visitor.wait()
    visitor.ask(page_hash=hashes["variants"])
    visitor.wait()
    visitor.close()
    sessions = [m.new_session for m in visitor.messages if m.HasField("new_session")]
    assert {session.page_script_hash for session in sessions} == {hashes["variants"]}
    again = {message.delta.fragment_id for message in visitor.messages} - {""}
    assert again and not again & fragments


def test_a_choice_that_the_next_model_does_not_have_is_let_go(app: str) -> None:
    """Streamlit writes down what was chosen before with the names that there are now."""
    visitor = Visitor(app, "v=1&e=iris&k=2", "variants")
    visitor.settle()
    visitor.choose("Algorithms", "EM", "Hard EM")
    visitor.settle()
    visitor.pick("Model", "Factor analysis")
    visitor.settle()
    assert "“hard” is not among the choices here" in visitor.texts
    assert "An amortised posterior" in visitor.texts
    visitor.run()
    visitor.settle()
    assert "An amortised posterior" in visitor.texts
    visitor.close()
