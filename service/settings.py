"""Settings of the server: options of `pentimento serve` and environment variables `PENTIMENTO_*`.

Read once, in `app`; every other module receives values. The unit is in the name.
"""

__all__ = ["Settings", "available_cpus"]

import os
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

_CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pentimento" / "calibration"


class Settings(BaseSettings):
    """Every setting with its default, range and reason."""

    model_config = SettingsConfigDict(
        env_prefix="PENTIMENTO_", frozen=True, extra="ignore", use_attribute_docstrings=True
    )

    host: str = "127.0.0.1"
    """Address of both listeners; a container sets 0.0.0.0."""
    http_port: Annotated[int, Field(ge=0, le=65535)] = 8000
    """0 takes a free port."""
    grpc_port: Annotated[int, Field(ge=0, le=65535)] = 50051
    """0 takes a free port."""
    bundles: Path = Path("zoo")
    """Folder whose subfolders are the bundles to serve."""
    default_model: str | None = None
    """Bundle used when a request names none; unset: the first drawing bundle that is called `gran5-mnist`, or
    else the first by name."""

    provider: Literal["auto", "cpu", "cuda"] = "auto"
    """ONNX Runtime execution provider; auto takes CUDA where the installed ONNX Runtime offers it."""
    cuda_graphs: bool = False
    """Whether calls on CUDA are captured at the start, at 1 to 64 rows, and replayed. Not yet run on one."""
    lanes: Annotated[int, Field(ge=1, le=256)] | None = None
    """Threads that call graphs, each single-threaded inside; unset: as many as were measured to add to what
    is computed, at most the CPUs this process may use; on a GPU one."""
    max_batch_rows: Annotated[int, Field(ge=1, le=4096)] | None = None
    """Rows that one call of any graph takes at most; unset: for each graph what its calibration chose."""
    calibrate: bool = True
    """Whether graphs are measured when they are loaded, about 30 ms each, to choose lanes and rows."""
    cache: Path | None = _CACHE
    """Folder where measurements are kept; a folder that cannot be written means measuring at each start."""

    admin_token: SecretStr | None = None
    """What `POST /models:reload` and ReloadModels want as bearer token, 16 to 512 visible ASCII characters;
    unset, nobody may call them. Other users of the machine see the options of a program: the environment or a
    file is the better place."""
    admin_token_file: Path | None = None
    """File that holds the admin token and nothing else; it is read at the start."""

    max_images: Annotated[int, Field(ge=1, le=4096)] = 64
    """Images (`n`) in one request."""
    max_importance_samples: Annotated[int, Field(ge=1, le=10_000)] = 1000
    """Draws for each image (`importance_samples`) in one likelihood request."""
    max_rows_in_flight: Annotated[int, Field(ge=1)] = 1024
    """Rows admitted and not yet finished, over all requests; beyond that a request is refused at the door."""
    stream_frames: Annotated[int, Field(ge=1, le=64)] = 4
    """Frames that wait for a slow reader; its drawing pauses when they are full."""
    default_timeout_ms: Annotated[int, Field(ge=1)] = 60_000
    """Deadline of a request that names none."""
    max_timeout_ms: Annotated[int, Field(ge=1)] = 600_000
    """The longest deadline a request may ask for."""
    max_body_bytes: Annotated[int, Field(ge=1024)] = 8 << 20
    """Bytes of a request body or gRPC message."""
    max_image_pixels: Annotated[int, Field(ge=1)] = 4_000_000
    """Pixels of an uploaded picture, checked before it is decompressed."""
    drain_grace_s: Annotated[float, Field(ge=0, le=3600)] = 30.0
    """Seconds that running drawings get to finish after SIGTERM."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """What the log on stderr holds."""


def available_cpus() -> int:
    """CPUs this process may use: its affinity mask, and the container's quota where there is one.

    ONNX Runtime's own default counts the host's cores and ignores both (microsoft/onnxruntime#29510).
    """
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
    except (OSError, ValueError):
        return cpus
    return cpus if quota == "max" else max(1, min(cpus, int(quota) // int(period)))
