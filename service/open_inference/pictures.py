"""Pictures in tensors: as numbers, which are pixels already, or as files."""

__all__ = ["pictures_of"]

import base64
import binascii

import numpy as np

from pentimento.service.errors import invalid
from pentimento.service.messages import ImageInput
from pentimento.service.open_inference.tensors import Given, read_numbers_of, read_texts


def pictures_of(given: Given, max_images: int) -> list[ImageInput]:
    """The pictures of a tensor.

    FP32 has numbers of [0, 1], UINT8 levels of 0 to 255, BOOL what is white, each (n, C, H, W); BYTES has PNG
    or JPEG files, which in JSON are base64, (n,).

    Args:
        given: Its datatype and shape have been checked.
        max_images: As many may there be.

    Raises:
        PentimentoError: INVALID_ARGUMENT.
    """
    count = given.shape[0]
    if count > max_images:
        raise invalid(given.name, f"may have at most {max_images} pictures, got {count}")
    names = [given.name if count == 1 else f"{given.name}[{index}]" for index in range(count)]
    if given.datatype == "BYTES":
        files = read_texts(given, max_images)
        return [
            ImageInput(data=_file(file, name), name=name) for file, name in zip(files, names, strict=True)
        ]
    numbers = read_numbers_of(given)
    pixels = numbers.astype(np.float32)
    if given.datatype == "UINT8":
        pixels /= np.float32(255)
    return [ImageInput(data=b"", pixels=pixels[index], name=name) for index, name in enumerate(names)]


def _file(file: bytes | str, name: str) -> bytes:
    if isinstance(file, bytes):
        return file
    try:
        return base64.b64decode(file, validate=True)
    except (binascii.Error, ValueError) as error:
        raise invalid(name, f"must be base64: {error}") from None
