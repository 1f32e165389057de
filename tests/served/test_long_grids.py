"""A grid that takes long waits for a click, on the running app."""

import pytest

from support.visitor import Visitor

pytestmark = pytest.mark.slow


def test_very_many_rows_are_compared_only_when_asked_for(app: str) -> None:
    visitor = Visitor(app, "v=1&s=generate&n=400000&tc=3&k=3&ne=100", "model_selection")
    assert "24 models from 100 starts each take about" in visitor.said
    assert "models fitted" not in visitor.said
    visitor.click("Compare them")
    assert "of 24 models fitted" in visitor.said
    visitor.click("Stop")
    visitor.settle()
    assert "You stopped this." in visitor.said
    visitor.close()
