"""How one fit divides the rows that another groups: what is shared there, and what is left out.

All of it is read off the masses that components have in common, so it is true of any model whose
hidden variable is a label, whatever its parameters are.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from em_core.search.alignment import align

# A component belongs to the group that most of its mass is from.
MOST = 0.5
# Components share a group where together they hold about all of it.
ABOUT_ALL = 0.8
# Shares of all rows below this are hardly any rows.
HARDLY_ANY = 0.005


class Shared(NamedTuple):
    """A group that several components divide among them: each is mostly of it, and together they
    hold at least `ABOUT_ALL` of it."""

    group: int
    components: tuple[int, ...]


class LeftOut(NamedTuple):
    """A group that no component is mostly of; holder: the component with at least half of it."""

    group: int
    holder: int | None


class Moved(NamedTuple):
    """The largest part that a fit groups otherwise: a share of all rows, from a group to a
    component that matches another."""

    share: float
    group: int
    component: int


class Divided(NamedTuple):
    """What became of the groups of a first fit, by the components of a second.

    masses (K, L): sum_n w_n r_nk s_nl / sum_n w_n, of r (N, K) and s (N, L): what component l holds
    of group k. shared and left_out: the largest groups first. empty: components with hardly any
    rows. moved: None where nothing has.
    """

    masses: np.ndarray
    shared: tuple[Shared, ...]
    left_out: tuple[LeftOut, ...]
    empty: tuple[int, ...]
    moved: Moved | None

    @property
    def sizes(self) -> np.ndarray:
        """(K,) shares of all rows in each group."""
        return self.masses.sum(axis=1)


def divided(first: np.ndarray, second: np.ndarray, weights=None) -> Divided:
    """How the components of `second` (N, L) hold the groups of `first` (N, K), both shares of rows,
    each counted by its weight (N,)."""
    counted = np.ones(len(first)) if weights is None else np.asarray(weights, dtype=float)
    masses = first.T @ (counted[:, None] * second) / counted.sum()
    groups, components = masses.sum(axis=1), masses.sum(axis=0)
    empty = components < HARDLY_ANY
    of_component = masses / np.where(empty, 1, components)
    owner = np.where(empty | (of_component.max(axis=0) <= MOST), -1, of_component.argmax(axis=0))
    shared, left_out = [], []
    for group in np.argsort(-groups):
        if groups[group] < HARDLY_ANY:
            continue
        held = masses[group] / groups[group]
        own = np.flatnonzero(owner == group)
        if len(own) > 1 and held[own].sum() >= ABOUT_ALL:
            shared.append(Shared(int(group), tuple(map(int, own))))
        if not len(own):
            holder = int(held.argmax())
            left_out.append(LeftOut(int(group), holder if held[holder] >= MOST else None))
    return Divided(
        masses,
        tuple(shared),
        tuple(left_out),
        tuple(map(int, np.flatnonzero(empty))),
        _moved(masses, first, second, weights),
    )


def _moved(masses: np.ndarray, first: np.ndarray, second: np.ndarray, weights) -> Moved | None:
    if masses.shape[0] != masses.shape[1]:
        return None
    elsewhere = masses.copy()
    elsewhere[np.arange(len(masses)), align(first, second, weights)] = 0
    group, component = np.unravel_index(elsewhere.argmax(), elsewhere.shape)
    share = float(elsewhere[group, component])
    return Moved(share, int(group), int(component)) if share >= HARDLY_ANY else None
