"""Hosts of a network of their own: network namespaces on a bridge, as this process is too."""

import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

MOST = 250


class Host(NamedTuple):
    """within: what a command begins with that runs there. cable: this end of its connection."""

    address: str
    within: Sequence[str]
    cable: str

    def pull_the_plug(self) -> None:
        """Nobody hears of it any more, nor that it has gone."""
        _run("ip", "link", "set", self.cable, "down")


def can_be_made() -> bool:
    """Whether the machine lets whoever runs the tests make network namespaces."""
    try:
        _run("ip", "netns", "add", _name("p"))
    except (FileNotFoundError, subprocess.CalledProcessError):
        return False
    _run("ip", "netns", "del", _name("p"))
    return True


@contextmanager
def hosts(number: int) -> Iterator[list[Host]]:
    """So many hosts, which reach each other and this process."""
    bridge, network = _name("b"), f"10.213.{os.getpid() % MOST}"
    made = [
        Host(f"{network}.{i + 2}", ("ip", "netns", "exec", _name(f"h{i}")), _name(f"c{i}"))
        for i in range(number)
    ]
    try:
        _run("ip", "link", "add", bridge, "type", "bridge")
        _run("ip", "addr", "add", f"{network}.1/24", "dev", bridge)
        _run("ip", "link", "set", bridge, "up")
        for host in made:
            name = host.within[-1]
            _run("ip", "netns", "add", name)
            _run("ip", "link", "add", host.cable, "type", "veth", "peer", "eth", "netns", name)
            _run("ip", "link", "set", host.cable, "master", bridge, "up")
            _run(*host.within, "ip", "addr", "add", f"{host.address}/24", "dev", "eth")
            for device in ("eth", "lo"):
                _run(*host.within, "ip", "link", "set", device, "up")
        yield made
    finally:
        for host in made:
            subprocess.run(["ip", "netns", "del", host.within[-1]], capture_output=True)
        subprocess.run(["ip", "link", "del", bridge], capture_output=True)


def write_certificate(folder: Path) -> dict[str, str]:
    """A certificate that vouches for itself, as the environment that makes Dask use it for all."""
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    _run(
        "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1",
        "-subj", "/CN=cluster", "-keyout", str(key), "-out", str(certificate),
    )  # fmt: skip
    told = {"CA_FILE": certificate, "REQUIRE_ENCRYPTION": True}
    for who in ("SCHEDULER", "WORKER", "CLIENT"):
        told |= {f"{who}__CERT": certificate, f"{who}__KEY": key}
    return {
        f"DASK_DISTRIBUTED__COMM__{'' if name == 'REQUIRE_ENCRYPTION' else 'TLS__'}{name}": str(it)
        for name, it in told.items()
    }


def _name(of: str) -> str:
    """Of this process: devices have names of 15 letters at most."""
    return f"emx{os.getpid()}{of}"


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)
