"""Watch EM climb on your data."""

from pages.ui.panels import fit_panel, presets_panel
from pages.ui.panels.explore import second_opinion
from pages.ui.panels.sidebar import data_panel, sidebar
from pages.ui.sharing import replay
from pages.ui.state import shell

fit_panel.begin_early()
shell.header("Explore")

table, selection, reports = sidebar.choose()
settings = shell.settings()
if table is not None:
    data_panel.show_table(table, selection, reports, settings)
if table is not None and selection is not None:
    run = fit_panel.current_run(settings, table, selection)
    if run is not None:
        fit_panel.choose_axes(selection)
        replay.check(run)
        presets_panel.show_what_to_look_for()
        fit_panel.show_run(run, selection, table, downloads=True)
        if run.fit is not None:
            second_opinion.show_opinion(run, settings, selection, table)
