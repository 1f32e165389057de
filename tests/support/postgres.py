"""A private PostgreSQL cluster for the tests, from the machine's own packages."""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PROGRAMS = "/usr/lib/postgresql"  # where Debian keeps them, by version


def program(name: str) -> str:
    """The path of one of PostgreSQL's programs."""
    found = shutil.which(name)
    folders = sorted(Path(PROGRAMS).glob(f"*/bin/{name}"), key=lambda path: int(path.parts[-3]))
    if found is None and not folders:
        raise RuntimeError("The store's tests need PostgreSQL's server. See tests/run.")
    return found or str(folders[-1])


@contextmanager
def cluster(folder: Path) -> Iterator[str]:
    """A running cluster in `folder`, on a free port of this machine alone; its address."""
    owner = []
    if os.geteuid() == 0:
        # PostgreSQL refuses to run as root.
        shutil.chown(folder, "postgres")
        owner = ["runuser", "-u", "postgres", "--"]
    data = str(folder / "data")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories="
    initdb = [program("initdb"), "-D", data, "-U", "em", "--auth=trust", "--no-sync"]
    control = [program("pg_ctl"), "-D", data, "-w"]
    _run([*owner, *initdb], folder)
    _run([*owner, *control, "-l", str(folder / "log"), "-o", options, "start"], folder)
    try:
        yield f"postgresql://em@127.0.0.1:{port}/postgres"
    finally:
        _run([*owner, *control, "-m", "immediate", "stop"], folder)


def _run(command: list[str], folder: Path) -> None:
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
