"""Fixtures of the training's tests: a slice of MNIST, and a classifier with random weights."""

from pathlib import Path

import pytest
import torch

from pentimento.training.data.datasets import load_dataset
from pentimento.training.judging.classifier import Classifier

# Networks of tests are small: several threads would only wait for each other.
torch.set_num_threads(1)

SLICE = Path(__file__).parents[1] / "data" / "mnist-slice"


@pytest.fixture(scope="session")
def dataset():
    return load_dataset(str(SLICE), channels=1, image_size=28)


@pytest.fixture
def classifier():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return Classifier(1, 28, 10).eval()


@pytest.fixture(scope="session")
def shared_cache(tmp_path_factory):
    """A cache folder for the whole session, so that the slice's classifier is trained once."""
    return tmp_path_factory.mktemp("cache")
