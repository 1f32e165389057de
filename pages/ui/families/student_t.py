"""Student-t clusters, which outliers do not pull apart."""

from __future__ import annotations

import numpy as np

from em_core import StudentT
from em_core.emissions.gaussian import EMPTY_SHARE
from em_core.emissions.student_t import at_fewest, at_most
from pages.ui.families.family import Choices
from pages.ui.families.gaussian import GAUSSIAN_EXAMPLES
from pages.ui.families.mixtures import (
    clusters,
    covariances_of,
    mixture_point,
    of_data,
    shares_and_spread,
    structures,
)
from pages.ui.families.numbers import (
    Tables,
    bounded,
    frame,
)
from pages.ui.pictures.mixture import student_picture
from pages.ui.tables.selection import Selection
from pages.ui.text import component_names

DEGREES = {
    "estimated": "estimated for each component, from 0.1 to 200; at 200 it is the Gaussian, and "
    "they are not counted as a parameter",
    "1": "Cauchy: very heavy tails",
    "3": "heavy tails",
    "8": "moderate tails",
    "30": "nearly Gaussian",
}


def _degrees(settings: Choices) -> float | None:
    return None if settings.degrees == "estimated" else float(settings.degrees)


def _student_code(settings: Choices) -> str:
    degrees = _degrees(settings)
    more = "" if degrees is None else f", degrees_of_freedom={degrees:g}"
    return f'StudentT(covariance="{settings.covariance}"{more})'


def student_tables(model, params, selection: Selection, settings) -> Tables:
    """As of a mixture, with scales and degrees of freedom; scale matrices are no covariances."""
    names = component_names(len(params.weights), given=settings.names)
    empty = params.weights <= EMPTY_SHARE
    scales = np.sqrt(np.einsum("kdd->kd", params.covariances))
    more = {f"scale of {name}": scales[:, d] for d, name in enumerate(selection.columns)}
    degrees = params.degrees_of_freedom
    estimated = model.emission.degrees_of_freedom is None
    at_bound = estimated & (at_most(degrees) | at_fewest(degrees))
    more["degrees of freedom"] = bounded(degrees, at_bound)
    rows = shares_and_spread(model, params, selection) | of_data(more, empty)
    return [
        ("Parameters", frame(rows, names)),
        (
            "Scale matrices",
            covariances_of("component", names, params.covariances, selection, empty),
        ),
    ]


def student_point(model, params, data, selection: Selection, index: int, names):
    """The formula of the responsibilities of one row, and its terms for each component."""
    return mixture_point(model, params, data, selection, index, names, r"t_{\nu_k}", "t")


MIXTURE = clusters(
    "Student-t mixture: clusters that survive outliers",
    emission=lambda s: StudentT(covariance=s.covariance, degrees_of_freedom=_degrees(s)),
    code=_student_code,
    controls={"covariance": structures(), "degrees": DEGREES, "missing": {}},
    parameters=("means", "covariances", "degrees_of_freedom"),
    structure="covariance",
    picture=student_picture,
    tables=student_tables,
    point=student_point,
    examples=("strays", *(name for name in GAUSSIAN_EXAMPLES if name != "strays")),
)
