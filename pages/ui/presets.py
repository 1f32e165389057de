"""Data and models that trap EM, each with what to look for."""

from __future__ import annotations

from typing import Any, NamedTuple


class Preset(NamedTuple):
    """settings: the fields it changes; look_for: what a class should see."""

    title: str
    settings: dict[str, Any]
    look_for: str


def _generated(kind: str, true_components: int, n_components: int, **more: Any) -> dict[str, Any]:
    drawn = {"n_rows": 400, "n_columns": 2, "true_components": true_components, "data_seed": 1}
    return {"source": "generate", "generator": kind, "n_components": n_components} | drawn | more


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
        "log-likelihood hardly moves at first, then falls off the saddle to one side.",
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
