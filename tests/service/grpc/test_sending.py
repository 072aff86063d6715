"""The budget of answers on their way: who gets room, who waits, and that all of it is given back."""

import asyncio

import pytest

from pentimento.service.errors import Code
from pentimento.service.group import Board, Group
from pentimento.service.grpc.sending import NoRoom, Outgoing, Sending
from pentimento.service.settings import Settings

KIB = 1 << 10
BUDGET = 1024 * KIB  # a quarter of it for each client
MUCH = 200 * KIB


def begin(call: Outgoing, size: int = MUCH, *, made: bool = False) -> "asyncio.Task[None]":
    return asyncio.create_task(call.wait(size, made=made))


async def rounds() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def full(sending: Sending) -> list[Outgoing]:
    """Calls of five clients who have all of it."""
    calls = [sending.open(str(client)) for client in range(5)]
    for call in calls:
        call.reserve(MUCH)
        call.hand_over(MUCH)
    return calls


async def test_what_was_reserved_is_given_back_in_every_way():
    sending = Sending(BUDGET)
    call = sending.open("a")
    call.reserve(100 * KIB)
    call.reserve(MUCH)
    call.reserve(KIB)
    assert sending.held == MUCH, "room is for as much in all"
    call.hand_over(150 * KIB)
    assert sending.held == 150 * KIB, "it was smaller than it might have been"
    call.keep_handed()
    assert sending.held == 150 * KIB, "gRPC has it, however the call ends"
    call.taken()
    assert sending.held == 0
    call.reserve(MUCH)
    call.keep_handed()
    assert sending.held == 0, "nothing had been handed over"
    call.reserve(MUCH)
    call.close()
    call.reserve(MUCH)
    call.hand_over(MUCH)
    assert sending.held == 0, "it is over"


async def test_a_client_has_a_quarter_or_one_message_and_the_others_what_is_left():
    sending = Sending(BUDGET)
    sending.open("a").reserve(600 * KIB)
    with pytest.raises(NoRoom, match=r"client a has not taken 614400 bytes .* the limit of 262144") as caught:
        sending.open("a").reserve(1)
    assert (caught.value.code, caught.value.size, caught.value.retry_after_s) == (Code.OVERLOADED, 1, 1.0)
    sending.open("b").reserve(400 * KIB)
    with pytest.raises(NoRoom, match=r"1024000 bytes of answers are on their way .* the limit of 1048576"):
        sending.open("c").reserve(64 * KIB + 1)
    sending.open("c").reserve(64 * KIB)  # as much is always let through, once
    assert sending.held == 1064 * KIB
    with pytest.raises(NoRoom):
        sending.open("c").reserve(1)


async def test_who_waits_is_let_in_when_others_were_taken_and_nobody_overtakes_it():
    sending = Sending(BUDGET)
    calls = full(sending)
    late, later = begin(sending.open("x")), begin(sending.open("y"), 70 * KIB)
    await rounds()
    assert not late.done() and not later.done()
    calls[0].taken()
    await rounds()
    assert late.done() and not later.done()
    with pytest.raises(NoRoom, match=r"others wait for room|limit of"):
        sending.open("z").reserve(65 * KIB)
    calls[1].taken()
    await asyncio.gather(late, later)


async def test_clients_take_turns():
    sending = Sending(BUDGET)
    calls = full(sending)
    many = [begin(sending.open("many"), 100 * KIB) for _ in range(4)]
    await rounds()
    one = begin(sending.open("one"), 100 * KIB)
    await rounds()
    calls[0].taken()
    await rounds()
    assert [task.done() for task in (*many, one)] == [True, True, False, False, False]
    calls[1].taken()
    await rounds()
    assert one.done(), "not behind all four"
    for task in many:
        task.cancel()


async def test_who_waits_for_its_own_answers_is_in_nobodys_way():
    sending = Sending(BUDGET)
    unread = sending.open("a")
    unread.reserve(MUCH)
    own = begin(sending.open("a"))
    await rounds()
    sending.open("b").reserve(MUCH)
    assert not own.done()
    unread.close()
    await own
    assert sending.held == 2 * MUCH


async def test_it_is_tight_when_most_of_it_is_on_its_way_wherever():
    sending = Sending(BUDGET, elsewhere=lambda: 500 * KIB)
    call = sending.open("a")
    call.reserve(260 * KIB)
    assert not sending.is_tight
    call.close()
    call = sending.open("a")
    call.reserve(270 * KIB)
    assert sending.is_tight


async def test_who_leaves_while_it_waits_leaves_nothing_behind():
    sending = Sending(BUDGET)
    calls = full(sending)
    leaves, closed = sending.open("a"), sending.open("b")
    waiting = begin(leaves), begin(closed)
    await rounds()
    waiting[0].cancel()
    closed.close()
    await rounds()
    for call in calls:
        call.close()
    await waiting[1]
    assert sending.held == 0
    # Let in and cancelled in the same moment:
    blocked, last = full(sending), begin(sending.open("c"))
    await rounds()
    for call in blocked:
        call.close()
    last.cancel()
    await rounds()
    assert sending.held == 0


async def test_messages_that_are_made_wait_up_to_a_limit():
    sending = Sending(BUDGET)
    full(sending)
    waiting = [begin(sending.open("a"), made=True) for _ in range(5)]
    await rounds()
    with pytest.raises(NoRoom, match="the limit of"):
        await sending.open("b").wait(MUCH, made=True)
    more = begin(sending.open("b"))  # for what is not made, waiting costs nothing
    await rounds()
    assert not more.done()
    for task in (*waiting, more):
        task.cancel()
    await asyncio.gather(*waiting, more, return_exceptions=True)
    again = begin(sending.open("b"), made=True)
    await rounds()
    assert not again.done()
    again.cancel()


async def test_workers_have_one_budget():
    board = Board.create(2)

    def worker(number):
        group = Group(number=number, board=board, has_lane=True, reload=None, expose=None)
        return Sending.of(Settings(max_sending_bytes=64 * KIB * KIB), group)

    here, there = worker(0), worker(1)
    assert here.share == 8 * KIB * KIB
    call = here.open("a")
    call.reserve(60 * KIB * KIB)
    with pytest.raises(NoRoom, match="62914560 bytes of answers are on their way"):
        there.open("b").reserve(5 * KIB * KIB)
    waiting = begin(there.open("b"), 5 * KIB * KIB)
    await rounds()
    assert not waiting.done()
    call.close()
    await asyncio.wait_for(waiting, 30)  # nobody tells it; it looks


@pytest.mark.parametrize("size", [0, 64 * KIB * KIB - 1])
def test_a_budget_below_one_message_is_refused(size):
    with pytest.raises(ValueError, match="max_sending_bytes"):
        Settings(max_sending_bytes=size)
