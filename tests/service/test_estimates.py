"""Likelihoods that are estimates: the mean of the draws with its standard error, over both transports."""

import io
import json
import math

import numpy as np
import pentimento_client
import pytest
from PIL import Image
from typer.testing import CliRunner

from pentimento.bundle.noise import draw
from pentimento.service.cli import main as cli
from tests.service.control_toys import write_control_toy
from tests.service.live import LiveServer

DRAWS, SEED = 9, 4


@pytest.fixture(scope="module")
def bundles(tmp_path_factory):
    folder = tmp_path_factory.mktemp("estimated")
    write_control_toy(folder)
    return folder


@pytest.fixture(scope="module")
def live(bundles):
    server = LiveServer(bundles, default_model="toy-guided")
    yield server
    server.close()


@pytest.fixture(params=["http", "grpc"])
def client(request, live):
    url = live.http if request.param == "http" else f"grpc://{live.grpc}"
    with pentimento_client.Client(url) as client:
        yield client


def picture(level):
    file = io.BytesIO()
    Image.new("L", (8, 6), level).save(file, "PNG")
    return file.getvalue()


def test_the_mean_of_the_draws_comes_with_its_standard_error(client):
    found = client.likelihood([picture(51), picture(255)], importance_samples=DRAWS, seed=SEED)
    luck = draw(SEED, "eps", (DRAWS, 4), rows=range(2)).mean(2)  # (2, K)
    assert found.kind == "estimate" and found.importance_samples == DRAWS
    assert np.allclose(found.nats, np.array([0.2, 1.0]) + luck.mean(1), atol=1e-5)
    assert np.allclose(found.standard_errors, luck.std(1, ddof=1) / math.sqrt(DRAWS), atol=1e-5)
    assert np.allclose(found.bits_per_dim, -found.nats / (math.log(2) * 48), atol=1e-5)


def test_one_draw_has_no_error_to_tell(client):
    assert client.likelihood([picture(9)], importance_samples=1).standard_errors is None


def test_the_model_says_that_it_estimates_and_that_a_completion_sees_everything(client):
    (model,) = client.models().models
    assert (model.likelihood_kind, model.completion) == ("estimate", "everywhere")
    mask = Image.new("L", (8, 6), 0)
    mask.paste(255, (4, 0, 8, 6))  # given on the right, which raster order would not see
    drawing = client.complete(picture(255), mask, seed=1)
    assert drawing.conditioning.startswith("every step saw all given pixels")
    assert np.allclose(np.asarray(drawing.images)[..., 4:], 255)


def test_the_command_line_prints_it(bundles, tmp_path):
    file = tmp_path / "grey.png"
    file.write_bytes(picture(51))
    asked = ["likelihood", str(file), "--bundles", str(bundles), "--importance-samples", "5", "--seed", "4"]
    plain = CliRunner().invoke(cli.app, asked)
    assert plain.exit_code == 0, plain.output
    assert "estimate of the log-likelihood from 5 draws, seed 4" in plain.output
    assert "standard error" in plain.output
    (entry,) = json.loads(CliRunner().invoke(cli.app, [*asked, "--json"]).stdout)["images"]
    assert entry["standard_error"] > 0
    one = CliRunner().invoke(cli.app, [*asked[:-4], "--importance-samples", "1"])
    assert "standard error" not in one.output
