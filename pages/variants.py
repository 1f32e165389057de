"""EM beside its relatives: one data set, one start, many ways up."""

from pages.ui import shell, sidebar
from pages.ui.panels import bound_panel, encoder_panel, fit_panel, relatives_panel
from pages.ui.sharing import replay

fit_panel.begin_early()
shell.header("Relatives")

table, selection, _ = sidebar.choose()
if selection is not None:
    run = fit_panel.current_run(shell.settings(), table, selection)
    if run is not None and bound_panel.finished(run, selection):
        replay.check(run)
        lanes = relatives_panel.current_race(run)
        if lanes is not None:
            relatives_panel.show_race(lanes, run)
            relatives_panel.show_played(lanes, run, selection, table)
encoder_panel.show_encoder()
