"""Names of columns become usable: none blank, none twice, none endless."""

from collections import Counter
from collections.abc import Iterable

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
        what = f"is a second {name!r}" if name else "has no name"
        notes.append(f"Column {position} {what}: called {new!r} here.")
    if len(notes) > _MOST_NOTES:
        more = len(notes) - _MOST_NOTES
        notes[_MOST_NOTES:] = [f"The names of {more:,} more columns were changed so, too."]
    return tuple(result), notes
