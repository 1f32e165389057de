"""Many seeded starts of one model, run side by side, and what they find."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, NamedTuple

import numpy as np

from em_core.data import check_weights
from em_core.fit import Fit, finished, starting_params
from em_core.half_steps import HalfStep, StopReason, has_collapsed
from em_core.search.alignment import ordered
from em_core.search.batching.advance import Advance
from em_core.search.batching.packed import PackedTrace, climbed
from em_core.search.batching.stepping import strategy
from em_core.search.identified import Identification
from em_core.search.optima import (
    TOLERANCE_FACTOR,
    Failure,
    Landscape,
    Optimum,
    StartedFit,
    landscape,
    look_at,
)
from em_core.search.success import SuccessRate, success_rate

# To see whether an optimum is one, its best run goes on until so much less is left to gain.
CONFIRMED = 1e-3


class Sweep(NamedTuple):
    """Progress: one iteration of every run that was still going, or of some of them.

    iteration: 0 while starts are still being made. n_started: starts made so far. n_running: runs
    still going. log_likelihoods (R,): the latest of each start, in nats; NaN before its first.
    confirming: the runs have ended; now one of each optimum goes on, to see that it is one.
    """

    iteration: int
    n_started: int
    n_running: int
    log_likelihoods: np.ndarray
    confirming: bool


@dataclass
class _Run:
    """One run of EM, from `params`. Starts that turn out to be equal share it."""

    params: Any
    trace: Sequence[HalfStep] = field(default_factory=list)
    stop_reason: StopReason | None = None
    failure: str = ""
    seconds: float = 0.0
    fit: Fit | None = None
    plateau: bool = False
    # That of the last half-step, in nats; a packed trace would have to be unpacked for it.
    log_likelihood: float = np.nan
    # Iterations before it was taken up again.
    before: int = 0

    def follow(self, half_steps: Sequence[HalfStep]) -> None:
        """Half-steps from `params` on; where it was taken up, they begin where its trace ends."""
        if self.trace and half_steps and half_steps[0].phase == "start":
            half_steps = half_steps[1:]
        if self.before:
            half_steps = [s._replace(iteration=s.iteration + self.before) for s in half_steps]
        assert isinstance(self.trace, list), "it has not ended"
        self.trace += half_steps
        if half_steps:
            self.log_likelihood = half_steps[-1].log_likelihood


@dataclass
class _Start:
    """One seed of one named start; its run once the start has been made."""

    seed: Any
    name: str
    seconds: float = 0.0
    run: _Run | None = None


class Trace(NamedTuple):
    """One start so far: its log-likelihoods in nats, one for each iteration from 0; and why it has
    ended, None while it goes on."""

    start: str
    seed: Any
    log_likelihoods: np.ndarray
    stop_reason: str | None


class _Results(NamedTuple):
    after: Sweep | None
    fits: tuple[StartedFit, ...]
    landscape: Landscape


class Restarts:
    """Runs of one model from many starts. Iterate for progress; ask for results at any time.

    Each item is a `Sweep`. Asked before the first of them, the results run everything to the end.
    Asked later they say how far it came: what has ended is as it will stay, what has not is
    marked "stopped". Iterating on goes on.
    """

    def __init__(
        self,
        model,
        data,
        starts: list[_Start],
        stepping,
        tolerance: float,
        confirm: bool,
        number_components: bool,
        options,
    ):
        self.model = model
        self._data = data
        self._starts = starts
        self._stepping = stepping
        self._tolerance = tolerance
        self._number_components = number_components
        self._options = options
        self._weights = options["weights"]
        self._sweeps = self._sweep(confirm)
        self._latest: Sweep | None = None
        self._told: _Results | None = None
        self._looked: dict[int, tuple[Any, Identification | None]] = {}

    def __getstate__(self) -> dict[str, Any]:
        """For another process: what there is to tell, without the data and without going on."""
        fits = iter(self._results().fits)
        starts = []
        for start in self._starts:
            run = start.run
            if run is not None:
                trace = next(fits).trace if run.trace else ()
                run = _Run(None, trace, run.stop_reason, run.failure, run.seconds)
            starts.append(replace(start, run=run))
        means = ("_data", "_weights", "_stepping", "_options", "_sweeps", "_looked")
        return self.__dict__ | dict.fromkeys(means) | {"_starts": starts}

    def __iter__(self) -> Restarts:
        return self

    def __next__(self) -> Sweep:
        self._latest = next(self._sweeps)
        return self._latest

    def _sweep(self, confirm: bool) -> Iterator[Sweep]:
        made: dict[bytes, _Run] = {}
        for start in self._starts:
            if start.run is None:
                self._make(start, made)
                yield self._progress(0, made.values())
        made_runs = (start.run for start in self._starts if start.run is not None)
        runs = list({id(run): run for run in made_runs}.values())
        for on_plateau, factor in ((False, 1), (True, CONFIRMED)):
            some = [r for r in runs if r.stop_reason is None and r.plateau is on_plateau]
            if some:
                yield from self._step(some, factor * self._tolerance)
            for run in some:
                run.plateau = False
        if confirm and (optima := self._tell().landscape.optima):
            yield from self._confirm(optima, runs)

    def _make(self, start: _Start, runs: dict[bytes, _Run]) -> None:
        """Draw the starting parameters; `runs` are those from earlier, different starts."""
        began = time.perf_counter()
        rng = np.random.default_rng(start.seed)
        try:
            params = starting_params(self.model, self._data, start.name, rng, self._weights)
        except (ValueError, np.linalg.LinAlgError) as error:
            start.run = _Run(None, stop_reason="failed", failure=str(error))
        else:
            start.run = runs.setdefault(fingerprint(params), _Run(params))
        start.seconds = time.perf_counter() - began

    def _step(
        self, runs: list[_Run], tolerance: float, confirming: bool = False
    ) -> Iterator[Sweep]:
        """Step the runs to their ends."""
        began = time.perf_counter()
        starts = [run.params for run in runs]
        sweeps = self._stepping(
            self.model, self._data, starts, tolerance=tolerance, **self._options
        )
        n_advances = [0] * len(runs)
        for advances in sweeps:
            for advance in advances:
                n_advances[advance.run] += 1
                run = runs[advance.run]
                run.follow(advance.half_steps)
                run.stop_reason, run.failure = advance.stop_reason, advance.failure
                if run.stop_reason and run.trace:
                    run.fit = self._fit(run)
                    run.trace = run.fit.trace
            # A sweep is one iteration of each run in it: its time is shared out equally.
            ended = time.perf_counter()
            for advance in advances:
                runs[advance.run].seconds += (ended - began) / len(advances)
            iteration = max(n_advances[advance.run] for advance in advances) - 1
            yield self._progress(iteration, runs, confirming)
            began = time.perf_counter()

    def _fit(self, run: _Run) -> Fit:
        reason = run.stop_reason or "stopped"
        fit = finished(self.model, run.trace, reason, self._data, self._weights)
        fit = replace(fit, trace=PackedTrace(run.trace))
        return ordered(fit) if self._number_components else fit

    def _confirm(self, optima: tuple[Optimum, ...], runs: list[_Run]) -> Iterator[Sweep]:
        """Go on from the best run of each optimum; where that gains more than the tolerance
        allows, EM had only slowed down on a plateau, and with it all runs that ended there."""
        further = [_Run(optimum.fit.params) for optimum in optima]
        yield from self._step(further, CONFIRMED * self._tolerance, confirming=True)
        plateaus = set()
        for optimum, run in zip(optima, further, strict=True):
            gain = run.trace[-1].log_likelihood - optimum.log_likelihood
            if gain > TOLERANCE_FACTOR * self._tolerance:
                plateaus |= {id(fit.trace) for fit in optimum.fits}
        for run in runs:
            run.plateau = id(run.trace) in plateaus
        yield self._progress(0, further, confirming=True)

    def _progress(self, iteration: int, runs: Iterable[_Run], confirming: bool = False) -> Sweep:
        made = [start.run for start in self._starts if start.run]
        log_likelihoods = np.full(len(self._starts), np.nan)
        for place, run in enumerate(made):
            log_likelihoods[place] = run.log_likelihood
        n_running = sum(run.stop_reason is None for run in runs)
        return Sweep(iteration, len(made), n_running, log_likelihoods, confirming)

    def _results(self) -> _Results:
        """What there is to say after the latest sweep."""
        if self._latest is None:
            for _ in self:
                pass
        if self._told is None or self._told.after is not self._latest:
            self._told = self._tell()
        return self._told

    def _tell(self) -> _Results:
        made = [(start, start.run) for start in self._starts if start.run is not None]
        plain = {id(run): run.fit or self._fit(run) for _, run in made if run.trace}
        fits: list[StartedFit] = []
        failures: list[Failure] = []
        for start, run in made:
            fit = None
            if (ended := plain.get(id(run))) is not None:
                known = {field.name: getattr(ended, field.name) for field in fields(ended)}
                fit = StartedFit(
                    **known, seed=start.seed, start=start.name,
                    seconds=start.seconds + run.seconds, plateau=run.plateau,
                )  # fmt: skip
                fits.append(fit)
            if run.stop_reason == "failed":
                failures.append(Failure(start.seed, start.name, run.failure, fit))
        found = landscape(
            self.model, self._data, fits, failures, tolerance=self._tolerance, look=self._look
        )
        return _Results(self._latest, tuple(fits), found)

    def _look(self, fit: StartedFit) -> Identification | None:
        """Whether a fit is identified, looked at once for each."""
        place = id(fit.trace)
        if place not in self._looked:
            # With its trace, so that no other one gets its place.
            self._looked[place] = fit.trace, look_at(fit, self._data, self._weights)
        return self._looked[place][1]

    @property
    def ends(self) -> tuple[_Start, ...]:
        """Where every start has come to, without the way there: what `go_on` takes up."""
        brief = {}
        for start in self._starts:
            if (run := start.run) is not None and id(run) not in brief:
                fit, trace = None, tuple(run.trace[-1:])
                if trace:
                    fit = replace(run.fit or self._fit(run), trace=trace)
                brief[id(run)] = replace(run, params=None, trace=trace, fit=fit)
        return tuple(
            replace(start, run=None if start.run is None else brief[id(start.run)])
            for start in self._starts
        )

    @property
    def traces(self) -> tuple[Trace, ...]:
        """Every start made so far, as far as it is; also while another thread goes on."""
        return tuple(
            Trace(start.name, start.seed, climbed(run.trace), run.stop_reason)
            for start in self._starts
            if (run := start.run)
        )

    @property
    def landscape(self) -> Landscape:
        """All runs in groups: optima, collapsed, unconverged, failed."""
        return self._results().landscape

    @property
    def fits(self) -> tuple[StartedFit, ...]:
        """Every run that made a step, in the order of the starts, with its whole trace."""
        return self._results().fits

    @property
    def best(self) -> StartedFit:
        """The best optimum's fit; what stands in for it where there is none, `verdict` says."""
        return self.landscape.best

    @property
    def optima(self) -> tuple[Optimum, ...]:
        """The distinct optima, best first."""
        return self.landscape.optima

    @property
    def verdict(self) -> str:
        """Plain sentences on how far the best fit can be trusted."""
        return self.landscape.verdict

    @property
    def replicated(self) -> bool:
        """Whether at least two different starts lead to the best optimum."""
        return self.landscape.replicated

    @property
    def success_rates(self) -> tuple[SuccessRate, ...]:
        """How often each start reached the best optimum of all, in the order they were given.

        Without those of which no seed has come anywhere yet.
        """
        found = self.landscape
        tried = {run.start for run in (*found.fits, *found.failures)}
        names = dict.fromkeys(start.name for start in self._starts if start.name in tried)
        return tuple(success_rate(found, name) for name in names)


def restarts(
    model,
    data,
    seeds: Iterable = range(50),
    start: str | Iterable[str] | None = None,
    *,
    tolerance: float = 1e-3,
    max_iterations: int = 1000,
    weights=None,
    confirm: bool = True,
    number_components: bool = False,
    stepping: Callable[..., Iterator[list[Advance]]] | None = None,
) -> Restarts:
    """Run EM from many starts: every seed of every named start. Nothing runs until asked.

    start: a name or several; by default the first of `model.starts`.
    tolerance, max_iterations, weights: those of `em`.
    confirm: whether, in the end, one run of each optimum goes on to a thousandth of the tolerance;
        it leaves the fits as they are, but those on a plateau are no longer called optima.
    number_components: whether the components of every fit are numbered by `ordered`, so that one
        optimum has the same numbers whichever start led there; else as the start has them.
    stepping: what steps all runs by one iteration at a time; by default that of `strategy`.
    A start that raises ValueError or LinAlgError is kept as failed, with its sentence. Raises
    ValueError for data or weights that the model cannot use, and without a seed or a start.
    """
    data = model.check(data)
    weights = check_weights(weights, len(data))
    if start is None:
        start = [next(iter(model.starts))]
    seeds, names = list(seeds), [start] if isinstance(start, str) else list(start)
    if not seeds or not names:
        raise ValueError("give at least one seed and one start")
    starts = [_Start(seed, name) for name in names for seed in seeds]
    options = {"weights": weights, "max_iterations": max_iterations}
    stepping = stepping or strategy(model)
    return Restarts(model, data, starts, stepping, tolerance, confirm, number_components, options)


def go_on(
    model,
    data,
    ends: Sequence[Any],
    *,
    tolerance: float = 1e-3,
    max_iterations: int = 1000,
    weights=None,
    confirm: bool = True,
    number_components: bool = False,
    stepping: Callable[..., Iterator[list[Advance]]] | None = None,
) -> Restarts:
    """Many starts taken up where they came to: those that reached no end climb on from there.

    ends: the `Restarts.ends` of the same model on the same data. What converged, collapsed or
        failed stays as it is. A run on a plateau goes on to a thousandth of the tolerance.
    max_iterations: how many further ones. The other arguments are those of `restarts`; traces
    begin with the last half-step of `ends`, and go on counting.
    """
    data = model.check(data)
    weights = check_weights(weights, len(data))
    runs = {id(start.run): _taken_up(start.run) for start in ends if start.run is not None}
    starts = [replace(s, run=None if s.run is None else runs[id(s.run)]) for s in ends]
    options = {"weights": weights, "max_iterations": max_iterations}
    stepping = stepping or strategy(model)
    return Restarts(model, data, starts, stepping, tolerance, confirm, number_components, options)


def _taken_up(run: _Run) -> _Run:
    """The same run, as one that goes on where it was still climbing."""
    fit = run.fit
    if fit is None or run.stop_reason in ("failed", "not_finite") or has_collapsed(fit.flags):
        return replace(run)
    if run.stop_reason == "converged" and not run.plateau:
        return replace(run)
    return replace(
        run, params=fit.params, trace=list(fit.trace), fit=None, stop_reason=None,
        before=fit.n_iterations,
    )  # fmt: skip


def fingerprint(params) -> bytes:
    """The bits of parameters: equal for equal ones."""
    if isinstance(params, tuple):
        return b"".join(map(fingerprint, params))
    return np.asarray(params).tobytes()
