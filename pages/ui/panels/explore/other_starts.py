"""What is known of other starts of the fit at hand, from wherever they were run."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from em_core.search.optima import Failure, StartedFit, allowed_difference, place
from pages.ui.families.starting import ByMethod
from pages.ui.panels.model_selection.finished import finished_grid
from pages.ui.running.runs import Run
from pages.ui.running.searches import Grid, Search, cell_settings, search_of
from pages.ui.state.session import session
from pages.ui.state.settings import Settings
from pages.ui.tables.selection import Selection
from pages.ui.tables.table import Table
from pages.ui.text import counted, nats


class Others(NamedTuple):
    """How many of so many other starts reached the answer of a fit, and by how many nats the best
    of them is better; 0 where none is."""

    reached: int
    tried: int
    better: float

    @property
    def in_words(self) -> str:
        """As a sentence."""
        of = f"of {counted(self.tried, 'other start')}"
        ahead = f"the best of them is {nats(self.better)} nats better" if self.better else ""
        if not self.reached and ahead:
            return f"None {of} reached this answer, and {ahead}."
        if not self.reached:
            return f"None {of} reached this answer: it is one answer of several."
        return f"{self.reached} {of} reached this answer as well{f'; {ahead}' if ahead else ''}."

    @property
    def doubtful(self) -> bool:
        """Whether what is said of this fit may be about another answer than the best."""
        return not self.reached or self.better > 0


def others_of(run: Run, settings: Settings, table: Table, selection: Selection) -> Others | None:
    """What the most starts that were run say; None where there were none, or they run still."""
    if run.fit is None or run.frozen:
        return None
    work = session().work
    asked = work.get("opinion") if session().opinion_asked[0] == run.key else None
    searched = work.get("search")
    if searched is not None and searched.work is not None:
        same = searched.work.key == search_of(settings, table, selection).key
        searched = searched if same else None
    found = [
        _of_search(run, held.work)
        for held in (asked, searched)
        if held is not None and held.work is not None
    ]
    grid = finished_grid(settings, table, selection)
    if grid is not None:
        found.append(_of_grid(run, grid, settings))
    known = [others for others in found if others is not None and others.tried]
    return max(known, key=lambda others: others.tried, default=None)


def own_start(run: Run) -> tuple[str, int] | None:
    """The name and seed that the run began with: it is no other start. None without any."""
    start = run.start
    return (start.method, start.seed) if isinstance(start, ByMethod) else None


def others_among(run: Run, ended: Iterable[StartedFit | Failure]) -> int:
    """How many of these began otherwise than the run."""
    own = own_start(run)
    return sum((other.start, other.seed) != own for other in ended)


def _of_search(run: Run, search: Search) -> Others | None:
    if search.running or search.error or not search.found.landscape.optima:
        return None
    found, fit = search.found.landscape, run.finished_fit
    tolerance = max(run.tolerance, search.tolerance)
    home = place(
        found, search.model, search.data, fit.params, fit.log_likelihood, search.weights,
        tolerance=tolerance,
    )  # fmt: skip
    reached = 0 if home is None else others_among(run, found.optima[home].fits)
    gap = found.optima[0].log_likelihood - fit.log_likelihood
    better = 0.0 if home == 0 or gap <= _allowed(run) else gap
    return Others(reached, others_among(run, (*found.fits, *found.failures)), better)


def _of_grid(run: Run, grid: Grid, settings: Settings) -> Others | None:
    """What the cell of this model says."""
    own = own_start(run)
    for cell in grid.cells:
        chosen = cell_settings(settings, cell.label)
        if any(getattr(settings, name) != value for name, value in chosen.items()):
            continue
        if cell.status != "usable" or cell.reached is None:
            return None
        gap = cell.fitted.log_likelihood - run.finished_fit.log_likelihood
        same = abs(gap) <= _allowed(run)
        among = own is not None and grid.begins_with(cell.model, *own)
        reached = max(cell.reached.n_reached - among, 0) if same else 0
        better = 0.0 if same else max(gap, 0.0)
        return Others(reached, cell.reached.n_starts - among, better)
    return None


def _allowed(run: Run) -> float:
    """By how many nats two runs into one optimum may differ."""
    return allowed_difference(run.finished_fit.log_likelihood, run.tolerance)
