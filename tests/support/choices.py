"""What a person can make of each widget that the server has sent: a state each."""

import json
import re
import struct
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from streamlit.proto.Dataframe_pb2 import Dataframe
from streamlit.proto.WidgetStates_pb2 import WidgetState

from pages.ui.pictures.payload import run_of
from pages.ui.pictures.picture import BEGINNING
from pages.ui.state import kinds
from pages.ui.state.settings import FIELDS
from pages.ui.tables.drawn import text_of
from support.visitor import PICTURE

# More than any list has that is not of names in the data, such as columns. In one place so many
# values of a widget are tried: other data bring other names.
MOST_OPTIONS, FEW_OPTIONS, MOST_VALUES = 25, 8, 30
# Larger ones take longer and say no more.
MOST = {"n_rows": 2_000, "n_columns": 12, "n_starts": 6, "n_starts_each": 2, "n_components": 12}
MOST |= {"max_iterations": 200, "race_passes": 30, "smallest": 4, "largest": 4}
MOST_SHOWN = {FIELDS[name].label: most for name, most in MOST.items()} | {"to": 4}
# Sent, and taken: no state of a widget.
FILE, DOWNLOAD = "file", "download"
FILES = (
    ("rows.csv", b"x,y,kind\n" + b"".join(b"%d,%d,a\n" % (i, i * i % 7) for i in range(20))),
    ("nothing.csv", b""),
    ("broken.json", b'{"a": [1'),
    ("none.em.zip", b"PK\3\4 no archive"),
)


class Widget(NamedTuple):
    """A widget as the server sent it. values: what a person can make of it, as a state each."""

    kind: str
    label: str
    id: str
    fragment: str
    values: tuple[tuple[str, Any], ...]


def _some(options: Sequence[str]) -> Sequence[str]:
    """All of a list, but of one as long as only names in the data make it some all over it."""
    if len(options) <= MOST_OPTIONS:
        return options
    return [options[at] for at in np.linspace(0, len(options) - 1, FEW_OPTIONS).astype(int)]


def choices(kind: str, part: Any) -> list[tuple[str, Any]]:
    """The states a person can bring a widget into."""
    match kind:
        case "selectbox" | "radio":
            return [("string_value", option) for option in _some(part.options)]
        case "button_group":
            return [("string_array_value", [option.content]) for option in part.options]
        case "multiselect":
            every = list(part.options)
            return [("string_array_value", [option]) for option in _some(every)] + [
                ("string_array_value", []),
                ("string_array_value", every[:4]),
            ]
        case "checkbox":
            return [("bool_value", True), ("bool_value", False)]
        case "number_input":
            whole = part.data_type == part.INT
            ends = [part.min if part.has_min else part.default]
            most = part.max if part.has_max else part.default + 1
            ends += [max(min(most, MOST_SHOWN.get(part.label, most)), ends[0])]
            name = "int_value" if whole else "double_value"
            return [(name, int(end) if whole else end) for end in ends]
        case "slider":
            return [("double_array_value", [end]) for end in (part.min, part.max)]
        case "button":
            return [("trigger_value", True)]
        case "download_button":
            return [(DOWNLOAD, part.label)] if part.deferred_file_id else []
        case "file_uploader":
            return [(FILE, name) for name, _ in FILES]
        case "dataframe" if part.editing_mode != Dataframe.READ_ONLY:
            return [("string_value", json.dumps(edits)) for edits in _edits(part)]
        case "bidi_component":
            return [("json_value", json.dumps(told)) for told in _told(part)]
        case "expandable":
            return [("bool_value", True)]
        case "text_area" | "text_input":
            return [("string_value", text) for text in ("", "x,y\n1,2\n3,4\n5,5", "\0{[<b>")]
        case _:
            return []


def _edits(part: Any) -> Iterator[dict]:
    """What a person can write into a grid: into its first and its last row."""
    grid = pa.ipc.open_stream(part.arrow_data.data).read_all()
    nothing = {"edited_rows": {}, "added_rows": [], "deleted_rows": []}
    about = json.loads(part.columns or "{}")
    for name, kind in zip(grid.column_names, grid.schema.types, strict=True):
        if name.startswith("__index") or about.get(name, {}).get("disabled"):
            continue  # a browser lets nobody write there
        if pa.types.is_boolean(kind):
            written = [True, False]
        elif pa.types.is_integer(kind) or pa.types.is_floating(kind):
            written = [2, None]
        else:
            written = ["another name <b>$x$</b>", "", None]
        for row in {0, grid.num_rows - 1} - {-1}:
            yield from (nothing | {"edited_rows": {str(row): {name: cell}}} for cell in written)
    if part.editing_mode == Dataframe.DYNAMIC:
        yield nothing | {"added_rows": [{}]}
        yield nothing | {"deleted_rows": list(range(grid.num_rows))}


def _told(part: Any) -> Iterator[dict]:
    """What a person can do in the player and on the board to draw on."""
    if part.component_name == "drawing_board":
        square = np.random.default_rng(0).random((40, 2))
        for points in (square, square[:1], np.zeros((30, 2)), square[:0]):
            yield {"drawn": text_of(points)}
    if part.component_name != "em_player" or PICTURE not in part.bytes:
        return
    (length,) = struct.unpack_from("<I", part.bytes)
    sent = json.loads(part.bytes[4 : 4 + length])
    run = run_of(part.bytes[4 + length :])
    for frame in (BEGINNING, 0, 3, None, 10**6):
        yield {"frame": {"run": run, "frame": frame}}
    for point in (0, 7, None, 10**6):
        yield {"point": {"picture": sent["picture"], "point": point}}
    for switch, value in sent["view"].items():
        kind = FIELDS[switch].kind
        others = list(kind.options) if isinstance(kind, kinds.Choice) else [not value]
        for other in others if isinstance(value, bool | str) else [0.25, 4.0]:
            yield {"view": sent["view"] | {switch: other}}
    # Each is another deed: those of a number that was heard are heard no more.
    deeds = [("add", 0, [3.0, 60.0]), ("move", 1, [4.0, 80.0]), ("move", 9, [0.0, 0.0])]
    deeds += [("remove", 0, []), ("add", 0, [1e300, -1e300]), ("move", 0, [2.0])]
    for number, (kind, index, place) in enumerate(deeds, start=1):
        yield {"hand": {"run": run, "number": number, "kind": kind, "index": index, "place": place}}


def state(widget: Widget, value: tuple[str, Any]) -> WidgetState:
    name, content = value
    result = WidgetState(id=widget.id)
    if isinstance(content, list):
        getattr(result, name).data.extend(content)
        getattr(result, name).SetInParent()
    else:
        setattr(result, name, content)
    return result


def name_of(widget: Widget) -> tuple[str, str]:
    """What a widget is called, whatever its number."""
    return widget.kind, re.sub(r"\d+", "#", widget.label)
