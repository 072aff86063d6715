"""An answer's head waits for its body, but never longer than the round of the event loop."""

import asyncio

from pentimento.service.http.joined_writes import JoinedWrites

HEAD = b"HTTP/1.1 200 OK\r\n\r\n"


async def connected():
    """Our side of a real connection, and a reader at its other end."""
    loop, there = asyncio.get_running_loop(), asyncio.get_running_loop().create_future()

    async def accepted(reader, writer):
        there.set_result((reader, writer))

    server = await asyncio.start_server(accepted, "127.0.0.1", 0)
    transport, _ = await loop.create_connection(asyncio.Protocol, *server.sockets[0].getsockname())
    reader, writer = await there
    server.close()
    written = []
    write = transport.write

    class Counted:
        def __getattr__(self, name):
            return getattr(transport, name)

        def write(self, data):
            written.append(data)
            write(data)

    return JoinedWrites(Counted(), loop), reader, writer, written


async def test_head_and_body_are_one_write_and_what_follows_is_its_own():
    transport, reader, writer, written = await connected()
    transport.write(HEAD)
    transport.write(b"one")
    transport.write(b"two")
    assert written == [HEAD + b"one", b"two"]
    transport.close()
    assert await reader.read() == HEAD + b"onetwo"
    writer.close()


async def test_a_head_alone_is_sent_when_the_round_is_over():
    transport, reader, writer, written = await connected()
    transport.write(HEAD)
    assert written == []
    assert await asyncio.wait_for(reader.readexactly(len(HEAD)), 5) == HEAD
    transport.close()
    writer.close()


async def test_nothing_is_lost_at_the_end():
    for end in ("close", "write_eof"):
        transport, reader, writer, _ = await connected()
        transport.write(HEAD)
        getattr(transport, end)()
        assert await asyncio.wait_for(reader.read(), 5) == HEAD
        transport.close()
        writer.close()
