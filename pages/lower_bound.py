"""The bound under the likelihood, along a slice through parameter space."""

from pages.ui.panels import ending, fit_panel
from pages.ui.panels.lower_bound import lower_bound_panel
from pages.ui.panels.sidebar import sidebar
from pages.ui.sharing import replay
from pages.ui.state import shell

fit_panel.begin_early()
shell.header("The bound")

table, selection = sidebar.choose()
if table is not None and selection is not None:
    run = fit_panel.current_run(shell.settings(), table, selection)
    if run is not None and ending.all_at_hand(run) and ending.drawable(run, selection):
        replay.check(run)
        lower_bound_panel.open_where_they_part()
        asked = lower_bound_panel.choose_line(run, selection, table)
        if asked is not None:
            lower_bound_panel.show_slice(run, asked, selection, table)
            lower_bound_panel.show_surface(run, asked, selection)
