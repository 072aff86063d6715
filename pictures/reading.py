"""Reads a picture: its header before its pixels, the right way up, whatever its metadata are.

Decoding is plain computing and blocks for up to some tenths of a second: call it off an event loop.
"""

__all__ = ["Picture", "read_picture"]

import io
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, UnidentifiedImageError

from pentimento.pictures.errors import PictureError, other_size
from pentimento.pictures.formats import HEAD_BYTES, UPLOAD_FORMATS, format_of, name_of
from pentimento.pictures.png import PNG_MAGIC, bare_png, depth_of, has_all_pixels, is_grey_with_alpha

_START_OF_SCAN = b"\xff\xda"  # within a scan FF is followed by 00
_MAX_SCANS = 100  # of a JPEG; progressive ones have ten or so
_ORIENTATION = 0x0112  # the EXIF tag
_BITS_PER_SAMPLE = 258  # the TIFF tag
# By orientation, what turns the stored picture into the one that was seen. Pillow's own function also writes
# the EXIF anew, and a picture whose EXIF cannot be written is not a damaged one.
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_ON_THEIR_SIDE = (5, 6, 7, 8)
_KINDS = {
    "1": "grey (1 bit)",
    "L": "grey",
    "LA": "grey with alpha",
    "I": "grey (16 bits)",
    "I;16": "grey (16 bits)",
    "P": "a palette picture",
    "RGB": "RGB",
    "RGBA": "RGB with alpha",
    "CMYK": "CMYK",
}

# `read_picture` compares the size with its own limit before any pixel is decompressed; Pillow's process-wide
# limit would only add a second message for the same thing.
Image.MAX_IMAGE_PIXELS = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Picture:
    """A picture as its file has it, upright."""

    image: Image.Image  # decoded, in any of Pillow's modes
    format: str  # of the file, such as PNG
    bits: int  # of a channel in the file; of more than 8, Pillow keeps colours' high byte only
    turned: bool = False  # by its orientation
    grey: bool = False  # whether the file has grey alone, where Pillow's mode is one of colours

    @property
    def kind(self) -> str:
        """What messages call its colours, such as "RGB with alpha" or "grey (16 bits)"."""
        mode = "LA" if self.grey else self.image.mode
        kind = _KINDS.get(mode, mode)
        if self.bits > 8 and "bits" not in kind:
            kind += f" ({self.bits} bits)"
        return f"{kind} with transparency" if "transparency" in self.image.info else kind

    @property
    def is_transparent(self) -> bool:
        """Whether it says what is to be seen through, be it nothing."""
        return self.image.mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in self.image.info

    @property
    def has_colour(self) -> bool:
        """Whether it may have colours; a palette counts as colours if one of its entries is none of grey."""
        if self.grey:
            return False
        if self.image.mode in ("P", "PA"):
            palette = self.image.getpalette("RGB") or []
            return not palette[0::3] == palette[1::3] == palette[2::3]
        return self.image.mode not in ("1", "L", "LA", "La", "I", "F") and not self.image.mode.startswith(
            "I;"
        )


def read_picture(
    data: bytes,
    max_pixels: int,
    *,
    exactly: tuple[int, int] | None = None,
    formats: Sequence[str] = UPLOAD_FORMATS,
    wanted: str = "a PNG or JPEG picture",
) -> Picture:
    """Reads a picture file.

    An EXIF orientation is applied. Metadata that cannot be read are ignored: the pixels are the same without.

    Args:
        data: The file.
        max_pixels: Pixels that it may have; checked before it is decompressed.
        exactly: The only (width, height) that is of use: another one is not decompressed either.
        formats: Pillow's names of the formats that are taken.
        wanted: What a message calls these.

    Raises:
        Misfit: It is of another size than `exactly`.
        PictureError: It is in another format, too large, an animation, or damaged.
    """
    if not data:
        raise PictureError(f"must be {wanted}, got 0 bytes")
    try:
        return _read(data, max_pixels, exactly, formats)
    except PictureError:
        raise
    except Exception as error:  # Pillow's plugins raise whatever the damaged bytes led them to
        problem = error
    if data.startswith(PNG_MAGIC) and "PNG" in formats:
        bare = bare_png(data)
        try:
            if len(bare) < len(data):
                return _read(bare, max_pixels, exactly, formats)
        except PictureError:
            raise
        except Exception as error:  # as above
            problem = error
    elif format_of(data[:HEAD_BYTES], "") not in formats:
        raise PictureError(f"must be {wanted}, got {name_of(data)} of {len(data)} bytes")
    # What Pillow itself raises is a sentence; of an unidentified one, only that an object lies in memory, and
    # of a truncated one, what is said already.
    says = isinstance(problem, OSError) and not isinstance(problem, UnidentifiedImageError)
    known = "truncated" in str(problem)
    raise PictureError(f"is a truncated or damaged picture{f': {problem}' if says and not known else ''}")


def _check_scans(data: bytes) -> None:
    """Refuses a JPEG that passes over its pixels more often than any program writes them: each takes time."""
    scans = data.count(_START_OF_SCAN)
    if scans > _MAX_SCANS:
        raise PictureError(f"may have at most {_MAX_SCANS} scans as a JPEG, got {scans}")


def _read(data: bytes, max_pixels: int, exactly: tuple[int, int] | None, formats: Sequence[str]) -> Picture:
    image = Image.open(io.BytesIO(data), formats=tuple(formats))  # the header only
    width, height = image.size
    if width * height > max_pixels:
        raise PictureError(
            f"may have at most {max_pixels} pixels, got {width}x{height}, which is {width * height}"
        )
    if image.format in ("JPEG", "MPO"):
        _check_scans(data)
    # A JPEG of several pictures (MPO) is a photograph with a preview, not an animation.
    kind = "JPEG" if image.format == "MPO" else image.format or ""
    frames = 1 if kind == "JPEG" else getattr(image, "n_frames", 1)
    if frames > 1:
        raise PictureError(f"must be a single picture, got an animation of {frames} frames")
    # Turned it would have to be the other way round; how a PNG is turned may only be known at its end.
    if exactly is not None and exactly not in ((width, height), (height, width)):
        raise other_size(
            (height, width) if _orientation(image) in _ON_THEIR_SIDE else (width, height), exactly
        )
    bits = _bits(image, data)
    image.load()
    if kind == "PNG" and not has_all_pixels(data):  # which Pillow takes for black ones
        raise PictureError("is a truncated or damaged picture: it has fewer pixels than its header says")
    _scale_transparency(image, bits)
    turn = _TURNS.get(_orientation(image))
    upright = image if turn is None else image.transpose(turn)
    grey = kind == "PNG" and image.mode == "RGBA" and is_grey_with_alpha(data)
    return Picture(image=upright, format=kind, bits=bits, turned=turn is not None, grey=grey)


def _bits(image: Image.Image, data: bytes) -> int:
    if image.format == "PNG":
        return depth_of(data)
    tags = getattr(image, "tag_v2", None)  # of a TIFF
    return max(tags.get(_BITS_PER_SAMPLE, (8,))) if tags is not None else 8


def _orientation(image: Image.Image) -> int:
    try:
        value = image.getexif().get(_ORIENTATION)
    except Exception:  # whatever the bytes led the parser to; a picture without EXIF is a picture
        return 1
    return value if isinstance(value, int) else 1


def _scale_transparency(image: Image.Image, bits: int) -> None:
    """Brings the one transparent colour of a PNG to the depth that its pixels were brought to."""
    clear = image.info.get("transparency")
    if image.format != "PNG" or clear is None:
        return
    if image.mode == "RGB" and bits == 16:
        image.info["transparency"] = tuple(level >> 8 for level in clear)
    elif image.mode == "L" and bits < 8:
        image.info["transparency"] = clear * 255 // (2**bits - 1)
