"""Results of independent programs: those copied into tests/reference, and those only shared."""

import json
from pathlib import Path

import numpy as np
import pytest

REFERENCE = Path(__file__).parents[1] / "reference"
# Data that may not be copied stay beside the project.
SHARED = Path(__file__).parents[3] / "shared" / "reference"


def case(name: str) -> tuple[dict, np.ndarray]:
    """A case and its data (NaN where missing); skips the test where the data are not there."""
    folder = REFERENCE if (REFERENCE / "cases" / f"{name}.json").exists() else SHARED
    if not folder.exists():
        pytest.skip(f"the data of {name} may not be copied, and {SHARED} is absent")
    content = json.loads((folder / "cases" / f"{name}.json").read_text())
    return content, np.genfromtxt(folder / content["data"]["file"], delimiter=",", skip_header=1)
