"""Clients over gRPC, each with its own connection; requests are bytes made once, answers are not parsed."""

__all__ = ["grpc_client"]

import time

import grpc

from benchmarks.bench.window import Tally, Window

_OPTIONS = (("grpc.use_local_subchannel_pool", 1), ("grpc.max_receive_message_length", -1))


async def grpc_client(window: Window, tally: Tally, *, target: str) -> None:
    """Sends a group's request over one channel, again and again, until the window is over or one fails."""
    ask = tally.group.ask
    request, checked = ask.grpc(), False
    async with grpc.aio.insecure_channel(target, options=_OPTIONS) as channel:
        if ask.streams:
            stream = channel.unary_stream(ask.method, None, None)
        else:
            unary = channel.unary_unary(ask.method, None, None)
        while True:
            began, first, parts = window.begin(), 0.0, 0
            kept: list[bytes] = []
            try:
                if ask.streams:
                    async for message in stream(request):
                        parts += 1
                        if parts == 2:  # after the header
                            first = time.perf_counter()
                        if not checked:
                            kept.append(message)
                else:
                    kept = [await unary(request)]
            except grpc.aio.AioRpcError as error:
                window.fail(tally, began, f"{error.code().name}: {error.details()}")
                return
            if not checked:
                fault = ask.fault(b"".join(kept), parts)
                if fault is not None:
                    window.fail(tally, began, fault)
                    return
                checked = True
            window.end(tally, began, first or time.perf_counter())
            if window.over:
                return
