"""Data to explore: real examples kept in `tables/`, and seeded generators with known truth."""

import csv
from pathlib import Path
from typing import NamedTuple

import numpy as np

from em_core.datasets import simulated
from em_core.datasets.dataset import Dataset, Truth
from em_core.datasets.generators import GENERATORS, generate

__all__ = ["EXAMPLES", "GENERATORS", "Dataset", "Truth", "example_title", "generate", "load"]

DATA_DIRECTORY = Path(__file__).parent / "tables"


class Example(NamedTuple):
    """What the file of an example does not say itself."""

    title: str
    label_name: str | None
    units: tuple[str, ...]
    description: str
    source: str


_BASE_R = "R, package datasets"
_MCLUST = "R package mclust"

_EXAMPLES = {
    "faithful": Example(
        "Old Faithful",
        None,
        ("min", "min"),
        "272 eruptions of the Old Faithful geyser in Yellowstone: how long each lasted, and the "
        "wait until the next. Short eruptions are followed by short waits.",
        f"{_BASE_R} (faithful); Azzalini & Bowman 1990",
    ),
    "iris": Example(
        "Iris flowers",
        "species",
        ("cm", "cm", "cm", "cm"),
        "150 iris flowers of three species, four lengths measured on each. Two of the species "
        "overlap.",
        f"{_BASE_R} (iris); Anderson 1935, Fisher 1936",
    ),
    "diabetes": Example(
        "Diabetes",
        "class",
        (),
        "Three blood measurements of 145 people, and the class their doctors put them in: normal, "
        "chemical or overt diabetes.",
        f"{_MCLUST} (diabetes); Reaven & Miller 1979",
    ),
    "wine": Example(
        "Wine",
        "cultivar",
        ("% vol",) + ("",) * 12,
        "Chemical analysis of 178 wines grown in one region of Italy from three cultivars, in 13 "
        "columns.",
        "scikit-learn (load_wine); UCI Machine Learning Repository, Forina et al. 1991",
    ),
    "acidity": Example(
        "Acidity of lakes",
        None,
        ("log(ANC + 50)",),
        "Acidity index of 155 lakes in Wisconsin, one column: the logarithm of the acid "
        "neutralising capacity.",
        f"{_MCLUST} (acidity); Crawford et al. 1992",
    ),
    "precip": Example(
        "Rainfall of cities",
        None,
        ("in",),
        "Average yearly rainfall of 70 cities in the United States, one column.",
        f"{_BASE_R} (precip); McNeil 1977",
    ),
    "rivers": Example(
        "Lengths of rivers",
        None,
        ("mi",),
        "Lengths of 141 rivers in North America, one column with a long upper tail.",
        f"{_BASE_R} (rivers); McNeil 1977",
    ),
    "usarrests": Example(
        "Arrests in US states",
        None,
        ("per 100,000", "per 100,000", "%", "per 100,000"),
        "Arrests for three crimes and the share of the population living in cities, in the 50 "
        "states of the USA in 1973.",
        f"{_BASE_R} (USArrests); McNeil 1977",
    ),
    "airquality": Example(
        "Air quality",
        None,
        ("ppb", "Ly", "mph", "°F"),
        "Air in New York on 153 days of summer 1973. 42 days have no ozone or no solar radiation "
        "value.",
        f"{_BASE_R} (airquality); Chambers et al. 1983",
    ),
    "cross": Example(
        "Cross",
        "arm",
        (),
        "500 simulated points on two long thin clusters that cross: which one a point at the "
        "crossing belongs to can't be known.",
        f"{_MCLUST} (cross)",
    ),
    "wreath": Example(
        "Wreath",
        None,
        (),
        "1,000 simulated points in 14 clusters set round a circle, each turned another way.",
        f"{_MCLUST} (wreath)",
    ),
    "digits": Example(
        "Handwritten digits",
        "digit",
        (),
        "1,797 handwritten digits as pictures of 8 x 8 pixels, each black (1) or white (0).",
        "scikit-learn (load_digits), thresholded at half of full ink; UCI Machine Learning "
        "Repository, Alpaydin & Kaynak 1998, CC BY 4.0",
    ),
    "lsat6": Example(
        "Law school test",
        None,
        (),
        "1,000 people's answers to five questions of a law school admission test: right (1) or "
        "wrong (0).",
        "R package psych (bock); Bock & Lieberman 1970",
    ),
    "earthquakes": Example(
        "Earthquakes",
        None,
        ("", "per year"),
        "Number of earthquakes of magnitude 7 and more in the world, every year from 1900 to 2006.",
        "Zucchini & MacDonald 2009",
    ),
    "geyser": Example(
        "Old Faithful, one after another",
        None,
        ("min", "min"),
        "299 eruptions of the Old Faithful geyser in a row, August 1985: the wait before each, and "
        "how long it lasted.",
        "R package MASS (geyser); Azzalini & Bowman 1990",
    ),
    "ability": Example(
        "Ability tests",
        None,
        (),
        "Six ability and intelligence tests. Only their covariances over 112 people were "
        "published; these 112 rows were drawn to have exactly those.",
        f"{_BASE_R} (ability.cov); Smith & Stanley 1983",
    ),
    "ratings": Example(
        "Film ratings",
        "taste",
        (),
        "Ratings of 40 films by 600 viewers of four tastes; nine in ten are missing.",
        "simulated with a fixed seed (em_core.datasets.simulated)",
    ),
    "pupils": Example(
        "Pupils in schools",
        "school",
        ("points", "points"),
        "Test scores of pupils in 30 schools, some with a handful of pupils, some with many.",
        "simulated with a fixed seed (em_core.datasets.simulated)",
    ),
    "strays": Example(
        "Clusters and strays",
        "origin",
        (),
        "Three round clusters, and 30 points strewn far around them.",
        "simulated with a fixed seed (em_core.datasets.simulated)",
    ),
    "casino": Example(
        "The dishonest casino",
        "die",
        (),
        "800 throws of a die, and whether each was a six. Now and then the casino swaps its fair "
        "die for one that throws a six half of the time.",
        "simulated with a fixed seed (em_core.datasets.simulated), after Durbin et al. 1998",
    ),
}
_SIMULATED = {
    "ratings": simulated.film_ratings,
    "pupils": simulated.pupils_in_schools,
    "strays": simulated.stray_points,
    "casino": simulated.dishonest_casino,
}

EXAMPLES: tuple[str, ...] = tuple(_EXAMPLES)


def example_title(name: str) -> str:
    """The name of an example as a person reads it; ValueError for an unknown one."""
    return _example(name).title


def load(name: str) -> Dataset:
    """Read one of `EXAMPLES`: values (N, D), labels where known; ValueError for an unknown name."""
    example = _example(name)
    columns, values, labels = _SIMULATED[name]() if name in _SIMULATED else _read(name, example)
    return Dataset(
        example.title,
        columns,
        values,
        labels,
        example.label_name,
        example.description,
        example.source,
        None,
        example.units,
    )


def _read(name: str, example: Example) -> tuple:
    """Columns, values and labels of the example's file."""
    with open(DATA_DIRECTORY / f"{name}.csv", newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    labels = None
    if example.label_name is not None:
        position = header.index(example.label_name)
        labels = tuple(row.pop(position) for row in rows)
        header.pop(position)
    if header == ["bitmap"]:
        return *_pixels([row[0] for row in rows]), labels
    values = np.array([[float(cell) if cell else np.nan for cell in row] for row in rows])
    return tuple(header), values, labels


def _pixels(bitmaps: list[str]) -> tuple[tuple[str, ...], np.ndarray]:
    """Square pictures of black and white pixels, written row by row as hexadecimal digits."""
    packed = np.frombuffer(bytes.fromhex("".join(bitmaps)), dtype=np.uint8)
    values = np.unpackbits(packed).reshape(len(bitmaps), -1).astype(float)
    side = range(1, 1 + round(values.shape[1] ** 0.5))
    return tuple(f"row {i} pixel {j}" for i in side for j in side), values


def _example(name: str) -> Example:
    if name not in _EXAMPLES:
        raise ValueError(f"There is no example {name!r}: choose one of {', '.join(EXAMPLES)}.")
    return _EXAMPLES[name]
