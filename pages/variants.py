"""EM beside its relatives, on one data set and from one start."""

from pages.ui import shell

shell.enter()
shell.header("Relatives")
