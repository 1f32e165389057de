"""What whoever runs the server may set in its environment: the numbers, checked.

A value that cannot be used gives way to the nearest that can, or to the usual one, and `complaints`
says so in the log of the server's start. No Streamlit import.
"""

from __future__ import annotations

import difflib
import importlib.util
import math
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from pages.ui.families.own_models import VARIABLE as MODELS

PREFIX = "EM_EXPLORER_"
# A directory for SQLite's file, or the URL of a PostgreSQL database.
STORE = f"{PREFIX}STORE"
# Folders of Parquet data sets, or addresses of an object store, with commas between.
DATASETS = f"{PREFIX}DATASETS"
# A folder that results of all rows of a data set may be written to.
RESULTS = f"{PREFIX}RESULTS"
# A folder for uploaded Parquet files that are too long for a table.
UPLOADS = f"{PREFIX}UPLOADS"
# The address of the scheduler of a Dask cluster, as tcp://host:8786.
CLUSTER = f"{PREFIX}CLUSTER"
# What says that this runs in a container: a variable of Podman's, systemd's and .docker/Dockerfile,
# and files of Docker's and Podman's.
CONTAINER = "container"
MARKS_OF_A_CONTAINER = (Path("/.dockerenv"), Path("/run/.containerenv"))


class Number(NamedTuple):
    """One of them. usual: without it. whole: whether it counts something.

    limitless: what is said where it is infinite, if it may be.
    """

    usual: float
    low: float
    high: float
    whole: bool = False
    limitless: str = ""


NUMBERS = {
    # Of what people share. Nothing is stored where the store may have nothing.
    "TABLE_MB": Number(20, 0.001, 900),
    "SESSION_MB": Number(100, 0.001, 1e6),
    "STORE_MB": Number(5000, 0, 1e9),
    "DAYS": Number(365, 1, 36_500, whole=True),
    # Of an uploaded table.
    "UPLOAD_MB": Number(100, 0.001, 10_000),
    "ROWS": Number(2e6, 10, 1e9, whole=True),
    "COLUMNS": Number(1000, 2, 1e6, whole=True),
    "CELLS": Number(2e7, 20, 1e10, whole=True),
    # Of the process that reads one file: with what it reads by, it takes 530 MB of addresses.
    "READ_SECONDS": Number(120, 1, math.inf, limitless="a file may take as long as it likes"),
    "READ_MB": Number(3000, 1000, 1e9),
    # Of what one visit, and all together, hold in the server.
    "VISIT_MB": Number(1000, 50, 1e9),
    "MEMORY_MB": Number(4000, 100, 1e9),
    # Of what is computed. A process that computes takes 300 MB before it begins.
    "WORKERS": Number(max(2, os.cpu_count() or 1), 1, 1000, whole=True),
    "FIT_SECONDS": Number(600, 1, math.inf, limitless="a fit may take as long as it likes"),
    "FIT_MB": Number(4000, 500, 1e9),
}


# Those that are one of a few words, the usual one first.
CHOICES = {"QUOTA_BY": ("address", "visit")}
# All that is read.
NAMES = (
    *(PREFIX + name for name in (*NUMBERS, *CHOICES)),
    *(STORE, MODELS, DATASETS, RESULTS, UPLOADS, CLUSTER),
)


def choice(name: str, environ: Mapping[str, str] = os.environ) -> str:
    """The word in force of one of CHOICES."""
    word = environ.get(PREFIX + name, "").strip().lower()
    return word if word in CHOICES[name] else CHOICES[name][0]


def number(name: str, environ: Mapping[str, str] = os.environ) -> float:
    """The value in force of one of NUMBERS; an int where it counts something."""
    value, _ = _read(name, environ)
    return value


def datasets(environ: Mapping[str, str] = os.environ) -> tuple[str, ...]:
    """The folders of data sets, those that are there: whole paths, or addresses."""
    return tuple(_whole(folder) for folder in _folders(environ) if _is_there(folder))


def results(environ: Mapping[str, str] = os.environ) -> str:
    """The folder that results may be written to, as a whole path; "" where there is none."""
    folder = environ.get(RESULTS, "").strip()
    return _whole(folder) if folder and _can_be_written_to(folder) else ""


def uploads(environ: Mapping[str, str] = os.environ) -> str:
    """The folder for uploads that are too long for a table, as a whole path; "" without one. What
    is there can be read while nothing can be written to it."""
    folder = environ.get(UPLOADS, "").strip()
    there = folder and not is_remote(folder) and os.path.isdir(_whole(folder))
    return _whole(folder) if there and not _is_offered(folder, environ) else ""


def _is_offered(folder: str, environ: Mapping[str, str]) -> bool:
    """Whether everybody sees what is in a folder: it is, or is within, one of data sets."""
    within = Path(os.path.realpath(_whole(folder)))
    offered = (os.path.realpath(_whole(f)) for f in _folders(environ) if not is_remote(f))
    return any(within.is_relative_to(other) for other in offered)


def _can_be_written_to(folder: str) -> bool:
    return (
        not is_remote(folder)
        and os.path.isdir(_whole(folder))
        and os.access(_whole(folder), os.W_OK | os.X_OK)
    )


def cluster(environ: Mapping[str, str] = os.environ) -> str:
    """The address of the scheduler of a cluster; "" without one, or without what speaks to it."""
    address = environ.get(CLUSTER, "").strip()
    return "" if _why_no_cluster(address) else address


def _folders(environ: Mapping[str, str]) -> list[str]:
    return [name.strip() for name in environ.get(DATASETS, "").split(",") if name.strip()]


def is_remote(folder: str) -> bool:
    """Whether it is an address, as of an object store, and no folder of this machine."""
    return "://" in folder


def _whole(folder: str) -> str:
    return folder if is_remote(folder) else os.path.abspath(os.path.expanduser(folder))


def _is_there(folder: str) -> bool:
    """Whether it can be a folder of data sets; of an object store that shows when it is used."""
    return is_remote(folder) or os.access(_whole(folder), os.R_OK | os.X_OK)


def _with_names_that_are_no_text(folder: str) -> Iterator[str]:
    """A folder of data sets, or the first file or folder in each of them, that has such a name."""

    def is_text(name: str) -> bool:
        return name.isascii() or name.encode(errors="replace").decode() == name

    if is_remote(folder) or not os.path.isdir(_whole(folder)) or not _is_there(folder):
        return
    if not is_text(whole := _whole(folder)):
        yield whole
        return
    for name in sorted(os.listdir(whole)):
        path = os.path.join(whole, name)
        below = (os.path.join(at, n) for at, ds, fs in os.walk(path) for n in (*ds, *fs))
        if bad := next((one for one in (path, *below) if not is_text(one)), None):
            yield bad


def _why_no_cluster(address: str) -> str:
    """Why an address is not used, as the end of a sentence; "" where it is, or there is none."""
    if not address:
        return ""
    if not re.fullmatch(r"(?:[a-z]+://)?[^\s/]+:\d{1,5}", address):
        return "is no address of a scheduler, such as tcp://host:8786"
    if importlib.util.find_spec("distributed") is None:
        return "needs the package distributed, which is not installed"
    return ""


def complaints(environ: Mapping[str, str] = os.environ) -> Iterator[str]:
    """A sentence for each value that is not used as it is, and each name with a slip in it."""
    for name in NUMBERS:
        _, sentence = _read(name, environ)
        if sentence:
            yield sentence
    for name, words in CHOICES.items():
        said = environ.get(PREFIX + name, "").strip()
        if said and said.lower() not in words:
            listed = " or ".join(words)
            yield f"{PREFIX}{name}={said} is not {listed}: {words[0]}, the usual, is used."
    for folder in _folders(environ):
        if not _is_there(folder):
            yield f"{DATASETS}: {folder} is no folder that can be read: it is left out."
        for path in _with_names_that_are_no_text(folder):
            yield f"{DATASETS}: {path!a} has a name that is no text (UTF-8): it is left out."
    folder = environ.get(RESULTS, "").strip()
    if folder and not _can_be_written_to(folder):
        yield f"{RESULTS}: {folder} is no folder that can be written to: results are downloaded."
    elif folder and not (_folders(environ) or uploads(environ)):
        yield f"{RESULTS}={folder} is not used: {DATASETS} names no folder of data sets."
    folder = environ.get(UPLOADS, "").strip()
    if folder and not _can_be_written_to(folder):
        yield f"{UPLOADS}: {folder} is no folder that can be written to: long files are refused."
    elif folder and _is_offered(folder, environ):
        yield (
            f"{UPLOADS}: {folder} is in a folder of {DATASETS}, where everybody would see what one "
            "person uploads: long files are refused. Name a folder beside it."
        )
    address = environ.get(CLUSTER, "").strip()
    if why := _why_no_cluster(address):
        yield f"{CLUSTER}={address} {why}: data sets are read on this machine."
    elif address and not (_folders(environ) or uploads(environ)):
        yield f"{CLUSTER}={address} is not used: {DATASETS} names no folder of data sets."
    # Of other names nothing is said: Kubernetes sets some, such as EM_EXPLORER_SERVICE_HOST.
    known = [name.removeprefix(PREFIX) for name in NAMES]
    for name in sorted(environ):
        if name.startswith(PREFIX) and name not in NAMES:
            for like in difflib.get_close_matches(name.removeprefix(PREFIX), known, 1):
                yield f"{name} is not read: {PREFIX}{like} is."


def stores_in_the_container(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether what is stored goes with the container that this runs in: no place was named."""
    inside = environ.get(CONTAINER) or any(mark.exists() for mark in MARKS_OF_A_CONTAINER)
    return bool(inside) and not environ.get(STORE)


def _read(name: str, environ: Mapping[str, str]) -> tuple[float, str]:
    """The value in force, and what is to be said of it."""
    about = NUMBERS[name]
    usual = int(about.usual) if about.whole else about.usual
    text = environ.get(PREFIX + name, "").strip()
    if not text:
        return usual, ""
    said = f"{PREFIX}{name}={text}"
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if math.isnan(value):
        return usual, f"{said} is no number: {_written(usual)}, the usual, is used."
    nearest = min(max(value, about.low), about.high)
    if math.isinf(nearest):
        return nearest, f"{said}: {about.limitless}."
    if about.whole:
        nearest = math.floor(nearest)
    if nearest == value:
        return nearest, ""
    if value < about.low:
        problem = f"is below {_written(about.low)}, the least"
    elif value > about.high:
        problem = f"is above {_written(about.high)}, the most"
    else:
        problem = "is not a whole number"
    return nearest, f"{said} {problem}: {_written(nearest)} is used."


def _written(value: float) -> str:
    return f"{value:,.12g}"
