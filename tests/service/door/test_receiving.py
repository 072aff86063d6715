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
    parcel = here.open()
    assert parcel.take(1500) and not there.open().take(1000) and there.open().take(500)
    assert not here.open().take(100)
    parcel.close()
    assert there.open().take(1500)
    board.slots[1].clear()  # as the parent does for one that has died
    assert here.open().take(2048)


def test_a_budget_below_one_body_is_refused():
    with pytest.raises(
        RuntimeError, match=r"max_receiving_bytes must be at least max_body_bytes, .* 8388608"
    ):
        Receiving.of(Settings(max_receiving_bytes=1024))
