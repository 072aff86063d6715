"""Settings of the server: options of `pentimento serve` and environment variables `PENTIMENTO_*`.

Read once, in `app`; every other module receives values. The unit is in the name.
"""

__all__ = ["Settings", "available_cpus"]

import os
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


def _cache() -> Path | None:
    """The folder of measurements below the user's cache; None where a user has no home."""
    try:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    except RuntimeError:
        return None
    return base / "pentimento" / "calibration"


class Settings(BaseSettings):
    """The settings; each docstring here is the option's help text, defaults and ranges are its annotation."""

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
    workers: Annotated[int, Field(ge=1, le=256)] | None = None
    """Processes that answer clients and compute, each with its own copy of the bundles, behind one address;
    unset: as many as were measured to add throughput, at most the CPUs that may be used. 1 is one process
    without children. On a GPU: processes that answer, beside one more that computes; unset, 1."""
    max_batch_rows: Annotated[int, Field(ge=1, le=4096)] | None = None
    """Rows that one call of any graph takes at most; unset: for each graph what its calibration chose."""
    calibrate: bool = True
    """Whether graphs are measured when they are loaded, about 25 ms each, to choose workers and rows."""
    cache: Path | None = Field(default_factory=_cache)
    """Folder where measurements are kept, by default in ~/.cache; a folder that cannot be written means
    measuring at each start."""

    studio: bool = True
    """Whether browsers get the studio at `/`."""

    api_keys: SecretStr | None = None
    """API keys of which a client must have one, a line each: 16 to 512 visible ASCII characters, optionally
    after a name of at most 15 characters and a space; unset, everybody may draw. Other users of the machine
    see the options of a program: the environment or a file is the better place."""
    api_keys_file: Path | None = None
    """File of more such lines, and of comments after #; it is read at the start."""
    admin_token: SecretStr | None = None
    """Bearer token that `POST /models:reload` and ReloadModels require, 16 to 512 visible ASCII characters;
    unset, nobody may call them. Other users of the machine see the options of a program: the environment or a
    file is the better place."""
    admin_token_file: Path | None = None
    """File that holds the admin token and nothing else; it is read at the start."""

    tls_certificate_file: Path | None = None
    """Certificate in PEM, and behind it those that link it to its authority; HTTP and gRPC then speak nothing
    but TLS, 1.2 or later."""
    tls_key_file: Path | None = None
    """The certificate's private key in PEM, without a password."""
    tls_client_ca_file: Path | None = None
    """Authorities in PEM; a client must then have a certificate that one of them has signed."""
    trusted_proxies: str = ""
    """Addresses and networks, with commas between, of proxies whose `X-Forwarded-For` is believed."""
    cors_origins: str = ""
    """Origins, such as https://example.com, with commas between, whose pages may ask; * stands for all."""
    allowed_hosts: str = ""
    """Names, with commas between, by which browsers reach a server without keys, besides localhost and
    addresses; unset: on loopback no other, elsewhere any."""

    max_images: Annotated[int, Field(ge=1, le=4096)] = 64
    """Images (`n`) in one request."""
    max_importance_samples: Annotated[int, Field(ge=1, le=10_000)] = 1000
    """Draws for each image (`importance_samples`) in one likelihood request."""
    max_rows_in_flight: Annotated[int, Field(ge=1)] = 1024
    """Rows admitted and not yet finished, over all requests; beyond that a request is refused at the door."""
    max_values_in_flight: Annotated[int, Field(ge=1024)] = 1 << 27
    """Numbers that all admitted requests may make the server hold at a time: noise, latents, pictures and
    canvases, of four bytes each; beyond that a request is refused at the door."""
    stream_frames: Annotated[int, Field(ge=1, le=64)] = 4
    """Frames that wait for a slow reader; its drawing pauses when they are full."""
    default_timeout_ms: Annotated[int, Field(ge=1)] = 60_000
    """Deadline of a request that names none."""
    max_timeout_ms: Annotated[int, Field(ge=1)] = 600_000
    """The longest deadline a request may ask for."""
    max_body_bytes: Annotated[int, Field(ge=1024)] = 8 << 20
    """Bytes of a request body or gRPC message."""
    max_receiving_bytes: Annotated[int, Field(ge=1024)] = 256 << 20
    """Bytes of all request bodies and gRPC messages together that are held while they are received and read,
    over both transports and all workers; beyond that a body is refused. At least `max_body_bytes`."""
    max_sending_bytes: Annotated[int, Field(ge=64 << 20)] = 128 << 20
    """Bytes of all gRPC answers together that are made and not yet taken by their clients, over all workers;
    beyond that an answer waits. At least 64 MiB, as much as one message may have."""
    max_image_pixels: Annotated[int, Field(ge=1)] = 16_000_000
    """Pixels of an uploaded picture, checked before it is decompressed."""
    max_request_pixels: Annotated[int, Field(ge=1)] = 64_000_000
    """Pixels of all uploaded pictures of a request together."""
    max_request_values: Annotated[int, Field(ge=1024)] = 1 << 25
    """Numbers that a request may make the server hold at a time: its noise, latents and pictures, of four
    bytes each."""
    max_json_depth: Annotated[int, Field(ge=2, le=200)] = 32
    """Arrays and objects in each other in a JSON body; latents need at most 7."""
    max_header_bytes: Annotated[int, Field(ge=1024, le=1 << 20)] = 16 << 10
    """Bytes of a request's line and headers over HTTP, and of its metadata over gRPC."""
    max_headers: Annotated[int, Field(ge=16, le=10_000)] = 100
    """Headers of an HTTP request; over gRPC each counts 32 bytes more in `max_header_bytes` instead."""
    max_connections: Annotated[int, Field(ge=1)] = 4096
    """Open connections of each transport; one more is closed at once, over HTTP after a 503."""
    max_client_streams: Annotated[int, Field(ge=1)] | None = None
    """Streams that one client may have open at a time; unset, as many as `max_rows_in_flight` allows."""
    client_requests_per_s: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    """Requests a second that one client may make over a longer time; unset, as many as it likes."""
    client_burst_requests: Annotated[int, Field(ge=1)] = 20
    """Requests that a client may make at once, where `client_requests_per_s` is set."""
    max_stall_s: Annotated[float, Field(gt=0, le=3600)] = 30.0
    """Seconds over which a client must read, or send, at least `min_client_bytes_per_s`; or else its
    connection is closed, and its drawing cancelled."""
    min_client_bytes_per_s: Annotated[int, Field(ge=1)] = 1024
    """Bytes a second, over `max_stall_s`, that a client must read or send."""
    max_grpc_connection_calls: Annotated[int, Field(ge=1, le=10_000)] = 1024
    """Calls that one gRPC connection may have at a time; with more a client waits, or opens another."""
    max_grpc_connection_age_s: Annotated[int, Field(ge=1, le=2_000_000)] = 3600
    """Seconds after which a gRPC connection takes no new calls, and its client makes another: what gRPC holds
    for a reader that takes nothing is freed then, when the longest deadline has passed."""
    max_call_s: Annotated[float, Field(gt=0, le=3600)] = 60.0
    """Seconds that one graph call may take: a worker in which one takes longer is replaced by another. Of a
    server without other processes, nobody can replace it."""
    max_trial_s: Annotated[float, Field(gt=0, le=3600)] = 30.0
    """Seconds that a new graph may take to be loaded and tried, in a process of its own; then its bundle is
    refused."""
    max_trial_bytes: Annotated[int, Field(ge=1 << 26)] = 2 << 30
    """Bytes of memory that it may take for that, on CPUs under Linux."""
    drain_grace_s: Annotated[float, Field(ge=0, le=3600)] = 30.0
    """Seconds that running drawings get to finish after SIGTERM."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """What the log on stderr holds; at info, a line for each request."""
    log_format: Literal["text", "json"] = "text"
    """Lines for people, or a JSON object a line."""


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
