"""The same data from many starts: which optima there are, how often each is found, and why."""

from pages.ui.panels.local_optima import local_optima_panel
from pages.ui.panels.sidebar import sidebar
from pages.ui.sharing import replay
from pages.ui.state import shell

shell.header("Local optima")

table, selection = sidebar.choose(local_optima_panel.choose_starts)
if table is not None and selection is not None:
    search = local_optima_panel.current_search(shell.settings(), table, selection)
    if search is not None:
        replay.check_search(search)
        # What is played stands above what it was chosen from: there the person is.
        local_optima_panel.show_picked(shell.settings(), search, selection, table)
        local_optima_panel.show_search(search, selection, table)
