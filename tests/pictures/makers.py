"""Makes pictures byte by byte, where no library would write them so."""

import io
import struct
import zlib

import numpy as np
from PIL import Image

GREY = np.tile(np.arange(28, dtype=np.uint8) * 9, (28, 1))
"""A ramp from black to nearly white, 28x28."""


def chunk(kind, data, checksum=None):
    """A chunk of a PNG; with another checksum, if one is given."""
    summed = zlib.crc32(kind + data) if checksum is None else checksum
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", summed)


def png(pixels, *extra, depth=8, colour=0, size=(28, 28)):
    """A PNG of `pixels`, an array of rows as they lie in the file, with more chunks before them."""
    header = struct.pack(">IIBBBBB", *size, depth, colour, 0, 0, 0)
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    body = chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + b"".join(extra) + body


def save(image, kind="PNG", **options):
    """The bytes of an image's file."""
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def turned(orientation, size=(28, 28)):
    """A JPEG, half white, with this EXIF orientation."""
    half = Image.new("L", size)
    half.paste(255, (0, 0, size[0] // 2, size[1]))
    exif = Image.Exif()
    exif[0x0112] = orientation
    return save(half, "JPEG", exif=exif, quality=95)


def modes():
    """A file in each mode that a PNG or JPEG can have, by name."""
    random = np.random.default_rng(3)
    colour = random.integers(0, 256, (28, 28, 3), dtype=np.uint8)
    alpha = random.integers(0, 256, (28, 28), dtype=np.uint8)
    rgb, deep = Image.fromarray(colour), random.integers(0, 65536, (28, 28)).astype(np.uint16)
    palette = rgb.quantize(16)
    files = {
        "1": save(rgb.convert("1")),
        "L": save(rgb.convert("L")),
        "LA": save(Image.fromarray(np.stack([colour[..., 0], alpha], -1))),
        "RGB": save(rgb),
        "RGBA": save(Image.fromarray(np.dstack([colour, alpha]))),
        "P": save(palette),
        "P with transparency": save(palette, transparency=3),
        "P with alpha": save(palette, transparency=bytes(range(0, 256, 16))),
        "L with transparency": save(Image.fromarray(GREY), transparency=9),
        "1 with transparency": png(np.full((28, 4), 0xF0, np.uint8), chunk(b"tRNS", b"\0\1"), depth=1),
        "2 bits with transparency": png(np.full((28, 7), 0xE4, np.uint8), chunk(b"tRNS", b"\0\3"), depth=2),
        "4 bits": png(np.full((28, 14), 0xF3, np.uint8), depth=4),
        "I;16": save(Image.fromarray(deep)),
        "I;16 with transparency": png(
            np.full((28, 28), 0x80FF, ">u2"), chunk(b"tRNS", b"\x80\xff"), depth=16
        ),
        "RGB of 16 bits": png(np.full((28, 84), 0x80FF, ">u2"), depth=16, colour=2),
        "RGB of 16 bits with transparency": png(
            np.full((28, 84), 0x80FF, ">u2"), chunk(b"tRNS", b"\x80\xff" * 3), depth=16, colour=2
        ),
        "LA of 16 bits": png(np.full((28, 56), 0x80FF, ">u2"), depth=16, colour=4),
        "JPEG": save(rgb, "JPEG"),
        "grey JPEG": save(rgb.convert("L"), "JPEG"),
        "CMYK": save(rgb.convert("CMYK"), "JPEG"),
    }
    return files | {f"EXIF {way}": turned(way) for way in range(1, 9)}
