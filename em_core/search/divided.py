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
    component that matches another; match: the component that matches the group."""

    share: float
    group: int
    component: int
    match: int


class Divided(NamedTuple):
    """What became of the groups of a first fit, by the components of a second.

    masses (K, K): what component l holds of group k, a share of all rows. Of r (N, K) and s (N, K),
    component m(k) matching group k, the share min(r_nk, s_nm(k)) of a row has stayed, and what is
    left of r_n goes to what is left of s_n in proportion: the same shares twice have moved nothing,
    however much groups overlap. shared and left_out: the largest groups first. empty: components
    with hardly any rows. moved: None where nothing has.
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
    """How the components of `second` (N, K) hold the groups of `first` (N, K), both shares of rows,
    each counted by its weight (N,)."""
    counted = np.ones(len(first)) if weights is None else np.asarray(weights, dtype=float)
    matches = align(first, second, weights)
    masses = _held(first, second, matches, counted / counted.sum())
    groups, components = masses.sum(axis=1), masses.sum(axis=0)
    empty = components < HARDLY_ANY
    of_component = masses / np.where(empty, 1, components)
    owner = np.where(empty | (of_component.max(axis=0) <= MOST), -1, of_component.argmax(axis=0))
    shared, left_out = [], []
    for group in np.argsort(-groups.round(12), kind="stable"):
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
        _moved(masses, matches),
    )


def _held(
    first: np.ndarray, second: np.ndarray, matches: np.ndarray, parts: np.ndarray
) -> np.ndarray:
    """(K, K) what each component of `second` holds of each group of `first`. parts (N,): what each
    row counts."""
    stayed = np.minimum(first, second[:, matches])
    gone, come = first - stayed, second.copy()
    come[:, matches] -= stayed
    left = gone.sum(axis=1)
    masses = (gone * (parts / np.where(left > 0, left, 1))[:, None]).T @ come
    masses[np.arange(len(matches)), matches] += parts @ stayed
    return masses


def _moved(masses: np.ndarray, matches: np.ndarray) -> Moved | None:
    elsewhere = masses.copy()
    elsewhere[np.arange(len(masses)), matches] = 0
    group, component = np.unravel_index(elsewhere.argmax(), elsewhere.shape)
    share = float(elsewhere[group, component])
    if share < HARDLY_ANY:
        return None
    return Moved(share, int(group), int(component), int(matches[group]))
