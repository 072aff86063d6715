"""Canvases to bytes: what is written is read back with Pillow and numpy."""

import io

import numpy as np
import pytest
from PIL import Image, ImageSequence

from pentimento.bundle.manifest import ImageSpec
from pentimento.service.operations.codec import (
    GAP,
    PAPER,
    animation,
    encode_npy,
    encode_png,
    film_strip,
    picture_pixels,
    to_uint8,
)

GREY = (1, 6, 8)
COLOR = (3, 4, 5)


def canvases(n: int, steps: int, shape: tuple[int, int, int]) -> np.ndarray:
    return np.random.default_rng(3).random((n, steps, *shape), dtype=np.float32)


def read(data: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(data)) as picture:
        return np.asarray(picture)


def test_bytes_round_half_up_and_stay_in_range():
    values = np.array([0, 0.5 / 255, 0.499 / 255, 127.5 / 255, 1, 1.01, -0.01], dtype=np.float32)
    assert to_uint8(values).tolist() == [0, 1, 0, 128, 255, 255, 0]


@pytest.mark.parametrize(("shape", "mode"), [(GREY, "L"), (COLOR, "RGB")])
def test_png_holds_the_canvas(shape, mode):
    canvas = canvases(1, 1, shape)[0, 0]
    data = encode_png(canvas)
    with Image.open(io.BytesIO(data)) as picture:
        picture.verify()
    with Image.open(io.BytesIO(data)) as picture:
        assert (picture.format, picture.mode, picture.size) == ("PNG", mode, (shape[2], shape[1]))
    assert np.array_equal(np.atleast_3d(read(data)), to_uint8(canvas).transpose(1, 2, 0))


@pytest.mark.parametrize("shape", [GREY, COLOR])
@pytest.mark.parametrize("scale", [1, 3])
def test_film_strip_has_a_row_an_image_and_a_column_a_step(shape, scale):
    drawn = canvases(2, 4, shape)
    strip = np.atleast_3d(read(film_strip(drawn, scale)))
    _, height, width = shape
    assert strip.shape[:2] == ((2 * (height + GAP) - GAP) * scale, (4 * (width + GAP) - GAP) * scale)
    top, left = (height + GAP) * scale, 3 * (width + GAP) * scale
    cell = strip[top : top + height * scale, left : left + width * scale]
    sharp = to_uint8(drawn[1, 3]).transpose(1, 2, 0).repeat(scale, axis=0).repeat(scale, axis=1)
    assert np.array_equal(cell, sharp)
    assert (strip[height * scale : top] == PAPER).all()


def test_film_strip_of_one_step_is_a_grid():
    drawn = canvases(5, 1, GREY)
    _, height, width = GREY
    strip = read(film_strip(drawn))
    assert strip.shape == (2 * (height + GAP) - GAP, 3 * (width + GAP) - GAP)
    assert np.array_equal(strip[height + GAP :, width + GAP : 2 * width + GAP], to_uint8(drawn[4, 0, 0]))
    assert (strip[height + GAP :, 2 * (width + GAP) :] == PAPER).all()


@pytest.mark.parametrize("kind", ["gif", "apng"])
@pytest.mark.parametrize("shape", [GREY, COLOR])
def test_animation_shows_the_grid_a_frame_a_step(kind, shape):
    drawn = canvases(3, 4, shape)
    with Image.open(io.BytesIO(animation(drawn, kind, scale=2))) as picture:
        assert picture.format == {"gif": "GIF", "apng": "PNG"}[kind]
        durations, frames = [], []
        for frame in ImageSequence.Iterator(picture):
            frames.append(np.asarray(frame.convert("RGB")))
            durations.append(frame.info["duration"])
    assert len(frames) == 4
    assert durations[-1] > durations[0]
    _, height, width = shape
    assert frames[0].shape[:2] == ((2 * (height + GAP) - GAP) * 2, (2 * (width + GAP) - GAP) * 2)
    last = frames[3][: height * 2 : 2, : width * 2 : 2].astype(int)  # image 0 at step 4
    expected = np.broadcast_to(to_uint8(drawn[0, 3]).transpose(1, 2, 0), last.shape)
    if kind == "gif" and shape == COLOR:
        assert np.abs(last - expected).mean() < 16  # a palette of 256 colours for all pixels of a frame
    else:
        assert np.array_equal(last, expected)
    assert (frames[0][-height * 2 :, -width * 2 :] == PAPER).all()  # three images leave one place blank


@pytest.mark.parametrize("kind", ["gif", "apng"])
def test_animation_of_a_single_step(kind):
    with Image.open(io.BytesIO(animation(canvases(1, 1, GREY), kind))) as picture:
        assert picture.size == (8, 6)


def test_npy_is_float32_with_all_canvases():
    drawn = canvases(2, 3, COLOR).transpose(1, 0, 2, 3, 4)  # not contiguous
    loaded = np.load(io.BytesIO(encode_npy(drawn)), allow_pickle=False)
    assert loaded.dtype == np.float32
    assert np.array_equal(loaded, drawn)


def test_picture_pixels_bounds_what_is_written():
    for n, steps, scale in [(1, 1, 1), (3, 4, 2), (7, 2, 3)]:
        drawn = canvases(n, steps, GREY)
        limit = picture_pixels(n, steps, ImageSpec(channels=1, height=6, width=8), scale)
        assert read(film_strip(drawn, scale)).size <= limit
        with Image.open(io.BytesIO(animation(drawn, "apng", scale))) as picture:
            assert picture.width * picture.height * steps <= limit


class Stop(Exception):
    """Raised by a check."""


@pytest.mark.parametrize("kind", ["gif", "apng"])
def test_an_animation_is_given_up_anywhere_on_the_way(kind):
    canvases = np.random.default_rng(0).random((4, 6, 3, 16, 16), np.float32)
    calls = 0

    def count():
        nonlocal calls
        calls += 1

    whole = animation(canvases, kind, 4, check=count)
    assert whole == animation(canvases, kind, 4)
    most = calls
    assert most > 2 * 6, "while frames are made, and while they are written"
    for number in (1, 7, most // 2, most):
        left = number

        def check():
            nonlocal left
            left -= 1
            if not left:
                raise Stop

        with pytest.raises(Stop):
            animation(canvases, kind, 4, check=check)
