"""What the clusters of the fit are, how well they are told apart, and what they go with."""

from pages.ui.panels import ending, fit_panel, uncertainty
from pages.ui.panels.describe import describe_panel
from pages.ui.panels.sidebar import sidebar
from pages.ui.sharing import replay
from pages.ui.state import shell

fit_panel.begin_early()
shell.header("What are they?")

table, selection = sidebar.choose()
if table is not None and selection is not None:
    run = fit_panel.current_run(shell.settings(), table, selection)
    if run is not None and ending.drawable(run, selection):
        replay.check(run)
        uncertainty.begin(run)
        describe_panel.show(run, selection, table)
