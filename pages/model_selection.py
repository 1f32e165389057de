"""How many components there are, and of which structure: models compared on the same data."""

from pages.ui.panels.model_selection import model_selection_panel
from pages.ui.panels.sidebar import sidebar
from pages.ui.sharing import replay
from pages.ui.state import shell

shell.header("How many?")

varied = model_selection_panel.varied(shell.settings())
table, selection = sidebar.choose(model_selection_panel.choose_grid, without=varied)
if table is not None and selection is not None:
    grid = model_selection_panel.current_grid(shell.settings(), table, selection)
    if grid is not None:
        replay.check_grid(grid)
        model_selection_panel.show_grid(grid, selection)
