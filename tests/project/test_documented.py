"""What can be set is told, what is exported is tested, and the engine stands alone."""

import json
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import scipy

import em_core
from em_core.emissions.covariances.structures import MCLUST
from pages.ui import environment
from support.browser import ROOT
from support.families_at_hand import Case, cases
from support.links import LINKS, written

README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_every_setting_is_in_the_table_of_links() -> None:
    said = LINKS.read_text(encoding="utf-8")
    assert said == written(), "write it anew: python tests/support/links.py"
    assert "`.github/LINKS.md`" in README


def test_every_variable_of_the_environment_is_in_the_readme() -> None:
    told = set()
    for line in README.splitlines():
        names = re.findall(r"`(\w+)`", line)
        told |= set(names) | {f"EM_EXPLORER{name}" for name in names if name.startswith("_")}
    known = set(environment.NAMES)
    read = {
        name
        for path in (ROOT / "pages").rglob("*.py")
        for name in re.findall(r'"(EM_EXPLORER_[A-Z]\w*)"', path.read_text(encoding="utf-8"))
    }
    assert known | read <= told
    # And nothing is told that is not read.
    untold = {name for name in told if name.startswith("EM_EXPLORER_")}
    assert untold <= known


ALONE = """
import sys
sys.path.insert(0, sys.argv[1])
import json
import numpy as np
from em_core import Gaussian, HiddenMarkov, Mixture, StudentT, fit, restarts, select
rng = np.random.default_rng(0)
rows = np.concatenate([rng.normal(size=(60, 2)), rng.normal(size=(60, 2)) + 5])
models = {k: Mixture(Gaussian(), k) for k in (1, 2, 3)}
student = fit(Mixture(StudentT(), 2), rows, max_iterations=5)  # needs SciPy
ours = {name.partition(".")[0] for name, module in sys.modules.items()
        if "/" in (getattr(module, "__file__", None) or "") and name[0] != "_"}
print(json.dumps({
    "stop": fit(models[2], rows).stop_reason,
    "optima": len(restarts(models[2], rows, range(4)).optima),
    "best": select(models, rows, range(3)).best("bic").label,
    "chain": fit(HiddenMarkov(Gaussian("diag"), 2), [rows]).stop_reason,
    "loaded": sorted(ours - sys.stdlib_module_names),
}))
"""


def test_the_engine_stands_alone_with_numpy_and_scipy(tmp_path: Path) -> None:
    """In an interpreter that finds nothing else: no site-packages, no folder of this tree."""
    for package in (np, scipy):
        folder = Path(package.__file__).parent
        for part in (folder, folder.with_name(f"{folder.name}.libs")):
            if part.exists():
                (tmp_path / part.name).symlink_to(part)
    (tmp_path / "em_core").symlink_to(ROOT / "em_core")
    command = [sys.executable, "-I", "-S", "-B", "-c", ALONE, str(tmp_path)]
    run = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert run.returncode == 0, run.stderr
    said = json.loads(run.stdout)
    assert said.pop("optima") >= 1
    assert said == {
        "stop": "converged", "best": 2, "chain": "converged",
        "loaded": ["em_core", "numpy", "scipy"],
    }  # fmt: skip


# Asked of every class that the engine exports: what only an emission, or only a model, has.
OF_AN_EMISSION = ("kernel", "expected_log_density", "near")
OF_A_MODEL = ("e_step", "m_step", "expected_log_joint", "initial_params")
# What others are said in terms of; and a model in other units, which
# tests/engine/test_standardised.py and test_transformed.py make of each of them.
NO_CASES = {"Model", "Standardised", "Transformed"}


def without_a_case(exported: Iterable[type], table: dict[str, Case]) -> list[str]:
    """The names of emissions and models that no case is of."""
    models = [case.model for case in table.values()]
    tried = {type(part) for model in models for part in (model, getattr(model, "emission", None))}
    wanted = [
        of
        for of in exported
        if any(all(hasattr(of, name) for name in has) for has in (OF_AN_EMISSION, OF_A_MODEL))
    ]
    return [of.__name__ for of in wanted if of not in tried and of.__name__ not in NO_CASES]


def test_whatever_is_exported_is_in_the_table_of_cases() -> None:
    exported = [getattr(em_core, name) for name in em_core.__all__]
    classes = [part for part in exported if isinstance(part, type)]
    table = cases()
    assert without_a_case(classes, table) == []
    assert {f"Gaussian {code}" for code in MCLUST} <= set(table)
    # It sees what is left out.
    for missing in (em_core.Poisson, em_core.TwoLevel):
        left = {
            name: case
            for name, case in table.items()
            if missing not in (type(case.model), type(getattr(case.model, "emission", None)))
        }
        assert without_a_case(classes, left) == [missing.__name__]
