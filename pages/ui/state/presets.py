"""Settings worth a look, each with what to look for: one example of every model, and traps."""

from __future__ import annotations

from typing import Any, NamedTuple


class Preset(NamedTuple):
    """settings: the fields it changes; look_for: what a class should see."""

    title: str
    settings: dict[str, Any]
    look_for: str


def _generated(kind: str, true_components: int, n_components: int, **more: Any) -> dict[str, Any]:
    family = {"family": "gaussian-mixture", "source": "generate", "generator": kind}
    drawn = {"n_rows": 400, "n_columns": 2, "true_components": true_components, "data_seed": 1}
    return family | {"n_components": n_components} | drawn | more


# What a visit without a link opens on, at its beginning: a fit worth watching, with other optima.
WELCOME = Preset(
    "Four clusters",
    _generated("separated", 4, 4, covariance="full", start="random points", seed=2)
    | {"data_seed": 0},
    "Four components start at four points drawn at random. Each E-step colours every point by the "
    "components it may belong to; each M-step moves the components to their points. Other seeds "
    "end elsewhere, as the page Local optima shows.",
)
PRESETS = (
    Preset(
        "Unequal sizes",
        _generated("unequal", 5, 5, covariance="full"),
        "The smallest cluster is easily missed: many starts give one of the large clusters two "
        "components instead. Compare the gallery's second picture with its first.",
    ),
    Preset(
        "Nested clusters",
        _generated("nested", 3, 3, covariance="spherical"),
        "All clusters share one centre, so no start can tell them apart by place. Watch how long "
        "the curves stay flat before the sizes part.",
    ),
    Preset(
        "A symmetric start",
        _generated("separated", 2, 2, starts_compared=("random responsibilities",)),
        "Shares drawn at random make all components nearly equal: EM begins close to a saddle. The "
        "log-likelihood hardly moves at first, then rises as EM leaves the saddle to one side.",
    ),
    Preset(
        "Nearly flat clusters",
        _generated("near-singular", 3, 4, covariance="full"),
        "One component too many on flat clusters: some starts collapse onto a few points, where "
        "the likelihood has no upper bound. They are shown apart and never win.",
    ),
    Preset(
        "The wrong number",
        _generated("overlapping", 4, 7, covariance="full"),
        "Seven components for four clusters: there are almost as many answers as starts, and the "
        "best is hardly ever found twice.",
    ),
)


def _example(family: str, example: str, **more: Any) -> dict[str, Any]:
    return {"family": family, "source": "example", "example": example} | more


GALLERY = (
    Preset(
        "Old Faithful: two kinds of eruption",
        _example("gaussian-mixture", "faithful", n_components=2, covariance="full"),
        "Press play: two ellipses that start anywhere find the short and the long eruptions.",
    ),
    Preset(
        "Handwritten digits: ten mean images",
        _example("bernoulli-mixture", "digits", n_components=10),
        "Ten vague pictures sharpen into digits. Some digits share a picture, some have two: "
        "other seeds end elsewhere.",
    ),
    Preset(
        "Law school test: latent classes",
        _example("categorical-mixture", "lsat6", n_components=2),
        "Two classes of students, and how likely each is to answer every question.",
    ),
    Preset(
        "Earthquakes: calm and restless years",
        _example("poisson-hmm", "earthquakes", n_components=3),
        "The ribbon shows which years were calm. States follow each other: the transition matrix "
        "has its weight on the diagonal.",
    ),
    Preset(
        "Earthquakes: rates without order",
        _example("poisson-mixture", "earthquakes", n_components=3),
        "The same counts, each year by itself: three Poisson rates and how often each occurs.",
    ),
    Preset(
        "Old Faithful as a sequence",
        _example("gaussian-hmm", "geyser", n_components=3),
        "After a short eruption a long one follows: a transition of probability one.",
    ),
    Preset(
        "The dishonest casino",
        _example("categorical-hmm", "casino", n_components=2, columns=("throw",)),
        "When was the die loaded? Of the three ribbons the upper one knows; below it is what the "
        "model makes of the throws alone: it finds the longest stretches, and misses short ones.",
    ),
    Preset(
        "Film ratings, nine in ten missing",
        _example("probabilistic-pca", "ratings", n_factors=3),
        "Viewers of four tastes stand in four corners of the biplot, though each rated few films.",
    ),
    Preset(
        "Air quality with holes",
        _example("gaussian-mixture", "airquality", n_components=2),
        "Rows with a missing value are hollow, at the place the model expects, which moves.",
    ),
    Preset(
        "Ability tests: two factors",
        _example("factor-analysis", "ability", n_factors=2, rotation="varimax"),
        "Reading and vocabulary load on one factor, blocks and picture on the other.",
    ),
    Preset(
        "Pupils in schools",
        _example("two-level", "pupils"),
        "Averages of small schools are drawn furthest towards the mean of all schools.",
    ),
    Preset(
        "Clusters and strays",
        _example("student-mixture", "strays", n_components=3, degrees="3", start="hierarchical"),
        "Strays shrink to specks: they hardly count. Switch to a Gaussian mixture to see what they "
        "do to it.",
    ),
    Preset(
        "Iris near planes",
        _example("factor-analysers", "iris", n_components=3, n_factors=1),
        "Each cluster has a principal axis of its own.",
    ),
)
