"""The default search: a plan of several kinds of start, then splits and merges of what they find.

Starts of one kind agree with each other, also where all of them miss the best answer: the kinds
take turns, and what no seed changes has one turn. Beside these independent starts there are those
made from the best answers so far (`split_and_merge`), in rounds, each from what is known by then.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, cycle, islice
from typing import Any

from em_core.protocols import Start, optional
from em_core.search.runs import SeededStart
from em_core.search.split_and_merge import can_split_and_merge

SPLIT_AND_MERGE = "split and merge"
# Which of the seeds are for independent starts, how many a round has of the best answer and of the
# next best, and how many answers are taken up where nothing is left to try beside the better ones.
INDEPENDENT = 0.5
OF_BEST, OF_NEXT = 6, 4
MOST_PARENTS = 6


def plan(model, seeds: Sequence[Any]) -> list[SeededStart]:
    """What the default search makes of seeds: the first half, at least one for each kind, start
    independently, those of each kind side by side; the others split and merge.

    Models without components to split and merge have independent starts only.
    """
    turns = {name: optional(start, "turns", Start) for name, start in model.starts.items()}
    kinds = [name for name, turn in turns.items() if turn != "none"]
    drawn = [name for name in kinds if turns[name] == "many"]
    n_independent = len(seeds)
    if can_split_and_merge(model):
        n_independent = max(round(INDEPENDENT * len(seeds)), min(len(kinds), len(seeds)))
    names = islice(chain(kinds, cycle(drawn or kinds)), n_independent)
    planned = [SeededStart(seed, name) for name, seed in zip(names, seeds, strict=False)]
    planned.sort(key=lambda start: kinds.index(start.name))
    for place, seed in enumerate(seeds[n_independent:]):
        planned.append(SeededStart(seed, SPLIT_AND_MERGE, 1 + place // (OF_BEST + OF_NEXT)))
    return planned
