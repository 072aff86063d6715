"""Chooses how many lanes (workers that call graphs) a server has, and whether as processes or threads."""

__all__ = ["LaneSet"]

from collections.abc import Sequence

from pentimento.service.engine.job import Graph
from pentimento.service.engine.lane.lane import Lanes, Observe
from pentimento.service.engine.lane.process import LaneProcess
from pentimento.service.engine.lane.threads import LaneThreads
from pentimento.service.engine.memory import give_back_memory
from pentimento.service.engine.runtime import OnnxGraph, Runtime
from pentimento.service.settings import Settings, available_cpus


class LaneSet:
    """The lanes of a server: processes where `lane_processes` is set and the device is a CPU, else threads.

    The number is the setting `lanes`, or else what was measured to add throughput.

    Attributes:
        lanes: For the engine: one `LaneProcess` for each process, or one `LaneThreads` for all threads.
        text: Their number and kind, for the line that tells that the server is ready.
    """

    def __init__(self, settings: Settings, runtime: Runtime, usual: Graph | None, observe: Observe) -> None:
        """Makes the lanes.

        Args:
            settings: Of the server.
            runtime: It measured how many lanes add throughput.
            usual: The graph that is called most, by which the number is chosen; None: a lane for each CPU.
            observe: Told about each call.
        """
        cpus = available_cpus()
        count = settings.lanes or (cpus if usual is None else runtime.choose_lanes(usual, cpus))
        self._elsewhere = settings.lane_processes and runtime.device == "cpu"
        self.lanes: Sequence[Lanes] = [LaneThreads(count, observe)]
        self.text = f"{count} lane{'s' if count != 1 else ''}"
        if self._elsewhere:
            log = (settings.log_level, settings.log_format)
            self.lanes = [LaneProcess(f"lane {number}", observe, log=log) for number in range(count)]
            self.text = f"{count} lane process{'es' if count != 1 else ''}"

    def unload(self, graphs: Sequence[Graph]) -> None:
        """Frees this process's sessions of `graphs` where lane processes have sessions of their own."""
        if self._elsewhere:
            for graph in graphs:
                if isinstance(graph, OnnxGraph):
                    graph.unload()
            give_back_memory()
