"""Call.write: each message has its own time, whatever the timer of its call was set to before."""

import asyncio

import pytest

from pentimento.service.door.door import Caller
from pentimento.service.errors import PentimentoError, Stalled
from pentimento.service.grpc import call as module
from pentimento.service.grpc.call import Call, Pace
from pentimento.service.grpc.pb import canvas_service_pb2 as pb
from pentimento.service.grpc.sending import Sending

pytestmark = pytest.mark.alone

MESSAGE = pb.StreamCanvasResponse(summary=pb.DrawingSummary(frame_count=1))
NEVER = 3600.0


class Client:
    """A context that takes each message after so many seconds."""

    def __init__(self, *seconds: float) -> None:
        self._seconds = iter(seconds)
        self.taken = 0

    async def write(self, data: bytes) -> None:
        await asyncio.sleep(next(self._seconds))
        self.taken += 1


def call(client, max_stall_s):
    outgoing = Sending(1 << 20).open("-")
    return Call(id="1", caller=Caller("-"), context=client, pace=Pace(max_stall_s, 1e9), outgoing=outgoing)


async def test_messages_that_are_each_taken_in_time_are_sent_however_long_they_take_together():
    client = Client(*[0.1] * 10)
    writer = call(client, 0.5)
    for _ in range(10):
        await writer.write(MESSAGE)
    assert client.taken == 10


async def test_time_between_two_messages_is_not_the_clients():
    client = Client(0.0, 0.0)
    writer = call(client, 0.1)
    await writer.write(MESSAGE)
    await asyncio.sleep(0.3)
    await writer.write(MESSAGE)
    assert client.taken == 2


@pytest.mark.parametrize("before", [0, 3])
async def test_a_message_that_is_not_taken_stalls_after_its_own_time(before):
    writer, clock = call(Client(*[0.1] * before, NEVER), 0.4), asyncio.get_running_loop().time
    for _ in range(before):
        await writer.write(MESSAGE)
    began = clock()
    with pytest.raises(Stalled):
        await writer.write(MESSAGE)
    assert clock() - began > 0.39
    task = asyncio.current_task()
    assert task is not None and not task.cancelling(), "the call goes on, to say so"
    await asyncio.sleep(0)


async def test_an_end_that_is_nearer_than_the_timer_counts(monkeypatch):
    monkeypatch.setattr(module, "_MOMENT_S", 0.05)
    writer = call(Client(0.0, NEVER), NEVER)
    await writer.write(MESSAGE)
    writer.must_end_within(0.1)
    with pytest.raises(PentimentoError, match="deadline passed"):
        await writer.write(MESSAGE)


async def test_a_client_that_leaves_is_not_one_that_stalls():
    def leave() -> None:
        task.cancel()
        task.cancel()  # whatever the timer does meanwhile

    task = asyncio.create_task(call_and_write(Client(NEVER), 0.2))
    asyncio.get_running_loop().call_later(0.1, leave)
    with pytest.raises(asyncio.CancelledError):
        await task


async def call_and_write(client, max_stall_s):
    await call(client, max_stall_s).write(MESSAGE)


async def test_nothing_is_left_of_a_call_that_stopped():
    writer = call(Client(0.0), 0.1)
    await writer.write(MESSAGE)
    writer.impatience.stop()
    await asyncio.sleep(0.3)
    task = asyncio.current_task()
    assert task is not None and not task.cancelling()
