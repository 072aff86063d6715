"""Which file formats are read, told by a file's first bytes: names lie, and other files stay unread."""

__all__ = ["FILE_FORMATS", "HEAD_BYTES", "UPLOAD_FORMATS", "format_of", "name_of"]

from PIL import Image

UPLOAD_FORMATS = ("PNG", "JPEG")
"""What strangers may send: two decoders that everybody has, and no more to attack."""

FILE_FORMATS = (*UPLOAD_FORMATS, "WEBP", "GIF", "BMP", "TIFF", "AVIF", "JPEG2000", "PPM", "QOI", "TGA", "PCX")
"""What is read from a user's own folders. No ICO, which systems leave behind; nothing that runs programs."""

HEAD_BYTES = 64
"""So many bytes of a file tell its format."""

_BY_NAME = {"TGA": ".tga", "PCX": ".pcx"}  # their first bytes could be anybody's: the name must agree
_OTHERS = {
    b"GIF8": "a GIF",
    b"RIFF": "a WebP or other RIFF file",
    b"BM": "a BMP",
    b"%PDF": "a PDF",
    b"<": "text",
}


def format_of(head: bytes, suffix: str) -> str | None:
    """The format of a file, one of `FILE_FORMATS`; None if it is no picture.

    Args:
        head: Its first `HEAD_BYTES`.
        suffix: The end of its name, such as ".png"; decides only where the bytes do not.
    """
    if not head:
        return None
    Image.init()  # registers the formats; the ones that this Pillow was built without are not there
    for name in FILE_FORMATS:
        if name not in Image.OPEN or _BY_NAME.get(name, suffix.lower()) != suffix.lower():
            continue
        accepts = Image.OPEN[name][1]
        if accepts is None or accepts(head) is True:  # a text instead of True says which library is missing
            return name
    return None


def name_of(head: bytes) -> str:
    """What a message calls a file that is in no format that was asked for."""
    return next((kind for magic, kind in _OTHERS.items() if head.startswith(magic)), "something else")
