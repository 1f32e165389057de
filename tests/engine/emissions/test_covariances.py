"""The covariance structures of mclust: that each holds, is a maximum and keeps the laws of EM."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from em_core import Gaussian, Mixture, fit
from em_core.emissions.covariances.orientations import planes, principal_axes
from em_core.emissions.covariances.structures import ALIASES, MCLUST, STRUCTURES
from em_core.starts.table import STARTS
from support import laws
from support.drawn import examples

CODES = sorted(MCLUST)
# Free parameters of the covariances, as mclust's nVarParams writes them.
COUNTS = {
    "EII": lambda d, g: 1,
    "VII": lambda d, g: g,
    "EEI": lambda d, g: d,
    "VEI": lambda d, g: g + (d - 1),
    "EVI": lambda d, g: 1 + g * (d - 1),
    "VVI": lambda d, g: g * d,
    "EEE": lambda d, g: d * (d + 1) / 2,
    "EVE": lambda d, g: 1 + g * (d - 1) + d * (d - 1) / 2,
    "VEE": lambda d, g: g + (d - 1) + d * (d - 1) / 2,
    "VVE": lambda d, g: g + g * (d - 1) + d * (d - 1) / 2,
    "EEV": lambda d, g: 1 + (d - 1) + g * (d * (d - 1) / 2),
    "VEV": lambda d, g: g + (d - 1) + g * (d * (d - 1) / 2),
    "EVV": lambda d, g: 1 - g + g * (d * (d + 1) / 2),
    "VVV": lambda d, g: g * (d * (d + 1) / 2),
}


def scatters(d, k, seed):
    """Scatter matrices (K, D, D) of unequal size, shape and direction, and shares (K,)."""
    rng = np.random.default_rng(seed)
    roots = rng.normal(size=(k, d, d)) * rng.uniform(0.5, 2, size=(k, 1, d))
    return roots @ roots.transpose(0, 2, 1) / d, rng.dirichlet(np.full(k, 5.0))


def seen(code, within):
    return np.einsum("...dd->...d", within) if STRUCTURES[code].diagonal else within


def cost(covariances, within, shares):
    """-2 of the expected log-density per row, without its constant."""
    if not (np.linalg.eigvalsh(covariances) > 0).all():
        return np.inf
    traces = np.trace(np.linalg.solve(covariances, within), axis1=1, axis2=2)
    return shares @ (np.linalg.slogdet(covariances)[1] + traces)


def decompose(code, covariances):
    """Axes (K, D, D), logarithms of volumes (K,) and of shapes (K, D)."""
    k, d, _ = covariances.shape
    if code[2] == "I":
        axes = np.repeat(np.eye(d)[None], k, axis=0)
    elif code[2] == "V":
        axes = np.linalg.eigh(covariances)[1]
    else:
        parts = np.random.default_rng(0).uniform(size=k) / np.linalg.det(covariances) ** (1 / d)
        axes = np.repeat(np.linalg.eigh(np.tensordot(parts, covariances, 1))[1][None], k, axis=0)
    inside = axes.transpose(0, 2, 1) @ covariances @ axes
    logs = np.log(np.einsum("kdd->kd", inside))
    volumes = logs.mean(axis=1)
    return axes, volumes, logs - volumes[:, None], inside


def recompose(axes, volumes, shapes):
    values = np.exp(volumes[:, None] + shapes)
    return (axes * values[:, None, :]) @ axes.transpose(0, 2, 1)


def assert_structure_holds(code, covariances, tolerance=1e-9):
    axes, volumes, shapes, inside = decompose(code, covariances)
    outside = inside - np.einsum("kd,de->kde", np.einsum("kdd->kd", inside), np.eye(len(axes[0])))
    assert np.abs(outside).max() <= tolerance * np.abs(inside).max()
    if code[0] == "E":
        np.testing.assert_allclose(volumes, volumes[0], atol=tolerance)
    if code[1] == "E":
        np.testing.assert_allclose(shapes, shapes[:1].repeat(len(shapes), 0), atol=tolerance)
    elif code[1] == "I":
        np.testing.assert_allclose(shapes, 0, atol=tolerance)


def moves(code, covariances, rng, n=12):
    """Covariances of the same structure a little away."""
    axes, volumes, shapes, _ = decompose(code, covariances)
    k, d = shapes.shape

    def step(letter, *shape):
        copies = {"I": 0, "E": 1, "V": k}[letter]
        noise = rng.normal(size=(max(copies, 1), *shape)) * min(copies, 1)
        return np.broadcast_to(noise, (k, *shape))

    for size in (1e-1, 1e-3):
        for place in range(n):
            volume, shape, turn = size * (np.ones(3) if place % 4 == 3 else np.eye(3)[place % 4])
            skew = step(code[2], d, d)
            skew = turn * (skew - skew.transpose(0, 2, 1))
            # Cayley's transform of a skew matrix is a rotation.
            turns = np.linalg.solve(np.eye(d) - skew, np.eye(d) + skew)
            stretch = step(code[1], d)
            stretch = stretch - stretch.mean(axis=1, keepdims=True)
            yield recompose(
                turns @ axes, volumes + volume * step(code[0]), shapes + shape * stretch
            )


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("d, k", [(1, 1), (1, 4), (2, 3), (5, 2), (7, 9)])
def test_parameter_counts_are_those_of_mclust(code, d, k):
    assert STRUCTURES[code].n_parameters(k, d) == COUNTS[code](d, k)


def test_aliases_name_rows_of_the_table():
    assert set(MCLUST) | set(ALIASES) <= set(STRUCTURES)
    for name, code in ALIASES.items():
        assert STRUCTURES[name] is MCLUST[code]
    own = set(STRUCTURES) - set(ALIASES)
    meanings = {STRUCTURES[name].meaning for name in own}
    assert len(MCLUST) == 14 and len(meanings) == len(own) and all(meanings)


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("d, k", [(1, 3), (2, 5), (3, 4), (6, 3)])
def test_the_structure_holds_and_is_a_maximum(code, d, k):
    rng = np.random.default_rng(d)
    structure = STRUCTURES[code]
    for seed in range(3):
        within, shares = scatters(d, k, seed)
        best = structure.estimate(seen(code, within), shares)
        assert_structure_holds(code, best)
        for _ in range(3):
            best = structure.estimate(seen(code, within), shares, None, best)
        lowest = cost(best, within, shares)
        for moved in moves(code, best, rng):
            assert cost(moved, within, shares) >= lowest - 1e-10


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("floor", [0.05, 0.5])
def test_the_floor_holds_and_the_rest_is_a_maximum_under_it(code, floor):
    rng = np.random.default_rng(1)
    structure = STRUCTURES[code]
    for seed in range(3):
        within, shares = scatters(3, 3, seed)
        minimum = np.full(3, floor)
        best = None
        for _ in range(4):
            best = structure.estimate(seen(code, within), shares, minimum, best)
        assert np.linalg.eigvalsh(best).min() >= floor * (1 - 1e-9)
        assert_structure_holds(code, best)
        lowest = cost(best, within, shares)
        for moved in moves(code, best, rng, 40):
            if np.linalg.eigvalsh(moved).min() >= floor:
                assert cost(moved, within, shares) >= lowest - 1e-9


@pytest.mark.parametrize("code", CODES)
def test_the_floor_holds_in_units_far_apart(code):
    units = np.array([1e-3, 1.0, 1e2])
    structure = STRUCTURES[code]
    for seed in range(4):
        within, shares = scatters(3, 3, seed)
        within = within * (units[:, None] * units)
        for minimum in (0.3 * units**2, 1e-6 * units**2):
            best = structure.estimate(seen(code, within), shares, minimum)
            assert_structure_holds(code, best, 1e-6)
            eigenvalues = np.linalg.eigvalsh(best / np.sqrt(minimum[:, None] * minimum))
            if code in ("EEV", "VEV", "EVE", "VVE"):
                axes, volumes, shapes, _ = decompose(code, best)
                lowest = np.einsum("kdj,d->kj", axes**2, minimum)
                assert (np.exp(volumes[:, None] + shapes) >= lowest * (1 - 1e-6)).all()
                assert eigenvalues.min() >= 1 / 3
            else:
                assert eigenvalues.min() >= 1 - 1e-6


def minimum_of(floor, d):
    return None if floor is None else np.full(d, floor)


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("floor", [None, 0.05])
def test_no_step_from_covariances_of_the_structure_loses(code, floor):
    """As in EM, where scatters change a little from one iteration to the next."""
    structure = STRUCTURES[code]
    d, k = 3, 4
    current = None
    for seed in range(4):
        old, shares = scatters(d, k, seed)
        new, _ = scatters(d, k, seed + 100)
        for share in np.linspace(0, 1, 8):
            within = (1 - share) * old + share * new
            best = structure.estimate(seen(code, within), shares, minimum_of(floor, d), current)
            if current is not None:
                assert cost(best, within, shares) <= cost(current, within, shares) + 1e-12
            current = best


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("floor", [None, 0.2])
def test_a_batch_is_a_loop(code, floor):
    structure = STRUCTURES[code]
    d, k = 3, 4
    problems = [scatters(d, k, seed) for seed in range(6)]
    within = np.stack([seen(code, scatter) for scatter, _ in problems])
    shares = np.stack([share for _, share in problems])
    minimum = minimum_of(floor, d)
    current = structure.estimate(within, shares, minimum)
    warm = structure.estimate(within, shares, minimum, current)
    grid = structure.estimate(
        within.reshape(2, 3, *within.shape[1:]), shares.reshape(2, 3, k), minimum,
        current.reshape(2, 3, k, d, d),
    )  # fmt: skip
    np.testing.assert_array_equal(grid.reshape(warm.shape), warm)
    for n in range(6):
        alone = structure.estimate(within[n], shares[n], minimum)
        np.testing.assert_allclose(alone, current[n], rtol=1e-5, atol=1e-6)
        assert cost(alone, problems[n][0], shares[n]) == pytest.approx(
            cost(current[n], problems[n][0], shares[n]), abs=1e-9
        )


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("floor", [None, 0.2])
@pytest.mark.parametrize("nonsense", [0.0, -1.0, 1e300, np.nan])
def test_a_component_without_rows_has_no_say(code, floor, nonsense):
    structure = STRUCTURES[code]
    d, k = 3, 4
    within, shares = scatters(d, k, 0)
    minimum = minimum_of(floor, d)
    current = structure.estimate(seen(code, within), shares, minimum)
    there = [0, 1, 3]
    shares[2] = 0
    shares /= shares.sum()
    within = within.copy()
    within[2] = nonsense
    all_four = structure.estimate(seen(code, within), shares, minimum, current)
    others = structure.estimate(seen(code, within[there]), shares[there], minimum, current[there])
    np.testing.assert_allclose(all_four[there], others, rtol=1e-4, atol=1e-5)
    assert_structure_holds(code, all_four)
    if code in ("VVV", "VVI", "VII"):
        np.testing.assert_allclose(all_four[2], current[2], rtol=1e-12)
    assert np.isfinite(structure.estimate(seen(code, within), shares, minimum)).all()


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("floor", [None, 0.05, 0.5])
def test_one_component_has_the_covariance_of_its_family(code, floor):
    family = {"I": {"I": "VII"}.get(code[1], "VVI")}.get(code[2], "VVV")
    within, shares = scatters(4, 1, 2)
    minimum = minimum_of(floor, 4)
    np.testing.assert_allclose(
        STRUCTURES[code].estimate(seen(code, within), shares, minimum),
        STRUCTURES[family].estimate(seen(family, within), shares, minimum),
        rtol=1e-8, atol=1e-9,
    )  # fmt: skip


@pytest.mark.parametrize("code", [code for code in CODES if code[2] != "I"])
def test_turning_the_data_turns_the_covariances(code):
    within, shares = scatters(4, 3, 3)
    turn = np.linalg.qr(np.random.default_rng(0).normal(size=(4, 4)))[0]
    plain = STRUCTURES[code].estimate(within, shares)
    turned = STRUCTURES[code].estimate(turn @ within @ turn.T, shares)
    np.testing.assert_allclose(turned, turn @ plain @ turn.T, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("code", ["EVE", "VVE"])
def test_no_common_direction_of_the_plane_is_better(code):
    """All directions in 2-D, each with the best variances along it."""
    inside = STRUCTURES[code[:2] + "I"]
    for seed in range(30):
        within, shares = scatters(2, 3, seed)
        best = cost(STRUCTURES[code].estimate(within, shares), within, shares)
        for angle in np.linspace(0, np.pi / 2, 60):
            turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
            spreads = turn @ within @ turn.T
            covariances = inside.estimate(np.einsum("kdd->kd", spreads), shares)
            assert cost(covariances, spreads, shares) >= best - 1e-9


@pytest.mark.parametrize("dimension", range(1, 9))
def test_every_pair_of_axes_meets_once(dimension):
    rounds = planes(dimension)
    for i, j in rounds:
        assert len({*i, *j}) == 2 * len(i)
    pairs = [tuple(sorted(pair)) for i, j in rounds for pair in zip(i, j, strict=True)]
    assert sorted(pairs) == [(i, j) for i in range(dimension) for j in range(i + 1, dimension)]


@st.composite
def tables(draw):
    """Few rows, repeated rows, collinear or constant columns, units apart, far from zero."""
    d, n = draw(st.integers(1, 4)), draw(st.integers(5, 40))
    rng = np.random.default_rng(draw(st.integers(0, 2**31)))
    data = 3 * rng.normal(size=(3, d))[rng.integers(3, size=n)] + rng.normal(size=(n, d))
    data = np.round(data, draw(st.sampled_from([0, 1, 3, 12])))
    if draw(st.booleans()):
        data = np.column_stack([data, data @ rng.integers(-2, 3, size=(d, 1))])
    units = 10.0 ** (draw(st.integers(-3, 3)) * np.arange(data.shape[1]))
    return (data + draw(st.sampled_from([0.0, -1e3, 1e6]))) * units


@pytest.mark.parametrize("code", CODES)
@given(
    data=tables(),
    k=st.integers(1, 4),
    start=st.sampled_from(sorted(STARTS)),
    seed=st.integers(0, 99),
)
@examples(12)
def test_the_laws_of_em(code, data, k, start, seed):
    if len(np.unique(data, axis=0)) < k:
        return
    steps = laws.run(Mixture(Gaussian(code), k), data, seed, start)
    # Collinear columns bring components to the floor, where the density of a row keeps 16 digits
    # less those of a condition of 1e6: 2e-10 nats, twice what the laws allow for it.
    size = 10 * len(data)
    laws.bound_never_falls(steps, size)
    laws.bound_touches_after_e_and_stays_below_after_m(steps, size)
    laws.gain_is_bound_gain_plus_kl(steps, size)


@pytest.mark.parametrize(
    "units", [[1e-9, 1, 1e9], [1e9, 1e-9, 1e-9], [1e-9, 1e9, 1e9], [1, 1e6, 1]]
)
@pytest.mark.parametrize("code", MCLUST)
def test_em_climbs_where_the_columns_units_are_far_apart(code, units):
    """A short axis may be turned by 1e-18 only, and that counts: EM falls where it is lost."""
    rng = np.random.default_rng(0)
    rows = np.concatenate(
        [rng.normal(size=(60, 3)), rng.normal(size=(50, 3)) @ rng.normal(size=(3, 3)) + 3]
    )
    for seed in range(2):
        result = fit(Mixture(Gaussian(code), 3), rows * units, seed=seed, max_iterations=40)
        heights = [step.log_likelihood for step in result.trace]
        assert result.stop_reason in ("converged", "max_iterations")
        assert np.diff(heights).min() >= -1e-9 * max(map(abs, [*heights, len(rows)]))


@pytest.mark.parametrize("code", MCLUST)
def test_a_constant_column_is_flat_in_every_unit(code):
    """What rounding leaves of it in an axis is measured by the other columns, not by 1."""
    rows = np.random.default_rng(3).normal(size=(40, 3)).round(1)
    rows[:, 1] = 0
    usual = fit(Mixture(Gaussian(code), 3), rows)
    for unit in (1e-6, 1e-8, 1e-12, 1e-20, 1e12):
        result = fit(Mixture(Gaussian(code), 3), rows * unit)
        assert (result.stop_reason, result.n_iterations) == ("converged", usual.n_iterations)
        expected = usual.log_likelihood - rows.size * np.log(unit)
        assert result.log_likelihood == pytest.approx(expected, rel=1e-12)


def test_axes_are_orthogonal_to_the_last_digit_of_their_smallest_entries():
    rng = np.random.default_rng(1)
    square = rng.normal(size=(5, 3, 3))
    for units in (np.array([1e9, 1e-9, 1e-9]), np.array([1e-9, 1, 1e9])):
        matrices = square @ square.swapaxes(-1, -2) * np.outer(units, units)
        axes, values = principal_axes(matrices)
        composed = (axes * values[:, None]) @ axes.swapaxes(-1, -2)
        np.testing.assert_allclose(composed / matrices, 1, rtol=1e-9)
        for i, j in [(0, 1), (0, 2), (1, 2)]:
            terms = axes[..., i] * axes[..., j]
            assert (np.abs(terms.sum(axis=-1)) <= 1e-12 * np.abs(terms).max(axis=-1)).all()
