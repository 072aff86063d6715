"""A worker of `simulated_gpu`: if it owns the device, its graph calls take a fixed time and no CPU."""

import time

import numpy as np

from benchmarks.simulated_gpu import CALL_S
from pentimento.service.engine.runtime import Runtime
from pentimento.service.workers import device, worker


def pretend() -> None:
    """Makes every graph that is loaded from now on sleep, and put out zeros."""

    def caller(self, graph, spec, data):
        def run(feeds):
            time.sleep(CALL_S)
            rows = len(next(iter(feeds.values())))
            return {t.name: np.zeros((rows, *t.shape), t.dtype) for t in spec.outputs}

        return run

    Runtime._caller = caller  # type: ignore[method-assign,assignment]
    Runtime.device = property(lambda self: "simulated")  # type: ignore[method-assign,assignment]


class Pretending(device.LaneOnly):
    """The process that owns the device."""

    async def __aenter__(self):
        pretend()
        return await super().__aenter__()


def main() -> None:
    """Runs the worker."""
    worker.LaneOnly = Pretending  # type: ignore[misc]
    worker.main()
