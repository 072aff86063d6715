"""Calls of Triton's extensions that are not offered: each is refused with the reason."""

__all__ = ["Unoffered"]

from typing import Any

import grpc

from pentimento.service.grpc.call import Context
from pentimento.service.open_inference.tensors import NO_SHARED_MEMORY

_REASONS = {
    "ModelConfig": "is not offered: ModelMetadata says what a model takes and gives",
    "ModelStatistics": "is not offered: /metrics on the HTTP port has them, by Triton's names, too",
    "TraceSetting": "is not offered: this server traces nothing",
    "LogSettings": "is not offered: the log is set where the server is started",
}


class Unoffered(grpc.GenericRpcHandler):  # type: ignore[type-arg]  # generic in the stubs alone
    """Answers calls of a service that no other handler knows.

    Args:
        service: Full name of the service.
    """

    def __init__(self, service: str) -> None:
        self._path = f"/{service}/"

    def service(self, details: grpc.HandlerCallDetails) -> "grpc.RpcMethodHandler[Any, Any] | None":
        """What gRPC asks: the handler of a call, or None."""
        path = details.method
        text = path.decode() if isinstance(path, bytes) else path
        if not text.startswith(self._path):
            return None
        name = text.removeprefix(self._path)[:60]
        reason = _REASONS.get(name, "is not offered")
        if "SharedMemory" in name:
            reason = NO_SHARED_MEMORY.replace("be given", "be had")

        async def refuse(_: object, context: Context) -> bytes:
            await context.abort(grpc.StatusCode.UNIMPLEMENTED, f"{name} {reason}")

        return grpc.stream_unary_rpc_method_handler(refuse)
