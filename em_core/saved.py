"""A fit as a text, and back: JSON that anybody can read, with every number to its last digit.

Nothing in such a text is run: names of models are looked up in a table, and everything else is
numbers and words. Posteriors of a fit that was loaded have the bits of the original.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, get_args

import numpy as np

from em_core.data import WeightsKind
from em_core.emissions.bernoulli import Bernoulli
from em_core.emissions.categorical import Categorical
from em_core.emissions.factor_analyser import FactorAnalyser
from em_core.emissions.gaussian import Gaussian
from em_core.emissions.poisson import Poisson
from em_core.emissions.student_t import StudentT
from em_core.fit import Fit
from em_core.half_steps import Collapse, Flag, HalfStep, Leapt
from em_core.models.factor_analysis.model import FactorAnalysis, ProbabilisticPCA
from em_core.models.hidden_markov.model import HiddenMarkov
from em_core.models.mixture import Mixture
from em_core.models.two_level.model import TwoLevel
from em_core.standardised import Standardised, as_it_is
from em_core.transformed import Transformed

FORMAT, VERSION = "em_core fit", 1
MODELS = {
    kind.__name__: kind
    for kind in (
        Mixture, HiddenMarkov, FactorAnalysis, ProbabilisticPCA, TwoLevel, Standardised,
        Transformed, Gaussian, StudentT, FactorAnalyser, Bernoulli, Categorical, Poisson,
    )
}  # fmt: skip
FLAGS = {kind.__name__: kind for kind in (Flag, Collapse, Leapt)}
# What JSON has no numbers for.
BEYOND = {"inf": math.inf, "-inf": -math.inf, "nan": math.nan}
REASONS = ("converged", "max_iterations", "decreased", "not_finite", "stopped", "failed")
# What parameters of a model follow from others, and are not to be given.
DERIVED = {"stationary": ("initial_probabilities",)}


@dataclass(frozen=True)
class SavedFit(Fit):
    """A fit that was loaded: its last half-step is all of its trace.

    columns: their names. levels: for each column the names of its levels, or None. units: for each
    column its unit, or None. All () where they were not given. preparation: what was done to the
    table before, as it was told `dump`.
    """

    columns: tuple[str, ...] = ()
    levels: tuple[tuple[str, ...] | None, ...] = ()
    units: tuple[str | None, ...] = ()
    preparation: str = ""


def can_be_saved(model) -> bool:
    """Whether `dump` takes a model: whether it is one of em_core's."""
    return MODELS.get(type(model).__name__) is type(model)


def dump(
    result: Fit,
    *,
    columns: Sequence[str] = (),
    levels: Sequence[Sequence[str] | None] = (),
    units: Sequence[str | None] = (),
    preparation: str = "",
) -> str:
    """A fit, its model and its last parameters as a JSON text, for `load`.

    columns, levels, units: what the columns, their levels and units are called, to be kept with it,
    as is preparation: any text on what was done to the table before.
    Raises ValueError for a model that is not one of em_core's.
    """
    # Where the engine's own version stands, which imports this module.
    from em_core import __version__

    last = result.trace[-1]
    told = {
        "format": FORMAT,
        "version": VERSION,
        "em_core": __version__,
        "model": _model_text(result.model),
        "params": _params_text(last.params),
        "fit": {
            "iteration": last.iteration,
            "phase": last.phase,
            "stop_reason": result.stop_reason,
            "log_likelihood": _number(last.log_likelihood),
            "elbo": _number(last.elbo),
            "entropy": _number(last.entropy),
            "label_entropy": _number(result.label_entropy),
            "n_observations": _number(result.n_observations),
            "weights_kind": result.weights_kind,
            "flags": [_flag_text(flag) for flag in last.flags],
        },
        "columns": list(columns),
        "levels": [None if names is None else list(names) for names in levels],
        "units": list(units),
        "preparation": preparation,
    }
    return json.dumps(told, allow_nan=False, ensure_ascii=False, indent=1)


def load(text: str) -> SavedFit:
    """The fit that `dump` wrote. Raises ValueError for a text that is damaged, of a newer version,
    or anything else than such a fit."""
    try:
        told = json.loads(text)
        json.dumps(told, ensure_ascii=False).encode()  # halves of characters cannot be written
    except (ValueError, RecursionError):
        raise ValueError("this is no saved model: it is not JSON, or it was cut short") from None
    if not isinstance(told, dict) or told.get("format") != FORMAT:
        raise ValueError("this is no saved model of em_core")
    version = told.get("version")
    if not _is_whole(version) or version < 1:
        raise ValueError("this saved model does not say of which version it is")
    if version > VERSION:
        raise ValueError(
            f"this saved model is of version {version}, and only versions up to {VERSION} can be "
            "read here: use a newer em_core"
        )
    try:
        return _fit(told)
    except (LookupError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise ValueError(f"this saved model is damaged: {_said(error)}") from None


def _said(error: Exception) -> str:
    return f"{error} is missing" if isinstance(error, KeyError) else "something is not what it was"


def _fit(told: dict[str, Any]) -> SavedFit:
    model = _model(told["model"])
    of_fit = told["fit"]
    params = _params(model, told["params"])
    if of_fit["phase"] not in ("start", "E", "M") or of_fit["stop_reason"] not in REASONS:
        raise ValueError("this saved model is damaged: nobody knows how its fit ended")
    label_entropy = of_fit["label_entropy"]
    weights_kind = of_fit.get("weights_kind", "frequencies")
    if weights_kind not in get_args(WeightsKind):
        raise ValueError("this saved model is damaged: nobody knows what its weights are")
    iteration, n_observations = of_fit["iteration"], _parsed(of_fit["n_observations"])
    if not _is_whole(iteration) or iteration < 0 or not 0 < n_observations < math.inf:
        raise ValueError("this saved model is damaged: it does not say how long it was fitted")
    columns, units = _words(told["columns"]), _words(told["units"])
    levels = tuple(None if names is None else _words(names) for names in told["levels"])
    if columns and any(len(told) not in (0, len(columns)) for told in (levels, units)):
        raise ValueError("this saved model is damaged: not every column has its levels and unit")
    if any(None in names for names in (columns, *filter(None, levels))):
        raise ValueError("this saved model is damaged: a name in it is no text")
    step = HalfStep(
        iteration, of_fit["phase"], params, params,
        *(_parsed(of_fit[name]) for name in ("elbo", "log_likelihood")),
        tuple(map(_flag, of_fit["flags"])), _parsed(of_fit["entropy"]),
    )  # fmt: skip
    return SavedFit(
        model, (step,), of_fit["stop_reason"], n_observations,
        None if label_entropy is None else _parsed(label_entropy),
        columns, levels, units, _text(told.get("preparation", "")), weights_kind=weights_kind,
    )  # fmt: skip


def _is_whole(number) -> bool:
    return isinstance(number, int) and not isinstance(number, bool)


def _text(text) -> str:
    if not isinstance(text, str):
        raise ValueError("this saved model is damaged: its preparation is no text")
    return text


def _words(words) -> tuple:
    if not isinstance(words, list) or not all(w is None or isinstance(w, str) for w in words):
        raise ValueError("this saved model is damaged: a name in it is no text")
    return tuple(words)


# Models


def _model_text(model) -> dict[str, Any]:
    """A model's name, and its fields by theirs."""
    if not can_be_saved(model):
        raise ValueError(
            f"{type(model).__name__} is no model of em_core: only these can be written down"
        )
    return {"kind": type(model).__name__} | {
        field.name: _field_text(getattr(model, field.name)) for field in fields(model)
    }


def _field_text(value):
    return _model_text(value) if is_dataclass(value) else value


def _model(told: dict[str, Any]):
    kind = MODELS.get(told["kind"])
    if kind is None:
        raise ValueError(f"this saved model is of a kind that is not known: {told['kind']}")
    given = {name: _field(value) for name, value in told.items() if name != "kind"}
    wanted = {field.name for field in fields(kind)}
    if set(given) != wanted or any(isinstance(value, bool) for value in given.values()):
        raise ValueError(f"this saved model is damaged: it is no {kind.__name__}")
    return kind(**given)


def _field(value):
    if isinstance(value, dict):
        return _model(value)
    return tuple(map(_field, value)) if isinstance(value, list) else value


# Parameters


def _params_text(params) -> dict[str, Any]:
    """Arrays as lists of lists, by their names."""
    return {
        name: _params_text(part) if isinstance(part, tuple) else np.asarray(part).tolist()
        for name, part in zip(params._fields, params, strict=True)
    }


def _params(model, told: dict[str, Any]):
    """The parameters as they were: checked by the model, which may round them, and then put back
    to the last digit."""
    given = {name: part for name, part in told.items() if name != "emission"}
    given |= told.get("emission", {})
    derived = DERIVED.get(getattr(model, "initial", None), ())
    # The factors' scale changes no distribution, and no model takes it.
    left_out = (*derived, "factor_scale", "factor_scales")
    like = as_it_is(model).params(**{n: part for n, part in given.items() if n not in left_out})
    return _exact(like, told, left_out)


def _exact(like, told: dict[str, Any], left_out: Sequence[str]):
    """Parameters of the type and shape of others, with the numbers told, which are theirs but for
    rounding; those left out are not known from others."""
    parts = []
    if set(told) != set(like._fields):
        raise ValueError("this saved model is damaged: it has other parameters than its model")
    for name, part in zip(like._fields, like, strict=True):
        if isinstance(part, tuple):
            parts.append(_exact(part, told[name], left_out))
            continue
        part = np.asarray(part)
        exact = np.array(told[name], dtype=part.dtype)
        same = exact.shape == part.shape and (
            name in left_out or np.allclose(exact, part, rtol=1e-6, atol=0)
        )
        if not same or not np.isfinite(exact).all():
            raise ValueError(f"this saved model is damaged: its {name} are not what they were")
        exact.setflags(write=False)
        parts.append(exact if exact.ndim else exact[()])
    return type(like)(*parts)


# Numbers and flags


def _number(value: float | None) -> float | str | None:
    if value is None or math.isfinite(value):
        return None if value is None else float(value)
    return next(name for name, number in BEYOND.items() if str(number) == str(float(value)))


def _parsed(value) -> float:
    if isinstance(value, str):
        return BEYOND[value]
    return float(value)


def _flag_text(flag: str) -> dict[str, Any]:
    if not isinstance(flag, Flag):
        return {"kind": None, "text": flag}
    return {
        "kind": type(flag).__name__,
        "text": str(flag),
        "component": flag.component,
        "unit": flag.unit,
    }


def _flag(told: dict[str, Any]) -> str:
    if not isinstance(told["text"], str):
        raise ValueError("this saved model is damaged: a warning in it is no text")
    if told["kind"] is None:
        return told["text"]
    return FLAGS[told["kind"]](told["text"], told["component"], told["unit"])
