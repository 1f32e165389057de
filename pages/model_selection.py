"""How many components there are, and of which structure: models compared on the same data."""

from pages.ui import shell, sidebar
from pages.ui.panels import grid_panel
from pages.ui.sharing import replay

shell.header("How many?")

varied = grid_panel.varied(shell.settings())
table, selection, _ = sidebar.choose(grid_panel.choose_grid, without=varied)
if selection is not None:
    grid = grid_panel.current_grid(shell.settings(), table, selection)
    if grid is not None:
        replay.check_grid(grid)
        grid_panel.show_grid(grid, selection)
