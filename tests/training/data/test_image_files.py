"""Pictures of a data set: what is made of them is said, and is what the server sees."""

import numpy as np
import pytest
from PIL import Image

from pentimento.bundle.manifest import ImageSpec
from pentimento.service.operations.image_input import decode_image
from pentimento.training.data.datasets import DatasetError
from tests.pictures.makers import modes, png, save, turned
from tests.training.data.folders import counts, grey, load, many, write

COLOURS = {"red": (200, 30, 40), "blue": (10, 20, 250)}


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [28, 20])
@pytest.mark.parametrize("name", modes())
def test_the_trainer_sees_what_the_server_sees(tmp_path, name, size, channels):
    file = modes()[name]
    write(tmp_path, {"a/0.png": grey(0), "a/1.png": file})  # the suffix lies for JPEGs, and does not matter
    trained = load(tmp_path, channels=channels, image_size=size, fit="resize").train.images[0]
    served = decode_image(file, ImageSpec(channels=channels, height=size, width=size), "resize")
    assert np.array_equal(trained.astype(np.float32) / np.float32(255), served)


def test_orientation_depth_and_transparency_are_three_different_data_sets(tmp_path):
    files = {
        "exif": turned(6),
        "deep": save(Image.fromarray(np.full((28, 28), 32768, dtype=np.uint16))),
        "alpha": save(Image.new("RGBA", (28, 28), (255, 255, 255, 0))),
    }
    found = {name: load(write(tmp_path / name, {"a/0": data, "a/1": data})) for name, data in files.items()}
    images = {name: dataset.train.images[0, 0] for name, dataset in found.items()}
    assert images["exif"][2].mean() > 200 > 50 > images["exif"][25].mean(), "the left half was white"
    assert (images["deep"] == 128).all() and (images["alpha"] == 0).all()
    assert len({dataset.sha256 for dataset in found.values()}) == 3
    said = " ".join(" ".join(dataset.report) for dataset in found.values())
    for what in (
        "2 turned as",
        "2 brought from 16 to 8 bits",
        "2 laid on black where transparent",
        "2 made grey",
    ):
        assert what in said


def colour_folder(folder, size=(56, 28)):
    files = {}
    for name, colour in COLOURS.items():
        for index in range(3):
            files[f"{name}/{index}.png"] = Image.new("RGB", size, colour)
    return write(folder, files)


def test_what_was_made_of_colours_is_said(tmp_path):
    grey_set = load(colour_folder(tmp_path))
    assert grey_set.report[:2] == (
        "found: PNG; RGB; 56x28 pixels",
        "made: 28x28 grey with --fit crop: 6 made grey, 6 cropped to a square, 6 scaled",
    )
    colour = load(tmp_path, channels=3, image_size=32)
    assert colour.train.images.shape == (5, 3, 32, 32)
    assert colour.train.images[0, :, 9, 9].tolist() == list(COLOURS["blue"])
    assert colour.report[1] == "made: 32x32 RGB with --fit crop: 6 cropped to a square, 6 scaled"
    assert grey_set.sha256 != colour.sha256


def test_fit_is_part_of_what_the_data_are(tmp_path):
    wide = Image.new("L", (56, 28))
    wide.paste(255, (0, 0, 14, 28))  # is outside the centred square
    write(tmp_path, {"a/0.png": wide, "a/1.png": wide})
    cropped, stretched = load(tmp_path), load(tmp_path, fit="resize")
    assert cropped.train.images.max() == 0 and stretched.train.images.max() == 255
    assert cropped.sha256 != stretched.sha256
    sentence = (
        r"a/0\.png in .* must be 28x28 pixels \(width x height\), got 56x28; --fit crop or --fit resize"
    )
    with pytest.raises(DatasetError, match=sentence):
        load(tmp_path, fit="exact")
    with pytest.raises(ValueError, match="channels must be 1 or 3, got 2"):
        load(tmp_path, channels=2)


@pytest.mark.parametrize("kinds", [("GIF", "TIFF"), ("PNG", "GIF"), ("WEBP", "BMP"), ("JPEG2000", "PPM")])
def test_other_formats_are_pictures_too(tmp_path, kinds):
    files = {f"{kind}/{index}.{kind}": save(grey(90), kind) for kind in kinds for index in range(4)}
    found = load(write(tmp_path, files))
    assert counts(found) == (7, 1) and found.class_names == tuple(sorted(kinds))
    assert all(f"{kind} (4)" in found.report[0] for kind in kinds)


def test_a_picture_that_cannot_be_read_is_left_out_by_name_limit_and_value(tmp_path):
    bomb = png(np.zeros((1, 99), np.uint8), size=(20000, 20000))
    moving = save(grey(1), "GIF", save_all=True, append_images=[grey(2)])
    cut = save(Image.effect_noise((64, 64), 90))[:-200]
    found = load(write(tmp_path, many("a") | {"a/bomb.png": bomb, "a/film.gif": moving, "a/cut.png": cut}))
    assert counts(found) == (3, 1)
    (line,) = [line for line in found.report if line.startswith("left out")]
    assert line.startswith(
        "left out: pictures that cannot be read (3): a/bomb.png may have at most 100000000 pixels, "
    )
    assert "got 20000x20000, which is 400000000" in line
    assert "a/film.gif must be a single picture, got an animation of 2 frames" in line
    assert "a/cut.png is a truncated or damaged picture" in line


def test_nothing_but_damage_is_an_error_that_says_so(tmp_path):
    write(tmp_path, {"a/0.png": save(grey(1))[:40], "a/1.tif": save(Image.new("F", (28, 28)), "TIFF")})
    with pytest.raises(
        DatasetError, match=r"got 0 and 0; left out: .* \(2\): a/0\.png is .*, a/1\.tif has numbers"
    ):
        load(tmp_path)


def test_a_recipe_without_a_data_set_wants_one_named():
    with pytest.raises(DatasetError, match=r"this recipe has no data set of its own: name .* with --dataset"):
        load("")
