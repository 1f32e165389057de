"""Everything a person can choose, in one frozen object.

`Settings` is the one table of fields. Each line names the field, its default, its key in the link,
what values it takes and how it is labelled; widgets, link and validation are all driven by it.
A new choice is a new line here. `links` has the link that carries it, `changes` what a new value
does to the others. No Streamlit import.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from em_core.datasets import EXAMPLES, GENERATORS
from em_core.emissions.covariances.structures import STRUCTURES
from pages.ui.families.factor_analysis import ROTATIONS
from pages.ui.families.student_t import DEGREES
from pages.ui.families.table import FAMILIES
from pages.ui.pictures.picture import BEGINNING
from pages.ui.state.kinds import (
    Answers,
    Choice,
    Fingerprint,
    Integer,
    JsonObject,
    Kind,
    Names,
    Number,
    Points,
    Result,
    Steps,
    Text,
    YesNo,
)
from pages.ui.tables.answers import AS_IT_IS, Reading
from pages.ui.tables.drawn import MOST_POINTS
from pages.ui.tables.packing import MOST_CHARACTERS
from pages.ui.tables.preparation.step import Step


@dataclass(frozen=True)
class Field:
    """One line of the table. `group` says what a change of it makes obsolete: see `changes`."""

    name: str
    key: str
    default: Any
    kind: Kind
    group: str
    label: str
    help: str
    widget: str

    def clean(self, value: Any) -> Any:
        """The nearest valid value; ValueError where none is near."""
        if value == self.default:
            return self.default
        return self.kind.read(self.kind.write(value))[0]

    def takes(self, value: Any) -> bool:
        """Whether it is a valid value as it is."""
        try:
            return self.clean(value) == value
        except ValueError:
            return False


def _setting(
    default: Any, key: str, kind: Kind, group: str, label: str, help: str = "", widget: str = ""
) -> Any:
    about = {"key": key, "kind": kind, "group": group, "label": label}
    return field(default=default, metadata=about | {"help": help, "widget": widget})


SOURCES = {"example": "Example", "generate": "Generate", "draw": "Draw", "table": "Table"}
SOURCES |= {"server": "On the server"}  # offered where there are data sets
# Every start of any family; each family shows its own.
STARTS = {name: name for family in FAMILIES.values() for name in family.starts} | {
    "means": "hand-placed means",
    "parameters": "explicit parameters",
}
AXES = {
    "series": "Over time",
    "columns": "Two columns",
    "principal": "Principal components",
    "pairs": "All pairs",
}
COLOURS = {"blended": "Blended", "certainty": "By certainty"}
LINES = {
    "parameter": "one parameter",
    "next": "to the next iterate",
    "end": "to the end of this fit",
    "other": "to where another seed ends",
}
THEORY_STEPS = {
    "sum": "1 The log of a sum",
    "jensen": "2 Jensen",
    "forms": "3 Four forms",
    "steps": "4 Two steps",
    "climb": "5 Never down",
    "weighted": "6 Weighted likelihood",
    "questions": "Questions",
}
RACE_AXES = {"passes": "Passes over the data", "iteration": "Iterations", "seconds": "Seconds"}
RACE_SCALES = {"gap": "Below the best, log scale", "likelihood": "Log-likelihood"}
CURVES = {"likelihood": "Bound and likelihood", "gap": "Distance to the best, log scale"}
WINDOWS = {
    "page": "the page",
    "player": "the player alone",
    "class": "the player, large before a class",
}
WEIGHTS_KINDS = {"frequencies": "Frequencies", "sampling": "Sampling weights"}
# Many starts by the plan of `em_core.search.plan`, in the place of named ones.
PLANNED = "several kinds"
CRITERIA = {
    "bic": "BIC",
    "icl": "ICL",
    "aic": "AIC",
    "sabic": "SABIC",
    "caic": "CAIC",
    "aic3": "AIC3",
    "cross_validation": "Cross-validation",
}
MOST_COLUMNS = 1_000  # chosen at once: more would make too long a link
MOST_KEPT = 4_000  # characters of a solution that is kept
SEED = Integer(0, 2**32 - 1)
NAME = Text()


@dataclass(frozen=True)
class Settings:
    """Everything that defines what is on screen."""

    # Data
    source: str = _setting("example", "s", Choice(SOURCES), "data", "Data", widget="segmented")
    # "" is the family's first.
    example: str = _setting(
        "", "e", Choice({n: n for n in EXAMPLES}), "data", "Example", widget="select"
    )
    generator: str = _setting(
        next(iter(GENERATORS)),
        "g",
        Choice({n: n for n in GENERATORS}),
        "data",
        "Kind of data",
        "How the rows are drawn. The truth is known and can be compared with the fit.",
        "select",
    )
    n_rows: int = _setting(500, "n", Integer(10, 1_000_000), "data", "Rows", widget="number")
    true_components: int = _setting(
        3, "tk", Integer(1, 20), "data", "True components", widget="number"
    )
    n_columns: int = _setting(2, "tc", Integer(1, 64), "data", "Columns drawn", widget="number")
    data_seed: int = _setting(
        0,
        "ds",
        SEED,
        "data",
        "Data seed",
        "The same seed draws the same rows. It is separate from the seed of the start.",
        "number",
    )
    # Of the fit, for the columns stay what they are, whatever is drawn.
    drawn: str = _setting(
        "",
        "dw",
        Text(f"(?:[A-Za-z0-9_-]{{4}}){{0,{MOST_POINTS}}}", "points that were drawn"),
        "fit",
        "Drawn points",
    )
    fingerprint: str = _setting(
        "", "fp", Text(r"[0-9a-f]{0,64}", "a fingerprint of a table"), "data", "Table"
    )
    reading: Reading = _setting(  # noqa: RUF009 - it is immutable
        AS_IT_IS, "rd", Answers(), "data", "How the file is read"
    )
    # What to load where the link does not bring the table along: file, rows and columns.
    awaited: str = _setting("", "fl", NAME, "moment", "File of the table")
    # How a table of one's own travels: in the link, or under a token in the store.
    carried: str = _setting(
        "",
        "t",
        Text(f"[A-Za-z0-9_-]{{0,{MOST_CHARACTERS}}}", "a packed table"),
        "moment",
        "Table in the link",
    )
    shared: str = _setting(
        "",
        "sh",
        Text(r"[A-Za-z0-9_-]{0,64}", "the token of a shared table"),
        "moment",
        "Shared table",
    )
    # Of a data set on the server: its name, and a fingerprint of its files as the link had them.
    data_set: str = _setting("", "sv", NAME, "data", "Data set on the server", widget="select")
    data_set_files: str = _setting(
        "",
        "sf",
        Text(r"[0-9a-f]{0,64}", "a fingerprint of files"),
        "moment",
        "Files of the data set",
    )
    preparation: tuple[Step, ...] = _setting(
        (), "pr", Steps(), "preparation", "Steps of preparation"
    )
    columns: tuple[str, ...] = _setting(
        (),
        "c",
        Names(MOST_COLUMNS),
        "columns",
        "Columns",
        "The measurements to cluster by.",
        "multiselect",
    )
    label_column: str | None = _setting(
        None,  # the one the data suggests; "" is none
        "lc",
        NAME,
        "view",
        "Known labels",
        "A column of known groups to compare the clusters with. It is not used in the fit.",
        "select",
    )
    id_column: str | None = _setting(
        None,  # the one the data suggests; "" is none
        "ic",
        NAME,
        "view",
        "Identifier",
        "A column that says which row is which, where rows are named. It is not used in the fit.",
        "select",
    )
    weight_column: str | None = _setting(
        None,  # none, and a column that looks like one may be suggested; "" is none
        "wc",
        NAME,
        "fit",
        "Weights",
        "A column that says how much each row counts.",
        "select",
    )
    weights_kind: str = _setting(
        "frequencies",
        "wk",
        Choice(WEIGHTS_KINDS),
        "fit",
        "What the weights are",
        "Frequencies: a row stands for so many equal rows, all of which were observed, and BIC "
        "counts them. Sampling weights: a row stands for so many of a population, and only the "
        "rows were observed.",
        "segmented",
    )
    # Model, start, stopping
    family: str = _setting(
        next(iter(FAMILIES)),
        "m",
        Choice({name: family.label for name, family in FAMILIES.items()}),
        "family",
        "Model",
        widget="select",
    )
    n_components: int = _setting(2, "k", Integer(1, 50), "fit", "Components", widget="number")
    n_factors: int = _setting(2, "q", Integer(1, 20), "fit", "Factors", widget="number")
    covariance: str = _setting(
        "full",
        "cov",
        Choice({name: name for name in STRUCTURES}),
        "fit",
        "Covariance",
        widget="select",
    )
    degrees: str = _setting(
        "estimated",
        "nu",
        Choice({name: name for name in DEGREES}),
        "fit",
        "Degrees of freedom",
        widget="select",
    )
    transitions: str = _setting(
        "any",
        "tr",
        Choice({"any": "any", "forward": "never back", "next": "one after the other"}),
        "fit",
        "Transitions",
        "Those ruled out keep the probability zero.",
        "select",
    )
    initial: str = _setting(
        "free",
        "ini",
        Choice({"free": "free", "stationary": "stationary"}),
        "fit",
        "Initial probabilities",
        widget="segmented",
    )
    missing: bool = _setting(
        True,
        "mv",
        YesNo(),
        "fit",
        "Use rows with missing values",
        "They count for what they have, which is right where values are missing at random. "
        "Off: such rows are left out.",
        "toggle",
    )
    group_column: str | None = _setting(
        None,  # the one the data suggest; "" is none
        "gc",
        NAME,
        "fit",
        "Groups",
        "The column that says which group or sequence a row belongs to.",
        "select",
    )
    rotation: str = _setting(
        "none",
        "rot",
        Choice({name: name for name in ROTATIONS}),
        "view",
        "Rotation",
        "Of the loadings, after the fit: the likelihood does not change.",
        "select",
    )
    standardise: bool = _setting(
        False,
        "z",
        YesNo(),
        "fit",
        "Standardise",
        "Fit on columns of mean 0 and standard deviation 1. "
        "Parameters are still reported in the original units.",
        "toggle",
    )
    start: str = _setting(
        "",  # the usual one of the family
        "st",
        Choice(STARTS),
        "fit",
        "Start",
        "Where EM begins. Different starts can end in different optima.",
        "select",
    )
    seed: int = _setting(
        0, "seed", SEED, "fit", "Seed", "The same seed gives the same start.", "number"
    )
    start_means: tuple[tuple[float, ...], ...] = _setting(
        (), "sm", Points(), "fit", "Hand-placed means"
    )
    start_params: str = _setting("", "sp", JsonObject(), "fit", "Explicit parameters, as JSON")
    frozen: bool = _setting(
        False,
        "fz",
        YesNo(),
        "fit",
        "No iterations",
        "The rows are scored by these parameters as they are: nothing is fitted.",
        "toggle",
    )
    tolerance: float = _setting(
        1e-3,
        "tol",
        Number(1e-12, 1e3, step=5e-4),
        "fit",
        "Tolerance, in nats",
        "EM stops when about this or less is left to gain in log-likelihood, by an estimate.",
        "number",
    )
    max_iterations: int = _setting(
        1000, "it", Integer(1, 100_000), "fit", "Most iterations", widget="number"
    )
    # Many starts
    n_starts: int = _setting(50, "ns", Integer(1, 500), "view", "Seeds", widget="number")
    # () is what was usual before there was the plan, which a session begins with: links made then
    # do not name it.
    starts_compared: tuple[str, ...] = _setting(
        (),
        "cs",
        Names(),
        "view",
        "Starts",
        "Several kinds: half of the seeds each start in one of several ways, the others split and "
        "merge the components of the best answers so far. Of a start by name every seed is run.",
        "multiselect",
    )
    # Many models
    smallest: int = _setting(1, "kf", Integer(1, 50), "view", "From", widget="number")
    largest: int = _setting(6, "kt", Integer(1, 50), "view", "To", widget="number")
    structures_compared: tuple[str, ...] = _setting(
        (), "cov2", Names(), "view", "Structures", "A line of the grid each.", "multiselect"
    )
    n_starts_each: int = _setting(
        10,
        "ne",
        Integer(1, 100),
        "view",
        "Starts of each model",
        "The best of them counts. Every model gets the same seeds.",
        "number",
    )
    first_seed: int | None = _setting(
        None,  # that of the fit
        "s1",
        SEED,
        "view",
        "First seed",
        "Every model gets so many seeds from this one on.",
        "number",
    )
    folds: int = _setting(
        0,
        "cv",
        Integer(0, 20),
        "view",
        "Folds for cross-validation",
        "Each fold of the rows is left out once and predicted by the rest. 0 for none.",
        "number",
    )
    criterion: str = _setting(
        "bic", "by", Choice(CRITERIA), "view", "Compared by", widget="segmented"
    )
    tested: str = _setting("", "lr", NAME, "view", "Tested", widget="select")
    gone_on: int = _setting(0, "go", Integer(0, 6), "view", "Times gone on with the unfinished")
    picked_start: str = _setting("", "ps", NAME, "moment", "Start played")
    picked_seed: int | None = _setting(None, "pk", SEED, "moment", "Seed played")
    rival_start: str = _setting("", "rs", NAME, "moment", "Start raced against")
    rival_seed: int | None = _setting(None, "rk", SEED, "moment", "Seed raced against")
    # The bound
    line: str = _setting("parameter", "li", Choice(LINES), "view", "Slice along", widget="select")
    line_parameter: str = _setting("", "lp", NAME, "view", "Parameter", widget="select")
    line_second: str = _setting("", "l2", NAME, "view", "Second parameter", widget="select")
    line_seed: int = _setting(1, "ls", SEED, "view", "Other seed", widget="number")
    # What are they?
    names: tuple[str, ...] = _setting((), "nm", Names(50, 40), "view", "Names")
    intervals: bool = _setting(
        False,
        "iv",
        YesNo(),
        "view",
        "How sure?",
        "95 % intervals of all parameters, worked out when asked for.",
        "toggle",
    )
    resampled: bool = _setting(
        False,
        "bs",
        YesNo(),
        "view",
        "Bootstrap beside it",
        "Fits to 200 tables drawn from this one: no assumption about the shape of the likelihood.",
        "toggle",
    )
    halved: bool = _setting(
        False,
        "sl",
        YesNo(),
        "view",
        "Split halves",
        "Halves of the rows are fitted by themselves, and each row is assigned by both fits: do "
        "they agree?",
        "toggle",
    )
    crossed: str = _setting("", "xt", NAME, "view", "Column", widget="select")
    # What makes the solution that is kept to compare with, as a link says it (`keeping`).
    kept: str = _setting(
        "",
        "kp",
        Text(f"(?s).{{0,{MOST_KEPT}}}", "what makes a solution"),
        "view",
        "Kept to compare",
    )
    # Relatives
    raced: tuple[str, ...] = _setting(
        (), "rv", Names(), "view", "Algorithms", "All begin at the same start.", "multiselect"
    )
    race_passes: int = _setting(
        100,
        "rp",
        Integer(5, 3000),
        "view",
        "Most passes over the data",
        "Each stops after this many, or when about nothing is left to gain.",
        "number",
    )
    race_axis: str = _setting(
        "passes", "ra", Choice(RACE_AXES), "view", "Across", widget="segmented"
    )
    race_scale: str = _setting("gap", "rz", Choice(RACE_SCALES), "view", "Up", widget="segmented")
    race_played: str = _setting("", "rl", NAME, "view", "Played", widget="select")
    # Theory
    theory_step: str = _setting(
        "sum", "th", Choice(THEORY_STEPS), "view", "The derivation", widget="segmented"
    )
    tiny_data: str = _setting(
        "0.2, 0.8, 1.1, 3.9, 4.4, 5.2",
        "td",
        Text(r"[-+0-9.,;eE ]{0,200}", "a list of numbers"),
        "view",
        "Numbers",
        "Two to twelve numbers, separated by commas.",
    )
    tiny_place_1: float = _setting(
        0.25, "t1", Number(0.0, 1.0, step=0.05), "view", "Place of mean 1", widget="slider"
    )
    tiny_place_2: float = _setting(
        0.6, "t2", Number(0.0, 1.0, step=0.05), "view", "Place of mean 2", widget="slider"
    )
    tiny_weight: float = _setting(
        0.5, "tw", Number(0.05, 0.95, step=0.05), "view", "Weight of component 1", widget="slider"
    )
    tiny_row: int = _setting(3, "tn", Integer(1, 12), "view", "Which number", widget="slider")
    tiny_q: float = _setting(
        0.3, "tq", Number(0.01, 0.99, step=0.01), "view", "q(component 1)", widget="slider"
    )
    tiny_iteration: int = _setting(1, "ti", Integer(1, 20), "view", "Iteration", widget="slider")
    tiny_apart: float = _setting(
        1.5, "tx", Number(0.2, 3.0, step=0.1), "view", "The points are at ± this", widget="slider"
    )
    tiny_start: float = _setting(
        0.3, "tm", Number(0.05, 3.0, step=0.05), "view", "θ starts at", widget="slider"
    )
    # View
    # "" is the usual one of the family.
    axes: str = _setting("", "ax", Choice(AXES), "view", "Axes", widget="segmented")
    axis_x: str = _setting("", "x", NAME, "view", "Across", widget="select")
    axis_y: str = _setting("", "y", NAME, "view", "Up", widget="select")
    drawn_rows: int = _setting(
        5000,
        "d",
        Integer(500, 50_000),
        "view",
        "Most points drawn",
        "The fit uses all rows. With more rows than this, a sample of them is drawn.",
        "number",
    )
    # BEGINNING is before the first half-step.
    frame: int | None = _setting(None, "f", Integer(BEGINNING, 200_001), "moment", "Frame")
    result: Result | None = _setting(  # noqa: RUF009 - it is immutable
        None, "r", Fingerprint(), "moment", "Result"
    )
    search_result: Result | None = _setting(  # noqa: RUF009
        None, "rr", Fingerprint(), "moment", "Result of many starts"
    )
    grid_result: Result | None = _setting(  # noqa: RUF009
        None, "rg", Fingerprint(), "moment", "Result of the comparison"
    )
    point: int | None = _setting(None, "pt", Integer(0, 10**9), "moment", "Point")
    colour: str = _setting("blended", "col", Choice(COLOURS), "view", "Colour", widget="segmented")
    contours: bool = _setting(False, "dc", YesNo(), "view", "Density contours", widget="toggle")
    uncertainty: bool = _setting(False, "u", YesNo(), "view", "Uncertainty", widget="toggle")
    curve: str = _setting("likelihood", "cu", Choice(CURVES), "view", "Curve", widget="segmented")
    speed: float = _setting(
        1.0, "sd", Number(0.1, 16.0, step=0.5), "view", "Speed", widget="number"
    )
    loop: bool = _setting(False, "lo", YesNo(), "view", "Loop", widget="toggle")
    window: str = _setting("page", "w", Choice(WINDOWS), "view", "In the window")
    hidden: bool = _setting(
        False,
        "hc",
        YesNo(),
        "view",
        "Hide what comes",
        "What comes after the frame shown is covered, to be guessed first.",
        "toggle",
    )
    # The title of the tab below the picture; "" is the first.
    details: str = _setting("", "dt", NAME, "view", "Tables shown")
    # Of a lesson that is being taken: its name, and the number of its step.
    lesson: str = _setting("", "le", NAME, "moment", "Lesson")
    lesson_step: int = _setting(1, "lt", Integer(1, 100), "moment", "Step of the lesson")
    bare: bool = _setting(
        False,
        "bare",
        YesNo(),
        "view",
        "Without the controls",
        "Whoever opens the link sees the picture and plays it, without the sidebar.",
        "toggle",
    )


FIELDS: Mapping[str, Field] = {
    f.name: Field(name=f.name, default=f.default, **f.metadata) for f in fields(Settings)
}


def limits(name: str) -> Integer | Number:
    """Between which numbers a field lies."""
    kind = FIELDS[name].kind
    assert isinstance(kind, Integer | Number)
    return kind


def values_of(settings: Settings, *groups: str) -> list:
    """What the fields of these groups are set to."""
    return [getattr(settings, name) for name, about in FIELDS.items() if about.group in groups]


def differing(one: Settings, other: Settings, *groups: str) -> set[str]:
    """The names of the fields of these groups that are not set to the same."""
    return {
        name
        for name, about in FIELDS.items()
        if about.group in groups and getattr(one, name) != getattr(other, name)
    }
