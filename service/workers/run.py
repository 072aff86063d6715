"""Runs a server to its end: as one process, or as a parent with workers."""

__all__ = ["BOTH", "FRONT", "LANE", "choose_roles", "run"]

import asyncio
import logging
import math
import os
import signal
import sys
import threading
from collections.abc import Sequence

import uvicorn

from pentimento.service.app import StartError
from pentimento.service.door.descriptors import fit_descriptors
from pentimento.service.engine.providers import installed_runtimes
from pentimento.service.settings import Settings, available_cpus
from pentimento.service.telemetry.log_writer import flush_log
from pentimento.service.telemetry.request_log import configure_logging
from pentimento.service.workers.alone import serve_alone
from pentimento.service.workers.parent import Parent

_log = logging.getLogger(__name__)

BOTH, FRONT, LANE = (True, True), (True, False), (False, True)
"""Roles of a worker: whether it has a front end, and whether it has a lane."""


def run(settings: Settings, *, roles: Sequence[tuple[bool, bool]] = (), program: Sequence[str] = ()) -> int:
    """Runs a server to its end.

    Args:
        settings: Everything that can be set.
        roles: Of its workers; by default as the settings and the machine have it.
        program: Arguments of Python that run a worker; by default the usual one.

    Returns:
        The exit code: 0 after a drain, another when it could not start; the reason is then on stderr.
    """
    configure_logging(settings.log_level, settings.log_format)
    if os.getpid() == 1:  # of a container: a signal without a handler would be ignored while bundles load
        signal.signal(signal.SIGTERM, lambda number, _: os._exit(128 + number))
    factory = uvicorn.Config("", log_config=None).get_loop_factory()
    try:
        roles = roles or choose_roles(settings)
        settings = _with_descriptors(settings, sum(front for front, _ in roles))
        with asyncio.Runner(loop_factory=factory if len(roles) == 1 else None) as runner:
            runner.run(_serve(settings, roles, program))
    except StartError as error:
        if settings.log_format == "json":
            _log.critical("pentimento cannot start: %s", error)
        else:
            flush_log()  # what was said before comes first
            print(f"pentimento cannot start: {error}", file=sys.stderr)
        return error.code
    if any(thread.name == "lane" for thread in threading.enumerate()):
        # Of a graph call that goes on: Python would end it in a way that ONNX Runtime takes for an error.
        flush_log()
        sys.stdout.flush()
        os._exit(0)
    return 0


async def _serve(settings: Settings, roles: Sequence[tuple[bool, bool]], program: Sequence[str]) -> None:
    await (serve_alone(settings) if len(roles) == 1 else Parent(settings, roles, program or None).run())


def _with_descriptors(settings: Settings, fronts: int) -> Settings:
    try:
        fitting = fit_descriptors(math.ceil(settings.max_connections / fronts)) * fronts
    except RuntimeError as error:
        raise StartError(str(error)) from None
    return settings.model_copy(update={"max_connections": min(settings.max_connections, fitting)})


def choose_roles(settings: Settings) -> list[tuple[bool, bool]]:
    """The workers of a server: where graphs run on CPUs each draws what it is asked for.

    A GPU is one process's, which then has no front end. Workers share memory and ports as Linux has it.

    Raises:
        StartError: Several were asked for on another system.
    """
    if not hasattr(os, "memfd_create"):
        if settings.workers not in (None, 1):
            raise StartError(f"workers must be 1 on this system, got {settings.workers}: more need Linux", 2)
        return [BOTH]
    on_gpu = settings.provider == "cuda" or (
        settings.provider == "auto" and "onnxruntime-gpu" in installed_runtimes()
    )
    if on_gpu:
        return [BOTH] if settings.workers in (None, 1) else [LANE, *[FRONT] * settings.workers]
    return [BOTH] * (settings.workers or available_cpus())
