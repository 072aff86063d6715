"""Options that several training commands have, and the error message for whatever is missing or wrong."""

__all__ = [
    "ComparedWith",
    "DataFolder",
    "Device",
    "Fit",
    "FitOfData",
    "PrecisionName",
    "Rows",
    "Without",
    "known_precision",
    "with_training",
]

import atexit
import os
import tempfile
from collections.abc import Callable
from functools import wraps
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, ParamSpec

import typer

from pentimento.program.endings import FAILED, INTERRUPTED, code_of, end, fail, flush_or_fail

if TYPE_CHECKING:
    from pentimento.training.loop.device import Precision

_P = ParamSpec("_P")
_NEEDED = ("torch", "onnx", "onnxscript", "onnxruntime", "matplotlib")
_MISSING = "This needs the training extra: in a checkout of Pentimento, pip install -e '.[cpu,train]'"

DataFolder = Annotated[
    Path | None,
    typer.Option("--data", envvar="PENTIMENTO_DATA", help="Folder that holds data sets, such as mnist/."),
]
_FIT_OPTION = typer.Option(
    "--fit",
    help="Of pictures of another size or kind: crop takes the centred square and scales it, resize stretches "
    "everything to a square, exact refuses them.",
)
Fit = Annotated[Literal["crop", "resize", "exact"], _FIT_OPTION]
FitOfData = Annotated[Literal["crop", "resize", "exact"] | None, _FIT_OPTION]
"""The same where a recipe has one of its own."""
ComparedWith = Annotated[
    str | None, typer.Option(help="Data set to compare with; by default the one it was trained on.")
]
"""Another than a bundle's own."""
Device = Annotated[
    str | None, typer.Option(help="cpu or cuda; by default a GPU where there is one.", show_default=False)
]
PrecisionName = Annotated[
    str | None,
    typer.Option(
        "--precision", help="float32 or bfloat16; by default what is fast here.", show_default=False
    ),
]
Without = Annotated[
    list[str] | None,
    typer.Option("--without", help="A measure to leave out; may be given several times.", show_default=False),
]
Rows = Annotated[int, typer.Option("--rows", min=10, help="Drawings, or test images, to judge.")]


def _give_matplotlib_a_folder() -> None:
    """For a user without a home: matplotlib would make one itself, and say so on stderr."""
    try:
        Path.home()
    except RuntimeError:
        if "MPLCONFIGDIR" not in os.environ and "XDG_CONFIG_HOME" not in os.environ:
            folder = tempfile.TemporaryDirectory(prefix="pentimento-")
            atexit.register(folder.cleanup)
            os.environ["MPLCONFIGDIR"] = folder.name


def known_precision(name: str | None) -> "Precision | None":
    """Checks the name of a precision.

    Returns:
        The name; None if none was given.

    Raises:
        ValueError: There is no such precision.
    """
    if name is None or name == "float32" or name == "bfloat16":
        return name
    raise ValueError(f"--precision must be float32 or bfloat16, got {name!r}")


def with_training(command: Callable[_P, None]) -> Callable[_P, None]:
    """Wraps a command: what keeps it from its work ends it with one sentence and an exit code (`endings`)."""

    @wraps(command)
    def checked(*args: _P.args, **kwargs: _P.kwargs) -> None:
        if any(find_spec(module) is None for module in _NEEDED):
            fail(_MISSING, FAILED)
        # Before torch is loaded: threads that wait for each other sleep instead of spinning, unless the user
        # says otherwise. On a machine shared with other work, spinning made an iteration nine times slower.
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
        _give_matplotlib_a_folder()
        from pentimento.bundle.store import BundleError
        from pentimento.training.data.datasets import DatasetError
        from pentimento.training.export.parity import ParityError
        from pentimento.training.loop.checkpoints import CheckpointError
        from pentimento.training.loop.run import DivergedError

        try:
            command(*args, **kwargs)
        except (ParityError, DivergedError) as error:
            fail(str(error), FAILED)
        except (BundleError, CheckpointError, DatasetError) as error:
            fail(str(error), code_of(error))
        except (ValueError, OSError) as error:
            end(error)
        except KeyboardInterrupt:
            fail("interrupted; a training goes on with --resume", INTERRUPTED)
        flush_or_fail()

    return checked
