"""The same data from many starts: which optima there are, how often each is found, and why."""

from pages.ui import shell, sidebar
from pages.ui.panels import optima_panel
from pages.ui.sharing import replay

shell.header("Local optima")

table, selection, _ = sidebar.choose(optima_panel.choose_starts)
if selection is not None:
    search = optima_panel.current_search(shell.settings(), table, selection)
    if search is not None:
        replay.check_search(search)
        optima_panel.show_search(search, selection)
        optima_panel.show_picked(shell.settings(), search, selection, table)
