"""A graph of a bundle, ready to run, and what it must show when it is tried."""

__all__ = ["OnnxGraph", "first_line"]

from collections.abc import Callable

from pentimento.bundle.manifest import GraphSpec
from pentimento.bundle.store import BundleError
from pentimento.service.engine.calibration import Curve, RowLimits
from pentimento.service.engine.rows import Array, Arrays, blank

_PROBE_ROWS = (1, 3)  # a graph that was exported for one batch size fails at the other


class OnnxGraph:
    """One graph of a bundle, ready to run; safe to call from several threads.

    Args:
        label: `bundle/graph`.
        call: Calls the graph once; raises whatever ONNX Runtime raises.
        spec: Its inputs and outputs.
    """

    def __init__(self, label: str, call: Callable[[Arrays], dict[str, Array]], spec: GraphSpec) -> None:
        self.label = label
        self.run = call
        self.spec = spec
        self.limits = RowLimits(efficient=1, most=max(_PROBE_ROWS))  # until they are chosen
        self.curve: Curve | None = None  # what they were chosen from
        self.quick_rows = 0  # until it is tried
        self.sha256 = spec.content

    @property
    def max_rows(self) -> int:
        """Rows that one call takes at most."""
        return self.limits.most

    @property
    def efficient_rows(self) -> int:
        """Rows from which on filling a call further saves little."""
        return self.limits.efficient

    def unload(self) -> None:
        """Frees the session, as other processes call the graph; `run` raises RuntimeError from then on."""
        self.run = _elsewhere

    def try_out(self, clock: Callable[[], float]) -> Curve:
        """Calls it on blanks at two sizes; returns how long that took, on a clock in seconds.

        Raises:
            BundleError: A call fails, or what it puts out is not what the manifest says.
        """
        points = []
        for rows in _PROBE_ROWS:
            started = clock()
            _probe(self, rows)
            points.append((rows, clock() - started))
        return Curve(tuple(points))

    def run_on_blanks(self, rows: int) -> dict[str, Array]:
        """Calls the graph once with blanks for inputs, to try it or to time it."""
        return self.run(
            {
                tensor.name: blank(tensor.name, (rows, *tensor.shape), tensor.dtype)
                for tensor in self.spec.inputs
            }
        )


def _probe(loaded: OnnxGraph, rows: int) -> None:
    """Runs the graph on blanks: shapes must be as declared at more than one batch size."""
    graph = loaded.label.partition("/")[2]
    try:
        outputs = loaded.run_on_blanks(rows)
    except Exception as error:
        raise BundleError(f"graph {graph!r} fails on {rows} rows: {first_line(error)}") from None
    for tensor in loaded.spec.outputs:
        shape = outputs[tensor.name].shape
        if shape != (rows, *tensor.shape):
            raise BundleError(
                f"graph {graph!r}: output {tensor.name!r} has shape {shape} for {rows} rows, "
                f"the manifest says {(rows, *tensor.shape)}"
            )


def _elsewhere(feeds: Arrays) -> dict[str, Array]:
    raise RuntimeError("this graph is called in another process")


def first_line(error: Exception) -> str:
    """The first line of what a library says, or its kind if it says nothing."""
    return (str(error).splitlines() or [type(error).__name__])[0][:300]
