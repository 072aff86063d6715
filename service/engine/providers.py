"""Chooses the execution providers: what ONNX Runtime computes on, as asked for and as this machine has it."""

__all__ = ["choose_providers", "installed_runtimes", "session_providers"]

from importlib import metadata
from typing import Literal


def choose_providers(
    wanted: Literal["auto", "cpu", "cuda"], available: list[str], installed: list[str]
) -> list[str]:
    """Chooses the execution providers, the first preferred.

    Args:
        wanted: The setting.
        available: What ONNX Runtime offers.
        installed: Names of the installed ONNX Runtime distributions.

    Raises:
        RuntimeError: The wish cannot be met; the message says what to do.
    """
    if len(installed) > 1:
        raise RuntimeError(
            f"{' and '.join(installed)} are both installed and overwrite each other; keep exactly one of them"
        )
    has_cuda = "CUDAExecutionProvider" in available
    if wanted == "cuda" and not has_cuda:
        raise RuntimeError(
            "provider cuda was asked for, but this ONNX Runtime offers only "
            f"{', '.join(available)}; install the extra gpu instead of cpu (in a checkout of Pentimento: "
            "pip uninstall onnxruntime, then pip install -e '.[gpu]'), or use --provider cpu"
        )
    if wanted != "cpu" and has_cuda:
        return ["CUDAExecutionProvider", "CPUExecutionProvider"]
    return ["CPUExecutionProvider"]


def session_providers(providers: list[str], *, captured: bool) -> list[str | tuple[str, dict[str, str]]]:
    """The providers of a session with their options.

    Args:
        providers: As `choose_providers` gives them.
        captured: Whether its calls are to be captured as CUDA graphs.
    """
    options = {
        # The exhaustive search takes half a second for each new batch size (PaddlePaddle/PaddleX#5057).
        "cudnn_conv_algo_search": "HEURISTIC",
        "arena_extend_strategy": "kSameAsRequested",  # or the arena doubles, and never shrinks
        "enable_cuda_graph": "1" if captured else "0",
    }
    return [(name, options) if name == "CUDAExecutionProvider" else name for name in providers]


def installed_runtimes() -> list[str]:
    """Names of the ONNX Runtime distributions that are installed here."""
    names = ("onnxruntime", "onnxruntime-gpu")
    return [name for name in names if any(True for _ in metadata.distributions(name=name))]
