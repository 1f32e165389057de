"""What a report on a fit is made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd

from em_core.inference import Bootstrap, Intervals, SplitHalf
from pages.ui.charts.criteria import Score
from pages.ui.compute.describing import Described
from pages.ui.families.family import Family
from pages.ui.families.profiles import Profile
from pages.ui.panels.explore.other_starts import Others
from pages.ui.running.runs import Run
from pages.ui.running.searches import Grid
from pages.ui.sharing.report import Block
from pages.ui.state.settings import Settings
from pages.ui.tables.selection import Selection
from pages.ui.tables.table import Table

# Of more clusters the profiles are no plot, but a table.
MOST_PLOTTED = 12


class Facts(NamedTuple):
    """All that a report is made of."""

    run: Run
    settings: Settings
    selection: Selection
    table: Table
    family: Family
    profile: Profile
    found: Described | None
    sure: Intervals | None
    resampled: Bootstrap | None
    models: tuple[pd.DataFrame, str] | None
    tested: str
    others: Others | None
    link: str
    notes: str = ""
    beside: Sequence[Block] = ()
    halves: SplitHalf | None = None
    scores: tuple[list[Score], str, str] | None = None
    grid: Grid | None = None
