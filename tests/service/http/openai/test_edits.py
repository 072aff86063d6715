"""images.edit with the real client: what is transparent in the mask is drawn, all else stays."""

import io

import numpy as np
import openai
import pytest
from PIL import Image

from pentimento.service.operations.codec import encode_png
from tests.service.http.openai.conftest import async_client_of, levels_of

KEPT = np.zeros((6, 8), bool)
KEPT[:3] = True  # the upper half is given
LEVELS = np.where(np.arange(8) % 2, 255, 0).astype(np.uint8)[None].repeat(6, axis=0)  # stripes


def png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def masked(colour: Image.Image, kept=KEPT) -> bytes:
    picture = colour.convert("RGBA" if colour.mode == "RGB" else "LA")
    picture.putalpha(Image.fromarray(np.where(kept, 255, 0).astype(np.uint8)))
    return png(picture)


PICTURE = png(Image.fromarray(LEVELS))
MASK = masked(Image.new("RGB", (8, 6)))
ASKED = {"model": "toy-black", "prompt": "", "image": PICTURE, "mask": MASK}


def completed(own, **params):
    """Frames of our own API for the same picture, whose mask is white where it is given."""
    mask = encode_png(KEPT[None].astype(np.float32))
    files = {"image": ("image.png", PICTURE), "mask": ("mask.png", mask)}
    response = own.post("/complete", params={"model": "toy-black"} | params, files=files)
    return [frame["images"] for frame in response.json()["frames"]]


def test_it_draws_what_complete_draws(client, own):
    answer = client.images.edit(**ASKED, n=2, extra_body={"seed": 5})
    assert [image.b64_json for image in answer.data] == completed(own, n=2, seed=5)[-1]
    for image in answer.data:
        assert np.array_equal(levels_of(image.b64_json)[:3], LEVELS[:3])
    assert answer.model_extra == {"model": "toy-black", "version": "1.0.0", "seed": 5, "steps": 3}


@pytest.mark.parametrize(
    "mask",
    [
        masked(Image.new("L", (8, 6), 255)),
        masked(Image.new("RGB", (8, 6), "red")),
    ],
)
def test_colours_of_a_mask_do_not_matter(client, own, mask):
    answer = client.images.edit(**(ASKED | {"mask": mask}), extra_body={"seed": 5})
    assert [answer.data[0].b64_json] == completed(own, seed=5)[-1]


def test_a_palette_may_be_transparent(client, own):
    picture = Image.fromarray(np.where(KEPT, 1, 0).astype(np.uint8)).convert("P")
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", transparency=picture.getpixel((0, 5)))
    answer = client.images.edit(**(ASKED | {"mask": buffer.getvalue()}), extra_body={"seed": 5})
    assert [answer.data[0].b64_json] == completed(own, seed=5)[-1]


def test_what_shines_through_stays(client, own):
    """The API's masks draw what is wholly transparent, and only that."""
    faint = Image.new("RGBA", (8, 6), (0, 0, 0, 1))
    faint.putalpha(Image.fromarray(np.where(KEPT, 1, 0).astype(np.uint8)))
    answer = client.images.edit(**(ASKED | {"mask": png(faint)}), extra_body={"seed": 5})
    assert [answer.data[0].b64_json] == completed(own, seed=5)[-1]


def test_without_a_mask_the_picture_has_it(client, own):
    asked = {name: value for name, value in ASKED.items() if name != "mask"}
    asked["image"] = masked(Image.fromarray(LEVELS))
    answer = client.images.edit(**asked, extra_body={"seed": 5})
    assert [answer.data[0].b64_json] == completed(own, seed=5)[-1]


def test_a_list_of_one_picture_and_controls(client, own):
    answer = client.images.edit(
        model="toy-guided",
        prompt="",
        image=[("image.png", PICTURE)],
        mask=("mask.png", MASK),
        size="16x12",
        input_fidelity="high",
        extra_body={"seed": 5, "steps": 3, "controls": {"tilt": 1.25}},
    )
    (same,) = completed(own, model="toy-guided", seed=5, steps=3, tilt=1.25)[-1]
    pixels = levels_of(same)
    assert np.array_equal(levels_of(answer.data[0].b64_json), pixels.repeat(2, axis=0).repeat(2, axis=1))


def test_another_size_is_scaled_where_asked_for(client):
    large = png(Image.fromarray(LEVELS).resize((32, 24)).convert("RGB"))
    with pytest.raises(openai.BadRequestError, match=r"must be 8x6 pixels.*fit=resize would scale it"):
        client.images.edit(**(ASKED | {"image": large}))
    assert client.images.edit(**(ASKED | {"image": large}), extra_body={"fit": "resize"}).data


def test_it_streams(client, own):
    with client.images.edit(**ASKED, stream=True, partial_images=2, extra_body={"seed": 5}) as stream:
        events = list(stream)
    frames = completed(own, seed=5)
    assert [event.type for event in events] == ["image_edit.partial_image"] * 2 + ["image_edit.completed"]
    assert [event.step for event in events] == [1, 2, 3]
    assert [event.b64_json for event in events] == [images[0] for images in frames]


async def test_on_an_event_loop(served, own):
    async with async_client_of(served) as client:
        stream = await client.images.edit(**ASKED, stream=True, extra_body={"seed": 5})
        events = [event async for event in stream]
    assert [[event.b64_json] for event in events] == completed(own, seed=5)[-1:]


REFUSED = {
    "cannot": ({"model": "toy-steps"}, 422, "model", "cannot complete; models that can: toy-black"),
    "two": ({"image": [PICTURE, PICTURE]}, 400, "image", "a bundle completes one picture"),
    "opaque": ({"mask": PICTURE}, 400, "mask", "must have transparent pixels, which are drawn, got grey"),
    "all": ({"mask": masked(Image.new("L", (8, 6)), KEPT | True)}, 400, "mask", "nothing is left to draw"),
    "none": ({"mask": masked(Image.new("L", (8, 6)), KEPT & False)}, 400, "mask", "nothing is given"),
    "small": ({"mask": masked(Image.new("L", (4, 4)), KEPT[:4, :4])}, 400, "mask", "must be 8x6 pixels"),
    "no picture": ({"image": b"GIF89a"}, 400, "image", "must be a PNG or JPEG picture, got a GIF"),
    "markup": ({"markup": MASK}, 400, "markup", "bundles read no markup"),
    "prompt": ({"prompt": "a hat"}, 400, "prompt", "must be empty"),
    "fidelity": ({"input_fidelity": "some"}, 400, "input_fidelity", "must be 'low' or 'high'"),
    "svg": ({"svg": {"model": "x"}}, 400, "svg", "bundles draw pixels"),
    "n": ({"n": 900}, 400, "n", "n must be 1..64, got 900"),
    "url": ({"response_format": "url"}, 400, "response_format", "must be b64_json"),
    "compression": ({"output_compression": 7}, 400, "output_compression", "must be 100"),
    "control": ({"extra_body": {"controls": {"tilt": "far"}}}, 400, "controls[tilt]", "must be a number"),
    "control range": (
        {"extra_body": {"controls": {"tilt": "nan"}}},
        400,
        "controls.tilt",
        "must be a number",
    ),
    "misspelt": ({"extra_body": {"sede": 1}}, 400, "sede", "is not known here"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_had_is_a_sentence(client, what):
    asked, status, param, sentence = REFUSED[what]
    with pytest.raises(openai.APIStatusError) as caught:
        client.images.edit(**(ASKED | asked))
    assert (caught.value.status_code, caught.value.param) == (status, param), caught.value
    assert sentence in caught.value.body["message"]


@pytest.mark.parametrize(
    ("parts", "sentence"),
    [
        ({"image": (None, "text")}, "must be a file"),
        ({"image": ("a.png", PICTURE), "controls": (None, "tilt")}, "such as controls[guidance]"),
        ({"picture": ("a.png", PICTURE)}, "the files are called 'image' and 'mask'"),
        ({"mask": ("a.png", MASK)}, "image is needed"),
        ([("image", ("a.png", PICTURE)), ("n", (None, "1")), ("n", (None, "1"))], "n is given twice"),
        ([("image", ("a.png", PICTURE))] + [(f"f{i}", (None, "")) for i in range(70)], "number of fields"),
        ({"image": ("a.png", PICTURE), "prompt": (None, "a" * 200_000)}, "128KB"),
        ({"image": ("a.png", PICTURE), "stream": (None, "yes!")}, "stream must be true or false"),
    ],
)
def test_strange_forms(own, parts, sentence):
    response = own.post("/v1/images/edits", files=parts)
    assert response.status_code == 400 and sentence in response.json()["error"]["message"]
