"""What the player draws, whatever the model: a `Picture` is one run seen half-step by half-step."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, MutableMapping, Sequence
from typing import Any, Literal, NamedTuple, Protocol

import numpy as np

from em_core import HalfStep
from em_core.half_steps import called
from pages.ui.pictures.leaders import Leaders
from pages.ui.text import name_columns

# The frame before the first E-step: the data as they come, and the parameters of the start. It is
# no half-step, and the player's own.
BEGINNING = -1
# In the place of a component: none is known.
UNKNOWN = 255


class View(NamedTuple):
    """How the picture is looked at: the player's switches. Part of the link."""

    colour: Literal["blended", "certainty"] = "blended"
    contours: bool = False
    uncertainty: bool = False
    curve: Literal["likelihood", "gap"] = "likelihood"
    speed: float = 1.0
    loop: bool = False
    window: Literal["page", "player", "class"] = "page"  # what the player is, of its window
    hidden: bool = False  # what comes after the frame shown is covered


class Look(Protocol):
    """What of a picture a person has chosen outside of it."""

    @property
    def axis_x(self) -> str:
        """The column drawn across; "" for the first."""

    @property
    def axis_y(self) -> str:
        """The column drawn up; "" for the next."""

    @property
    def rotation(self) -> str:
        """Of loadings."""

    @property
    def names(self) -> tuple[str, ...]:
        """What a person calls the components, or factors."""


class Scene(NamedTuple):
    """A run at one moment and how it is looked at: what a family makes its picture of."""

    run: str  # its id
    model: Any
    steps: Sequence[HalfStep]
    running: bool
    opening: str  # how the run began, in a sentence
    data: Any  # as the model takes them
    values: np.ndarray  # (N, D) the rows, whatever groups they are in
    sample: np.ndarray  # (n,) the rows drawn
    rows: np.ndarray  # (N,) the number of each row as a person counts
    columns: tuple[str, ...]
    titles: tuple[str, ...]  # the columns with their units
    unit: str  # "component", "state" or "class"
    components: tuple[str, ...]  # the names of all K of them
    times: np.ndarray  # (N,) where along a series each row is
    clock: str  # what these times are
    dates: bool  # whether they are milliseconds since 1970
    groups: tuple[str, ...]  # of data in groups or sequences, what each is called
    levels: tuple[tuple[str, ...], ...]  # of coded columns, what each level is called
    axes: str  # in force: "series", "columns", "principal", "pairs"; "" where there is no choice
    look: Look
    weights: np.ndarray | None = None  # (N,) of the rows; None for none
    labels: np.ndarray | None = None  # (N,) known, or None where it is not; None without a column
    counts: np.ndarray | None = None  # (n,) how much each row drawn counts in a bar; None for once
    spread: np.ndarray | None = None  # (K, D, D) of the estimates of the means at the end
    names: tuple[str, ...] = ()  # (n,) what the rows drawn are called beside their number, or ()
    words: Mapping[str, str] = {}  # what columns are in words, as far as they have some
    # Where times stand for themselves no more, as sequences are one after the other: some of them.
    moments: tuple[tuple[float, str], ...] = ()
    # Of a run that is watched: what earlier pictures found out of its half-steps, to be added to.
    kept: MutableMapping[tuple, Any] | None = None

    @property
    def plural(self) -> str:
        return self.unit + ("es" if self.unit.endswith("s") else "s")

    def named(self, sentence: str) -> str:
        """A sentence of a model's, which knows columns by number and components as such, with their
        names."""
        return name_columns(called(sentence, self.unit), self.columns)


class Matrix(NamedTuple):
    """Parameters drawn as shades: F matrices of r rows and c columns, from `low` to `high`.

    component: whose colour it has; None where every row is a component of its own. Where `low` is
    negative, the two signs have colours of their own and rows have none. groups: what so many
    columns in turn are called together, where there is no room for the name of each.
    """

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    values: np.ndarray  # (F, r, c)
    low: float
    high: float
    component: int | None
    title: str = ""
    groups: tuple[tuple[str, int], ...] = ()


# Colours of marks that belong to no component.
INK, MUTED = -1, -2


class Marks(NamedTuple):
    """m shapes of one kind in each of F frames, or in one where they stay.

    kind, and what the c numbers of a shape are: "dots" and "rings" (x, y, radius in pixels); "line"
    (x, y), one line through all; "segments" and "arrows" (x, y, x, y, width in pixels); "bars"
    (x, y, x, y, opacity).
    components: (m,) whose colour each has, or INK or MUTED; a line has that of its first.
    labels: (m,) told of the one under the pointer, or none; arrows and dots of radius 9 or more
        have theirs written.
    """

    kind: Literal["dots", "rings", "line", "segments", "arrows", "bars"]
    values: np.ndarray  # (F or 1, m, c)
    components: np.ndarray
    labels: tuple[str, ...] = ()


class Axis(NamedTuple):
    """ticks: names at 0, 1, 2, ...; () for a scale of numbers. visible: whether it is drawn."""

    title: str
    low: float
    high: float
    ticks: tuple[str, ...] = ()
    visible: bool = True


class Chart(NamedTuple):
    """Marks on a pair of axes: its own, or those of a panel of points, which it is drawn over.

    at_end: whether it is drawn at the last frame only, over the means.
    """

    marks: tuple[Marks, ...]
    x: Axis | None = None
    y: Axis | None = None
    panel: int | None = None
    title: str = ""
    at_end: bool = False


class Curves(NamedTuple):
    """Heights along a line through the parameters, for F frames at T places each, in nats.

    low, high (F,): the heights to show at each frame.
    """

    title: str  # what is on the axis across
    across: np.ndarray  # (F, T)
    likelihood: np.ndarray  # (F, T)
    bound: np.ndarray  # (F, T)
    here: np.ndarray  # (F,) where the frame's parameters are
    low: np.ndarray
    high: np.ndarray
    range: tuple[float, float]


class Picture(NamedTuple):
    """One run, ready to draw: points and ellipses in panels, matrices, and charts.

    n points in d drawn coordinates, K components, F frames (half-steps), G distinct posteriors.
    """

    run: str  # the player keeps the frame shown while this is unchanged
    columns: tuple[str, ...]  # d axis titles, with units if any
    positions: np.ndarray  # (n, d)
    rows: np.ndarray  # (n,) row number of each drawn point as a person counts, from 1
    panels: tuple[tuple[int, ...], ...]  # ((0, 1),) scatter, ((0,),) histogram, several: a matrix
    components: tuple[str, ...]
    iterations: np.ndarray  # (F,)
    phases: tuple[str, ...]  # (F,) "start", "E" or "M"
    elbo: np.ndarray  # (F,) total, in nats
    log_likelihood: np.ndarray  # (F,)
    weights: np.ndarray  # (F, K)
    means: np.ndarray  # (F, K, d)
    covariances: np.ndarray  # (F, K, d, d)
    posterior: np.ndarray  # (F,) which of the G posteriors each frame shows
    leaders: Iterable[Leaders]  # G of them, read once and in order
    captions: tuple[str, ...]  # (F,) what this half-step did
    flags: tuple[tuple[str, ...], ...]  # (F,) warnings in plain words
    running: bool  # the fit goes on: follow the last frame
    note: str  # "5,000 of 1,000,000 rows drawn"; "" if there is nothing to say
    before: str = ""  # what is seen before the first E-step
    summary: str = ""  # what is seen, for those who cannot; "" where it is points and components
    matrices: tuple[Matrix, ...] = ()
    charts: tuple[Chart, ...] = ()
    # What stands in each line, from above, and the line's share of the height: "points",
    # "matrices" or the number of a chart. () where all there is are points or matrices.
    arrangement: tuple[tuple[float, tuple[str | int, ...]], ...] = ()
    # The first coordinate is time: bands in place of ellipses, a ribbon of the posterior under the
    # points, and a line through them that is broken before each of `breaks`.
    time: bool = False
    dates: bool = False  # and it is in milliseconds since 1970
    ticks: tuple[tuple[str, ...], ...] = ()  # (d) names at 0, 1, 2, ... of drawn coordinates
    breaks: np.ndarray = np.zeros(0, dtype=int)
    # (F, K) of freedom, where components have t densities and `covariances` are their scales.
    degrees: np.ndarray | None = None
    hollow: np.ndarray | None = None  # (n,) points that are not painted: marks stand for them
    # (n,) for each posterior: the most probable path; how large points are, from 0 to 1.
    paths: Sequence[np.ndarray] = ()
    sizes: Sequence[np.ndarray] = ()
    # (n,) under a series: the component that matches each point's known label, UNKNOWN without.
    known: np.ndarray | None = None
    slice: Curves | None = None
    counts: np.ndarray | None = None  # (n,) how much each point counts in a bar; None for once
    names: tuple[str, ...] = ()  # (n,) what each point is called beside its number, or ()
    moments: tuple[tuple[float, str], ...] = ()  # places on the axis of time, and their names
    words: Mapping[str, str] = {}  # what columns are in words, by what they are called here
    # What a picture taken away is headed with, in two lines or more, and called.
    title: str = ""  # the data and the model
    opening: str = ""  # how the run began
    file: str = ""
    movable: bool = False  # the means it starts from can be placed in it
