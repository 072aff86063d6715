"""Device and arithmetic precision of a training, by default what is fast on this machine."""

__all__ = ["Precision", "autocast", "choose_device", "choose_precision", "describe_device"]

import platform
from contextlib import AbstractContextManager
from typing import Literal

import torch

Precision = Literal["float32", "bfloat16"]


def choose_device(name: str | None = None) -> torch.device:
    """The device asked for, else a GPU, else the CPU.

    Raises:
        ValueError: A GPU was asked for, and there is none.
    """
    if name is None:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    device = torch.device(name)
    if device.type == "cuda" and not torch.cuda.is_available():
        raise ValueError("device cuda was asked for, but torch sees no CUDA device")
    return device


def choose_precision(device: torch.device, name: Precision | None = None) -> Precision:
    """The precision asked for, else bfloat16 where the hardware has instructions for it, else float32."""
    if name is not None:
        return name
    if device.type == "cuda":
        return "bfloat16" if torch.cuda.is_bf16_supported(including_emulation=False) else "float32"
    # Emulated on CPUs without the instructions, bfloat16 is slower than float32.
    fast = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return "bfloat16" if fast else "float32"


def autocast(device: torch.device, precision: Precision) -> AbstractContextManager[None]:
    """A context in which torch does matrix products and convolutions in `precision`; weights stay float32."""
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=precision == "bfloat16")


def describe_device(device: torch.device, precision: Precision) -> str:
    """Device and precision in words for logs and manifests, such as `x86_64 CPU, 8 threads, bfloat16`."""
    if device.type == "cuda":
        return f"{torch.cuda.get_device_name(device)}, {precision}"
    return f"{platform.machine()} CPU, {torch.get_num_threads()} threads, {precision}"
