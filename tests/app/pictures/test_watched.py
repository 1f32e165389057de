"""While a run is watched, its picture is made again and again: only what is new is worked out."""

import numpy as np
import pytest

from pages.ui.families.table import family_of
from pages.ui.pictures.frames import frames_shown
from pages.ui.pictures.payload import pack
from pages.ui.state.changes import changed
from pages.ui.state.settings import Settings
from support.runs import begun, read, started


@pytest.mark.parametrize(
    ("family", "example", "axes"),
    [
        ("gaussian-mixture", "faithful", ""),
        ("student-mixture", "faithful", ""),
        ("gaussian-hmm", "geyser", "series"),
        ("gaussian-hmm", "geyser", "columns"),
    ],
)
def test_half_steps_seen_before_are_not_looked_at_again(family, example, axes, monkeypatch) -> None:
    settings = changed(Settings(), family=family, example=example, axes=axes)
    _, _, scene = started(settings, 12)
    looked_at = []
    posterior = type(scene.model).posterior

    def watched(model, params, *told, **more):
        looked_at.append(params)
        return posterior(model, params, *told, **more)

    monkeypatch.setattr(type(scene.model), "posterior", watched)
    kept: dict = {}
    counts = []
    n_steps = len(scene.steps)
    for n in (5, 9, n_steps, n_steps):
        looked_at.clear()
        now = scene._replace(steps=scene.steps[:n], running=True, kept=kept)
        payload = pack(family_of(settings).picture(now)[0])
        counts.append(len(looked_at))
        assert payload == pack(family_of(settings).picture(now._replace(kept=None))[0])
    each = counts[0] / 3  # of the E half-steps 0, 1 and 2
    assert n_steps > 11 and counts == [3 * each, 2 * each, (n_steps - 9) // 2 * each, 0]


@pytest.mark.parametrize("family", ["gaussian-mixture", "student-mixture"])
def test_rows_with_holes_are_filled_for_new_half_steps_only(family, monkeypatch) -> None:
    settings = changed(Settings(), family=family, example="faithful")
    table, selection = read(settings)
    values = selection.values.copy()
    values[::9, 0] = np.nan
    scene = begun(settings, table, selection._replace(values=values), 12)
    holes = int(np.isnan(scene.values[scene.sample]).sum())
    filled = []
    impute = type(scene.model).impute

    def watched(model, params, rows):
        filled.append(len(rows))
        return impute(model, params, rows)

    monkeypatch.setattr(type(scene.model), "impute", watched)
    kept: dict = {}
    n_steps = len(scene.steps)
    for n, new in ((5, 3), (9, 2), (n_steps, (n_steps - 9) // 2), (n_steps, 0)):
        now = scene._replace(steps=scene.steps[:n], running=True, kept=kept)
        filled.clear()
        payload = pack(family_of(settings).picture(now)[0])
        # All rows as they are at the end, and of each new half-step those with holes.
        assert filled == [len(values), *[holes] * new]
        assert payload == pack(family_of(settings).picture(now._replace(kept=None))[0])


@pytest.mark.parametrize("n_points", [0, 2_000, 50_000])
def test_frames_of_a_growing_run_stay_the_frames(n_points: int) -> None:
    most = len(frames_shown(1_000_001, n_points))
    for iterations in (400, 1_000, 5_000):
        now = frames_shown(2 * iterations + 1, n_points, running=True)
        then = frames_shown(2 * iterations + 9, n_points, running=True)
        assert most / 2 < len(now) <= most + 2
        assert np.all(np.diff(now) > 0) and now[-1] == 2 * iterations
        assert len(np.setdiff1d(now, then)) <= 2  # but for the last iteration
