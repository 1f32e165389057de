"""The grid that the settings ask for, once it has been run to its end."""

from __future__ import annotations

from pages.ui.families.table import family_of
from pages.ui.running.searches import Grid, grid_of
from pages.ui.state.session import session
from pages.ui.state.settings import Settings
from pages.ui.tables.selection import Selection
from pages.ui.tables.table import Table


def finished_grid(settings: Settings, table: Table, selection: Selection) -> Grid | None:
    """It, if it is at hand."""
    if family_of(settings).size is None:
        return None
    held = session().work.get("grid")
    if held is None or held.work is None or held.work.running or held.work.error:
        return None
    wanted = grid_of(settings, table, selection)
    return held.work if held.work.key == wanted.key and held.work.complete else None
