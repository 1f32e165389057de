"""What a step of preparation is: something done to a table after it was read and before a model.

Steps are taken one after the other, each on what the one before it left.
"""

from __future__ import annotations

from typing import Protocol

from pages.ui.tables.table import Table


class Step(Protocol):
    """One step: a NamedTuple whose fields are texts, numbers, yes or no, or tuples of these.

    Its fields are its arguments in the link and in the script; a default may be left out.
    """

    def __hash__(self) -> int: ...

    def _asdict(self) -> dict: ...

    def apply(self, table: Table) -> Table:
        """The table after the step, with facts on what it did. Raises DataError where it can't be
        taken: on a table without the columns it names, say."""
        ...

    def told(self) -> str:
        """What the step does, as a short sentence."""
        ...
