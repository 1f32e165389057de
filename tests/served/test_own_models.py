"""Files of one's own models: which are imported, and what is said of those that cannot be."""

import ast
import os
import sys
from pathlib import Path

import numpy as np
import pytest

from em_core.checks.checking import check_model
from em_core.fit import fit
from pages.ui.families import own_models
from pages.ui.families.own_models import VARIABLE, load
from pages.ui.pictures.own import shown_range

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "em_core/examples/zero_inflated_poisson.py"
METHODS = "initial_params, e_step, m_step, expected_log_joint, posterior, n_parameters"
WHOLE = """
class Mine:
    starts = {"anywhere": "anywhere"}
    initial_params = e_step = m_step = expected_log_joint = posterior = n_parameters = None

model = Mine()
"""


@pytest.fixture
def write(tmp_path):
    """Writes a file of source and gives its path."""

    def write(source: str, name: str = "mine.py") -> str:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(source, encoding="utf-8")
        return str(path)

    return write


def problem(path: str) -> str:
    """What is said of a file that cannot be used."""
    found = load({}, ["dashboard.py", "--model", path])
    assert found.models == ()
    (sentence,) = found.problems
    start = f"The model file {Path(path).resolve()} "
    assert sentence.startswith(start)
    return sentence.removeprefix(start)


def test_the_example_is_found_and_fits():
    found = load({}, ["dashboard.py", "--model", str(EXAMPLE)])
    assert found.problems == ()
    (own,) = found.models
    assert own[:2] == ("zero_inflated_poisson", "Zero-inflated Poisson")
    assert own.path == EXAMPLE
    params = own.model.initial_params(np.array([0, 2]), "half", np.random.default_rng(0))
    counts, _ = own.model.sample(params, 200, np.random.default_rng(0))
    assert fit(own.model, counts, start="random").stop_reason == "converged"
    assert check_model(own.model, counts)


def test_nothing_is_named_and_nothing_is_read():
    assert load({}, ["dashboard.py"]) == ((), ())
    assert load({VARIABLE: ""}, ["dashboard.py", "--other", "x.py"]) == ((), ())


def test_files_come_from_the_environment_and_the_command_line(write, monkeypatch, tmp_path):
    one, two, three = (write(WHOLE, f"{name}.py") for name in ("one", "two", "three"))
    found = load({VARIABLE: os.pathsep.join([one, two])}, ["x", "--model", three, f"--model={one}"])
    assert [own.name for own in found.models] == ["one", "two", "three"]
    assert found.problems == ()
    monkeypatch.chdir(tmp_path)
    (own,) = load({}, ["x", "--model", "two.py"]).models
    assert own.path == tmp_path / "two.py" and own.title == "Mine"


def test_the_process_reads_its_own_start_once(write, monkeypatch):
    path = write("print('read')\n" + WHOLE)
    monkeypatch.setattr(sys, "argv", ["dashboard.py", "--model", path])
    monkeypatch.delenv(VARIABLE, raising=False)
    own_models.own_models.cache_clear()
    try:
        (own,) = own_models.own_models().models
        monkeypatch.setattr(sys, "argv", ["dashboard.py"])
        assert own_models.own_models().models == (own,)
    finally:
        own_models.own_models.cache_clear()


def test_a_model_may_be_a_dataclass_with_lazy_annotations(write):
    source = WHOLE.replace("class Mine", "@dataclasses.dataclass\nclass Mine")
    source = "from __future__ import annotations\nimport dataclasses\n" + source
    source = source.replace("    starts =", "    size: int = 3\n    starts =")
    (own,) = load({}, ["x", "--model", write(source)]).models
    assert own.title == "Mine" and own.model.size == 3


def test_what_is_wrong_with_a_file_is_said(write, tmp_path):
    assert problem(str(tmp_path / "nowhere.py")) == "does not exist."
    assert problem(str(tmp_path)) == "does not exist."
    for name in (f"{'a' * 300}.py", "~nobody-here/x.py", "x\0.py"):
        (sentence,) = load({VARIABLE: name}, ["x"]).problems
        assert sentence.startswith(f"The model file {name} cannot be found: ")
    assert "must end in .py" in problem(write(WHOLE, "mine.txt"))
    assert problem(write("x = 1")) == (
        "defines no `model`: end it with a line like `model = MyModel()`."
    )
    assert "as a class: call it" in problem(write(WHOLE.replace("Mine()", "Mine")))
    assert f"without starts, {METHODS}: em_core.Model" in problem(write("model = 3"))
    assert "without m_step: em_core" in problem(write(WHOLE.replace("m_step = ", "", 1)))
    assert "`starts` is empty" in problem(write(WHOLE.replace('{"anywhere": "anywhere"}', "{}")))


def test_what_goes_wrong_in_a_file_is_said_with_its_line(write):
    assert problem(write("import numpy\nx = nothing\n")) == (
        "could not be imported: NameError: name 'nothing' is not defined (line 2)."
    )
    assert "SyntaxError" in (found := problem(write("x = 1\nx = = 2\n"))) and "line 2" in found
    assert "could not be imported: SystemExit: stop (line 1)" in problem(
        write("raise SystemExit('stop')")
    )
    assert "No module named 'not_there'" in problem(write("\n\nimport not_there"))
    assert "own_model_mine" not in sys.modules


def test_one_bad_file_does_not_spoil_the_others(write):
    good, bad, twin = write(WHOLE), write("x", "bad.py"), write(WHOLE, "other/mine.py")
    found = load({}, ["x", "--model", bad, "--model", good, "--model", twin])
    assert [own.path for own in found.models] == [Path(good)]
    assert len(found.problems) == 2
    assert found.problems[1].endswith(f"has the same name as {good}: rename one of them.")
    assert load({}, ["x", "--model"]).problems == (
        "--model needs the path of a Python file after it.",
    )


def test_a_file_hides_no_module(write):
    before = sys.modules.get("random")
    assert load({}, ["x", "--model", write(WHOLE, "random.py")]).models
    assert sys.modules.get("random") is before


EXECUTES = {"exec", "eval", "compile", "exec_module", "import_module", "__import__", "run_path"}
EXECUTES |= {"spec_from_file_location", "run_module", "read_pickle", "loads"}


def calls(path: Path) -> set[str]:
    """The calls in a file that could execute what they are given."""
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    found = {ast.unparse(node) for node in nodes if isinstance(node, ast.Call)}
    return {call for call in found if call.split("(")[0].split(".")[-1] in EXECUTES}


def test_nothing_else_executes_files():
    """What imports a file knows of no session, and nothing else in the app could."""
    own = ROOT / "pages/ui/families/own_models.py"
    source = ast.parse(own.read_text(encoding="utf-8"))
    imported = {
        name.split(".")[0]
        for node in ast.walk(source)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in (
            [node.module] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names]
        )
    }
    assert imported <= sys.stdlib_module_names
    others = [path for path in (ROOT / "pages").rglob("*.py") if path != own]
    found = {call for path in [*others, ROOT / "dashboard.py"] for call in calls(path)}
    harmless = ("json.loads(", "tomllib.loads(", "re.compile(")
    assert not {call for call in found if not call.startswith(harmless)}
    assert len(calls(own)) == 2


@pytest.mark.parametrize("value", [0.0, 1e-12, 0.3, -5.0, 1e9])
@pytest.mark.parametrize("rounding", [0.0, 1e-15])
def test_the_axis_of_a_parameter_that_does_not_move_is_around_its_value(value, rounding):
    low, high = shown_range(value * (1 + rounding * np.arange(5)))
    assert (low + high) / 2 == pytest.approx(value, rel=1e-9)
    assert high - low == pytest.approx(0.2 * (abs(value) or 1))


def test_the_axis_of_a_parameter_that_moves_covers_its_path():
    low, high = shown_range(np.array([2.0, 3.0, 2.5]))
    assert (low, high) == pytest.approx((1.9, 3.1))
