"""What does a streamed drawing cost over gRPC, over SSE, and what of it is gRPC's library itself?

    python -m benchmarks.grpc_cost
    python -m benchmarks.grpc_cost --also ../before      # the gRPC of another checkout, in the same rounds

CPU time of the server's own process a drawing, which is all but the lanes; beside it that of the lanes.
Clients ask again as soon as they have their answer. The floor is a server of grpc.aio with nothing around it,
on the same event loop, that answers every call with the messages of one drawing, made beforehand. Medians
over interleaved rounds; CPU time, so that a busy machine matters little.
"""

import argparse
import asyncio
import multiprocessing
import statistics
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

import grpc
import uvloop

from benchmarks.bench.asks import Ask, Group
from benchmarks.bench.load_grpc import grpc_client
from benchmarks.bench.load_http import http_client
from benchmarks.bench.procs import cpu_seconds, tree
from benchmarks.bench.window import Tally
from benchmarks.serving import ROOT, of_checkout, served

_SERVICE = "pentimento.v1.CanvasService"


class Contender(NamedTuple):
    """A running server and how it is asked: over HTTP, or at a gRPC target."""

    pid: int
    ask: Ask
    port: int = 0
    target: str = ""


class Turn:
    """Stands for the window of the clients of `benchmarks.bench`: it is over after so many drawings."""

    def __init__(self, drawings: int) -> None:
        self._left = drawings

    @property
    def over(self) -> bool:
        return self._left <= 0

    def begin(self) -> float:
        return 0.0

    def end(self, tally: Tally, began: float, first: float) -> None:
        self._left -= 1

    def fail(self, tally: Tally, began: float, reason: str) -> None:
        raise RuntimeError(f"a drawing failed: {reason}")


async def draw(contender: Contender, drawings: int, clients: int) -> tuple[float, float]:
    """Has clients ask for drawings; returns the CPU seconds a drawing of the process and of its lanes."""
    own, lanes = [contender.pid], tree(contender.pid)[1:]
    tally = Tally(Group(ask=contender.ask, clients=clients))
    turn = Turn(drawings)
    before = cpu_seconds(own), cpu_seconds(lanes)
    if contender.target:
        loads = [grpc_client(turn, tally, target=contender.target) for _ in range(clients)]
    else:
        loads = [http_client(turn, tally, port=contender.port, path="/generate") for _ in range(clients)]
    await asyncio.gather(*loads)
    drawn = drawings + clients - 1  # the others end what they have begun
    return (cpu_seconds(own) - before[0]) / drawn, (cpu_seconds(lanes) - before[1]) / drawn


async def messages_of(target: str, ask: Ask) -> list[bytes]:
    """The messages of one drawing."""
    async with grpc.aio.insecure_channel(target) as channel:
        return [message async for message in channel.unary_stream(ask.method)(ask.grpc())]


async def answer_the_same(messages: list[bytes], port) -> None:
    """Serves nothing but these messages, for ever; tells its port."""

    async def stream(request, context) -> None:
        for message in messages:
            await context.write(message)

    handlers = {"StreamCanvas": grpc.unary_stream_rpc_method_handler(stream)}
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(_SERVICE, handlers),))
    port.send(server.add_insecure_port("127.0.0.1:0"))
    await server.start()
    await server.wait_for_termination()


def serve_the_same(messages: list[bytes], port) -> None:
    uvloop.run(answer_the_same(messages, port))


@contextmanager
def floor(messages: list[bytes]):
    """Runs a server that answers the same in a process of its own; yields process id and port."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=serve_the_same, args=(messages, there), daemon=True)
    process.start()
    try:
        yield process.pid, here.recv()
    finally:
        process.terminate()
        process.join()


def start(stack: ExitStack, arguments: argparse.Namespace) -> dict[str, Contender]:
    """Starts all servers, until the end of the stack."""
    stream = Ask(model=arguments.model, steps=arguments.steps, form="grpc-stream")
    contenders = {}
    address, target, pid = stack.enter_context(served(arguments.bundles, calibrate=False))
    sse = Ask(model=arguments.model, steps=arguments.steps, form="sse")
    contenders["SSE"] = Contender(pid, sse, port=int(address.rpartition(":")[2]))
    contenders["gRPC"] = Contender(pid, stream, target=target)
    messages = uvloop.run(messages_of(target, stream))
    pid, port = stack.enter_context(floor(messages))
    contenders["the library's floor"] = Contender(pid, stream, target=f"127.0.0.1:{port}")
    for folder in arguments.also:
        with of_checkout(folder):
            _, target, pid = stack.enter_context(served(arguments.bundles, calibrate=False))
        contenders[f"gRPC of {folder.name}"] = Contender(pid, stream, target=target)
    return contenders


def main() -> None:
    """Measures and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--bundles", type=Path, default=ROOT / "zoo")
    parser.add_argument("--model", default="gran5-mnist")
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--drawings", type=int, default=600, help="of each turn")
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--also", type=Path, action="append", default=[], help="another checkout")
    arguments = parser.parse_args()
    with ExitStack() as stack:
        contenders = start(stack, arguments)
        for contender in contenders.values():  # what only the first drawings cost
            uvloop.run(draw(contender, 100, arguments.clients))
        costs: dict[str, list[tuple[float, float]]] = {name: [] for name in contenders}
        for number in range(arguments.rounds):
            for name in list(contenders)[:: -1 if number % 2 else 1]:
                cost = uvloop.run(draw(contenders[name], arguments.drawings, arguments.clients))
                costs[name].append(cost)
    print("| server | own CPU, ms a drawing | of SSE | of the floor | lanes, ms |\n|---|---|---|---|---|")
    for name, rounds in costs.items():
        own, lanes = (1000 * statistics.median(column) for column in zip(*rounds, strict=True))
        of_sse, of_floor = (
            statistics.median(a / b for (a, _), (b, _) in zip(rounds, costs[other], strict=True))
            for other in ("SSE", "the library's floor")
        )
        print(f"| {name} | {own:.2f} | {of_sse:.2f} | {of_floor:.2f} | {lanes:.2f} |")


if __name__ == "__main__":
    main()
