"""EM beside its relatives: one data set, one start, many ways up."""

from pages.ui.panels import ending, fit_panel
from pages.ui.panels.sidebar import sidebar
from pages.ui.panels.variants import encoder_panel, variants_panel
from pages.ui.sharing import replay
from pages.ui.state import shell

fit_panel.begin_early()
shell.header("Relatives")

table, selection = sidebar.choose()
if table is not None and selection is not None:
    run = fit_panel.current_run(shell.settings(), table, selection)
    if run is not None and ending.all_at_hand(run) and ending.drawable(run, selection):
        replay.check(run)
        lanes = variants_panel.current_race(run)
        if lanes is not None:
            variants_panel.show_race(lanes, run)
            variants_panel.show_played(lanes, run, selection, table)
encoder_panel.show_encoder()
