"""`tests/run --changed`: what a change can reach by imports, the nearest first, for a minute."""

from __future__ import annotations

import time
from functools import cache
from pathlib import Path

import pytest

from support.imports import Graph, changed

SECONDS = 40.0
LEFT = "left to the whole run: a minute is over"


class Nearest:
    """A plugin of pytest that leaves out what no changed file can reach."""

    def __init__(self) -> None:
        self.graph = Graph()
        self.files = changed()
        self.modules = self.graph.of_files(self.files)
        self.distances = self.graph.distances(self.modules)
        # The engine has tests of its own; the app is served where the app has changed.
        if not any(file.startswith(("pages/", "dashboard")) for file in self.files):
            engine = dict(self.graph.needs)
            self.graph.needs = {m: needed - {"dashboard"} for m, needed in engine.items()}
            self.distances = self.graph.distances(self.modules)
        self.began = time.monotonic()

    def pytest_report_header(self) -> str:
        return f"changed: {', '.join(self.files) or 'nothing'}"

    def pytest_ignore_collect(self, collection_path: Path) -> bool | None:
        if not collection_path.name.startswith("test_"):
            return None
        return self.graph.module(collection_path) not in self.distances or None

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(
        self, config: pytest.Config, items: list[pytest.Item]
    ) -> None:
        chosen = [item for item in items if self._counts(item)]
        config.hook.pytest_deselected(items=[item for item in items if not self._counts(item)])
        chosen.sort(key=lambda item: (in_browser(item), self.distances[self._module(item)]))
        items[:] = chosen

    def _module(self, item: pytest.Item) -> str:
        return self.graph.module(item.path)

    def _counts(self, item: pytest.Item) -> bool:
        if self._module(item) in self.modules:
            return True
        if item.get_closest_marker("slow"):
            return False
        named = item.callspec.params.values() if hasattr(item, "callspec") else ()
        return all(self._concerns(name) for name in named if isinstance(name, str))

    def _concerns(self, name: str) -> bool:
        """Whether a model of the table of cases, or a family, is one that a change can reach.

        What no model needs, and what each needs, concerns all.
        """
        models = models_by_name()
        if name not in models:
            return True
        needed = {one: self._needed(one) for one in models}
        theirs = self.modules & set.union(*needed.values())
        return self.modules != theirs or bool(theirs & needed[name])

    @cache  # noqa: B019  # there is one, as long as the tests
    def _needed(self, name: str) -> set[str]:
        return set().union(*map(self.graph.reached, models_by_name()[name]))

    def pytest_runtest_setup(self) -> None:
        if time.monotonic() - self.began > SECONDS:
            pytest.skip(LEFT)


def in_browser(item: pytest.Item) -> bool:
    return item.get_closest_marker("browser") is not None


@cache
def models_by_name() -> dict[str, set[str]]:
    """The files that the model of each case, and of each family, is written in."""
    from pages.ui.families.table import FAMILIES
    from pages.ui.state.changes import changed
    from pages.ui.state.settings import Settings
    from support.families_at_hand import cases

    models = {name: case.model for name, case in cases().items()}
    for name, family in FAMILIES.items():
        models[name] = family.build(changed(Settings(), family=name))
    return {name: _written_in(model) for name, model in models.items()}


def _written_in(model: object) -> set[str]:
    parts = (model, getattr(model, "emission", model))
    return {kind.__module__ for part in parts for kind in type(part).__mro__[:-1]}
