"""Tables on pages: named, reached by the keyboard, and taken away."""

import re

import pandas as pd

from pages.ui.tables.writing import as_html
from support.browser import ROOT


def test_a_table_is_a_named_group_that_the_keyboard_reaches() -> None:
    made = as_html(pd.DataFrame({"a": [1e-9, 12.5]}), 'At "E-step 2", <nats>', index=False)
    assert made.startswith(
        '<div class="table" tabindex="0" role="group" '
        'aria-label="At &quot;E-step 2&quot;, &lt;nats&gt;"><table><caption>'
    )
    assert "0000" not in made


def test_every_table_of_a_page_is_shown_where_it_can_be_taken_away() -> None:
    """By `tables.show`, which gives each as CSV; a person's own table and its columns, which are
    shown in the sidebar's grids, are given by these."""
    own = ("tables.py", "columns_panel.py")
    shown = re.compile(r"st\.(dataframe|table)\(|\bas_html\(")
    panels = (ROOT / "pages/ui/panels").rglob("*.py")
    assert [
        path.name for path in panels if path.name not in own and shown.search(path.read_text())
    ] == []
