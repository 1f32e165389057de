"""Names of columns become usable: none blank, none twice, none endless; columns of nothing go."""

from collections import Counter
from collections.abc import Iterable, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from pages.ui.tables.lines import Head
from pages.ui.text import counted

_MOST_NOTES = 20
# Of a column's name, which pages say many times over.
LONGEST_NAME = 1_000


def unique_names(names: Iterable[str]) -> tuple[tuple[str, ...], list[str]]:
    """Column names without blanks and repeats, and sentences on what was renamed."""
    plain, cut = [], []
    for position, name in enumerate(names, start=1):
        # Twice as much is looked at, as there may be blanks to take out.
        some = str(name)[: 2 * LONGEST_NAME]
        # JSON can hold halves of characters, which cannot be written.
        words = " ".join(some.encode("utf-8", "replace").decode().split())
        if len(words) > LONGEST_NAME or len(str(name)) > 2 * LONGEST_NAME:
            cut.append(position)
            words = f"{words[: LONGEST_NAME - 1]}…"
        plain.append(words)
    given, taken = set(plain), set[str]()
    # For each name the number to try next, so that a name repeated n times costs n steps.
    following: Counter[str] = Counter()
    result: list[str] = []
    notes = [
        f"Column {position} has a longer name: cut to {LONGEST_NAME:,} characters."
        for position in cut
    ]
    for position, name in enumerate(plain, start=1):
        if name and name not in taken:
            taken.add(name)
            result.append(name)
            continue
        base = new = name or f"column {position}"
        while new in given or new in taken:
            following[base] += 1
            new = f"{base} ({following[base] + 1})"
        taken.add(new)
        result.append(new)
        if name:
            notes.append(f"Column {position} is a second {name!r}: called {new!r} here.")
        else:
            notes.append(_nameless(position, new))
    if len(notes) > _MOST_NOTES:
        more = len(notes) - _MOST_NOTES
        notes[_MOST_NOTES:] = [f"The names of {more:,} more columns were changed so, too."]
    return tuple(result), notes


def _nameless(position: int, name: str) -> str:
    return f"Column {position} has no name: called {name!r} here."


def with_cells(head: Head, columns: Sequence[pa.ChunkedArray]) -> tuple[Head, list[int]]:
    """What stands above a table without the columns that have neither a name nor a cell, as a
    spreadsheet's margin or a separator at the end of every line make them; and the places of the
    others."""
    unnamed = [
        place
        for place in head.unnamed
        if place < len(columns)
        and pc.all(pc.equal(pc.utf8_trim_whitespace(columns[place]), "")).as_py()
    ]
    places = [place for place in range(len(head.names)) if place not in unnamed]
    if not unnamed or not places:
        return head, [*range(len(columns))]
    said = {_nameless(place + 1, head.names[place]) for place in unnamed}
    verb = "is" if len(unnamed) == 1 else "are"
    note = f"{counted(len(unnamed), 'column')} without a name or a cell {verb} not read."
    notes = tuple(note for note in head.notes if note not in said)
    kept = head._replace(
        names=_at(places, head.names),
        titles=_at(places, head.titles),
        units=_at(places, head.units),
        notes=(*notes, note),
    )
    return kept, places


def _at(places: Sequence[int], given: tuple[str, ...]) -> tuple[str, ...]:
    """What is given for some of the columns; () where nothing is given for any."""
    return tuple(given[place] for place in places) if given else ()
