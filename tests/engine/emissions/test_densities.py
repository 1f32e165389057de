"""A density that the player draws is the model's own: its scripts against the engine."""

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from em_core import fit
from em_core.search.identified import log_densities
from pages.ui.families.table import family_of, model_for
from pages.ui.pictures.payload import pack
from pages.ui.state.scenes import scene_of
from pages.ui.state.settings import Settings
from support.runs import read

DRAWN = Path(__file__).parents[2] / "frontend" / "drawn.mjs"
PLACES = 21


@pytest.mark.skipif(shutil.which("node") is None, reason="needs Node")
@pytest.mark.parametrize("columns", [("waiting",), ("eruptions", "waiting")], ids=len)
@pytest.mark.parametrize(
    "chosen",
    [
        {"family": "student-mixture", "degrees": "1"},
        {"family": "student-mixture", "degrees": "3"},
        {"family": "student-mixture", "degrees": "estimated"},
        {"family": "student-mixture", "degrees": "3", "standardise": True},
        {"family": "gaussian-mixture"},
        {"family": "gaussian-mixture", "standardise": True},
    ],
    ids=lambda chosen: " ".join(map(str, chosen.values())),
)
def test_a_density_drawn_is_the_models_own(chosen, columns, tmp_path: Path) -> None:
    settings = Settings(source="example", example="faithful", columns=columns, **chosen)
    table, selection = read(settings)
    model = model_for(settings, selection.values)
    made = fit(model, selection.values, seed=0)
    scene = scene_of(
        "run", made.model, selection.values, list(made.trace), selection, settings,
        most=1000, running=False, opening="", table=table,
    )  # fmt: skip
    picture, _ = family_of(settings).picture(scene)
    (tmp_path / "picture").write_bytes(pack(picture))
    low, high = selection.values.min(axis=0), selection.values.max(axis=0)
    places = [np.linspace(a, b, PLACES) for a, b in zip(low, high, strict=True)]
    asked = json.dumps([places[0].tolist(), places[1].tolist() if len(places) > 1 else []])
    command = ["node", DRAWN, tmp_path / "picture", asked]
    out = subprocess.run(command, capture_output=True, text=True, check=True)
    drawn = json.loads(out.stdout)
    if len(places) == 1:
        rows = places[0][:, None]
        expected, found = np.exp(log_densities(model, made.params, rows)), drawn["along"]
    else:
        up, across = np.meshgrid(places[1], places[0], indexing="ij")
        rows = np.column_stack([across.ravel(), up.ravel()])
        expected, found = np.exp(log_densities(model, made.params, rows)), drawn["grid"]
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4 * expected.max())
