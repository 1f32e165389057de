"""What a browser knows of its page from before the server was started again.

Its first message names the values of all its widgets. Streamlit and the browser forget those that
the first answer does not show. A widget that comes later, as that of a fit which has to end first,
gets its value from here, as if it had been there in time; the browser is then told to show it.
"""

from __future__ import annotations

from streamlit.proto.WidgetStates_pb2 import WidgetState, WidgetStates
from streamlit.runtime.state.common import user_key_from_element_id

from pages.ui.state.session import held, put, session, widget_states

# Bytes of what waits for its widget while a fit goes on: of what a person types, far fewer do.
MOST_WAITING = 1_000_000
# Of what a click is and what a file holds, a browser cannot be told.
_CAN_BE_TOLD = {
    *("bool_value", "int_value", "double_value", "string_value"),
    *("double_array_value", "string_array_value"),
}


def arrive(first: bool) -> None:
    """A page is opened. first: of a session, so that its browser may know the page already."""
    states = widget_states().get_widget_states() if first else []
    session().returned = {state.id: state for state in states}
    session().given = set()


def give() -> None:
    """Their values to widgets that the browser knew, and that may be made by this run."""
    states, returned, given = widget_states(), session().returned, session().given
    for id_ in [id_ for id_ in returned if id_ in states]:
        state = returned.pop(id_)
        if id_ in given:
            _tell(state)
    # What the browser still knows, and has said again, is the newer.
    now = {state.id: state for state in states.get_widget_states()}
    returned.update((id_, now[id_]) for id_ in returned.keys() & now.keys())
    given.update(returned)
    if returned:
        states.on_script_will_rerun(
            WidgetStates(widgets=returned.values()),
            replay_trigger_states=WidgetStates(widgets=now.values()),
        )


def knows(key: str) -> bool:
    """Whether the browser has a value for the widget with this key, which was not made yet."""
    return any(user_key_from_element_id(id_) == key for id_ in session().returned)


def wait(at_work: bool) -> bool:
    """The page was made: what it has not is waited for while something is at work, within limits.

    Whether there is now a widget of which the browser does not know the value: another run tells.
    """
    states, returned = widget_states(), session().returned
    made = {id_ for id_ in returned if id_ in states}
    if made & session().given:
        return True
    for id_ in made:
        del returned[id_]
    if not at_work or sum(state.ByteSize() for state in returned.values()) > MOST_WAITING:
        returned.clear()
    return False


def _tell(state: WidgetState) -> None:
    key = user_key_from_element_id(state.id)
    if key is not None and state.WhichOneof("value") in _CAN_BE_TOLD:
        value = held(key)
        # A table's edits and what is selected on a chart are text to the browser.
        if not isinstance(value, dict):
            put(key, value)
