"""What is said of one grouping beside another is true of the rows."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from em_core.search.alignment import align
from em_core.search.divided import ABOUT_ALL, MOST, LeftOut, Shared, divided


def shares(labels, n_components: int) -> np.ndarray:
    return np.eye(n_components)[np.asarray(labels)]


def test_two_components_in_one_cluster_leave_a_small_one_without() -> None:
    best = shares([0] * 50 + [1] * 30 + [2] * 5, 3)
    other = shares([0, 2] * 25 + [1] * 30 + [1] * 5, 3)
    found = divided(best, other)
    assert found.shared == (Shared(0, (0, 2)),)
    assert found.left_out == (LeftOut(2, 1),)
    np.testing.assert_allclose(found.sizes, np.array([50, 30, 5]) / 85)


def test_the_same_groups_under_other_numbers_differ_in_nothing() -> None:
    labels = np.array([0, 1, 2, 3] * 20)
    found = divided(shares(labels, 4), shares((labels + 1) % 4, 4))
    assert found.shared == found.left_out == found.empty == () and found.moved is None


def test_other_borders_are_what_moved() -> None:
    best = shares([0] * 50 + [1] * 50, 2)
    other = shares([1] * 60 + [0] * 40, 2)
    found = divided(best, other)
    assert found.shared == found.left_out == ()
    assert found.moved is not None
    assert (found.moved.group, found.moved.component) == (1, 1)
    assert abs(found.moved.share - 0.1) < 1e-12


def test_an_empty_component_is_told_and_owns_nothing() -> None:
    best = shares([0] * 50 + [1] * 50, 3)
    found = divided(best, shares([0] * 50 + [1] * 50, 3))
    assert found.empty == (2,) and found.shared == ()


def test_groups_that_overlap_and_stay_have_moved_nothing() -> None:
    """However near each other the shares of a row are: nothing goes from one group to another."""
    rng = np.random.default_rng(0)
    best = rng.dirichlet(np.full(4, 50.0), size=200)
    near = best + rng.uniform(-1e-3, 1e-3, size=best.shape)
    other = (near / near.sum(axis=1, keepdims=True))[:, [2, 0, 3, 1]]
    found = divided(best, other)
    assert found.shared == found.left_out == () and found.moved is None


@given(st.integers(2, 6), st.integers(0, 2**32 - 1), st.floats(0.05, 5))
def test_every_statement_holds_row_by_row(n_components: int, seed: int, sharp: float) -> None:
    rng = np.random.default_rng(seed)
    best, other = (rng.dirichlet(np.full(n_components, 1 / sharp), size=120) for _ in range(2))
    other = np.where(rng.random((120, 1)) < 0.5, best[:, rng.permutation(n_components)], other)
    weights = rng.uniform(0.1, 3, size=120)
    found = divided(best, other, weights)

    held = np.zeros((n_components, n_components))
    matches = align(best, other, weights)
    for part, before, after in zip(weights / weights.sum(), best, other, strict=True):
        given, taken = before.copy(), after.copy()
        for group, component in enumerate(matches):
            stays = min(before[group], after[component])
            held[group, component] += part * stays
            given[group] -= stays
            taken[component] -= stays
        if given.sum() > 0:
            held += part * np.outer(given, taken) / given.sum()

    def mass(group=None, component=None) -> float:
        groups = slice(None) if group is None else group
        return float(held[groups, slice(None) if component is None else component].sum())

    np.testing.assert_allclose(found.masses, held, atol=1e-12)
    np.testing.assert_allclose(found.sizes, np.average(best, axis=0, weights=weights))

    for group, components in found.shared:
        assert len(components) > 1
        assert all(mass(group, c) > MOST * mass(None, c) * (1 - 1e-9) for c in components)
        assert sum(mass(group, c) for c in components) >= ABOUT_ALL * mass(group) * (1 - 1e-9)
    for group, holder in found.left_out:
        for c in set(range(n_components)) - set(found.empty):
            assert mass(group, c) <= MOST * mass(None, c) * (1 + 1e-9)
        assert holder is None or mass(group, holder) >= MOST * mass(group) * (1 - 1e-9)
    # Where a group has two, another has none.
    assert bool(found.left_out) or not found.shared
    if found.moved is not None:
        np.testing.assert_allclose(
            found.moved.share, mass(found.moved.group, found.moved.component)
        )
