"""What is read of a picture: all that its pixels need, and nothing else can make it a damaged one."""

import io
import zlib
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from pentimento.pictures.errors import Misfit, PictureError
from pentimento.pictures.formats import FILE_FORMATS, HEAD_BYTES, format_of
from pentimento.pictures.reading import read_picture
from pentimento.pictures.shaping import to_pixels
from tests.pictures.makers import GREY, chunk, modes, png, save, turned

MEGABYTES = bytes(2 << 20)


def pixels(data, fit="resize", channels=1, size=28, **options):
    """The file's pixels, (H, W, C)."""
    picture = read_picture(data, 1_000_000, **options)
    return to_pixels(picture, channels=channels, width=size, height=size, fit=fit)


@pytest.mark.parametrize(
    "extra",
    [
        chunk(b"iCCP", b"p\0\0" + zlib.compress(MEGABYTES)),
        chunk(b"iCCP", b""),
        chunk(b"zTXt", b"Comment\0\0" + zlib.compress(MEGABYTES)),
        chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(b"<x>" + MEGABYTES + b"</x>")),
        chunk(b"tEXt", b""),
        chunk(b"tEXt", b"a\0b", checksum=0),
        chunk(b"eXIf", b"hello"),
        chunk(b"eXIf", b"II*\0\x08\0\0\0", checksum=0),
        chunk(b"pHYs", b"\0"),
        chunk(b"teSt", b"a chunk of the future"),
    ],
    ids=lambda data: f"{data[4:8].decode()} of {len(data)} bytes",
)
def test_metadata_that_cannot_be_read_damage_no_picture(extra):
    assert np.array_equal(pixels(png(GREY, extra), "exact")[..., 0], GREY)


def test_metadata_that_cannot_be_read_take_no_orientation_away():
    exif = Image.Exif()
    exif[0x0112] = 3
    sound = chunk(b"eXIf", exif.tobytes()[6:])
    broken = chunk(b"zTXt", b"Comment\0\0" + zlib.compress(MEGABYTES))
    assert np.array_equal(pixels(png(GREY, broken, sound))[..., 0], GREY[::-1, ::-1])


@pytest.mark.filterwarnings("ignore:Tag data larger than file")
def test_an_exif_that_ends_too_early_is_no_orientation():
    cut = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\xff\xff\xff\x7f\x06\0\0\0\0\0\0\0"
    plain, odd = save(Image.fromarray(GREY), "JPEG"), save(Image.fromarray(GREY), "JPEG", exif=cut)
    assert np.array_equal(pixels(plain), pixels(odd))


def test_damage_of_the_pixels_stays_damage():
    whole = png(GREY, chunk(b"iCCP", b""))
    for data in (whole[:-40], png(GREY[:5], chunk(b"iCCP", b"")), whole[:30]):
        with pytest.raises(PictureError, match="is a truncated or damaged picture"):
            pixels(data)


@pytest.mark.parametrize("way", range(1, 9))
def test_all_eight_orientations(way):
    white = {1: "left", 2: "right", 3: "right", 4: "left", 5: "top", 6: "top", 7: "bottom", 8: "bottom"}[way]
    sides = {"left": np.s_[4, 2], "right": np.s_[4, 25], "top": np.s_[2, 4], "bottom": np.s_[25, 4]}
    seen = pixels(turned(way))[..., 0]
    assert {side for side, place in sides.items() if seen[place] > 128} & {white}
    assert (seen > 128).mean() == 0.5


def test_numbers_of_every_mode():
    made = {name: pixels(data)[..., 0] for name, data in modes().items()}
    assert made["I;16 with transparency"].max() == 0
    assert made["RGB of 16 bits with transparency"].max() == 0
    assert made["RGB of 16 bits"].max() == made["RGB of 16 bits"].min() == 0x80
    assert set(np.unique(made["1 with transparency"])) == {0}, "white is transparent, so all is black"
    assert np.unique(made["2 bits with transparency"]).tolist() == [0, 85, 170], "3 is transparent"
    assert np.unique(made["4 bits"]).tolist() == [51, 255]
    assert (made["L with transparency"] != GREY).sum() == 28, "one of the levels is transparent"


def test_sixteen_bits_are_scaled_not_clipped_and_rounded_where_grey():
    levels = np.array([0, 128, 129, 32768, 65535], dtype=np.uint16)
    file = save(Image.fromarray(np.tile(levels, (5, 1))))
    assert pixels(file, size=5)[0, :, 0].tolist() == [0, 0, 1, 128, 255]


def test_exact_takes_eight_bits_only():
    deep = modes()["RGB of 16 bits"]
    with pytest.raises(Misfit, match=r"^must be RGB \(8 bits\), got RGB \(16 bits\)$") as caught:
        pixels(deep, "exact", channels=3)
    assert caught.value.mended_by == "convert"


def test_what_exact_cannot_take_is_not_decompressed():
    cut = save(Image.new("L", (200, 100)))[:60]  # a header with next to no pixels
    with pytest.raises(Misfit, match=r"must be 28x28 pixels \(width x height\), got 200x100"):
        pixels(cut, exactly=(28, 28))
    with pytest.raises(Misfit, match="got 100x200"):
        pixels(turned(6, (200, 100)), exactly=(28, 28))
    assert pixels(turned(6, (14, 28)), "crop", exactly=(28, 14)).shape == (28, 28, 1)


def test_a_header_is_enough_to_refuse():
    with pytest.raises(PictureError, match="at most 1000000 pixels, got 20000x20000, which is 400000000"):
        pixels(png(np.zeros((1, 99), np.uint8), size=(20000, 20000)))


def test_crop_keeps_proportions_and_resize_keeps_everything():
    wide = Image.new("L", (56, 28))
    wide.paste(255, (14, 0, 42, 28))  # the centred square
    assert pixels(save(wide), "crop").min() == 255
    assert pixels(save(wide), "resize")[..., 0].mean() == pytest.approx(128, abs=2)


def test_transparency_of_a_large_picture_is_laid_on_black_strip_by_strip():
    tall = Image.new("RGBA", (1000, 2500), (200, 100, 0, 0))
    tall.paste((200, 100, 0, 255), (0, 2400, 1000, 2500))
    picture = read_picture(save(tall), 4_000_000)
    seen = to_pixels(picture, channels=3, width=1000, height=2500, fit="resize")
    assert seen[:2400].max() == 0 and (seen[2400:] == (200, 100, 0)).all()


@pytest.mark.parametrize("mode", ["F", "I"])
def test_numbers_without_a_white_are_refused(mode):
    with pytest.raises(PictureError, match="numbers of 32 bits"):
        pixels(save(Image.new(mode, (28, 28)), "TIFF"), formats=FILE_FORMATS)


@pytest.mark.parametrize("mode", ["LAB", "YCbCr", "CMYK"])
def test_other_colours_are_converted(mode):
    assert pixels(save(Image.new(mode, (28, 28)), "TIFF"), formats=FILE_FORMATS).shape == (28, 28, 1)


def test_a_tiff_is_turned_once():
    file = save(Image.fromarray(GREY), "TIFF", tiffinfo={0x0112: 3})
    assert np.array_equal(pixels(file, formats=FILE_FORMATS)[..., 0], GREY[::-1, ::-1])


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA"])
@pytest.mark.parametrize("size", [(1, 1), (3, 2), (28, 28), (37, 41)])
@pytest.mark.parametrize("interlace", [0, 1])
def test_a_whole_png_has_all_its_pixels(mode, size, interlace):
    data = save(Image.new("RGB", size, (9, 90, 200)).convert(mode), interlace=interlace)
    assert read_picture(data, 10_000).image.size == size


def test_a_palette_of_greys_has_no_colour():
    grey, colour = Image.fromarray(GREY).convert("P"), Image.new("P", (2, 2))
    colour.putpalette([255, 0, 0])
    assert not read_picture(save(grey), 1000).has_colour
    assert read_picture(save(colour), 1000).has_colour
    assert not replace(read_picture(save(grey), 1000), image=Image.new("I;16", (1, 1))).has_colour


@pytest.mark.parametrize("name", FILE_FORMATS)
def test_a_format_is_told_by_its_bytes(name):
    Image.init()
    if name not in Image.SAVE:
        pytest.skip(f"this Pillow writes no {name}")
    image = Image.new("RGB", (28, 28))
    data = save(image, name)
    weak = {"TGA": ".tga", "PCX": ".pcx"}.get(name)
    assert format_of(data[:HEAD_BYTES], weak or ".jpg") == name
    assert weak is None or format_of(data[:HEAD_BYTES], ".jpg") is None
    assert pixels(data, formats=(name,)).max() == 0


@pytest.mark.parametrize(
    "head", [b"", b"a,b,c\n1,2,3\n", b"\0\0\0\x20ftypisom" + bytes(50), b"%PDF-1.4", bytes(64)]
)
def test_other_files_are_no_pictures(head):
    assert format_of(head, ".png") is None


def test_a_jpeg_of_many_scans_is_not_unpacked():
    """Each scan passes over all pixels: a file of 300 KB can take a minute."""
    buffer = io.BytesIO()
    Image.new("L", (64, 64), 90).save(buffer, "JPEG", progressive=True)
    data = buffer.getvalue()
    scans = data.count(b"\xff\xda")
    assert 1 < scans < 20 and read_picture(data, 10_000).image.size == (64, 64)
    last = data.rindex(b"\xff\xda")
    many = data[:last] + data[last:-2] * 200 + data[-2:]
    with pytest.raises(PictureError, match="may have at most 100 scans as a JPEG, got"):
        read_picture(many, 10_000)
