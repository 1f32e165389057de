"""The bytes that carry a picture to the browser; `pages/ui/player/frontend/decode.js` reads them.

    "EMP1" | length of the run's id (uint32) | the id | zlib stream of
        header length (uint32) | header (JSON) | arrays, each padded to 8 bytes | posteriors

What is drawn is packed small (positions as uint16, responsibilities as three bytes a point); what
is read as a number (the curves) stays float64.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from scipy.special import gammaln

from pages.ui.pictures.leaders import Leaders
from pages.ui.pictures.picture import Chart, Marks, Matrix, Picture
from pages.ui.text import sentence

MAGIC = b"EMP1"
ALIGNMENT = 8
POSITION_LEVELS = 65_535
COMPRESSION = 6
# In lengths of an axis.
FARTHEST = 1e30


def pack(picture: Picture) -> bytes:
    """The bytes of a picture. The same picture gives the same bytes."""
    low, span = _extent(picture.positions)
    drawn = np.rint((picture.positions - low) / span * POSITION_LEVELS).astype(np.uint16)
    stored, weights, means, covariances, cells = _distinct_parameters(picture, low, span)
    levels = certainty_levels(len(picture.positions))
    marks = _marks(picture, low, span)
    frames = np.unique(stored, return_index=True)[1]
    arrays = {
        "elbo": np.asarray(picture.elbo, dtype=np.float64),
        "log_likelihood": np.asarray(picture.log_likelihood, dtype=np.float64),
        "weights": weights,
        "means": means,
        "covariances": covariances,
        "cells": cells,
        "marks": _joined([m._replace(values=m.values[frames]) for m in marks if _moves(m)]),
        "still": _joined([m for m in marks if not _moves(m)]),
        "hollow": np.zeros(0, dtype=np.uint8)
        if picture.hollow is None or not picture.hollow.any()
        else picture.hollow.astype(np.uint8),
        "counts": np.zeros(0, dtype=np.float32)
        if picture.counts is None
        else np.asarray(picture.counts, dtype=np.float32),
        "known": np.zeros(0, dtype=np.uint8)
        if picture.known is None
        else picture.known.astype(np.uint8),
        "rows": np.diff(np.asarray(picture.rows, dtype=np.uint32), prepend=np.uint32(0)),
        "positions": _byte_planes(drawn.T),
    }
    arrays |= _heights(picture) | _tails(picture, frames)
    extra = [
        [np.asarray(path, dtype=np.uint8) for path in picture.paths],
        [np.rint(np.clip(size, 0, 1) * (levels - 1)).astype(np.uint8) for size in picture.sizes],
    ]
    planes = [*filter(None, extra)]
    posteriors = [
        own + b"".join(plane.tobytes() for plane in more)
        for own, *more in zip(
            _posterior_deltas(picture.leaders, levels),
            *map(_deltas, planes),
            strict=True,
        )
    ]
    header = _header(picture) | {
        "low": low.tolist(),
        "span": span.tolist(),
        "parameters": stored.tolist(),
        "posteriors": len(posteriors),
        "planes": 3 + len(planes),
        "path": bool(extra[0]),
        "size": bool(extra[1]),
        "levels": levels,
        "arrays": [[name, str(array.dtype), int(array.size)] for name, array in arrays.items()],
    }
    run = picture.run.encode()
    parts = [MAGIC, struct.pack("<I", len(run)), run]
    compressor = zlib.compressobj(level=COMPRESSION)
    for chunk in (*_framed(header), *map(_padded, arrays.values()), *posteriors):
        parts.append(compressor.compress(chunk))
    parts.append(compressor.flush())
    return b"".join(parts)


def run_of(payload: bytes) -> str:
    """The id of the run that a packed picture shows, without unpacking it."""
    (length,) = struct.unpack_from("<I", payload, len(MAGIC))
    return payload[len(MAGIC) + 4 :][:length].decode()


def certainty_levels(n_points: int) -> int:
    """Shades of a responsibility: fewer where nobody can tell single points apart."""
    return 32 if n_points <= 5_000 else 16


def _heights(picture: Picture) -> dict[str, np.ndarray]:
    """The curves of a slice, relative to each frame's log-likelihood: float32 keeps what shows."""
    slice = picture.slice
    if slice is None:
        return {}
    base = np.asarray(picture.log_likelihood)[:, None]
    return {
        "slice_across": _single(slice.across).ravel(),
        "slice_likelihood": _single(slice.likelihood - base).ravel(),
        "slice_bound": _single(slice.bound - base).ravel(),
        "slice_here": slice.here.astype(np.float64),
        "slice_low": slice.low.astype(np.float64),
        "slice_high": slice.high.astype(np.float64),
    }


def _tails(picture: Picture, frames: np.ndarray) -> dict[str, np.ndarray]:
    """Degrees of freedom of t components, and the height of the t density of scale 1 at its mean:
    a browser has no gamma function."""
    if picture.degrees is None:
        return {}
    degrees = np.asarray(picture.degrees, dtype=float)[frames]
    logs = gammaln((degrees + 1) / 2) - gammaln(degrees / 2) - np.log(np.pi * degrees) / 2
    return {"degrees": degrees.astype(np.float32), "peaks": np.exp(logs).astype(np.float32)}


def _header(picture: Picture) -> dict[str, Any]:
    """Everything that is text or small enough to be text."""
    return {
        "columns": list(picture.columns),
        "panels": [list(panel) for panel in picture.panels],
        "components": list(picture.components),
        "points": len(picture.positions),
        "moments": picture.moments,
        "words": dict(picture.words),
        "names": list(picture.names),
        "iterations": np.asarray(picture.iterations).tolist(),
        "phases": list(picture.phases),
        "posterior": np.asarray(picture.posterior).tolist(),
        "captions": list(picture.captions),
        "before": picture.before,
        "flags": [list(map(sentence, flags)) for flags in picture.flags],
        "running": bool(picture.running),
        "note": picture.note,
        "summary": picture.summary,
        "title": picture.title,
        "opening": picture.opening,
        "file": picture.file,
        "movable": picture.movable,
        "slice": picture.slice
        and {
            "title": picture.slice.title,
            "points": picture.slice.across.shape[1],
            "range": list(picture.slice.range),
        },
        "matrices": [
            {
                "rows": list(matrix.rows),
                "columns": list(matrix.columns),
                "low": matrix.low,
                "high": matrix.high,
                "component": matrix.component,
                "title": matrix.title,
                "groups": matrix.groups,
            }
            for matrix in picture.matrices
        ],
        "charts": [
            {
                "title": chart.title,
                "panel": chart.panel,
                "at_end": chart.at_end,
                "x": chart.x and chart.x._asdict(),
                "y": chart.y and chart.y._asdict(),
                "marks": [
                    {
                        "kind": marks.kind,
                        "moves": _moves(marks),
                        "count": marks.values.shape[1],
                        "size": marks.values.shape[2],
                        "components": np.asarray(marks.components).tolist(),
                        "labels": list(marks.labels),
                    }
                    for marks in chart.marks
                ],
            }
            for chart in picture.charts
        ],
        "arrangement": [[share, list(names)] for share, names in picture.arrangement],
        "time": picture.time,
        "dates": picture.dates,
        "ticks": [list(names) for names in picture.ticks],
        "breaks": np.asarray(picture.breaks).tolist(),
    }


def _extent(positions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Origin and length of each axis. Far from zero, float32 would lose the picture without."""
    if not positions.size:
        return np.zeros(positions.shape[1]), np.ones(positions.shape[1])
    low, high = positions.min(axis=0), positions.max(axis=0)
    return low, np.where(high > low, high - low, 1.0)


def _distinct_parameters(
    picture: Picture, low: np.ndarray, span: np.ndarray
) -> tuple[np.ndarray, ...]:
    """Which parameters each frame shows, and the distinct ones relative to the extent of the data.

    An E half-step leaves the parameters alone, so about half of the frames repeat the one before.
    """
    n_frames, _, d = np.shape(picture.means)
    cells = [matrix.values for matrix in picture.matrices]
    degrees = [] if picture.degrees is None else [picture.degrees]
    cells += [m.values for chart in picture.charts for m in chart.marks if _moves(m)]
    flat = np.concatenate(
        [
            np.reshape(part, (n_frames, -1))
            for part in (picture.weights, picture.means, picture.covariances, *cells, *degrees)
        ],
        axis=1,
    )
    is_new = np.concatenate([[True], np.any(flat[1:] != flat[:-1], axis=1)])
    upper = np.triu_indices(d)
    scaled = (np.asarray(picture.covariances)[is_new] / span[:, None] / span)[..., *upper]
    return (
        np.cumsum(is_new) - 1,
        np.asarray(picture.weights, dtype=np.float32)[is_new],
        _single((np.asarray(picture.means)[is_new] - low) / span),
        _single(scaled),
        _shades(picture.matrices, is_new),
    )


def _marks(picture: Picture, low: np.ndarray, span: np.ndarray) -> list[Marks]:
    """All marks, with places relative to the axes: float32 would blur what is far from zero."""
    return [
        marks._replace(values=_relative(chart, marks, picture, low, span))
        for chart in picture.charts
        for marks in chart.marks
    ]


def _relative(
    chart: Chart, marks: Marks, picture: Picture, low: np.ndarray, span: np.ndarray
) -> np.ndarray:
    if chart.x is not None and chart.y is not None:
        origin = np.array([chart.x.low, chart.y.low])
        length = np.array([chart.x.high, chart.y.high]) - origin
    else:
        assert chart.panel is not None, "a chart has axes or lies over a panel"
        i, j = picture.panels[chart.panel]
        origin, length = low[[i, j]], span[[i, j]]
    values = np.array(marks.values, dtype=float)
    ends = 4 if marks.kind in ("segments", "arrows", "bars") else 2
    for end in range(0, ends, 2):
        values[..., end : end + 2] = (values[..., end : end + 2] - origin) / length
    return values


def _joined(marks: Sequence[Marks]) -> np.ndarray:
    """The numbers of marks with as many frames, frame after frame."""
    if not marks:
        return np.zeros(0, dtype=np.float32)
    rows = [m.values.reshape(len(m.values), -1) for m in marks]
    return _single(np.concatenate(rows, axis=1))


def _single(values: np.ndarray) -> np.ndarray:
    """float32 of what is drawn: a finite number far outside the picture stays one."""
    kept = np.where(np.isfinite(values), np.clip(values, -FARTHEST, FARTHEST), values)
    return kept.astype(np.float32)


def _moves(marks: Marks) -> bool:
    return len(marks.values) > 1


def _deltas(planes: Sequence[np.ndarray]) -> Iterable[np.ndarray]:
    """Each plane as its change (XOR) from the one before."""
    before = np.uint8(0)
    for plane in planes:
        yield plane ^ before
        before = plane


def _shades(matrices: Sequence[Matrix], frames: np.ndarray) -> np.ndarray:
    """All matrices' cells as uint16 between their low and high, frame after frame."""
    shades = [
        np.clip((m.values[frames] - m.low) / ((m.high - m.low) or 1.0), 0, 1).reshape(
            int(frames.sum()), -1
        )
        for m in matrices
    ]
    joined = np.concatenate(shades, axis=1) if shades else np.zeros((0, 0))
    return np.rint(joined * POSITION_LEVELS).astype(np.uint16)


def _posterior_deltas(posteriors: Iterable[Leaders], levels: int) -> Iterable[bytes]:
    """Three bytes a point and posterior, as the change from the posterior before: mostly zeros.

    They are the most responsible component, the second (the first again where the second does
    not show) and the quantised certainty. A certainty is left alone until it is clearly nearer to
    another level, or points on a boundary between two levels would flicker and cost bytes.
    """
    before: tuple[np.ndarray, ...] | None = None
    highest = np.float32(levels - 1)
    for first, second, certainty in posteriors:
        exact = certainty * highest
        level = np.rint(exact).astype(np.uint8)
        if before is not None:
            settled = (np.abs(exact - before[2]) <= 0.75) & (level < levels - 1)
            level = np.where(settled, before[2], level)
        second = np.where(level == levels - 1, first, second)
        now = (first, second, level)
        planes = now if before is None else tuple(a ^ b for a, b in zip(now, before, strict=True))
        before = now
        yield b"".join(plane.tobytes() for plane in planes)


def _byte_planes(values: np.ndarray) -> np.ndarray:
    """High bytes of each axis, then low bytes: the high ones compress, the low ones do not."""
    contiguous = np.ascontiguousarray(values, dtype="<u2")
    return np.concatenate([(contiguous >> 8).ravel(), (contiguous & 0xFF).ravel()]).astype(np.uint8)


def _framed(header: dict[str, Any]) -> tuple[bytes, bytes]:
    written = json.dumps(header, ensure_ascii=False, separators=(",", ":"), default=_plain)
    text = written.encode()
    text += b" " * (-(len(text) + 4) % ALIGNMENT)
    return struct.pack("<I", len(text)), text


def _plain(value: Any) -> Any:
    """A number or truth value of NumPy's as Python's."""
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} in the header of a picture")


def _padded(array: np.ndarray) -> bytes:
    """Little-endian bytes, padded so that the browser can lay a typed array over the next one."""
    raw = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<")).tobytes()
    return raw + b"\0" * (-len(raw) % ALIGNMENT)
