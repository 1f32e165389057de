"""Sentences and tables on one half-step: where the gain came from, doubtful rows, known labels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from em_core import HalfStep
from em_core.fit import Fit
from em_core.inference.agreement import adjusted_rand_index, confusion
from em_core.search.alignment import assignment_shares
from pages.ui.tables.selection import Selection
from pages.ui.text import component_names, counted, gap, nats, number

MOST_DOUBTFUL = 10
# Posteriors of more rows than this take longer than a glance: a stated sample stands in.
# The rule for counting parameters, wherever a number rests on it.
COUNTING = (
    "BIC counts free parameters. Degrees of freedom count unless the component is the Gaussian; "
    "other parameters at a limit, a probability of 0 say, count. Its n are the rows that are "
    "fitted, also where they are in sequences or groups."
)
MOST_ROWS_AT_A_GLANCE = 100_000


def size_of(fit: Fit, n_rows: int) -> str:
    """What BIC puts a price on, and its n: "11 parameters, n = 272 rows"."""
    n = f"n = {number(fit.n_observations, 6)}"
    rows = " rows" if fit.n_observations == n_rows else ""
    return f"{counted(fit.n_parameters, 'parameter')}, {n}{rows}"


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
    model, params, data, selection: Selection, unit: str
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
    names = np.array(component_names(shares.shape[1], unit))
    rows = stride * order
    table = {"row": selection.rows[rows] + 1}
    table |= {name: selection.cells(d, rows) for d, name in enumerate(selection.columns)}
    table["most responsible"] = names[ranked[:, 0]]
    table["responsibility"] = certainty[order]
    if shares.shape[1] > 1:
        table["next"] = names[ranked[:, 1]]
        table["its responsibility"] = np.take_along_axis(shares[order], ranked[:, 1:2], 1)[:, 0]
    return pd.DataFrame(table), len(shares)


def agreement_with_labels(
    model, params, data, selection: Selection, unit: str
) -> tuple[float, pd.DataFrame]:
    """Adjusted Rand index of clusters and known labels, and the confusion matrix."""
    clusters = model.predict(params, data)
    paths = isinstance(clusters, list)
    clusters = np.concatenate(clusters) if paths else clusters
    names = component_names(model.n_states if paths else model.n_components, unit)
    labels = selection.labels
    assert labels is not None, "there are known labels"
    table = confusion_table(labels, clusters, names)
    return adjusted_rand_index(labels, clusters), table


def confusion_table(labels: np.ndarray, clusters: np.ndarray, names: Sequence[str]) -> pd.DataFrame:
    """Counts of rows by known label (rows) and component (columns); missing labels left out."""
    counted = confusion(labels, clusters, len(names))
    return pd.DataFrame(counted.counts, index=list(counted.labels), columns=list(names))
