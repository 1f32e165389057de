"""What a browser says of a widget is left out where the widget cannot be of that value.

Streamlit hands a value of any type to the widget and its callback as it is; and what it cannot read
ends the run, that of what else came with it, and every run after.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

from streamlit.proto.WidgetStates_pb2 import WidgetState
from streamlit.runtime.state.common import ValueFieldName, WidgetMetadata
from streamlit.runtime.state.session_state import Serialized, WStates

log = logging.getLogger(__name__)

# Boxes for numbers send whole ones so.
_ALSO: dict[ValueFieldName, ValueFieldName] = {"double_value": "int_value"}
# What reading a value of the right type, but no content that the widget has, comes to.
_UNREADABLE = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)

_streamlits_set_value = WStates.set_widget_from_proto
_streamlits_set_metadata = WStates.set_widget_metadata


def take_sound_values() -> None:
    """From now on, of all visitors."""
    WStates.set_widget_from_proto = _set_value
    WStates.set_widget_metadata = _set_metadata


def _set_value(self: WStates, widget_state: WidgetState) -> None:
    _streamlits_set_value(self, widget_state)
    if widget_state.id in self.widget_metadata:
        _read(self, widget_state.id)


def _set_metadata(self: WStates, widget_meta: WidgetMetadata[Any]) -> None:
    """Of a widget that is made, whose value a browser may have said before that."""
    known = self.widget_metadata.get(widget_meta.id)
    if known is not None and widget_meta.value_type is None:
        # Streamlit notes the type of the value at hand, and an emptied widget has none.
        widget_meta = replace(widget_meta, value_type=known.value_type)
    _streamlits_set_metadata(self, widget_meta)
    if known is None and widget_meta.id in self.states:
        _read(self, widget_meta.id)


def _read(states: WStates, id_: str) -> None:
    """Read the value of a widget, or leave it out."""
    said, kind = states.states[id_], states.widget_metadata[id_].value_type
    if not isinstance(said, Serialized):
        return
    said_kind = said.value.WhichOneof("value")
    if said_kind in (None, kind, _ALSO.get(kind)):
        try:
            states[id_]
            states.get_serialized(id_)  # as where a page runs again by itself
        except _UNREADABLE as error:
            log.warning("A browser said what is no value of its widget: %s", error)
        else:
            return
    else:
        log.warning("A browser said a %s of a widget that has a %s.", said_kind, kind)
    del states.states[id_]
