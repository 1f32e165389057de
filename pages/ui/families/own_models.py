"""Models of whoever starts the dashboard: trusted Python files, named at start and read once.

    streamlit run dashboard.py -- --model path/to/file.py        (again for more files)
    EM_EXPLORER_MODELS=one.py:two.py streamlit run dashboard.py  (";" between files on Windows)

A file defines `model`, an object that follows the protocol `em_core.Model`; the first line of its
class's docstring is its title. `em_core/examples/zero_inflated_poisson.py` is a complete one, and
`em_core.check_model` tells what is wrong with another. Files are named by the command line and the
environment alone: nothing that a visitor types or uploads is ever executed.
"""

from __future__ import annotations

import argparse
import os
import sys
import traceback
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.util import module_from_spec, spec_from_file_location
from inspect import getdoc
from pathlib import Path
from typing import Any, NamedTuple

VARIABLE = "EM_EXPLORER_MODELS"
# What the app calls, of the protocol.
NEEDED = (
    "starts",
    "initial_params",
    "e_step",
    "m_step",
    "expected_log_joint",
    "posterior",
    "n_parameters",
)


class OwnModel(NamedTuple):
    """name: that of the file, without .py; title: for people; model: what the file defines."""

    name: str
    title: str
    model: Any
    path: Path


class OwnModels(NamedTuple):
    """The models that could be used, and one plain sentence for each file that could not."""

    models: tuple[OwnModel, ...]
    problems: tuple[str, ...]


class Unusable(Exception):
    """Why a file gives no model, as a sentence for the person who named it."""


@cache
def own_models() -> OwnModels:
    """The models of the files that this process was started with. They are imported once."""
    return load(os.environ, sys.argv)


def load(environ: Mapping[str, str], argv: Sequence[str]) -> OwnModels:
    """Import the files named in an environment and on a command line (argv[0] is the script)."""
    models: dict[str, OwnModel] = {}
    problems = []
    try:
        names = list(named(environ, argv))
    except argparse.ArgumentError:
        return OwnModels((), ("--model needs the path of a Python file after it.",))
    seen = set()
    for name in names:
        path = Path(name)
        try:
            path = resolved(name)
            if path in seen:
                continue
            seen.add(path)
            own = read(path)
            if own.name in models:
                raise Unusable(f"has the same name as {models[own.name].path}: rename one of them")
            models[own.name] = own
        except Unusable as problem:
            problems.append(f"The model file {path} {problem}.")
    return OwnModels(tuple(models.values()), tuple(problems))


def named(environ: Mapping[str, str], argv: Sequence[str]) -> Iterator[str]:
    """The files named, in order: those of the environment first."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    parser.add_argument("--model", action="append", default=[])
    arguments, _ = parser.parse_known_args(argv[1:])
    for name in [*environ.get(VARIABLE, "").split(os.pathsep), *arguments.model]:
        if name.strip():
            yield name.strip()


def resolved(name: str) -> Path:
    """The path of a file that is there. Raises Unusable where there is none of this name."""
    try:
        path = Path(name).expanduser().resolve()
        there = path.is_file()
    except (OSError, RuntimeError, ValueError) as error:  # too long, not allowed, nobody's home
        raise Unusable(f"cannot be found: {error}") from None
    if not there:
        raise Unusable("does not exist")
    return path


def read(path: Path) -> OwnModel:
    """The model a file defines. Raises Unusable where there is none."""
    if path.suffix != ".py":
        raise Unusable("is not a Python file: its name must end in .py")
    module = _import(path)
    if not hasattr(module, "model"):
        raise Unusable("defines no `model`: end it with a line like `model = MyModel()`")
    model = module.model
    if isinstance(model, type):
        raise Unusable("defines `model` as a class: call it, as in `model = MyModel()`")
    missing = [name for name in NEEDED if not hasattr(model, name)]
    if missing:
        raise Unusable(
            f"defines a `model` without {', '.join(missing)}: em_core.Model says what each must do"
        )
    if not model.starts:
        raise Unusable("defines a `model` whose `starts` is empty: name at least one start")
    return OwnModel(path.stem, _title(model), model, path)


def _import(path: Path):
    # Under a name of its own, so that no file can hide a module of Python's or of the dashboard.
    spec = spec_from_file_location(f"own_model_{path.stem}", path)
    assert spec is not None and spec.loader is not None, "it is a file of Python"
    module = module_from_spec(spec)
    # Dataclasses look their module up while they are made.
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[spec.name]
        raise Unusable(
            f"could not be imported: {type(error).__name__}: {error}{_line(error, path)}"
        ) from error
    return module


def _line(error: BaseException, path: Path) -> str:
    """Where in the file it went wrong, unless the message says so."""
    lines = [
        frame.lineno
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename == str(path)
    ]
    return f" (line {lines[-1]})" if lines else ""


def _title(model) -> str:
    own = vars(type(model)).get("__doc__")
    # A dataclass without a docstring gets its signature as one.
    if not own or own.startswith(f"{type(model).__name__}("):
        return type(model).__name__
    lines = (getdoc(type(model)) or "").splitlines()
    return lines[0].rstrip(".") if lines else type(model).__name__
