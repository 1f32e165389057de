"""The player's scripts by themselves, in Node: tests/frontend."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pages.ui.pictures.payload import certainty_levels, pack
from support.packed import unpack
from support.picture_demo import demo_picture

FRONTEND = Path(__file__).parents[2] / "frontend"
pytestmark = pytest.mark.skipif(shutil.which("node") is None, reason="needs Node")


def expected(picture, packed: bytes) -> dict:
    """What the player should find in a packed picture: what went in; posteriors as Python reads."""
    read = unpack(packed)
    planes = [
        dict(zip(("first", "second", "level"), each, strict=True)) for each in read["posteriors"]
    ]
    parts = zip(picture.weights, picture.means, picture.covariances, strict=True)
    return {
        "run": picture.run,
        "columns": picture.columns,
        "components": picture.components,
        "phases": picture.phases,
        "captions": picture.captions,
        "frames": len(picture.phases),
        "levels": certainty_levels(len(picture.positions)),
        "elbo": picture.elbo,
        "log_likelihood": picture.log_likelihood,
        "rows": picture.rows,
        "iterations": picture.iterations,
        "positions": picture.positions.T,
        "posteriors": [planes[at] for at in picture.posterior],
        "parameters": [
            [
                {"weight": weight, "mean": mean, "covariance": covariance}
                for weight, mean, covariance in zip(*of_frame, strict=True)
            ]
            for of_frame in parts
        ],
    }


def test_the_scripts_keep_what_their_tests_say(tmp_path: Path) -> None:
    picture = demo_picture(303, n_components=4, n_iterations=12, n_columns=3)
    picture = picture._replace(
        rows=np.arange(303)[::-1] * 7 + 1,
        columns=("a<b>", "ü $x$", "z"),
    )
    packed = pack(picture)
    (tmp_path / "picture").write_bytes(packed)
    (tmp_path / "expected.json").write_text(
        json.dumps(expected(picture, packed), default=lambda array: array.tolist())
    )
    done = subprocess.run(
        ["node", "--test", "--test-reporter=tap", *map(str, sorted(FRONTEND.glob("*.test.mjs")))],
        env=os.environ | {"PACKED": str(tmp_path)}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_an_animation_is_read_by_others_as_it_was_written(tmp_path: Path) -> None:
    """Noise fills the dictionary of codes several times over; the last frame repeats a half."""
    rng = np.random.default_rng(0)
    palette = rng.integers(0, 32, size=(200, 3)) * 8
    frames = palette[rng.integers(200, size=(3, 60, 80))]
    frames[2, :30] = frames[1, :30]
    opaque = np.concatenate([frames, np.full((3, 60, 80, 1), 255)], axis=3).astype(np.uint8)
    (tmp_path / "frames").write_bytes(opaque.tobytes())
    command = ["node", FRONTEND / "gif.mjs", tmp_path / "frames", tmp_path / "made.gif", "80", "60"]
    subprocess.run(command, check=True)
    with Image.open(tmp_path / "made.gif") as animation:
        assert (animation.n_frames, animation.size) == (3, (80, 60))
        assert animation.info["loop"] == 0
        for at, frame in enumerate(frames):
            animation.seek(at)
            assert animation.info["duration"] == 100 * (at + 1)
            np.testing.assert_array_equal(np.asarray(animation.convert("RGB")), frame)
