"""Transparency in every way that a PNG may have it, as a mask and left out."""

import io

import numpy as np
import pytest
from PIL import Image

from pentimento.pictures.errors import PictureError
from pentimento.pictures.reading import read_picture
from pentimento.pictures.transparency import to_alpha, without_alpha

CLEAR = np.array([[True, False], [False, False]])
ALPHA = np.where(CLEAR, 0, 255).astype(np.uint8)
GREY = np.array([[9, 80], [160, 240]], np.uint8)


def read(image, **options):
    buffer = io.BytesIO()
    image.save(buffer, "PNG", **options)
    return read_picture(buffer.getvalue(), 100)


def picture(mode):
    grey = Image.fromarray(GREY)
    if mode in ("LA", "RGBA"):
        image = grey.convert(mode)
        image.putalpha(Image.fromarray(ALPHA))
        return read(image)
    if mode == "P":  # a palette of four colours
        image = Image.fromarray(np.arange(4, dtype=np.uint8).reshape(2, 2)).convert("P")
        image.putpalette(np.repeat(GREY.ravel(), 3).tolist())
        return read(image, transparency=0)
    return read(grey.convert(mode), transparency=9 if mode == "L" else (9, 9, 9))


@pytest.mark.parametrize("mode", ["LA", "RGBA", "P", "L", "RGB"])
def test_every_kind(mode):
    found = picture(mode)
    assert found.is_transparent
    assert np.array_equal(to_alpha(found), ALPHA)
    opaque = without_alpha(found)
    assert not opaque.is_transparent
    assert np.array_equal(np.asarray(opaque.image.convert("L")), GREY)


def test_a_picture_without_is_no_mask_and_stays_as_it_is():
    found = read(Image.fromarray(GREY))
    assert without_alpha(found) is found
    with pytest.raises(PictureError, match="must have transparent pixels, which are drawn, got grey"):
        to_alpha(found)


def test_sixteen_bits_are_no_mask():
    deep = read(Image.fromarray(GREY.astype(np.uint16) * 257), transparency=9 * 257)
    with pytest.raises(PictureError, match="must have 8 bits a channel"):
        to_alpha(deep)
    assert not without_alpha(deep).is_transparent
