"""Which file of the project needs which, and what a change can reach."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterable, Iterator
from functools import cache, cached_property
from pathlib import Path

ROOT = Path(__file__).parents[2]
# The app is served in a test by `serve`, or by the fixture.
SERVED = re.compile(r"\bserve\(|\bapp: str")


def imports(path: Path, root: Path = ROOT) -> tuple[str, ...]:
    """The modules a file imports, by their full names."""
    return _imported(path.read_text(encoding="utf-8"), path.relative_to(root))


@cache
def _imported(text: str, path: Path) -> tuple[str, ...]:
    return tuple(_named(text, path))


def _named(text: str, path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level:
            package = path.parts[: -node.level]
            yield ".".join([*package, node.module or ""]).strip(".")
        elif isinstance(node, ast.ImportFrom):
            # `from pages import ui` imports pages.ui.
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


class Graph:
    """The files of the project and which of them each needs.

    Who imports a name from a package needs the file that the package has it from, and not all
    the others that the package imports. A test that serves the app needs all its pages.
    """

    def __init__(self, root: Path = ROOT) -> None:
        self.root = root
        folders = "em_core", "pages", "tests/support", "tests/benchmarks"
        paths = [*(path for folder in folders for path in (root / folder).rglob("*.py"))]
        paths += [root / "dashboard.py", *(root / "tests").rglob("test_*.py")]
        self.paths = {self.module(path): path for path in sorted(set(paths)) if path.exists()}

    def module(self, path: Path) -> str:
        """The name a file is imported by."""
        parts = path.relative_to(self.root).with_suffix("").parts
        parts = parts[1:] if parts[0] == "tests" else parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    @cached_property
    def needs(self) -> dict[str, set[str]]:
        """The modules that each imports itself."""
        packages = {m for m, path in self.paths.items() if path.name == "__init__.py"}
        named = {module: set(imports(path, self.root)) for module, path in self.paths.items()}
        found = {module: self._resolved(names, packages) for module, names in named.items()}
        pages = {module for module in self.paths if module.startswith("pages.")}
        found["dashboard"] = found.get("dashboard", set()) | {
            module for module in pages if module.count(".") == 1
        }
        for module, path in self.paths.items():
            if path.name.startswith("test_") and SERVED.search(path.read_text(encoding="utf-8")):
                found[module].add("dashboard")
        return found

    def _resolved(self, names: Iterable[str], packages: set[str]) -> set[str]:
        resolved = set()
        for name in names:
            name = name.removeprefix("tests.")
            package, _, last = name.rpartition(".")
            if name in self.paths:
                resolved.add(name)
            elif package in packages:
                resolved.add(self._origin(package, last))
            elif package in self.paths:
                resolved.add(package)
        return resolved

    def _origin(self, package: str, name: str) -> str:
        """The module that a package has a name from: itself, where it does not import it."""
        for imported in imports(self.paths[package], self.root):
            module, _, last = imported.rpartition(".")
            if last == name:
                if imported in self.paths:
                    return imported
                if module in self.paths and module != package:
                    is_package = self.paths[module].name == "__init__.py"
                    return self._origin(module, name) if is_package else module
        return package

    def reached(self, module: str) -> set[str]:
        """A module and all it needs, also by others."""
        reached: set[str] = set()
        waiting = [module]
        while waiting:
            one = waiting.pop()
            if one not in reached:
                reached.add(one)
                waiting += self.needs.get(one, ())
        return reached

    def distances(self, modules: Iterable[str]) -> dict[str, int]:
        """How many imports lie between each module that needs one of these and the nearest."""
        users: dict[str, set[str]] = {}
        for module, needed in self.needs.items():
            for one in needed:
                users.setdefault(one, set()).add(module)
        found: dict[str, int] = {}
        edge, steps = set(modules), 0
        while edge:
            found |= dict.fromkeys(edge, steps)
            edge = {user for one in edge for user in users.get(one, ())} - found.keys()
            steps += 1
        return found

    def of_files(self, names: Iterable[str]) -> set[str]:
        """The modules that files of the project are, or that speak of a file that is no module."""
        modules = {path: module for module, path in self.paths.items()}
        found = set()
        for name in names:
            path = self.root / name
            if path in modules:
                found.add(modules[path])
            elif path.suffix != ".py":
                words = {path.name, path.parent.name} - {self.root.name, "tests", "pages", "ui"}
                found |= {m for m, p in self.paths.items() if _speaks_of(p, words)}
        return found


def _speaks_of(path: Path, words: set[str]) -> bool:
    text = path.read_text(encoding="utf-8")
    return any(f'"{word}"' in text or f"/{word}" in text for word in words)


def changed(root: Path = ROOT) -> list[str]:
    """Files that differ from where this branch left main, also those not yet committed."""

    def git(*arguments: str) -> list[str]:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments], capture_output=True, text=True, check=True
        )
        return done.stdout.split("\n")

    branches = {name.strip() for name in git("branch", "--all", "--format=%(refname:short)")}
    main = next((name for name in ("origin/main", "main") if name in branches), "HEAD")
    since = git("merge-base", "HEAD", main)[0]
    new = git("ls-files", "--others", "--exclude-standard")
    return sorted({*git("diff", "--name-only", since), *new} - {""})
