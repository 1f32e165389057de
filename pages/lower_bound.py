"""The bound under the likelihood, along a slice through parameter space."""

from pages.ui import shell, sidebar
from pages.ui.panels import bound_panel, fit_panel
from pages.ui.sharing import replay

fit_panel.begin_early()
shell.header("The bound")

table, selection, _ = sidebar.choose()
if selection is not None:
    run = fit_panel.current_run(shell.settings(), table, selection)
    if run is not None and bound_panel.finished(run, selection):
        replay.check(run)
        asked = bound_panel.choose_line(run, selection, table)
        if asked is not None:
            bound_panel.show_slice(run, asked, selection, table)
            bound_panel.show_surface(run, asked, selection)
