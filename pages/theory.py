"""The derivation of EM, each step with its numbers on a handful of data."""

from pages.ui.panels.theory import theory_panel
from pages.ui.state import shell

shell.header("Theory")
theory_panel.choose_numbers()
theory_panel.derivation()
