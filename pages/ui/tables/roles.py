"""What each column of a table is for, as one word each; and what changes with such a word.

The words are another view of what is chosen: of the columns that are fitted, the known labels, the
groups, the time, the weights and what rows are called.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from pages.ui.tables.preparation.step import Step
from pages.ui.tables.table import Table
from pages.ui.text import counted

LABELS, TIME, WEIGHT, IDENTIFIER = "known labels", "time", "weight", "identifier"
OUT = "left out"
# What a column that is fitted is called, by the models that take it, and how several are counted.
FITTED = {
    "measurement": ("measurement", ""),
    "yes-or-no": ("yes-or-no item", ""),
    "levels": ("item", " of levels"),
    "ordered levels": ("item", " of ordered levels"),
    "count": ("column", " of counts"),
}


class Use(NamedTuple):
    """What columns are used for; "" where nothing is."""

    columns: tuple[str, ...] = ()
    label: str = ""
    group: str = ""
    weight: str = ""
    identifier: str = ""
    time: str = ""  # by which the rows are taken: a step of preparation says so


def kept_of(table: Table, use: Use, steps: Sequence[Step]) -> Table:
    """The table with the columns that are used or that steps speak of, and a word on the others."""
    spoken = {*use.columns, *use[1:]}
    for argument in (value for step in steps for value in step._asdict().values()):
        spoken |= {*argument} if isinstance(argument, tuple) else {argument}
    names = [name for name in table.frame if name in spoken]
    if not names or len(names) == table.frame.shape[1]:
        return table
    units = dict(zip(table.frame, table.units, strict=False))
    others = table.frame.shape[1] - len(names)
    return table._replace(
        frame=table.frame[names],
        units=tuple(units.get(name, "") for name in names),
        parsing=(*table.parsing, f"{counted(others, 'more column')} not shared."),
        questions=tuple(q for q in table.questions if q.column in names),
        titles=tuple(of for of in table.titles if of[0] in names),
        words=tuple(of for of in table.words if of[0] in names),
        value_labels=tuple(of for of in table.value_labels if of[0] in names),
        missing_codes=tuple(of for of in table.missing_codes if of[0] in names),
    )


class Words(NamedTuple):
    """fitted: what a model calls the columns that it is fitted to; grouping: what it calls the
    parts that rows are in, "" for none; ordered: columns whose word says so."""

    fitted: str
    grouping: str = ""
    ordered: Collection[str] = ()

    def of(self, name: str, use: Use) -> str:
        """The word for a column."""
        if name in use.columns:
            return f"ordered {self.fitted}" if name in self.ordered else self.fitted
        others = {use.time: TIME, use.label: LABELS, use.weight: WEIGHT, use.group: self.grouping}
        others[use.identifier] = IDENTIFIER
        return others.get(name) or OUT

    @property
    def all(self) -> list[str]:
        """The words there are to choose from."""
        words = [self.fitted, LABELS, *([self.grouping] if self.grouping else []), TIME, WEIGHT]
        if self.fitted == "levels":
            words.insert(1, "ordered levels")
        return [*words, IDENTIFIER, OUT]


def assigned(use: Use, order: Collection[str], words: Mapping[str, str], fitted: str) -> Use:
    """The use after columns were given other words; order: all columns of the table.

    Of labels, groups, times, weights and identifiers there is one each: the last that is called so.
    """
    fitting = set(use.columns)
    others = {LABELS: use.label, "group": use.group, WEIGHT: use.weight}
    others |= {IDENTIFIER: use.identifier, TIME: use.time}
    for name, word in words.items():
        fitting.discard(name)
        others = {what: "" if of == name else of for what, of in others.items()}
        if word in (fitted, f"ordered {fitted}"):
            fitting.add(name)
        elif word in others:
            others[word] = name
        elif word != OUT:
            others["group"] = name
    columns = tuple(name for name in order if name in fitting)
    return Use(columns, *others.values())


def summed_up(names: Collection[str], use: Use, words: Words) -> str:
    """How many columns are used for what: "2 measurements, known labels, 3 left out"."""
    told = [words.of(name, use) for name in names]
    parts = []
    for word in words.all:
        if word in FITTED and word in told:
            what, more = FITTED[word]
            parts.append(counted(told.count(word), what) + more)
        elif word in (LABELS, TIME, WEIGHT, IDENTIFIER, words.grouping) and word in told:
            parts.append(word)
    if out := told.count(OUT):
        parts.append(f"{out:,} left out")
    return ", ".join(parts)
