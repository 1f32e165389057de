"""What a paper on latent classes must report, and whether a report does."""

from __future__ import annotations

import pandas as pd

from pages.ui.panels.describe.facts import MOST_PLOTTED, Facts
from pages.ui.sharing.report import Grid


def checklist(facts: Facts) -> Grid:
    """What a paper on latent classes must report, after SMART-LCA (Van Lissa and others 2023), in
    our words."""
    fitted = not facts.run.frozen
    classes, sized = bool(facts.family.unit), bool(facts.family.size)
    found = facts.found
    graded = found is not None and not isinstance(found.quality, str)
    compared = facts.models is not None

    def state(done: bool, applies: bool = True) -> str:
        return ("done" if done else "not done") if applies else "does not apply"

    one = compared and facts.settings.smallest == 1
    names = facts.settings.names
    named = len(names) == len(facts.profile.names) and all(name.strip() for name in names)
    items = [
        ("the data described, column by column", "done"),
        ("missing values told, and how they are treated", "done"),
        ("the model and what it assumes", "done"),
        ("a range of numbers compared, one among them", state(one, sized)),
        ("which criteria, and a table of all models", state(compared, sized)),
        ("neighbours tested by the bootstrap", state(bool(facts.tested), sized)),
        ("software and its version", "done"),
        ("starts, and how many reached the best", state(facts.others is not None, fitted)),
        ("whether it converged", state(True, fitted)),
        ("separation: entropy, average posteriors, classification error",
         state(graded, classes)),
        ("the size of every class, the smallest too", state(graded, classes)),
        ("local fit: residuals of pairs",
         state(found is not None, found is None or not isinstance(found.residuals, str))),
        ("parameters with intervals", state(facts.sure is not None, fitted)),
        ("names for the classes", state(named, not facts.family.grouping or classes)),
        ("a plot of the classes", state(len(facts.profile.names) <= MOST_PLOTTED)),
        ("what it takes to repeat it: code, seeds, link", "done"),
        ("why this number: what theory says", "see the notes" if facts.notes else "not done"),
    ]  # fmt: skip
    frame = pd.DataFrame(items, columns=["item", "state"])
    return Grid(frame, "After SMART-LCA (Van Lissa and others 2023), in our words", index=False)
