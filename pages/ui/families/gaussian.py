"""Gaussian clusters, and states that measurements come from."""

from __future__ import annotations

from em_core import (
    STARTS,
    Gaussian,
)
from em_core.datasets import EXAMPLES
from pages.ui.families.chains import chain, measured_chain_tables
from pages.ui.families.family import Choices, explicit, meanings
from pages.ui.families.mixtures import (
    PLANE_VIEWS,
    clusters,
    structures,
)
from pages.ui.tables.columns import measured
from pages.ui.tables.selection import select

# Data sets that are of use to one family only.
SPECIAL = ("digits", "lsat6", "earthquakes", "ratings", "pupils", "geyser", "ability", "casino")
GAUSSIAN_EXAMPLES = tuple(name for name in EXAMPLES if name not in SPECIAL)
HMM_COVARIANCES = ("full", "tied", "diag", "spherical")


def covariance(settings: Choices) -> str:
    return f'Gaussian(covariance="{settings.covariance}")'


MIXTURE = clusters(
    "Cluster analysis: Gaussian mixture (latent profile analysis)",
    title="Gaussian mixture",
    emission=lambda s: Gaussian(covariance=s.covariance),
    code=covariance,
    controls={"covariance": structures(), "missing": {}},
    parameters=("means", "covariances"),
    starts=meanings(STARTS)
    | {"means": "means that you place"}
    | explicit(("weights", "means", "covariances")),
    structure="covariance",
    examples=GAUSSIAN_EXAMPLES,
)


CHAIN = chain(
    "Hidden Markov model: measurements",
    emission=lambda s: Gaussian(covariance=s.covariance),
    code=covariance,
    controls={"covariance": structures(HMM_COVARIANCES)},
    parameters=("means", "covariances"),
    examples=("geyser", "faithful", "airquality"),
    takes=measured,
    read=select,
    views=("series", *PLANE_VIEWS),
    tables=measured_chain_tables,
    structure="covariance",
)
