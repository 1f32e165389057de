"""Three tables as people upload them, what is asked of each, and what the engine says of it."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from em_core import inference
from em_core.fit import Fit
from em_core.inference.replicates import at_once
from pages.ui.compute.describing import Described, describe, without_trace
from pages.ui.families.profiles import Profile
from pages.ui.families.table import family_of
from pages.ui.running.runs import Run
from pages.ui.state.settings import Settings
from pages.ui.tables.reading import read_table
from pages.ui.tables.selection import Selection
from pages.ui.tables.table import Table
from support.runs import run_of, selected

RNG = np.random.default_rng(0)


def penguins() -> str:
    """Two kinds of birds, one cell missing."""
    kinds = RNG.integers(2, size=90)
    bills, flippers = 39 + 8 * kinds + RNG.normal(size=90) * 2, 190 + 25 * kinds
    flippers = flippers + RNG.normal(size=90) * 6
    rows = [f"{b:.1f},{f:.0f}" for b, f in zip(bills, flippers, strict=True)]
    return "\n".join(["bill <length>,flipper length", *rows[:-1], f"{bills[-1]:.1f},"])


def survey() -> str:
    kinds = RNG.integers(2, size=150)
    answers = np.where(RNG.random((150, 4)) < np.where(kinds, 0.85, 0.2)[:, None], "yes", "no")
    return "\n".join(["q1,q2,q3,q4", *map(",".join, answers)])


def series() -> str:
    states = np.repeat([0, 1, 0, 1], 40)
    values = RNG.normal(size=160) + 5 * states
    loads = RNG.normal(size=160) - values
    rows = [f"{v:.2f},{w:.2f}" for v, w in zip(values, loads, strict=True)]
    return "\n".join(["level,load", *rows])


CASES = {
    "measurements": (penguins, Settings(family="gaussian-mixture", names=("small", ""))),
    "answers": (survey, Settings(family="bernoulli-mixture")),
    "series": (series, Settings(family="gaussian-hmm")),
}


class Uploaded(NamedTuple):
    """One of the tables, its fit, and what is said of it."""

    content: bytes
    settings: Settings
    table: Table
    selection: Selection
    run: Run
    fit: Fit
    found: Described
    sure: inference.Intervals
    profile: Profile


def described(content: bytes, settings: Settings, table: Table, selection: Selection) -> Uploaded:
    """A table, fitted and described by the engine."""
    run = run_of(settings, selection)
    fit = run.finished_fit
    found = at_once(describe)(without_trace(fit), run.data, run.weights)
    sure = inference.intervals(fit, run.data, weights=run.weights)
    profile = family_of(settings).profile(run.model, fit.params, run.data, selection, settings)
    return Uploaded(content, settings, table, selection, run, fit, found, sure, profile)


def uploaded(name: str) -> Uploaded:
    """One of the cases."""
    made, settings = CASES[name]
    content = made().encode()
    table = read_table("uploaded.csv", content)
    settings = replace(settings, source="table", intervals=True)
    return described(content, settings, table, selected(table, settings))
