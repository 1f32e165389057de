"""The image and the compose file, as far as a machine without Docker can tell: every step of the
Dockerfile is carried out, or checked against what it names."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
import yaml

from pages.ui import environment
from pages.ui.sharing.share import IN_THE_CONTAINER
from support.browser import ROOT, await_health, free_port
from support.visitor import Visitor

FOLDER = ROOT / ".docker"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
NGINX = shutil.which("nginx") or "/usr/sbin/nginx"


def instructions(path: Path) -> list[tuple[str, str]]:
    """(instruction, its text) of a Dockerfile, lines that go on joined."""
    lines = [line for line in path.read_text().splitlines() if not line.startswith("#")]
    text = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [tuple(line.split(maxsplit=1)) for line in text.splitlines() if line]


STEPS = instructions(FOLDER / "Dockerfile")
PORT = next(text for name, text in STEPS if name == "EXPOSE")
COMMAND = json.loads(next(text for name, text in STEPS if name == "CMD"))
CHECK = json.loads(next(text for name, text in STEPS if name == "HEALTHCHECK").partition("CMD ")[2])
ENVIRONMENT = dict(
    pair.split("=", 1) for name, text in STEPS if name == "ENV" for pair in shlex.split(text)
)


def copied() -> list[tuple[str, str]]:
    """(path here, path in the image) of all that is copied from here."""
    found = []
    for name, text in STEPS:
        if name == "COPY" and not text.startswith("--from"):
            *sources, target = text.split()
            for source in sources:
                to = f"{target}{source}" if target.endswith("/") else target
                found.append((source, to))
    return found


def test_it_runs_as_nobody_in_particular_on_a_python_that_will_do() -> None:
    names = [name for name, _ in STEPS]
    user = [text for name, text in STEPS if name == "USER"]
    assert user[-1:] and user[-1] not in ("root", "0") and names.index("USER") < names.index("CMD")
    assert "explorer \\\n" in (FOLDER / "Dockerfile").read_text() and user[-1] == "explorer"
    for name, text in STEPS:
        if name == "FROM":
            major, minor = re.match(r"python:(\d+)\.(\d+)-slim\b", text).groups()
            least = PROJECT["requires-python"].removeprefix(">=").split(".")
            assert (int(major), int(minor)) >= tuple(map(int, least))
    assert [text for name, text in STEPS if name == "VOLUME"] == ["/data"]
    made = next(text for name, text in STEPS if name == "RUN" and "/data" in text)
    assert f"--owner={user[-1]}" in made, "its user can write to the volume"


def test_what_is_copied_is_there_and_is_let_through() -> None:
    ignored = (FOLDER / "Dockerfile.dockerignore").read_text().splitlines()
    assert "*" in ignored
    for source, _ in copied():
        assert (ROOT / source).exists() and f"!{source}" in ignored


def test_ports_are_one() -> None:
    assert f"--server.port={PORT}" in COMMAND and f"localhost:{PORT}/_stcore/health" in CHECK[-1]
    assert "--server.address=0.0.0.0" in COMMAND and COMMAND[0] in PROJECT["scripts"]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the first stage installs of its own, from what it copies alone."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("site")
    for here, there in copied():
        place = source / Path(there).relative_to("/source")
        place.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / here).is_dir():
            shutil.copytree(ROOT / here, place, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / here, place)
    run = next(text for name, text in STEPS if name == "RUN" and "pip install" in text)
    what = shlex.split(run)[-1]
    extras = re.fullmatch(r"/source\[([\w,]+)\]", what)[1].split(",")
    assert {*extras} <= {*PROJECT["optional-dependencies"]}
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-compile"]
    command += ["--no-build-isolation", "--target", target, source]
    subprocess.run(command, check=True)
    return target


@contextmanager
def started(site: Path, folder: Path) -> Iterator[tuple[str, str]]:
    """The image's command on a free port, in its environment; its address, and its port."""
    port, log = str(free_port()), folder / "log"
    variables = {name: value for name, value in os.environ.items() if name != environment.STORE}
    variables |= {name: value for name, value in ENVIRONMENT.items() if name != "PATH"}
    variables |= {"PYTHONPATH": str(site), "HOME": str(folder)}
    program = PROJECT["scripts"][COMMAND[0]].partition(":")[0]
    start = f"from {program} import main; main()"
    arguments = [argument.replace(PORT, port) for argument in COMMAND[1:]]
    with log.open("wb") as output:
        server = subprocess.Popen(
            [sys.executable, "-c", start, *arguments],
            cwd=folder, env=variables, stdout=output, stderr=subprocess.STDOUT,
        )  # fmt: skip
        try:
            await_health(server, f"http://localhost:{port}", log)
            yield f"http://localhost:{port}", port
        finally:
            server.terminate()
            server.wait(20)


def is_healthy(port: str) -> bool:
    code = CHECK[-1].replace(PORT, port)
    return subprocess.run([sys.executable, *CHECK[1:-1], code], capture_output=True).returncode == 0


def asked_to_share(url: str) -> Visitor:
    """A visitor with a table too large for a link, and the dialog open."""
    visitor = Visitor(url, "v=1&s=table")
    rows = np.random.default_rng(0).normal(size=(400, 2)).tolist()
    table = "\n".join(["x,y", *(f"{x!r},{y!r}" for x, y in rows)])
    visitor.type("Rows with a header", table)
    visitor.click("Use the pasted table")
    visitor.settle()
    visitor.click("Share")
    return visitor


@pytest.mark.slow
def test_it_starts_is_healthy_and_says_how_long_tables_last(site: Path, tmp_path: Path) -> None:
    with started(site, tmp_path) as (url, port):
        assert is_healthy(port)
        visitor = asked_to_share(url)
        assert "Until when" in visitor.texts and IN_THE_CONTAINER in visitor.texts
        visitor.press("Store the table and complete the link")
        assert "is stored on this server until" in visitor.texts
        assert IN_THE_CONTAINER in visitor.texts
        visitor.close()
    assert not is_healthy(port)


def test_what_is_a_container(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(environment, "MARKS_OF_A_CONTAINER", (tmp_path / "mark",))
    assert not environment.stores_in_the_container({})
    assert environment.stores_in_the_container(ENVIRONMENT)
    assert not environment.stores_in_the_container(ENVIRONMENT | {environment.STORE: "/data"})
    (tmp_path / "mark").touch()
    assert environment.stores_in_the_container({})


COMPOSE = yaml.safe_load((FOLDER / "compose.yaml").read_text())
SERVICES = COMPOSE["services"]


def test_the_parts_of_the_compose_file_know_each_other() -> None:
    servers = [name for name, about in SERVICES.items() if about["image"] == "em-explorer"]
    assert len(servers) == 2
    known = {environment.PREFIX + name for name in (*environment.NUMBERS, *environment.CHOICES)}
    for name in servers:
        about = SERVICES[name]
        context = (FOLDER / about["build"]["context"]).resolve()
        assert context == ROOT and (context / about["build"]["dockerfile"]).is_file()
        assert set(about["environment"]) <= {*known, environment.STORE}
        # The password is asked for when it starts.
        place = re.sub(r"\$\{\w+:\?[^}]*\}", "secret", about["environment"][environment.STORE])
        database = SERVICES[urlsplit(place).hostname]
        assert urlsplit(place).scheme == "postgresql" and urlsplit(place).password == "secret"
        assert urlsplit(place).username == database["environment"]["POSTGRES_USER"]
        assert urlsplit(place).path == f"/{database['environment']['POSTGRES_DB']}"
        assert about["environment"][environment.STORE].count("POSTGRES_PASSWORD") == 1
    for about in SERVICES.values():
        for other, when in about.get("depends_on", {}).items():
            assert when == {"condition": "service_healthy"}
            assert "healthcheck" in SERVICES[other] or other in servers
        for volume in about.get("volumes", ()):
            place = volume.split(":")[0]
            assert (FOLDER / place).is_file() if "/" in place else place in COMPOSE["volumes"]


def test_the_proxy_is_the_one_that_is_tested_before_these_servers() -> None:
    tried, ours = (
        path.read_text().partition("worker_processes")[2].splitlines()
        for path in (ROOT / "tests/nginx.conf", FOLDER / "nginx.conf")
    )
    assert [line for line in ours if "(*)" not in line] == [
        line for line in tried if "(*)" not in line
    ]
    text = (FOLDER / "nginx.conf").read_text()
    servers = [name for name, about in SERVICES.items() if about["image"] == "em-explorer"]
    assert re.findall(r"server ([\w:-]+);", text) == [f"{name}:{PORT}" for name in servers]
    listens = re.search(r"listen (\d+);", text)[1]
    assert SERVICES["proxy"]["ports"] == [f"{listens}:{listens}"]
    assert set(SERVICES["proxy"]["depends_on"]) == set(servers)


@pytest.mark.nginx
def test_nginx_takes_its_configuration(tmp_path: Path) -> None:
    text = (FOLDER / "nginx.conf").read_text()
    (tmp_path / "nginx.conf").write_text(re.sub(r"explorer-\d", "localhost", text))
    command = [NGINX, "-t", "-p", str(tmp_path), "-c", "nginx.conf"]
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr


CLUSTER = yaml.safe_load((FOLDER / "cluster.yaml").read_text())


def test_only_the_app_of_a_cluster_is_reached_from_outside() -> None:
    services = CLUSTER["services"]
    for name, about in services.items():
        assert about["image"] == "em-explorer" and "cluster" in about["networks"]
        assert ("outside" in about["networks"]) == ("ports" in about) == (name == "explorer")
        (volume,) = about["volumes"]
        assert volume.endswith(":/sets:ro")
    assert CLUSTER["networks"]["cluster"]["internal"]
    told = services["explorer"]["environment"]
    assert told == {
        environment.DATASETS: "/sets",
        environment.CLUSTER: services["worker"]["command"][2],
    }
    assert services["explorer"]["ports"] == [f"{PORT}:{PORT}"]
    installs = next(text for name, text in STEPS if name == "RUN" and "pip install" in text)
    assert "cluster" in re.search(r"\[([\w,]+)\]", installs)[1].split(",")


@pytest.mark.cluster
def test_the_scheduler_and_the_workers_of_the_compose_file_find_each_other(tmp_path: Path) -> None:
    from distributed import Client

    def pages_fetched_anew() -> int:
        """Of memory, for an E-step over a million rows, once it has run."""
        import resource

        from em_core import Gaussian, Mixture, Partitions

        rng = np.random.default_rng(0)
        rows, model = rng.normal(size=(1_000_000, 2)), Mixture(Gaussian(), 5)
        params = model.initial_params(rows[:1000], "random points", rng)
        e_step = Partitions.from_arrays([rows]).e_steps(model)
        for _ in range(3):
            before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
            e_step(params)
        return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

    services, port = CLUSTER["services"], str(free_port())
    dask, *_ = services["scheduler"]["command"]
    program = str(Path(sys.executable).with_name(dask))
    changes = {
        "8786": port,
        "tcp://scheduler:8786": f"tcp://localhost:{port}",
        "/tmp": str(tmp_path),
    }
    started = []
    try:
        for name in ("scheduler", "worker"):
            arguments = [changes.get(part, part) for part in services[name]["command"][1:]]
            with (tmp_path / name).open("wb") as log:
                environ = os.environ | services[name].get("environment", {})
                environ["PYTHONPATH"] = str(ROOT)  # there it is installed
                started.append(
                    subprocess.Popen(
                        [program, *arguments], cwd=tmp_path, env=environ, stdout=log, stderr=log
                    )
                )
        with Client(f"tcp://localhost:{port}", timeout=120, set_as_default=False) as client:
            client.wait_for_workers(1, timeout=120)
            check = services["scheduler"]["healthcheck"]["test"][-1].replace("8786", port)
            assert subprocess.run([sys.executable, "-c", check]).returncode == 0
            assert list(client.nthreads().values()) == [1]
            # 9,000, by what Dask sets.
            assert client.submit(pages_fetched_anew, pure=False).result() < 500
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.wait(60)
