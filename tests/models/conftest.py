"""How the tests of the models run torch."""

import pytest
import torch

from tests.torch_onnx import exporter_that_remembers

# Networks of tests are small: several threads would only wait for each other.
torch.set_num_threads(1)


@pytest.fixture(scope="session", autouse=True)
def quick_exports():
    with exporter_that_remembers():
        yield
