"""Watch EM climb on your data."""

from pages.ui.panels import fit_panel, uncertainty
from pages.ui.panels.explore import pins, second_opinion
from pages.ui.panels.sidebar import sidebar
from pages.ui.sharing import replay
from pages.ui.state import shell

ABOUT = (
    "**EM Explorer**: watch Expectation-Maximization find groups in data. **E-steps** colour the "
    "points by group, **M-steps** move the groups to their points, and the bound climbs under the "
    "likelihood. Press **Play**."
)

fit_panel.begin_early()
# Whoever brings a table knows what this is, and is to see its results.
shell.header("Explore", "" if shell.settings().source == "table" else ABOUT)

table, selection = sidebar.choose(preparing=True)
settings = shell.settings()
if table is not None and selection is not None:
    run = fit_panel.current_run(settings, table, selection)
    if run is not None:
        fit_panel.choose_axes(selection)
        replay.check(run)
        uncertainty.begin(run)
        fit_panel.show_run(run, selection, table, alone=True)
        if run.fit is not None and not settings.hidden:
            pins.show(run, settings, table)
            second_opinion.show_opinion(run, settings, selection, table)
            uncertainty.show(run, selection, table)
