"""What a change can reach: the choice that `tests/run --changed` makes."""

from pathlib import Path

import pytest

from support.imports import Graph

FILES = {
    "em_core/__init__.py": "from em_core.one import One\nfrom em_core.two import Two\n",
    "em_core/one.py": "class One: ...\n",
    "em_core/two.py": "from em_core.base import Base\nclass Two(Base): ...\n",
    "em_core/base.py": "class Base: ...\n",
    "em_core/table.csv": "a\n1\n",
    "em_core/reads.py": 'NAME = "table.csv"\n',
    "pages/first.py": "from pages.ui import panel\n",
    "pages/ui/panel.py": "from em_core import One\n",
    "dashboard.py": "",
    "tests/support/helper.py": "from em_core import Two\n",
    "tests/test_one.py": "from em_core import One\n",
    "tests/test_two.py": "from support.helper import Two\n",
    "tests/test_all.py": "import em_core\n",
    "tests/test_served.py": "def test(app: str): ...\n",
    "tests/test_reads.py": "from em_core import reads\n",
}


@pytest.fixture
def graph(tmp_path: Path) -> Graph:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return Graph(tmp_path)


@pytest.mark.parametrize(
    ("file", "tests"),
    [
        ("em_core/one.py", {"test_one": 1, "test_all": 2, "test_served": 4}),
        ("em_core/base.py", {"test_two": 3, "test_all": 3}),
        ("pages/ui/panel.py", {"test_served": 3}),
        ("em_core/table.csv", {"test_reads": 1}),
        ("tests/support/helper.py", {"test_two": 1}),
        ("tests/test_one.py", {"test_one": 0}),
        ("README.md", {}),
    ],
)
def test_a_change_reaches_what_imports_it(graph: Graph, file: str, tests: dict) -> None:
    """A name that a package passes on, in the file that it is from; the app, by its pages."""
    distances = graph.distances(graph.of_files([file]))
    assert {m: far for m, far in distances.items() if m.startswith("test_")} == tests
