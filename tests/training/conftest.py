"""Fixtures of the training's tests: a slice of MNIST, and a classifier with random weights."""

import pytest
import torch

from pentimento.training.data.datasets import load_dataset
from pentimento.training.judging.classifier import Classifier
from tests.slice import SLICE
from tests.torch_onnx import exporter_that_remembers

# Networks of tests are small: several threads would only wait for each other.
torch.set_num_threads(1)


@pytest.fixture(scope="session", autouse=True)
def quick_exports():
    with exporter_that_remembers():
        yield


@pytest.fixture(scope="session")
def dataset():
    return load_dataset(str(SLICE), channels=1, image_size=28)


@pytest.fixture
def classifier():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return Classifier(1, 28, 10).eval()
