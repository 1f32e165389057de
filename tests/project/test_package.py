"""What is installed starts from any folder, writes nothing beside itself, takes no common name."""

import os
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from support.browser import ROOT, await_health, free_port
from support.visitor import Visitor

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_it_depends_on_what_the_requirements_say() -> None:
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    required = [line.split("#")[0].strip() for line in lines]
    assert PROJECT["dependencies"] == [line for line in required if line]
    commented = [
        line.removeprefix("# ").split("#")[0].strip() for line in lines if line[:2] == "# "
    ]
    optional = PROJECT["optional-dependencies"].values()
    assert sorted(needed for each in optional for needed in each) == sorted(commented)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, "--wheel-dir", folder, ROOT], check=True)
    return next(folder.glob("*.whl"))


def test_it_takes_no_name_but_its_own(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    tops = {name.partition("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"em_core", "em_explorer"}
    tracked = subprocess.run(
        ["git", "ls-files", "em_core", "pages", "dashboard.py", ".streamlit"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.splitlines()  # fmt: skip
    assert not [name for name in names if name.endswith(".pyc")]
    app = {name.removeprefix("em_explorer/app/") for name in names}
    assert set(tracked) <= app, "all that the app is made of comes along"


@pytest.mark.slow
def test_it_starts_in_an_empty_folder_from_a_tree_that_stays_as_it_is(
    wheel: Path, tmp_path: Path
) -> None:
    site, empty, log = tmp_path / "site", tmp_path / "empty", tmp_path / "log"
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-compile"]
    subprocess.run([*command, "--target", site, wheel], check=True)
    empty.mkdir()
    before = sorted(site.rglob("*"))
    for path in [site, *before]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    port = free_port()
    environment = os.environ | {"PYTHONPATH": str(site), "PYTHONDONTWRITEBYTECODE": "1"}
    start = "from em_explorer.command import main; main()"
    options = ["--server.headless", "true", "--server.port", str(port)]
    with log.open("wb") as output:
        server = subprocess.Popen(
            [sys.executable, "-c", start, *options],
            cwd=empty, env=environment, stdout=output, stderr=subprocess.STDOUT,
        )  # fmt: skip
        try:
            url = f"http://localhost:{port}"
            await_health(server, url, log)
            visitor = Visitor(url, "v=1&e=iris&k=3")
            visitor.settle()
            assert "Log-likelihood" in visitor.texts
            visitor.close()
        finally:
            server.terminate()
            server.wait(20)
    assert sorted(site.rglob("*")) == before and not list(empty.iterdir())
    said = log.read_text()
    assert "Traceback" not in said and "gather usage" not in said, "its configuration came along"
