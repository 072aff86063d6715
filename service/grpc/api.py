"""The gRPC transport: `pentimento.v1.CanvasService`, the Open Inference Protocol, health and reflection."""

__all__ = ["GRPC_STATUS", "INFERENCE_NAME", "SERVICE_NAME", "GrpcServer", "create_server"]

import asyncio
import math
from collections.abc import Sequence
from functools import partial
from typing import NoReturn

import grpc

from pentimento.service.door.door import Door
from pentimento.service.door.receiving import Receiving
from pentimento.service.door.tls import Tls
from pentimento.service.grpc.arrivals import Arrivals
from pentimento.service.grpc.call import Pace
from pentimento.service.grpc.calls import Calls
from pentimento.service.grpc.connections import end_connections
from pentimento.service.grpc.counts import Counts
from pentimento.service.grpc.meter import Meter
from pentimento.service.grpc.open_inference.service import InferenceService
from pentimento.service.grpc.open_inference.unoffered import Unoffered
from pentimento.service.grpc.pb import canvas_service_pb2 as pb
from pentimento.service.grpc.pb import open_inference_pb2 as inference_pb
from pentimento.service.grpc.probes import HEALTH, REFLECTION, Health, Reflection
from pentimento.service.grpc.progress import Progress
from pentimento.service.grpc.refusing import GRPC_STATUS
from pentimento.service.grpc.sending import Sending
from pentimento.service.grpc.service import CanvasService
from pentimento.service.grpc.sizes import MAX_SEND_BYTES
from pentimento.service.grpc.status import CallObserver, generic_handler
from pentimento.service.operations.operations import Operations
from pentimento.service.settings import Settings

_INT_MAX = 2**31 - 1
_UNREAD_BYTES = 65_535  # the least that HTTP/2 begins with
_SERVICE = pb.DESCRIPTOR.services_by_name["CanvasService"]

_INFERENCE = inference_pb.DESCRIPTOR.services_by_name["GRPCInferenceService"]

SERVICE_NAME = _SERVICE.full_name
INFERENCE_NAME = _INFERENCE.full_name


class GrpcServer:
    """A bound server; `start` makes it answer. Belongs to the event loop that it was made on.

    Args:
        operations: What can be asked for.
        settings: Where to listen, and the limits.
        metrics: Told of every call to CanvasService.
        door: Lets calls in.
        receiving: The budget for messages,
        sending: and for answers.
        tls: Makes it speak TLS.
        shared: Whether other workers have the port, too.

    Raises:
        OSError: The address cannot be had; one sentence.
    """

    def __init__(
        self,
        operations: Operations,
        settings: Settings,
        metrics: CallObserver | None,
        door: Door,
        receiving: Receiving,
        sending: Sending,
        tls: Tls | None,
        *,
        shared: bool = False,
    ) -> None:
        self._server = grpc.aio.server(options=_options(settings, shared=shared))
        service = CanvasService(operations, settings, metrics)
        self._watch: asyncio.Task[NoReturn] | None = None  # from the start on
        pace = Pace(settings.max_stall_s, settings.min_client_bytes_per_s)
        progress = Progress(Meter(lambda: self.port))
        arrivals = Arrivals(pace, settings.max_body_bytes, progress)
        self._health = Health(arrivals, door)
        names = (SERVICE_NAME, INFERENCE_NAME, HEALTH, REFLECTION)
        reflection = Reflection(arrivals, door, names, inference_pb.DESCRIPTOR.pool)
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        address = f"{host}:{settings.grpc_port}"
        try:
            if tls is None:
                self.port = self._server.add_insecure_port(address)
            else:
                self.port = self._server.add_secure_port(address, _credentials(tls))
        except RuntimeError:  # gRPC logs the reason and raises no other type
            raise OSError(
                f"gRPC cannot listen on {address}: another program has the port, or the "
                "address is not one of this machine"
            ) from None
        self._calls = Calls(self.port, pace, sending)
        handle = partial(
            generic_handler,
            calls=self._calls,
            door=door,
            arrivals=arrivals,
            counts=Counts(settings),
            receiving=receiving,
            sending=sending,
            pace=pace,
            observer=metrics,
        )
        inference = InferenceService(operations, settings, metrics)
        handlers = (
            handle(_SERVICE, service),
            handle(_INFERENCE, inference, renames=False),
            Unoffered(INFERENCE_NAME),
            self._health.handler,
            reflection.handler,
        )
        self._server.add_generic_rpc_handlers(handlers)

    async def start(self) -> None:
        """Begins to answer; health says NOT_SERVING until `set_serving`."""
        self.set_serving(False)
        await self._server.start()
        self._watch = asyncio.create_task(self._calls.watch())

    def set_serving(self, serving: bool) -> None:
        """Sets the health status of the whole server and of CanvasService to SERVING or NOT_SERVING."""
        for name in ("", SERVICE_NAME, INFERENCE_NAME):
            self._health.set(name, serving=serving)

    async def told(self, seconds: float) -> None:
        """Waits until all who watch the health have been told what was set, for at most `seconds`."""
        await self._health.told(seconds)

    async def stop(self, grace: float | None = None) -> None:
        """Waits at most `grace` seconds for the calls that run now, cuts off the others, and stops.

        Calls that come meanwhile are answered, but not waited for. gRPC's own grace period would cancel those
        that it has read and not yet handed over: their clients would get CANCELLED, as if they had left
        (grpc/grpc#41785). Who is cut off knows that the server is UNAVAILABLE. Health watchers would hold
        that period up as well: they never end by themselves.
        """
        self.set_serving(False)
        if grace:
            await self._calls.leave(grace)
        if self._watch is not None:
            self._watch.cancel()
        # Nothing may come between the two: who is cut off connects again at once.
        end_connections(self.port)
        await self._server.stop(None)

    async def wait_for_termination(self) -> None:
        """Waits until the server has stopped."""
        await self._server.wait_for_termination()


async def create_server(
    operations: Operations,
    settings: Settings,
    *,
    metrics: CallObserver | None = None,
    door: Door | None = None,
    receiving: Receiving | None = None,
    sending: Sending | None = None,
    tls: Tls | None = None,
    shared: bool = False,
) -> tuple[GrpcServer, int]:
    """Makes a server and binds it to its address.

    Args:
        operations: What can be asked for.
        settings: Where to listen, and the limits.
        metrics: Told of every call to CanvasService.
        door: Decides which calls are let in; by default one made from the settings.
        receiving: The budget for messages, over both transports; by default one made from the settings,
        sending: as that for answers.
        tls: Certificate and key, to speak TLS; None for plain text.
        shared: Whether other workers have the port, too, which the parent has made sure of.

    Returns:
        The server, not yet started, and its port, which differs from the setting when that is 0.

    Raises:
        OSError: The address cannot be had; one sentence.
        RuntimeError: One sentence: a setting is wrong, or a file cannot be read.
    """
    server = GrpcServer(
        operations,
        settings,
        metrics,
        door or Door.of(settings),
        receiving or Receiving.of(settings),
        sending or Sending.of(settings),
        tls,
        shared=shared,
    )
    return server, server.port


def _credentials(tls: Tls) -> grpc.ServerCredentials:
    return grpc.ssl_server_credentials(
        [(tls.key, tls.certificate)], tls.client_ca, require_client_auth=tls.client_ca is not None
    )


def _options(settings: Settings, *, shared: bool) -> Sequence[tuple[str, int]]:
    longest_ms = settings.max_timeout_ms + math.ceil(settings.max_stall_s * 1000)
    return (
        ("grpc.max_receive_message_length", settings.max_body_bytes),
        ("grpc.max_send_message_length", MAX_SEND_BYTES),
        ("grpc.so_reuseport", int(shared)),  # but for workers a second server would silently share the port
        # Between the two, gRPC would refuse some at random.
        ("grpc.max_metadata_size", settings.max_header_bytes),
        ("grpc.absolute_max_metadata_size", settings.max_header_bytes),
        ("grpc.max_allowed_incoming_connections", settings.max_connections),  # handshakes among them
        ("grpc.server_handshake_timeout_ms", math.ceil(settings.max_stall_s * 1000)),
        # Of a call that nobody has read yet, no more than this comes in; gRPC would let in 4 MiB and more.
        ("grpc.max_concurrent_streams", settings.max_grpc_connection_calls),
        ("grpc.http2.lookahead_bytes", _UNREAD_BYTES),
        ("grpc.http2.bdp_probe", 0),
        # However a client reads: nothing that is held for a connection is held for ever.
        ("grpc.max_connection_age_ms", settings.max_grpc_connection_age_s * 1000),
        ("grpc.max_connection_age_grace_ms", min(longest_ms, _INT_MAX)),
        # A client that vanished without a word is noticed within 40 s, and its drawings are cancelled.
        ("grpc.keepalive_time_ms", 30_000),
        ("grpc.keepalive_timeout_ms", 10_000),
        ("grpc.http2.min_recv_ping_interval_without_data_ms", 10_000),
        ("grpc.http2.max_ping_strikes", 3),
    )
