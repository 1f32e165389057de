"""The kinds of steps there are, how they are written, and a table after them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

from pages.ui.tables.preparation.filtering import Filter
from pages.ui.tables.preparation.levels import Ordered, Renamed, Spelling
from pages.ui.tables.preparation.long import WideToLong
from pages.ui.tables.preparation.missing import Missing
from pages.ui.tables.preparation.step import Step
from pages.ui.tables.preparation.time_order import TimeOrder
from pages.ui.tables.preparation.transformed_column import Transform
from pages.ui.tables.table import DataError, Table
from pages.ui.text import read_json

# By the word that names it in a link.
STEPS: Mapping[str, Any] = {
    "missing": Missing,
    "transform": Transform,
    "filter": Filter,
    "time": TimeOrder,
    "long": WideToLong,
    "spelling": Spelling,
    "names": Renamed,
    "order": Ordered,
}
_WORDS: Mapping[type[Step], str] = {kind: word for word, kind in STEPS.items()}
MOST_STEPS = 50


class StepError(DataError):
    """A step that can't be taken on this table; place: which, from 0."""

    def __init__(self, sentence: str, place: int) -> None:
        super().__init__(sentence)
        self.place = place


def prepared(table: Table, steps: Sequence[Step]) -> Table:
    """The table after all steps, with a fingerprint of its own. Raises StepError."""
    if not steps:
        return table
    digest = hashlib.sha256(f"{table.fingerprint} {write_steps(steps)}".encode()).hexdigest()
    as_read, units = table.frame, tuple(table.known_units.items())
    for place, step in enumerate(steps):
        try:
            table = _with_what_is_stale(table, step.apply(table))
        except DataError as error:
            raise StepError(str(error), place) from None
    return table._replace(fingerprint=digest, as_read=as_read, units_as_read=units)


def _with_what_is_stale(before: Table, after: Table) -> Table:
    """The table after a step, which says so where columns were made of what it has changed, or
    rows ordered by it."""

    def has_changed(column: str) -> bool:
        there = column in after.frame and column in before.frame
        return there and not after.frame[column].equals(before.frame[column])

    said = []
    stale = [s.column for s in before.scales if s.column in after.frame and has_changed(s.of)]
    if stale:
        said = [f"Made before that, of what was there then: {', '.join(stale)}."]
    if before.clock is not None and has_changed(before.clock.name):
        said += [f"The rows stay in the order that {before.clock.name} gave before that."]
    return after._replace(parsing=(*after.parsing, *said))


def with_step(steps: Sequence[Step], further: Step) -> tuple[Step, ...]:
    """Steps with a further one: after the others, but before columns are made of what it changes,
    or rows ordered by it, so that they are made of what there is after it."""
    match further:
        case Missing() | Spelling():
            columns, all_columns = further.columns, not further.columns
        case Renamed():
            columns, all_columns = (further.column,), False
        case TimeOrder():
            columns, all_columns = (further.column,), True
        case _:
            return (*steps, further)
    place = len(steps)
    for earlier in range(len(steps) - 1, -1, -1):
        step = steps[earlier]
        if isinstance(step, WideToLong) or (isinstance(step, Transform) and step.name in columns):
            break
        goes_by_cells = isinstance(step, Transform) or (
            isinstance(step, TimeOrder) and not isinstance(further, TimeOrder)
        )
        if goes_by_cells and (all_columns or step.column in columns):
            place = earlier
    return (*steps[:place], further, *steps[place:])


def for_new_rows(steps: Sequence[Step], columns: Sequence[str]) -> tuple[Step, ...]:
    """The steps by which rows of another table come to be like those of a model of these columns.

    None are filtered out, and levels are compared by their spelling anyway. Raises DataError where
    a column means nothing outside of its table.
    """
    kept = []
    for step in steps:
        if isinstance(step, Transform) and step.how == "ranks":
            if step.name in columns:
                raise DataError(
                    f"“{step.name}” counts places within its own table, so rows of another have "
                    "none: use another transformation to score new rows."
                )
        elif not isinstance(step, Filter | Spelling):
            kept.append(step)
    return tuple(kept)


def write_steps(steps: Sequence[Step]) -> str:
    """Steps as compact JSON: a list of lists of a word and the arguments."""
    content = [
        [_WORDS[type(step)], {n: v for n, v in step._asdict().items() if v != _usual(step, n)}]
        for step in steps
    ]
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def with_units(steps: Sequence[Step], units: Mapping[str, str]) -> str:
    """Steps as `write_steps` has them, to be kept with a model; with the units of the columns that
    they make others of, as far as these are known."""
    made_of = {step.column for step in steps if isinstance(step, Transform)}
    known = {name: unit for name, unit in units.items() if unit and name in made_of}
    if not steps or not known:
        return write_steps(steps) if steps else ""
    content = {"steps": json.loads(write_steps(steps)), "units": known}
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))


def read_with_units(text: str) -> tuple[tuple[Step, ...], dict[str, str]]:
    """What `with_units` wrote. Raises ValueError for any other text."""
    if not text.startswith("{"):
        return (read_steps(text) if text else ()), {}
    match read_json(text):
        case {"steps": list(steps), "units": dict(units)} if all(
            isinstance(word, str) for word in (*units, *units.values())
        ):
            return read_steps(json.dumps(steps)), units
    raise ValueError("this is not a list of steps with units")


def read_steps(text: str) -> tuple[Step, ...]:
    """The steps that `write_steps` wrote. Raises ValueError where the text holds none."""
    try:
        content = read_json(text)
    except RecursionError:
        raise ValueError("this is not a list of steps") from None
    if not isinstance(content, list) or len(content) > MOST_STEPS:
        raise ValueError(f"this is not a list of at most {MOST_STEPS} steps")
    return tuple(map(_step, content))


def _step(content: Any) -> Step:
    match content:
        case [str(word), dict(arguments)] if word in STEPS:
            kind = STEPS[word]
        case _:
            raise ValueError("this is not a step of preparation")
    types = get_type_hints(kind)
    if not arguments.keys() <= types.keys():
        raise ValueError("a step has arguments that it does not take")
    if missing := types.keys() - arguments.keys() - kind._field_defaults.keys():
        raise ValueError(f"a step lacks its {min(missing)}")
    return kind(**{name: _value(types[name], value) for name, value in arguments.items()})


def _value(kind: Any, value: Any) -> Any:
    """A value of JSON as an argument of this type."""
    if get_origin(kind) is tuple and isinstance(value, list):
        return tuple(_value(get_args(kind)[0], item) for item in value)
    if isinstance(kind, UnionType):
        if value is None and NoneType in get_args(kind):
            return None
        return _value(next(one for one in get_args(kind) if one is not NoneType), value)
    if kind is float and type(value) in (int, float):
        return float(value)
    if kind in (str, int, bool) and type(value) is kind:
        return value
    raise ValueError("a step has an argument of another kind")


def _usual(step: Any, name: str) -> Any:
    return step._field_defaults.get(name, ...)
