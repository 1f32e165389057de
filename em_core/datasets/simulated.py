"""Examples drawn with a fixed seed, for models whose truth should be known.

Each function gives column names, values (N, D) with NaN where missing, and the true group of every
row.
"""

from __future__ import annotations

import numpy as np

N_VIEWERS, N_FILMS, SHARE_RATED = 600, 40, 0.1
N_SCHOOLS = 30
GENRES = ("action", "drama", "comedy", "documentary")


def film_ratings() -> tuple[tuple[str, ...], np.ndarray, tuple[str, ...]]:
    """Ratings of films by viewers of four tastes, of which one in ten was given.

    Each viewer has a vector of two tastes around that of the group, each film a loading on both;
    a rating is their product with noise, to half a star.
    """
    rng = np.random.default_rng(20)
    centres = 1.5 * np.array([[1, 1], [1, -1], [-1, 1], [-1, -1]])
    group = rng.integers(len(centres), size=N_VIEWERS)
    tastes = centres[group] + 0.5 * rng.standard_normal((N_VIEWERS, 2))
    genre = np.arange(N_FILMS) % len(GENRES)
    loadings = 0.35 * centres[genre] + 0.15 * rng.standard_normal((N_FILMS, 2))
    quality = 3 + 0.4 * rng.standard_normal(N_FILMS)
    ratings = quality + tastes @ loadings.T + 0.4 * rng.standard_normal((N_VIEWERS, N_FILMS))
    ratings = np.clip(np.round(2 * ratings) / 2, 0.5, 5)
    ratings[rng.random(ratings.shape) >= SHARE_RATED] = np.nan
    films = tuple(f"{GENRES[g]} {i // len(GENRES) + 1}" for i, g in enumerate(genre))
    return films, ratings, tuple(f"taste {g + 1}" for g in group)


def pupils_in_schools() -> tuple[tuple[str, ...], np.ndarray, tuple[str, ...]]:
    """Reading and mathematics scores of pupils in schools of very unequal size.

    School means vary with a standard deviation of 4 and 6 points, pupils within a school with 10.
    """
    rng = np.random.default_rng(21)
    sizes = rng.geometric(0.06, size=N_SCHOOLS) + 1
    between = np.array([[16.0, 15.0], [15.0, 36.0]])
    within = np.array([[100.0, 40.0], [40.0, 100.0]])
    schools = rng.multivariate_normal([50, 50], between, size=N_SCHOOLS)
    school = np.repeat(np.arange(N_SCHOOLS), sizes)
    scores = schools[school] + rng.multivariate_normal([0, 0], within, size=len(school))
    names = tuple(f"school {s + 1}" for s in school)
    return ("reading", "mathematics"), np.round(scores, 1), names


def stray_points() -> tuple[tuple[str, ...], np.ndarray, tuple[str, ...]]:
    """Three round clusters of 150 rows, and 30 rows strewn over a square ten times as wide."""
    rng = np.random.default_rng(22)
    centres = np.array([[0.0, 0.0], [7.0, 0.0], [3.5, 6.0]])
    group = np.repeat(np.arange(3), 150)
    rows = centres[group] + rng.standard_normal((len(group), 2))
    strays = rng.uniform(-35, 40, size=(30, 2))
    names = tuple(f"cluster {g + 1}" for g in group) + ("stray",) * len(strays)
    return ("x1", "x2"), np.concatenate([rows, strays]), names


def dishonest_casino() -> tuple[tuple[str, ...], np.ndarray, tuple[str, ...]]:
    """Throws of a fair die and of a loaded one, swapped now and then (Durbin et al. 1998, 3.1)."""
    rng = np.random.default_rng(7)
    loaded = np.zeros(800, dtype=bool)
    for t in range(1, len(loaded)):
        swap = rng.random() < (0.1 if loaded[t - 1] else 0.04)
        loaded[t] = loaded[t - 1] ^ swap
    fair_throws = rng.integers(1, 7, len(loaded))
    loaded_throws = rng.choice(np.arange(1, 7), len(loaded), p=[0.1] * 5 + [0.5])
    throws = np.where(loaded, loaded_throws, fair_throws)
    values = np.column_stack([throws, throws == 6]).astype(float)
    return ("throw", "six"), values, tuple(np.where(loaded, "loaded", "fair").tolist())
