"""Noise from a seed: the same arrays in training and serving, whatever the batch.

Each (seed, noise name, row) has a Philox-4x64 counter stream of its own (Salmon et al., 2011, "Parallel
random numbers: as easy as 1, 2, 3"). So row i of a request does not depend on how many rows were asked for,
on batch mates, or on other noises; and a drawing of 3 steps starts with the draws of a drawing of 5.

numpy promises that a bit generator's stream never changes, but not so for `Generator.normal`; therefore the
normals are made here from the raw bits, by the Box-Muller transform in float64.
"""

__all__ = ["MAX_SEED", "draw", "draw_noise", "noise_shape"]

import threading
import zlib
from collections.abc import Mapping, Sequence
from math import prod

import numpy as np
from numpy.typing import NDArray

from pentimento.bundle.manifest import Drawing, GraphSpec, NoiseSpec

MAX_SEED = 2**63 - 1  # the largest int64: seeds travel through protobuf and JSON as signed integers

_DOUBLE = 1.0 / (1 << 53)
_AT_ONCE = 1 << 16  # numbers that are drawn together: each takes some fifty bytes while it is made
_BLOCK = 4  # words that Philox makes for one count


class _Streams(threading.local):
    """One bit generator for each thread: making one takes as long as drawing a hundred numbers."""

    def __init__(self) -> None:
        self.philox = np.random.Philox(0)  # from a number only so as not to ask the system for entropy


_STREAMS = _Streams()


def draw(
    seed: int, name: str, shape: Sequence[int], *, rows: range, prior: str = "normal", start: int = 0
) -> NDArray[np.float32]:
    """Draws noise for some rows of a request.

    Args:
        seed: Seed of the request, in [0, MAX_SEED].
        name: Name of the noise; noises of different names are independent.
        shape: Shape for one row.
        rows: Indices of the rows within the request.
        prior: `normal`, N(0, 1), or `uniform`, in (0, 1).
        start: Numbers of each row that were drawn before: with it, a long row can be drawn in parts.

    Returns:
        Array of shape (len(rows), *shape).
    """
    if not 0 <= seed <= MAX_SEED:
        raise ValueError(f"seed must be 0..{MAX_SEED}, got {seed}")
    if prior not in ("normal", "uniform"):
        raise ValueError(f"prior must be normal or uniform, got {prior!r}")
    size = prod(shape)
    key = np.array([seed, zlib.crc32(name.encode())], dtype=np.uint64)
    if len(rows) * size <= _AT_ONCE:
        return _draw(key, rows, start, start + size, prior).reshape(len(rows), *shape)
    values = np.empty((len(rows), size), dtype=np.float32)
    together = max(1, _AT_ONCE // size)
    for row in range(0, len(rows), together):
        for at in range(0, size, _AT_ONCE):
            part = values[row : row + together, at : at + _AT_ONCE]
            first = start + at
            part[:] = _draw(key, rows[row : row + together], first, first + part.shape[1], prior)
    return values.reshape(len(rows), *shape)


def _draw(key: NDArray[np.uint64], rows: range, start: int, stop: int, prior: str) -> NDArray[np.float32]:
    """The numbers `start` to `stop` (exclusive) of each row's stream, (len(rows), stop - start)."""
    block, skipped = divmod(start, _BLOCK)
    words = stop + stop % 2 - block * _BLOCK  # a pair of words makes a pair of normals
    bits = np.empty((len(rows), words), dtype=np.uint64)
    buffer = np.zeros(_BLOCK, dtype=np.uint64)
    generator = _STREAMS.philox
    for i, row in enumerate(rows):
        # The row sits in the counter's highest word, so streams of different rows can never overlap.
        counter = np.array([block, 0, 0, row], dtype=np.uint64)
        generator.state = {  # at that counter, with the buffer of four words used up
            "bit_generator": "Philox",
            "state": {"counter": counter, "key": key},
            "buffer": buffer,
            "buffer_pos": _BLOCK,
            "has_uint32": 0,
            "uinteger": 0,
        }
        bits[i] = generator.random_raw(words)
    # + 0.5 keeps the uniforms inside the open interval (0, 1), so the logarithm below is finite.
    uniform = ((bits >> np.uint64(11)).astype(np.float64) + 0.5) * _DOUBLE
    wanted = slice(skipped, skipped + stop - start)
    if prior == "uniform":
        # float32 rounding could reach 1.0, and u < p must never hold for p = 0: stay strictly inside.
        return np.clip(uniform[:, wanted].astype(np.float32), np.float32(2**-24), np.float32(1 - 2**-24))
    radius = np.sqrt(-2.0 * np.log(uniform[:, 0::2]))
    angle = 2.0 * np.pi * uniform[:, 1::2]
    pairs = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=-1)
    return pairs.reshape(len(rows), -1)[:, wanted].astype(np.float32)


def draw_noise(
    drawing: Drawing,
    graphs: Mapping[str, GraphSpec],
    *,
    seed: int,
    rows: range,
    steps: int,
    seeds: Mapping[str, int] | None = None,
    given: Mapping[str, NDArray[np.float32]] | None = None,
) -> dict[str, NDArray[np.float32]]:
    """Draws all the noise of some rows of a drawing, up front.

    Args:
        drawing: The drawing of a manifest.
        graphs: The manifest's graphs.
        seed: Seed of the request.
        rows: Row indices within the request.
        steps: Canvases shown.
        seeds: Seeds by noise name, for noises whose seed is not that of the request.
        given: Explicit noise by name, for all rows of the range; it is used as it is.

    Returns:
        By noise name, (len(rows), *shape) or, for noise per call, (len(rows), calls, *shape).
    """
    noise: dict[str, NDArray[np.float32]] = {}
    for spec in drawing.noise:
        if given is not None and spec.name in given:
            noise[spec.name] = given[spec.name]
        else:
            shape = noise_shape(drawing, graphs, spec, steps)
            own = (seeds or {}).get(spec.name, seed)
            noise[spec.name] = draw(own, spec.name, shape, rows=rows, prior=spec.prior)
    return noise


def noise_shape(
    drawing: Drawing, graphs: Mapping[str, GraphSpec], spec: NoiseSpec, steps: int
) -> tuple[int, ...]:
    """Shape of the noise `spec` for one row of a drawing of `steps` canvases: shape, or (calls, *shape)."""
    calls = drawing.noise_calls(spec, steps, dict(graphs))
    return spec.shape if calls is None else (calls, *spec.shape)
