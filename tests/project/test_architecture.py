"""What may import what, how thin a page is, and what the configuration promises."""

import ast
import graphlib
import json
import re
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path

import pytest
from streamlit.runtime.runtime_util import get_max_widget_state_size_bytes

from pages.ui.state import shell
from support.colours import contrast
from support.imports import imports

ROOT = Path(__file__).parents[2]
# Each layer, and what of the project it may import. The first that holds a file is its layer.
LAYERS = {
    "em_core": {"em_core"},
    "pages/ui": {"pages.ui", "em_core"},
    "pages": {"pages.ui", "em_core"},
    "dashboard.py": {"pages.ui"},
}
OURS = {"em_core", "pages", "dashboard", "tests"}
PAGES = sorted((ROOT / "pages").glob("*.py"))
SOURCES = [
    *sorted(path for layer in ("em_core", "pages") for path in (ROOT / layer).rglob("*.py")),
    ROOT / "dashboard.py",
]


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def test_imports_run_one_way() -> None:
    for path in SOURCES:
        allowed = next(may for layer, may in LAYERS.items() if name(path).startswith(layer))
        for module in imports(path):
            if module.split(".")[0] in OURS:
                assert any(f"{module}.".startswith(f"{layer}.") for layer in allowed), (
                    f"{name(path)} may not import {module}"
                )


MODULES = {".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in SOURCES}


def imported(path: Path) -> set[str]:
    """The modules of the project that a file imports, wherever in it, for types alone as well."""
    named = set(imports(path))
    return {module for module in MODULES if module in named or _has_a_part_in(module, named)}


def _has_a_part_in(module: str, names: set[str]) -> bool:
    return any(name.rpartition(".")[0] == module for name in names)


def test_no_file_imports_itself_on_the_way_around() -> None:
    graph = {module: imported(path) - {module} for module, path in MODULES.items()}
    graphlib.TopologicalSorter(graph).prepare()  # or it names a circle


def test_no_folder_imports_itself_on_the_way_around() -> None:
    """Of folders of which neither holds the other."""
    graph: dict[str, set[str]] = {}
    for module, path in MODULES.items():
        own = module.rpartition(".")[0]
        others = {other.rpartition(".")[0] for other in imported(path)}
        graph.setdefault(own, set()).update(
            other
            for other in others
            if not f"{other}.".startswith(f"{own}.") and not f"{own}.".startswith(f"{other}.")
        )
    graphlib.TopologicalSorter(graph).prepare()


def test_no_test_imports_from_another() -> None:
    """What several need stands in tests/support."""
    for path in (ROOT / "tests").rglob("test_*.py"):
        parts = {part for module in imports(path) for part in module.split(".")[:-1] or [module]}
        assert not [part for part in parts if part.startswith("test_")], path


# What a part of it imports within a function, when somebody asks for what needs it.
ON_DEMAND = {
    "em_core/partitions/sources.py": {"dask", "distributed", "pandas", "pyarrow"},
    "em_core/partitions/cluster.py": {"distributed"},
}


def test_em_core_needs_numpy_and_scipy_only() -> None:
    known = sys.stdlib_module_names | {"numpy", "scipy", "em_core"}
    for path in (ROOT / "em_core").rglob("*.py"):
        used = {module.split(".")[0] for module in imports(path)}
        assert used <= known | ON_DEMAND.get(name(path), set()), name(path)


FUNCTIONS_OF_DATA = ("pictures", "charts", "compute", "tables")


def test_functions_of_data_know_no_streamlit() -> None:
    for folder in FUNCTIONS_OF_DATA:
        for path in (ROOT / "pages/ui" / folder).glob("*.py"):
            assert "streamlit" not in {module.split(".")[0] for module in imports(path)}, name(path)


def test_tables_know_no_session_link_or_database() -> None:
    for path in (ROOT / "pages/ui/tables").glob("*.py"):
        for module in imports(path):
            assert module.split(".")[0] != "sqlalchemy", name(path)
            if module.startswith("pages.ui."):
                assert module.split(".")[2] in {"tables", "text", "environment"}, name(path)


def loaded_with(module: str) -> set[str]:
    """Every module that a new process has loaded once it has imported this one."""
    script = f"import {module}, json, sys; print(json.dumps(sorted(sys.modules)))"
    run = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return set(json.loads(run.stdout))


def test_importing_em_core_loads_nothing_of_the_dashboard() -> None:
    assert not {"streamlit", "plotly", "pandas", "pages"} & loaded_with("em_core")


def test_processes_that_compute_begin_without_streamlit() -> None:
    folder = ROOT / "pages/ui/compute"
    modules = [f"pages.ui.compute.{path.stem}" for path in sorted(folder.glob("*.py"))]
    assert "streamlit" not in loaded_with(", ".join(modules))


def test_pages_are_thin() -> None:
    for path in PAGES:
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 80, name(path)
        used = {module.split(".")[0] for module in imports(path)}
        assert not {"numpy", "plotly"} & used, name(path)


def test_no_type_goes_unchecked() -> None:
    """Every rule of the type checker holds everywhere: nothing is excused, here or in a file."""
    configured = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["ty"]
    assert configured["src"]["include"] == ["em_core", "pages", "dashboard.py"]
    assert set(configured) == {"src", "analysis", "terminal"}, "no rules, no overrides"
    assert [name(path) for path in SOURCES if "ty: ignore" in path.read_text("utf-8")] == []
    assert [name(path) for path in SOURCES if "type: ignore" in path.read_text("utf-8")] == []
    assert (ROOT / "em_core/py.typed").exists()


def test_every_fragment_has_a_block_of_the_page() -> None:
    """See `pages/ui/state/fragments.py`: without it a page can break."""
    users = [path.name for path in ROOT.glob("pages/**/*.py") if "st.fragment(" in path.read_text()]
    assert users == ["fragments.py"]
    assert not any("@st.fragment" in path.read_text() for path in ROOT.glob("pages/**/*.py"))


def test_what_boxes_take_in_goes_into_one_message() -> None:
    """Of more the connection would end without a sentence."""
    texts = {name(path): path.read_text() for path in ROOT.glob("pages/**/*.py")}
    users = [path for path, text in texts.items() if "max_chars=shell.MOST_TYPED" in text]
    in_the_sidebar = [path for path in users if "/sidebar/" in path]
    # Of all others each is on a page of its own.
    assert len(in_the_sidebar) + 1 == shell.MOST_BOXES
    assert len({path.split("/")[3] for path in users}) == len(users) - len(in_the_sidebar) + 1
    assert get_max_widget_state_size_bytes() > 3 * shell.MOST_TYPED * shell.MOST_BOXES
    without = [
        path for path, text in texts.items() if text.count("st.text_area") > text.count("max_chars")
    ]
    assert without == []


def test_what_a_widget_holds_is_heard_where_it_still_is() -> None:
    """See `shell.heard`: a callback may come late, when what it would read has gone."""
    for path in ROOT.glob("pages/**/*.py"):
        for call in (node for node in ast.walk(parsed(path)) if isinstance(node, ast.Call)):
            for keyword in call.keywords:
                said = ast.unparse(keyword.value)
                if keyword.arg in ("on_change", "on_select"):
                    plain = "rerun" in said or "ignore" in said
                    assert plain or said.startswith(("shell.heard(", "heard(")), f"{path}: {said}"
                elif keyword.arg in ("on_click", "on_dismiss"):
                    assert "session_state[" not in said, f"{path}: {said}"


def test_the_session_has_one_door() -> None:
    door = re.compile(r"st\.session_state|import session_state")
    users = [name(p) for p in ROOT.glob("pages/**/*.py") if door.search(p.read_text())]
    assert users == ["pages/ui/state/session.py"]


def test_every_page_is_in_the_dashboard() -> None:
    text = (ROOT / "pages/main.py").read_text(encoding="utf-8")
    pages = {path.name for path in PAGES} - {"main.py"}
    assert [page for page in pages if f'st.Page("{page}"' not in text] == []


CONFIGURATION = tomllib.loads((ROOT / ".streamlit/config.toml").read_text(encoding="utf-8"))


def test_privacy_and_robustness_settings() -> None:
    assert CONFIGURATION["browser"]["gatherUsageStats"] is False
    assert CONFIGURATION["client"]["showErrorDetails"] == "none"
    assert CONFIGURATION["runner"]["postScriptGC"] is False
    assert CONFIGURATION["server"]["fileWatcherType"] == "none"
    unsafe = {"enableCORS", "enableXsrfProtection", "enableStaticServing"}
    assert not unsafe & set(CONFIGURATION["server"])
    assert "http" not in json.dumps(CONFIGURATION)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_colours_can_be_told_from_the_page(theme: str) -> None:
    colours = CONFIGURATION["theme"][theme]
    grounds = colours["backgroundColor"], colours["secondaryBackgroundColor"]
    assert len(set(colours["chartCategoricalColors"])) == 10
    for ground in grounds:
        assert contrast(colours["textColor"], ground) >= 7
        assert contrast(colours["linkColor"], ground) >= 4.5
        for colour in colours["chartCategoricalColors"]:
            assert contrast(colour, ground) >= 3, f"{colour} on {ground}"


def test_callbacks_are_given_by_the_shell_which_hears_what_streamlit_does_not() -> None:
    """Of a widget that it has not made yet, as after a restart, Streamlit calls nothing back."""
    for path in SOURCES:
        if name(path) == "pages/ui/state/shell.py":
            continue
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.keyword) and node.arg in ("on_click", "on_change"):
                assert isinstance(node.value, ast.Constant), f"{name(path)}: line {node.lineno}"
