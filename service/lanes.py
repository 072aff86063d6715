"""How many lanes there are, and where they run."""

__all__ = ["LaneSet"]

from collections.abc import Sequence

from pentimento.service.catalog.catalog import Catalog
from pentimento.service.engine.job import Graph
from pentimento.service.engine.lane import Lanes, Observe
from pentimento.service.engine.lane_process import LaneProcess
from pentimento.service.engine.lane_threads import LaneThreads
from pentimento.service.engine.memory import give_back_memory
from pentimento.service.engine.runtime import OnnxGraph, Runtime
from pentimento.service.settings import Settings, available_cpus


class LaneSet:
    """The lanes of a server: processes, if they shall be and can; else threads of this process.

    Attributes:
        lanes: For the engine.
        text: What they are, for a person.
    """

    def __init__(self, settings: Settings, runtime: Runtime, catalog: Catalog, observe: Observe) -> None:
        count = settings.lanes or _choose_count(runtime, catalog)
        self._elsewhere = settings.lane_processes and runtime.device == "cpu"
        self.lanes: Sequence[Lanes] = [LaneThreads(count, observe)]
        self.text = f"{count} lane{'s' if count != 1 else ''}"
        if self._elsewhere:
            log = (settings.log_level, settings.log_format)
            self.lanes = [LaneProcess(f"lane {number}", observe, log=log) for number in range(count)]
            self.text = f"{count} lane process{'es' if count != 1 else ''}"

    def unload(self, graphs: Sequence[Graph]) -> None:
        """What the lanes have loaded for themselves, this process needs no longer."""
        if self._elsewhere:
            for graph in graphs:
                if isinstance(graph, OnnxGraph):
                    graph.unload()
            give_back_memory()


def _choose_count(runtime: Runtime, catalog: Catalog) -> int:
    """As many as suit the default model's drawing."""
    cpus = available_cpus()
    if catalog.default is None:
        return cpus
    model = catalog.get(None)
    assert model.manifest.drawing is not None
    (shown,) = (phase.graph for phase in model.manifest.drawing.phases if phase.shows)
    return runtime.choose_lanes(model.graphs[shown], cpus)
