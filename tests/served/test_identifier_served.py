"""Rows are called by the column that says which is which."""

from contextlib import closing

import pytest

from support.tables import TABLES
from support.visitor import Visitor

pytestmark = pytest.mark.slow


def test_an_identifier_is_in_the_link_and_wherever_a_row_is_named(app: str) -> None:
    (path,) = TABLES.glob("07-*")
    with closing(Visitor(app, "v=1&s=table&m=gaussian-mixture&k=2&dt=Points")) as visitor:
        visitor.upload("Upload a table", path.name, path.read_bytes())
        visitor.settle()
        assert "2 measurements, identifier, 2 left out" in visitor.said
        assert "Rows are called by it. Not used unasked: an identifier" in visitor.said
        visitor.enter("Row of the table, or click a point in the picture", 1)
        assert "Row 1 of the table, respondent\\_id 104267 (" in visitor.said
        assert "row\trespondent_id\theight\tweight\tmost responsible" in visitor.said
        assert "ic=" not in visitor.written
        header = visitor.download("Rows with results (CSV)").split(b"\r\n")[0]
        assert header.startswith(b"respondent_id,")
        visitor.edit("column", {1: {"used for": "identifier"}})
        visitor.settle()
        assert "Row 1 of the table, zip 50667 (" in visitor.said
        link = visitor.written
        assert "ic=zip" in link
        lines = [f"P{i},{i % 3}.5,{i % 7}" for i in range(20)]
        visitor.upload("Upload a table", "named.csv", "\n".join(["who,x,y", *lines]).encode())
        visitor.settle()
        assert "2 measurements, identifier: change" in visitor.said
        assert "who can't be used" not in visitor.said
    with closing(Visitor(app, link)) as colleague:
        colleague.settle()
        assert "Row 1 of the table, zip 50667 (" in colleague.said
        colleague.edit("column", {1: {"used for": "left out"}})
        colleague.settle()
        assert "Row 1 of the table (" in colleague.said and "ic=" in colleague.written
