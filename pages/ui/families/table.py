"""The table of model families: one row makes a model appear in the app.

A row says what the family is called, how its model is built, which settings it shows, how a table
becomes its data, how it may start, and how it is drawn and put into numbers: see `family.Family`.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from em_core import (
    STARTS,
    Bernoulli,
    Categorical,
    FactorAnalyser,
    FactorAnalysis,
    Gaussian,
    HiddenMarkov,
    Mixture,
    Poisson,
    ProbabilisticPCA,
    Standardised,
    StudentT,
    TwoLevel,
    goodness_of_fit,
)
from em_core.datasets import EXAMPLES
from em_core.emissions.covariances.structures import STRUCTURES
from em_core.models.factor_analysis.boundary import most_factors
from em_core.models.hidden_markov.markov_chain import SHAPES, allowed_transitions
from pages.ui.families.family import Choices, Family, listed
from pages.ui.families.own_data import own_data, own_examples
from pages.ui.families.own_models import OwnModel, own_models
from pages.ui.families.parameters import (
    cluster_results,
    factor_analyser_tables,
    factor_point,
    factor_results,
    factor_tables,
    group_results,
    hidden_markov_point,
    hidden_markov_tables,
    items_point,
    items_tables,
    measured_chain_tables,
    mixture_point,
    mixture_tables,
    own_results,
    own_tables,
    student_point,
    student_tables,
    two_level_tables,
)
from pages.ui.pictures.factors import factors_picture
from pages.ui.pictures.items import items_picture
from pages.ui.pictures.mixture import factor_analysers_picture, mixture_picture, student_picture
from pages.ui.pictures.own import own_picture
from pages.ui.pictures.sequence import hidden_markov_picture
from pages.ui.pictures.two_level import shrinkage_picture
from pages.ui.tables.columns import answered, binary, classified, counted, measured
from pages.ui.tables.selection import select, select_items, select_levels

MOST_ITEMS = 100
# Data sets that are of use to one family only.
SPECIAL = ("digits", "lsat6", "earthquakes", "ratings", "pupils", "geyser", "ability", "casino")
GAUSSIAN_EXAMPLES = tuple(name for name in EXAMPLES if name not in SPECIAL)
EXPLICIT = "parameters"
PLANE_VIEWS = ("columns", "principal", "pairs")
ROTATIONS = {
    "none": "as EM leaves them; the first factor explains the most",
    "varimax": "turned so that each factor has few large loadings; factors stay uncorrelated",
    "promax": "turned further: factors may correlate",
}
DEGREES = {
    "estimated": "estimated for each component, from 0.1 to 200; at 200 it is the Gaussian, and "
    "they are not counted as a parameter",
    "1": "Cauchy: very heavy tails",
    "3": "heavy tails",
    "8": "moderate tails",
    "30": "nearly Gaussian",
}
HMM_COVARIANCES = ("full", "tied", "diag", "spherical")


def _meanings(starts) -> dict[str, str]:
    return {name: getattr(start, "meaning", start) for name, start in starts.items()}


def _explicit(parameters: tuple[str, ...]) -> dict[str, str]:
    return {EXPLICIT: f"{listed(parameters).replace('_', ' ')} you give"}


def _structures(names=tuple(STRUCTURES)) -> dict[str, str]:
    return {name: STRUCTURES[name].meaning for name in names}


def _items(label: str, emission: type, parameter: str, examples: tuple[str, ...], **more) -> Family:
    """The row of a mixture of items or counts."""
    unit = more.get("unit", "class")
    return Family(
        label=label,
        build=lambda s: Mixture(emission(), n_components=s.n_components),
        code=lambda s: f"Mixture({emission.__name__}(), n_components={s.n_components})",
        controls={"n_components": {}, "missing": {}},
        starts=_meanings(STARTS) | _explicit(("weights", parameter)),
        parameters=("weights", parameter),
        most_columns=MOST_ITEMS,
        examples=examples,
        picture=items_picture,
        tables=partial(items_tables, unit=unit),
        point=partial(items_point, unit=unit),
        results=partial(cluster_results, unit=unit),
        labels={"n_components": f"{unit}es".capitalize()} if unit == "class" else {},
        **({"takes": answered, "read": select_items, "unit": unit} | more),
    )


def _continuous(label: str, emission, code, controls, parameters, **more) -> Family:
    """The row of a mixture whose components are ellipses."""
    return Family(
        label=label,
        build=lambda s: Mixture(emission(s), n_components=s.n_components),
        code=lambda s: f"Mixture({code(s)}, n_components={s.n_components})",
        controls={"n_components": {}} | controls | {"standardise": {}},
        parameters=("weights", *parameters),
        takes=measured,
        read=select,
        views=PLANE_VIEWS,
        results=cluster_results,
        **(
            {
                "starts": _meanings(STARTS) | _explicit(("weights", *parameters)),
                "picture": mixture_picture,
                "tables": mixture_tables,
                "point": mixture_point,
            }
            | more
        ),
    )


def _hidden_markov(label: str, emission, code, controls, parameters, examples, **more) -> Family:
    """The row of a hidden Markov model."""
    chain = ("initial_probabilities", "transition_matrix")
    return Family(
        label=label,
        build=lambda s: HiddenMarkov(
            emission(s),
            s.n_components,
            transitions=allowed_transitions(s.transitions, s.n_components),
            initial=s.initial,
        ),
        code=lambda s: _hidden_markov_code(code(s), s),
        controls={"n_components": {}}
        | controls
        | {
            "transitions": SHAPES,
            "initial": {
                "free": "the chances of each state at the start are estimated",
                "stationary": "they are the states' long-run shares under the transitions",
            },
            "missing": {},
        },
        labels={"n_components": "States"},
        starts=_meanings(HiddenMarkov.starts) | _explicit((*chain, *parameters)),
        parameters=(*chain, *parameters),
        examples=examples,
        picture=hidden_markov_picture,
        point=hidden_markov_point,
        results=partial(cluster_results, unit="state"),
        unit="state",
        grouping="sequence",
        data=lambda selection: selection.parts,
        **(
            {
                "takes": answered,
                "read": select_items,
                "views": ("series",),
                "tables": hidden_markov_tables,
            }
            | more
        ),
    )


def _hidden_markov_code(emission: str, settings: Choices) -> str:
    more = "" if settings.initial == "free" else f', initial="{settings.initial}"'
    allowed = allowed_transitions(settings.transitions, settings.n_components)
    if allowed is not None:
        more += f", transitions={allowed.astype(int).tolist()}"
    return f"HiddenMarkov({emission}, n_states={settings.n_components}{more})"


def _factors(label: str, model: type, examples: tuple[str, ...], **more) -> Family:
    """The row of a model of continuous factors behind the columns."""
    parameters = ("mean", "loadings", "noise_variance")
    return Family(
        label=label,
        build=lambda s: model(s.n_factors),
        code=lambda s: f"{model.__name__}({s.n_factors})",
        controls={"n_factors": {}, "rotation": ROTATIONS, "missing": {}},
        starts=_meanings(model.starts) | _explicit(parameters),
        parameters=parameters,
        takes=measured,
        read=select,
        most_columns=MOST_ITEMS,
        examples=examples,
        picture=factors_picture,
        tables=factor_tables,
        point=factor_point,
        results=factor_results,
        size="n_factors",
        unit="",
        **more,
    )


def _covariance(settings: Choices) -> str:
    return f'Gaussian(covariance="{settings.covariance}")'


def _degrees(settings: Choices) -> float | None:
    return None if settings.degrees == "estimated" else float(settings.degrees)


def _student_code(settings: Choices) -> str:
    degrees = _degrees(settings)
    more = "" if degrees is None else f", degrees_of_freedom={degrees:g}"
    return f'StudentT(covariance="{settings.covariance}"{more})'


def _own(own: OwnModel) -> Family:
    """The row of a model that whoever started the dashboard brought."""
    return Family(
        label=own.title,
        build=lambda settings: own.model,
        code=lambda settings: f'run_path({own.path.name!r})["model"]',
        controls={},
        starts=_meanings(own.model.starts),
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


FAMILIES = {
    "gaussian-mixture": _continuous(
        "Gaussian mixture",
        emission=lambda s: Gaussian(covariance=s.covariance),
        code=_covariance,
        controls={"covariance": _structures(), "missing": {}},
        parameters=("means", "covariances"),
        starts=_meanings(STARTS)
        | {"means": "means that you place"}
        | _explicit(("weights", "means", "covariances")),
        structure="covariance",
        examples=GAUSSIAN_EXAMPLES,
    ),
    "student-mixture": _continuous(
        "Student-t mixture: clusters that survive outliers",
        emission=lambda s: StudentT(covariance=s.covariance, degrees_of_freedom=_degrees(s)),
        code=_student_code,
        controls={"covariance": _structures(), "degrees": DEGREES, "missing": {}},
        parameters=("means", "covariances", "degrees_of_freedom"),
        structure="covariance",
        picture=student_picture,
        tables=student_tables,
        point=student_point,
        examples=("strays", *(name for name in GAUSSIAN_EXAMPLES if name != "strays")),
    ),
    "factor-analysers": _continuous(
        "Mixture of factor analysers: clusters near planes",
        emission=lambda s: FactorAnalyser(s.n_factors),
        code=lambda s: f"FactorAnalyser({s.n_factors})",
        controls={"n_factors": {}, "missing": {}},
        parameters=("means", "loadings", "noise_variances"),
        structure="n_factors",
        picture=factor_analysers_picture,
        tables=factor_analyser_tables,
        examples=("iris", "wine", "diabetes", "usarrests"),
        labels={"n_factors": "Factors in each component"},
        most_factors=most_factors,
    ),
    "bernoulli-mixture": _items(
        "Bernoulli mixture: yes-or-no items",
        Bernoulli,
        "probabilities",
        ("digits", "lsat6"),
        takes=classified,
        prefers=binary,
        read=partial(select_levels, most=2),
    ),
    "categorical-mixture": _items(
        "Categorical mixture: items with levels",
        Categorical,
        "probabilities",
        ("lsat6", "digits"),
        takes=classified,
        read=select_levels,
    ),
    "poisson-mixture": _items(
        "Poisson mixture: counts",
        Poisson,
        "rates",
        ("earthquakes",),
        prefers=counted,
        unit="component",
    ),
    "gaussian-hmm": _hidden_markov(
        "Hidden Markov model: measurements",
        emission=lambda s: Gaussian(covariance=s.covariance),
        code=_covariance,
        controls={"covariance": _structures(HMM_COVARIANCES)},
        parameters=("means", "covariances"),
        examples=("geyser", "faithful", "airquality"),
        takes=measured,
        read=select,
        views=("series", *PLANE_VIEWS),
        tables=measured_chain_tables,
        structure="covariance",
    ),
    "poisson-hmm": _hidden_markov(
        "Hidden Markov model: counts",
        emission=lambda s: Poisson(),
        code=lambda s: "Poisson()",
        controls={},
        parameters=("rates",),
        examples=("earthquakes",),
        prefers=counted,
    ),
    "bernoulli-hmm": _hidden_markov(
        "Hidden Markov model: yes-or-no items",
        emission=lambda s: Bernoulli(),
        code=lambda s: "Bernoulli()",
        controls={},
        parameters=("probabilities",),
        examples=("casino",),
        takes=classified,
        prefers=binary,
        read=partial(select_levels, most=2),
    ),
    "categorical-hmm": _hidden_markov(
        "Hidden Markov model: items with levels",
        emission=lambda s: Categorical(),
        code=lambda s: "Categorical()",
        most_columns=1,
        controls={},
        parameters=("probabilities",),
        examples=("casino",),
        takes=classified,
        read=select_levels,
    ),
    "factor-analysis": _factors(
        "Factor analysis",
        FactorAnalysis,
        ("ability", "wine", "iris", "airquality"),
        test_of_fit=goodness_of_fit,
        most_factors=most_factors,
    ),
    "probabilistic-pca": _factors(
        "Probabilistic PCA",
        ProbabilisticPCA,
        ("ratings", "ability", "wine", "iris"),
        most_factors=lambda n_columns: n_columns - 1,
    ),
    "two-level": Family(
        label="Two-level model: rows in groups",
        build=lambda s: TwoLevel(),
        code=lambda s: "TwoLevel()",
        controls={},
        starts=_meanings(TwoLevel.starts)
        | _explicit(("mean", "between_covariance", "within_covariance")),
        parameters=("mean", "between_covariance", "within_covariance"),
        takes=measured,
        read=select,
        examples=("pupils", "iris", "wine"),
        picture=shrinkage_picture,
        tables=two_level_tables,
        results=group_results,
        size=None,
        unit="",
        holes=False,
        grouping="group",
        alone=False,
        data=lambda selection: selection.parts,
    ),
} | {f"own-{own.name}": _own(own) for own in own_models().models}


def family_of(settings: Choices) -> Family:
    return FAMILIES[settings.family]


def standardises(settings: Choices) -> bool:
    """Whether the columns are standardised: asked for, and offered by the family."""
    return settings.standardise and "standardise" in family_of(settings).controls


def model_for(settings: Choices, data) -> Any:
    """The model that the settings ask for, for these data (as it takes them)."""
    model = family_of(settings).build(settings)
    return Standardised.of(model, data) if standardises(settings) else model


def views_of(settings: Choices, n_columns: int) -> tuple[str, ...]:
    """The axes on which a run of so many columns can be drawn, the usual first; () without any."""
    views = family_of(settings).views
    if n_columns == 1:
        return views[:1]
    return views if n_columns > 2 else tuple(v for v in views if v in ("series", "columns"))


def axes_of(settings: Choices, n_columns: int) -> str:
    """The axes in force: those chosen, or the usual ones where a run cannot be drawn on them."""
    views = views_of(settings, n_columns)
    return settings.axes if settings.axes in views else next(iter(views), "")


def example_of(settings: Choices) -> str:
    """The example in force: the one chosen, or the family's first where it has no such example."""
    examples = family_of(settings).examples
    return settings.example if settings.example in examples else examples[0]
