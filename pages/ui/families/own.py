"""A model of a person's own: drawn and tabulated parameter by parameter."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pages.ui.families.family import Family, meanings
from pages.ui.families.numbers import Tables
from pages.ui.families.own_data import own_data, own_examples
from pages.ui.families.own_models import OwnModel
from pages.ui.pictures.own import own_picture, parameter_names, parameter_values
from pages.ui.tables.columns import answered
from pages.ui.tables.selection import Selection, select_items


def own_family(own: OwnModel) -> Family:
    """The row of a model that whoever started the dashboard brought."""
    return Family(
        label=own.title,
        build=lambda settings: own.model,
        code=lambda settings: f'run_path({own.path.name!r})["model"]',
        controls={},
        starts=meanings(own.model.starts),
        parameters=(),
        takes=answered,
        read=select_items,
        examples=own_examples(own.model),
        picture=own_picture,
        tables=own_tables,
        results=own_results,
        size=None,
        unit="",
        most_columns=1,
        holes=False,
        data=lambda selection: own_data(own.model, selection),
    )


def own_tables(model, params, selection: Selection, settings) -> Tables:
    """Every number among the parameters, by its name."""
    table = pd.DataFrame({"value": parameter_values(params)}, index=parameter_names(params))
    return [("Parameters", table)]


def own_results(model, params, data, selection: Selection, settings) -> dict[str, np.ndarray]:
    """Whatever the posterior says of every row: arrays with one line for each."""
    posterior = model.posterior(params, data)
    names = getattr(posterior, "_fields", None) or [
        f"posterior {i + 1}" for i in range(len(posterior))
    ]
    results = {}
    for name, values in zip(names, posterior, strict=True):
        values = np.asarray(values)
        if values.shape[:1] != (len(selection.values),) or values.ndim > 2:
            continue
        columns = values.reshape(len(values), -1).T
        many = len(columns) > 1
        results |= {f"{name} {i + 1}" if many else name: v for i, v in enumerate(columns)}
    return results
