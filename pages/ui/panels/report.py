"""Sentences and tables on one half-step: where the gain came from, doubtful rows, known labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from em_core import HalfStep
from em_core.fit import Fit
from em_core.inference.agreement import adjusted_rand_index, confusion
from em_core.search.alignment import assignment_shares
from pages.ui.tables.selection import Selection
from pages.ui.tables.writing import free_name
from pages.ui.text import counted, gap, nats, number

MOST_DOUBTFUL = 10
# Posteriors of more rows than this take longer than a glance: a stated sample stands in.
# The rule for counting parameters, wherever a number rests on it.
COUNTING = (
    "BIC counts free parameters. Degrees of freedom count unless the component is the Gaussian; "
    "other parameters at a limit, a probability of 0 say, count. Its n are the rows that are "
    "fitted, also where they are in sequences or groups."
)
MOST_ROWS_AT_A_GLANCE = 100_000
PSEUDO = (
    "With sampling weights these are a pseudo-likelihood and its criteria: they rank models by how "
    "well they fit the population, but do not measure evidence, and no likelihood-ratio test holds."
)


def size_of(fit: Fit, selection: Selection) -> str:
    """What BIC puts a price on, and its n: "11 parameters, n = 272 rows"."""
    return f"{counted(fit.n_parameters, 'parameter')}, {rows_of(fit.n_observations, selection)}"


def rows_of(n_observations: float, selection: Selection) -> str:
    """What the n of BIC is: "n = 272 rows", or of the weights of how many rows it is the sum."""
    n, n_rows = f"n = {number(n_observations, 6)}", len(selection.values)
    if selection.weights is None:
        return f"{n} rows" if n_observations == n_rows else n
    if selection.weights_kind == "sampling":
        return f"{n} rows, to which their weights are scaled"
    return f"{n}, the sum of the weights of {counted(n_rows, 'row')}"


def iterations_of(steps: Sequence[HalfStep]) -> str:
    """How many a fit took, and where some are no steps of EM: "148 iterations, 13 of them leaps
    where EM crept"."""
    taken = counted(steps[-1].iteration, "iteration")
    leaps = sum(step.is_leap for step in steps)
    return f"{taken}, {leaps} of them leaps where EM crept" if leaps else taken


def gain_sentence(steps: Sequence[HalfStep], index: int) -> str:
    """Where the log-likelihood gained in this half-step came from."""
    step = steps[index]
    if step.phase == "start":
        return (
            "The bound touches the log-likelihood: q is the posterior at the starting parameters."
        )
    before = steps[index - 1]
    if step.phase == "E":
        return (
            f"Gain in log-likelihood: 0 (the parameters stay). The bound rises by the KL gap, "
            f"{gap(before)} nats, and touches again."
        )
    gain = step.log_likelihood - before.log_likelihood
    if step.is_leap:
        return (
            f"Gain in log-likelihood {nats(gain, signed=True)} nats by a leap: parameters and "
            "posterior moved together, so the bound still touches."
        )
    bound = step.elbo - before.elbo
    return (
        f"Gain in log-likelihood {nats(gain, signed=True)} = gain of the bound "
        f"{nats(bound, signed=True)} + KL gap {gap(step)} nats."
    )


def doubtful_points(
    model, params, data, selection: Selection, components: Sequence[str]
) -> tuple[pd.DataFrame, int]:
    """The rows whose most responsible component is the least sure, and how many were looked at."""
    stride = -(-len(selection.values) // MOST_ROWS_AT_A_GLANCE)
    if isinstance(data, list):  # sequences cannot be thinned out
        all_shares = assignment_shares(model, params, data)
        shares = None if all_shares is None else all_shares[::stride]
    else:
        shares = assignment_shares(model, params, data[::stride])
    assert shares is not None, "rows belong to components"
    certainty = shares.max(axis=1)
    order = np.argsort(certainty, kind="stable")[:MOST_DOUBTFUL]
    ranked = np.argsort(-shares[order], axis=1)
    names = np.array(components)
    rows = stride * order
    table: dict[str, Any] = {"row": selection.rows[rows] + 1}
    if selection.identifier:
        table[free_name(selection.identifier, table)] = selection.called(rows)
    table |= {name: selection.cells(d, rows) for d, name in enumerate(selection.columns)}
    table["most responsible"] = names[ranked[:, 0]]
    table["responsibility"] = certainty[order]
    if shares.shape[1] > 1:
        table["next"] = names[ranked[:, 1]]
        table["its responsibility"] = np.take_along_axis(shares[order], ranked[:, 1:2], 1)[:, 0]
    return pd.DataFrame(table), len(shares)


def agreement_with_labels(
    model, params, data, selection: Selection, components: Sequence[str]
) -> tuple[float, pd.DataFrame]:
    """Adjusted Rand index of clusters and known labels, and the confusion matrix."""
    clusters = model.predict(params, data)
    paths = isinstance(clusters, list)
    clusters = np.concatenate(clusters) if paths else clusters
    labels = selection.labels
    assert labels is not None, "there are known labels"
    table = confusion_table(labels, clusters, components, selection.frequencies)
    return adjusted_rand_index(labels, clusters, selection.frequencies), table


def confusion_table(
    labels: np.ndarray, clusters: np.ndarray, names: Sequence[str], weights=None
) -> pd.DataFrame:
    """Counts of rows by known label (rows) and component (columns); missing labels left out."""
    counted = confusion(labels, clusters, len(names), weights)
    return pd.DataFrame(counted.counts, index=list(counted.labels), columns=list(names))
