"""The derivation of EM, each step with its numbers on a handful of data."""

from pages.ui import shell
from pages.ui.panels import theory_panel

shell.header("Theory")
theory_panel.choose_numbers()
theory_panel.derivation()
