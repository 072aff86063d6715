"""Uploaded pictures: what is accepted, and one clear sentence for everything that is not."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from pentimento.bundle.manifest import ImageSpec
from pentimento.service.errors import Code, PentimentoError
from pentimento.service.operations.codec import encode_png
from pentimento.service.operations.image_input import decode_image

GREY = ImageSpec(channels=1, height=6, width=8)
COLOR = ImageSpec(channels=3, height=6, width=8)


def picture(mode: str = "L", size: tuple[int, int] = (8, 6)) -> Image.Image:
    levels = np.random.default_rng(1).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    image = Image.fromarray(levels)
    return Image.fromarray(levels[:, :, 0].astype(np.uint16) * 257) if mode == "I;16" else image.convert(mode)


def save(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def refusal(data: bytes, spec: ImageSpec = GREY, **options) -> str:
    with pytest.raises(PentimentoError) as caught:
        decode_image(data, spec, **options)
    assert caught.value.code is Code.INVALID_ARGUMENT
    assert caught.value.field == options.get("name", "image")
    return caught.value.message


@pytest.mark.parametrize("spec", [GREY, COLOR])
def test_what_the_server_draws_it_also_reads(spec):
    levels = np.random.default_rng(2).integers(0, 256, spec.shape).astype(np.float32) / np.float32(255)
    assert np.array_equal(decode_image(encode_png(levels), spec), levels)


def test_shape_range_and_type():
    image = decode_image(save(picture("RGB")), COLOR)
    assert (image.dtype, image.shape) == (np.float32, (3, 6, 8))
    assert 0 <= image.min() < image.max() <= 1


def test_one_bit_and_jpeg_are_grey_too():
    assert set(np.unique(decode_image(save(picture("1")), GREY))) <= {0.0, 1.0}
    assert decode_image(save(picture("L"), "JPEG"), GREY).shape == (1, 6, 8)


@pytest.mark.parametrize(
    ("mode", "spec", "named"),
    [
        ("RGB", GREY, "RGB"),
        ("RGBA", GREY, "RGB with alpha"),
        ("LA", GREY, "grey with alpha"),
        ("P", GREY, "a palette picture"),
        ("I;16", GREY, "grey (16 bits)"),
        ("L", COLOR, "grey"),
        ("RGBA", COLOR, "RGB with alpha"),
    ],
)
def test_another_mode_needs_fit(mode, spec, named):
    data = save(picture(mode))
    message = refusal(data, spec)
    assert f"got {named};" in message and "fit=resize" in message
    assert decode_image(data, spec, "resize").shape == spec.shape


def test_another_size_needs_fit():
    data = save(picture("L", (9, 6)))
    assert refusal(data) == ("image must be 8x6 pixels (width x height), got 9x6; fit=resize would scale it")
    assert decode_image(data, GREY, "resize").shape == (1, 6, 8)


def test_transparent_grey_is_not_plain_grey():
    data = save(picture("L"), transparency=0)
    assert "with transparency" in refusal(data)
    assert decode_image(data, GREY, "resize").shape == (1, 6, 8)


def test_fit_lays_transparency_on_black():
    clear = Image.new("RGBA", (8, 6), (255, 255, 255, 0))
    assert decode_image(save(clear), COLOR, "resize").max() == 0


def test_fit_keeps_the_high_byte_of_16_bits():
    deep = picture("I;16")
    expected = np.asarray(deep, dtype=np.float64) / 257 / 255
    assert np.allclose(decode_image(save(deep), GREY, "resize")[0], expected, atol=1e-6)


def test_orientation_is_applied():
    exif = Image.Exif()
    exif[0x0112] = 6  # turn clockwise by 90 degrees to view
    data = save(picture("L", (6, 8)), exif=exif)
    turned = np.asarray(picture("L", (6, 8)).transpose(Image.Transpose.ROTATE_270), dtype=np.float32) / 255
    assert np.allclose(decode_image(data, GREY)[0], turned)


@pytest.mark.parametrize(
    ("data", "got"),
    [
        (b"", "0 bytes"),
        (b"hello there", "something else of 11 bytes"),
        (b"<svg xmlns='x'/>", "text of 16 bytes"),
        (save(picture("L"), "GIF"), "a GIF"),
        (save(picture("L"), "WEBP"), "a WebP"),
        (save(picture("L"), "BMP"), "a BMP"),
    ],
)
def test_what_is_not_a_png_or_jpeg_is_refused(data, got):
    message = refusal(data, name="images[1]")
    assert message.startswith("images[1] must be a PNG or JPEG picture, got ")
    assert got in message


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_truncated_pictures_are_refused_wherever_they_end(kind):
    data = save(picture("RGB", (64, 48)), kind)
    spec = ImageSpec(channels=3, height=48, width=64)
    for end in (3, 9, 20, 40, len(data) // 2, len(data) - 30):
        assert "truncated or damaged" in refusal(data[:end], spec) or end < 8


def test_damaged_bytes_never_raise_anything_else():
    data = bytearray(save(picture("RGB", (64, 48))))
    generator = np.random.default_rng(7)
    for _ in range(300):
        spoiled = bytearray(data)
        for position in generator.integers(0, len(data), 4):
            spoiled[position] = generator.integers(0, 256)
        try:
            decode_image(bytes(spoiled), COLOR, "resize")
        except PentimentoError as error:
            assert error.code is Code.INVALID_ARGUMENT


def bomb(width: int, height: int) -> bytes:
    """A PNG whose header promises a huge picture; the data is short."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    pixels = zlib.compress(bytes(1 << 20))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


@pytest.mark.parametrize("fit", ["exact", "resize"])
def test_decompression_bombs_are_refused_by_their_header(fit):
    message = refusal(bomb(60_000, 60_000), fit=fit)
    assert message == "image may have at most 16000000 pixels, got 60000x60000, which is 3600000000"
    assert "limit" in refusal(save(picture("L")), max_pixels=47, fit=fit).replace("at most 47", "limit")


def test_animations_are_refused():
    data = save(picture("L"), save_all=True, append_images=[Image.new("L", (8, 6))])
    assert refusal(data) == "image must be a single picture, got an animation of 2 frames"
