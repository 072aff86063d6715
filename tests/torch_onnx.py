"""torch's exporter without the work that it does anew for every graph."""

__all__ = ["exporter_that_remembers"]

import functools
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from torch.onnx._internal.exporter import _registration


@contextmanager
def exporter_that_remembers() -> Iterator[None]:
    """Lets torch read its table of operations once, not for every graph.

    It parses five hundred functions for it, half of what the export of a small graph takes, and tests export
    dozens. The table is the same each time and is only read, as no operation of ours is added to it.
    """
    with pytest.MonkeyPatch.context() as patch:
        once = functools.cache(_registration.ONNXRegistry.from_torchlib)
        patch.setattr(_registration.ONNXRegistry, "from_torchlib", staticmethod(once))
        yield
