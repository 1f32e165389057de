"""What the pictures of a run that is watched take of the server, beside making each one anew.

Run: python tests/benchmarks/watching.py
A mixture of nine components on 50,000 rows for 300 iterations, and a hidden Markov model of four
states on 20,000 rows for 100, looked at every ten iterations. Seconds of the processor. Exits with
1 where it is more than a third.
"""

import sys
import time
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from em_core import datasets, em
from pages.ui.families.family import Family
from pages.ui.families.table import family_of
from pages.ui.panels.fit_panel import LIVE_POINTS
from pages.ui.pictures.payload import pack
from pages.ui.pictures.picture import Scene
from pages.ui.state.beginnings import method_of
from pages.ui.state.changes import changed
from pages.ui.state.scenes import scene_of
from pages.ui.state.settings import Settings
from pages.ui.tables.table import from_dataset

CASES = (
    # family, components, rows, iterations
    ("gaussian-mixture", 9, 50_000, 300),
    ("gaussian-hmm", 4, 20_000, 100),
)
EVERY = 20  # half-steps
MOST = 1 / 3


def watched(name: str, size: int, n_rows: int, iterations: int) -> tuple[Family, list[Scene]]:
    """A run as it is looked at, again and again."""
    settings = changed(Settings(), family=name, n_components=size)
    family, rng = family_of(settings), np.random.default_rng(0)
    table = from_dataset(datasets.generate("overlapping", n_rows, size, 2, rng))
    selection = family.read(table, ("x1", "x2"), None, None, True)
    model, data = family.build(settings), family.data(selection)
    start = model.initial_params(data, method_of(settings), rng)
    steps = [*em(model, data, start, tolerance=0, max_iterations=iterations)]
    whole = scene_of(
        "run", model, data, steps, selection, settings, most=LIVE_POINTS, running=True, table=table
    )
    ends = range(EVERY // 2 + 1, len(steps), EVERY)
    return family, [whole._replace(steps=steps[:end]) for end in ends]


def seconds(family: Family, scenes: list[Scene], kept: dict | None) -> float:
    began = time.process_time()
    for scene in scenes:
        pack(family.picture(scene._replace(kept=kept))[0])
    return time.process_time() - began


def main() -> bool:
    good = True
    print("model  anew  kept  share")
    for case in CASES:
        run = watched(*case)
        seconds(*run, {})  # what is loaded at the first
        anew, kept = seconds(*run, None), seconds(*run, {})
        good &= kept <= MOST * anew
        print(f"{case[0]}  {anew:.2f}  {kept:.2f}  {kept / anew:.0%}", flush=True)
    return good


if __name__ == "__main__":
    with threadpool_limits(limits=1, user_api="blas"):
        sys.exit(not main())
