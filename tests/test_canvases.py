"""The pictures of the zoo stay what they are: canvases of each bundle, as a server drew them.

`tests/data/canvases.npz` holds, by bundle, the first two of five drawings from seed 11 at the default number
of steps, (steps, 2, H, W[, 3]), uint8; a conditional bundle is asked for class 3. On the processor that drew
them the bytes are the same; on another, float32 sums may be rounded otherwise, which can move a value by one
and, rarely, turn a pixel that is drawn by comparing it with noise.
"""

import base64
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pentimento.bundle.store import read_manifest
from tests.service.live import LiveServer

ZOO = Path(__file__).parents[1] / "zoo"
KEPT = np.load(Path(__file__).parent / "data" / "canvases.npz")


@pytest.fixture(scope="module")
def live():
    server = LiveServer(ZOO, calibrate=False)
    yield server
    server.close()


@pytest.mark.parametrize("name", sorted(KEPT))
def test_the_same_seed_draws_what_it_drew(name, live):
    kept = KEPT[name]
    label = {"label": 3} if read_manifest(ZOO / name).labels else {}
    with live.client() as client:
        answer = client.post("/generate", params={"model": name, "n": 5, "seed": 11} | label)
    assert answer.status_code == 200, answer.text
    drawn = np.stack([[decoded(image) for image in frame["images"][:2]] for frame in answer.json()["frames"]])
    assert drawn.shape == kept.shape and drawn.dtype == kept.dtype
    if len(np.unique(kept)) > 2:
        assert np.abs(drawn.astype(int) - kept).max() <= 1 and (drawn != kept).mean() < 0.001
    else:  # black and white
        assert (drawn != kept).mean() < 0.01


def decoded(image):
    with Image.open(io.BytesIO(base64.b64decode(image))) as picture:
        return np.asarray(picture)


def test_every_bundle_is_kept():
    assert set(KEPT) <= {path.parent.name for path in ZOO.glob("*/manifest.json")}
