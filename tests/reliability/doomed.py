"""A client that is killed: `python -m tests.reliability.doomed ...` opens streams and reads them.

Its arguments are a server's HTTP port, its gRPC port, and how many streams of each kind it opens. It writes
a line once each of them has had its first frame.
"""

import asyncio
import sys

from tests.reliability.asks import STREAMED, Ask
from tests.reliability.drawings import Clients
from tests.reliability.server import Place


async def main(http_port: str, grpc_port: str, count: str) -> None:
    """Opens the streams and reads them until something kills the process."""
    where = Place(http_port=int(http_port), grpc_port=int(grpc_port))
    async with Clients(where) as clients:
        ask = Ask(n=2, steps=1000, work=100)
        sittings = [await clients.begin(way, ask) for way in STREAMED for _ in range(int(count))]
        await asyncio.gather(*(sitting.frame() for sitting in sittings))
        print("all have begun", flush=True)
        await asyncio.gather(*(sitting.ending() for sitting in sittings))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
