"""Drawn answers on how a file is read."""

from hypothesis import strategies as st

from pages.ui.tables.answers import ENCODINGS, LIMITS, MARKS, Reading

NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
LINES = st.none() | st.integers(0, 10**9)


def _by_column(answers: tuple[str, ...]) -> st.SearchStrategy:
    pairs = st.dictionaries(NAMES, st.sampled_from(answers), max_size=3)
    return pairs.map(lambda answered: tuple(sorted(answered.items())))


READINGS = st.builds(
    Reading,
    encoding=st.sampled_from(["", *ENCODINGS]),
    sheet=NAMES,
    header=LINES,
    header_lines=LINES,
    first=LINES,
    last=LINES,
    marks=_by_column(MARKS),
    limits=_by_column(LIMITS),
    answers=st.sets(NAMES, max_size=3).map(lambda names: tuple(sorted(names))),
)
