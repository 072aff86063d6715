"""The chunks of a PNG: what says nothing of its pixels can be left away, where it cannot be read."""

__all__ = ["PNG_MAGIC", "bare_png", "depth_of", "has_all_pixels", "is_grey_with_alpha"]

import struct
import zlib
from collections.abc import Iterator

PNG_MAGIC = b"\x89PNG\r\n\x1a\n"

_ABOUT_PIXELS = (b"tRNS", b"acTL", b"fcTL", b"fdAT")
_SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # of a pixel, by the header's type of colour
# Where the seven passes of an interlaced picture begin, and their distance, each horizontally and vertically.
_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
_PIECE = 1 << 16  # bytes that are unpacked at a time


def bare_png(data: bytes) -> bytes:
    """The PNG without texts, colour profiles and the like, as the standard lets readers do.

    Pillow refuses a whole picture for a text of more than a megabyte, a profile that is not one, or a wrong
    checksum of either. What is critical stays as it is, and so does everything from the first damage on: a
    picture that is cut short stays cut short.

    Args:
        data: The file, with `PNG_MAGIC` at its start.
    """
    kept, end = [data[:8]], 8
    for kind, start, end in _chunks(data):
        if kind[:1].isupper() or kind in _ABOUT_PIXELS or _is_sound_exif(kind, data[start + 4 : end]):
            kept.append(data[start:end])
        if kind == b"IEND":
            return b"".join(kept)  # what follows the end is nobody's
    return b"".join([*kept, data[end:]])


def _chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """The whole chunks: the kind of each, where it starts and where it ends."""
    start = 8
    while start + 12 <= len(data):
        length, kind = struct.unpack(">I4s", data[start : start + 8])
        end = start + 12 + length
        if end > len(data):
            return
        yield kind, start, end
        start = end


def _is_sound_exif(kind: bytes, summed: bytes) -> bool:
    """Whether a chunk may say how the picture is turned; `summed` is its kind, data and checksum."""
    return kind == b"eXIf" and zlib.crc32(summed[:-4]) == int.from_bytes(summed[-4:])


def depth_of(data: bytes) -> int:
    """Bits of a channel, 1 to 16; the header is always the first chunk."""
    return data[24] if len(data) > 24 else 8


def is_grey_with_alpha(data: bytes) -> bool:
    """Whether the header says so: of 16 bits, Pillow has no mode for that, and makes it RGBA."""
    return len(data) > 25 and data[25] == 4


def has_all_pixels(data: bytes) -> bool:
    """Whether the packed data of a PNG whose header is sound are as long as its size wants."""
    width, height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", data[16:29])
    missing = 0
    for left, top, across, down in _PASSES if interlaced else ((0, 0, 1, 1),):
        columns, rows = -(-(width - left) // across), -(-(height - top) // down)
        if columns > 0 and rows > 0:
            missing += rows * (
                1 + (columns * _SAMPLES[colour] * depth + 7) // 8
            )  # a row begins with its filter
    unpack = zlib.decompressobj()
    for kind, start, end in _chunks(data):
        packed = data[start + 8 : end - 4] if kind == b"IDAT" else b""
        while packed and missing > 0 and not unpack.eof:
            missing -= len(unpack.decompress(packed, _PIECE))
            packed = unpack.unconsumed_tail
    return missing <= 0
