"""Whether halves of the rows, each fitted by itself, lead to the same clusters."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from em_core.inference import SplitHalf
from pages.ui.compute.describing import without_trace
from pages.ui.compute.uncertainty import SPLITS, STARTS, split_half_work
from pages.ui.families.family import Family
from pages.ui.panels import tables
from pages.ui.running.jobs import finished_job, run_job
from pages.ui.running.runs import Run
from pages.ui.running.searches import recommended_start
from pages.ui.state import shell
from pages.ui.text import number, percent, plain, plural, told

SLOT = "split halves"


def show_halves(run: Run, family: Family) -> None:
    """The switch, and what came of it."""
    if not family.unit or not shell.widget("halved"):
        return
    start = recommended_start(shell.settings())
    found = run_job(
        SLOT, _key(run, start), "fitting to halves of the rows", split_half_work,
        without_trace(run.finished_fit), run.data, run.weights, start,
    )  # fmt: skip
    if found is None:
        return
    st.markdown(plain(in_words(found, family)))
    for said in found.sentences:
        st.caption(told(said, ()))
    if found.failed < found.splits:
        tables.show(split_table(found), "Each split", "Splits", index=False)


def known_halves(run: Run) -> SplitHalf | None:
    """What was found, if it was asked for and is there."""
    settings = shell.settings()
    if not settings.halved or run.frozen:
        return None
    return finished_job(SLOT, _key(run, recommended_start(settings)))


def in_words(found: SplitHalf, family: Family) -> str:
    """What the splits say, as sentences."""
    if found.failed == found.splits:
        return "No half of the rows has a sound fit: there are too few rows for this model."
    indices = found.adjusted_rand[pd.notna(found.adjusted_rand)]
    what = plural(family.unit)
    times = f"{SPLITS} splits in halves" if found.splits > 1 else "One split in halves"
    return (
        f"{times}, each half fitted by itself from {STARTS} starts: the adjusted Rand index of the "
        f"{what} that the fit to a half and the fit to the other give its rows is "
        f"{number(found.mean, 3)} on average, from {number(indices.min(), 3)} to "
        f"{number(indices.max(), 3)} (1: the same, about 0: by chance). "
        f"{percent(found.mean_stayed, 1)} of the rows are in matching {what}. Where halves differ, "
        f"these {what} are not those of the next sample; that they agree does not show that this "
        "number is right."
    )


def split_table(found: SplitHalf) -> pd.DataFrame:
    """A row for each half of each split."""
    rows = [
        {
            "split": split + 1,
            "rows of": ("first half", "second half")[half],
            "adjusted Rand index": found.adjusted_rand[split, half],
            "in matching ones": found.stayed[split, half],
            "shares by its fit": ", ".join(percent(s, 1) for s in found.shares[split, half]),
        }
        for split in range(found.splits)
        for half in range(2)
    ]
    return pd.DataFrame(rows).dropna()


def _key(run: Run, start: str) -> str:
    return f"{run.key} {len(run.trace)} {start}"
