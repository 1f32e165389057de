"""A further step of preparation, tried before it is taken."""

from __future__ import annotations

from typing import Any

from pages.ui.state import shell
from pages.ui.tables.preparation.step import Step
from pages.ui.tables.preparation.table import MOST_STEPS
from pages.ui.tables.table import DataError, Table
from pages.ui.text import plain


def add(table: Table, step: Step, **settings: Any) -> None:
    """Take a step on a table, and change these settings with it; say why where it can't be taken.

    Without other settings, a column made of a chosen one is chosen in its stead.
    """
    steps = shell.settings().preparation
    if len(steps) >= MOST_STEPS:
        shell.say(f"There are {MOST_STEPS} steps at most: leave one out first.")
        return
    try:
        after = step.apply(table)
    except DataError as error:
        shell.say(plain(str(error)))
        return
    made = {scale.of: scale.column for scale in after.scales if scale not in table.scales}
    columns = tuple(made.get(name, name) for name in shell.settings().columns)
    shell.change(**{"preparation": (*steps, step), "columns": columns} | settings)
