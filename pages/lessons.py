"""Lessons to take or to give."""

from pages.ui.panels.lessons import lessons_panel
from pages.ui.state import shell

shell.header("Lessons")
lessons_panel.show()
