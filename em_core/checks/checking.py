"""Whether a model keeps the laws of EM, in plain words: for a model of your own, and for ours."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from em_core.checks.laws import LAWS, Law, worst
from em_core.checks.trials import Trial


class Finding(NamedTuple):
    """One law. worst: the largest violation, relative to the log-likelihood (or to a nat a row),
    or to the numbers compared; 0 where there is none, inf where something was not finite."""

    law: str
    passed: bool
    worst: float
    sentence: str


class Report(NamedTuple):
    """What `check_model` found; prints as one line for each law, and is true if all are kept."""

    model: str
    findings: tuple[Finding, ...]

    @property
    def broken(self) -> tuple[str, ...]:
        """The laws that are broken."""
        return tuple(finding.law for finding in self.findings if not finding.passed)

    @property
    def ok(self) -> bool:
        return not self.broken

    def __bool__(self) -> bool:
        return self.ok

    def __str__(self) -> str:
        number = len(self.findings)
        kept = f"keeps all {number} laws" if self else f"breaks {len(self.broken)} of {number} laws"
        lines = [f"{self.model} {kept}"]
        for finding in self.findings:
            lines.append(f"  {'kept  ' if finding.passed else 'BROKEN'}  {finding.law}")
            lines.append(f"          {finding.sentence}")
        return "\n".join(lines)


def check_model(
    model,
    data,
    *,
    start=None,
    seed: int = 0,
    iterations: int = 12,
    weights: bool = True,
    convex: bool = True,
) -> Report:
    """Run the laws of EM on a model that follows the protocol `em_core.Model`.

    data: what the model takes, a table or a list; some hundred rows of a kind that it fits.
    start: a method's name or parameters; by default the first of `model.starts`. The other methods
        there give further parameters to compare with.
    weights: False for a model that takes none.
    convex: whether a mean of two valid parameters is valid, leaf by leaf. False for a model whose
        leaves are tied (equal volumes, an initial distribution that follows from the transitions):
        fewer parameters are then compared with.
    Of a model that says by `domains` where its parameters may lie, the coordinates are checked too,
    and its `expected_log_joint_gradient` if it has one.
    It costs some hundred passes over the data. A law that is kept on these data may still be broken
    on others: use data with the peculiarities you care about.
    """
    with np.errstate(all="ignore"):
        try:
            trial = Trial.of(model, data, start, seed, iterations, convex)
        except Exception as error:
            findings = [_raised("EM runs", error)]
        else:
            laws = {
                name: law
                for name, law in LAWS.items()
                if law.applies(model) and (weights or not law.needs_weights)
            }
            findings = [_judge(name, law, trial) for name, law in laws.items()]
    return Report(type(model).__name__, tuple(findings))


def _judge(name: str, law: Law, trial: Trial) -> Finding:
    # A model of someone else's may fail in any way: that is a finding like others.
    try:
        violation, sentence = worst(law.measure(trial))
    except Exception as error:
        return _raised(name, error)
    passed = violation <= law.tolerance
    return Finding(name, passed, violation, law.kept if passed else sentence)


def _raised(name: str, error: Exception) -> Finding:
    return Finding(name, False, np.inf, f"it raised {type(error).__name__}: {error}")
