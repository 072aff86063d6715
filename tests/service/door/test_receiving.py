"""The budget of bytes that are being received, within a process and over workers."""

import pytest

from pentimento.service.door.receiving import Receiving
from pentimento.service.errors import Code, PentimentoError
from pentimento.service.group import Board, Group
from pentimento.service.settings import Settings


def test_parcels_share_the_budget_and_give_it_back():
    receiving = Receiving(100)
    first, second = receiving.open(), receiving.open()
    assert first.take(60) and not second.take(41) and receiving.held == 60
    assert second.refused and not second.take(1), "what is there is not the whole any more"
    with pytest.raises(PentimentoError, match="at most 100 bytes") as caught:
        second.check()
    assert caught.value.code is Code.OVERLOADED and caught.value.retry_after_s
    first.check()
    for _ in range(2):
        first.close()
        second.close()
        assert receiving.held == 0
    assert not first.take(1), "it is closed"
    assert receiving.open().take(100)


def test_workers_have_one_budget():
    board = Board.create(2)

    def worker(number):
        group = Group(number=number, board=board, has_lane=True, reload=None, expose=None)
        return Receiving.of(Settings(max_body_bytes=1024, max_receiving_bytes=2048), group)

    here, there = worker(0), worker(1)
    parcel = here.open("a")
    assert parcel.take(1000) and there.open("b").take(1000)
    assert not there.open("c").take(100) and not here.open("d").take(100)
    parcel.close()
    assert there.open("c").take(1000)
    board.slots[1].clear()  # as the parent does for one that has died
    assert here.open("a").take(1000) and here.open("b").take(1000)


def test_a_client_has_a_share_of_it():
    receiving = Receiving(400, share=100)
    parcels = [receiving.open("a") for _ in range(3)]
    assert parcels[0].take(60) and parcels[1].take(40) and not parcels[2].take(1)
    with pytest.raises(PentimentoError, match="of one client may have at most 100 bytes"):
        parcels[2].check()
    other = receiving.open("b")
    assert other.take(100)
    parcels[0].close()
    assert receiving.open("a").take(60)
    mistaken = receiving.open("an address")
    assert mistaken.take(90)
    mistaken.belong_to("c")
    assert receiving.open("an address").take(100) and not receiving.open("c").take(11)


def test_the_share_is_a_quarter_and_one_body_at_least():
    assert Receiving.of(Settings()).share == 64 << 20
    assert Receiving.of(Settings(max_body_bytes=200 << 20)).share == 200 << 20
    group = Group(number=0, board=Board.create(4), has_lane=True, reload=None, expose=None)
    assert Receiving.of(Settings(), group).share == 16 << 20


class Clock:
    """Seconds that are set."""

    now = 0.0

    def __call__(self):
        return self.now


def coming(receiving, client, size, woken):
    parcel = receiving.open(client)
    parcel.wake = lambda: woken.append(client)
    assert parcel.take(size)
    return parcel


MIB = 1 << 20


def test_what_does_not_come_on_gives_its_place_to_others():
    clock, woken = Clock(), []
    receiving = Receiving(4 * MIB, clock=clock)
    stalled = coming(receiving, "stalled", MIB, woken)
    trickles = coming(receiving, "trickles", MIB, woken)
    comes_on = coming(receiving, "comes on", MIB // 4, woken)
    whole = coming(receiving, "whole", MIB, woken)
    whole.complete()
    at_once = receiving.open("at once")  # as messages of gRPC are
    assert at_once.take(MIB // 2)
    assert not receiving.open("too soon").take(MIB)
    for _ in range(3):
        clock.now += 1.0
        receiving.make_room()
        assert comes_on.take(1 << 16) and (trickles.take(100) or clock.now > 2)
    assert woken == ["stalled"], "and then a quarter is free"
    assert stalled.refused and not stalled.take(1) and not comes_on.refused
    with pytest.raises(PentimentoError, match="less than 32768 bytes a second") as caught:
        stalled.check()
    assert caught.value.code is Code.OVERLOADED and caught.value.retry_after_s
    assert receiving.open("another").take(MIB // 2)
    assert not receiving.open("yet another").take(2 * MIB)
    assert woken == ["stalled", "trickles"], "more than three quarters were held"
    assert not (comes_on.refused or whole.refused or at_once.refused)
    for parcel in (stalled, trickles, comes_on, whole, at_once):
        parcel.close()
    assert receiving.held == MIB // 2


def test_nobody_is_let_go_of_while_there_is_room():
    clock, woken = Clock(), []
    receiving = Receiving(4 * MIB, clock=clock)
    parcel = coming(receiving, "a", 3 * MIB, woken)
    clock.now = 1000.0
    receiving.make_room()
    assert not woken and parcel.take(10)


def test_a_budget_below_one_body_is_refused():
    with pytest.raises(
        RuntimeError, match=r"max_receiving_bytes must be at least max_body_bytes, .* 8388608"
    ):
        Receiving.of(Settings(max_receiving_bytes=1024))
