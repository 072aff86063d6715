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


class _Streams(threading.local):
    """One bit generator for each thread: making one takes as long as drawing a hundred numbers."""

    def __init__(self) -> None:
        self.philox = np.random.Philox(0)  # from a number only so as not to ask the system for entropy


_STREAMS = _Streams()


def draw(
    seed: int, name: str, shape: Sequence[int], *, rows: range, prior: str = "normal"
) -> NDArray[np.float32]:
    """Draws noise for some rows of a request.

    Args:
        seed: Seed of the request, in [0, MAX_SEED].
        name: Name of the noise; noises of different names are independent.
        shape: Shape for one row.
        rows: Indices of the rows within the request.
        prior: `normal`, N(0, 1), or `uniform`, in (0, 1).

    Returns:
        Array of shape (len(rows), *shape).
    """
    if not 0 <= seed <= MAX_SEED:
        raise ValueError(f"seed must be 0..{MAX_SEED}, got {seed}")
    size = prod(shape)
    bits = np.empty((len(rows), size + size % 2), dtype=np.uint64)
    key = np.array([seed, zlib.crc32(name.encode())], dtype=np.uint64)
    buffer = np.zeros(4, dtype=np.uint64)
    generator = _STREAMS.philox
    for i, row in enumerate(rows):
        # The row sits in the counter's highest word, so streams of different rows can never overlap.
        counter = np.array([0, 0, 0, row], dtype=np.uint64)
        generator.state = {  # at that counter, with the buffer of four words used up
            "bit_generator": "Philox",
            "state": {"counter": counter, "key": key},
            "buffer": buffer,
            "buffer_pos": 4,
            "has_uint32": 0,
            "uinteger": 0,
        }
        bits[i] = generator.random_raw(size + size % 2)
    # + 0.5 keeps the uniforms inside the open interval (0, 1), so the logarithm below is finite.
    uniform = ((bits >> np.uint64(11)).astype(np.float64) + 0.5) * _DOUBLE
    if prior == "uniform":
        # float32 rounding could reach 1.0, and u < p must never hold for p = 0: stay strictly inside.
        values = np.clip(uniform[:, :size].astype(np.float32), np.float32(2**-24), np.float32(1 - 2**-24))
    elif prior == "normal":
        radius = np.sqrt(-2.0 * np.log(uniform[:, 0::2]))
        angle = 2.0 * np.pi * uniform[:, 1::2]
        pairs = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=-1)
        values = pairs.reshape(len(rows), -1)[:, :size].astype(np.float32)
    else:
        raise ValueError(f"prior must be normal or uniform, got {prior!r}")
    return values.reshape(len(rows), *shape)


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
