"""A phone's photograph is taken at its full size; a larger one here, where it is the user's own memory."""

import numpy as np
import pytest
from PIL import Image

from tests.service.cli.test_main import plain, run  # noqa: F401  # plain: a fixture

PHONE, CAMERA = (4032, 3024), (5000, 4000)


@pytest.fixture
def photograph(tmp_path):
    """Makes a file of that many pixels."""

    def make(size):
        image = Image.fromarray(np.array([[200], [20]], dtype=np.uint8)).resize(
            size, Image.Resampling.NEAREST
        )
        image.save(tmp_path / "photograph.jpg")
        return tmp_path / "photograph.jpg"

    return make


@pytest.mark.parametrize("there", [False, True])
def test_a_phones_photograph(there, photograph, toys, live):
    where = ["--server", live.http] if there else ["--bundles", toys]
    result = run("score", photograph(PHONE), "--model", "toy-color", "--fit", "resize", *where)
    assert result.exit_code == 0, result.stderr


def test_a_larger_one(photograph, toys, live):
    asked = ("score", photograph(CAMERA), "--model", "toy-color", "--fit", "resize")
    assert run(*asked, "--bundles", toys).exit_code == 0
    refused = run(*asked, "--server", live.http)
    assert refused.exit_code == 2
    assert "may have at most 16000000 pixels, got 5000x4000, which is 20000000" in refused.stderr
