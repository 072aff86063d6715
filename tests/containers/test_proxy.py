"""The proxy's configuration, on a real Envoy in front of two real servers."""

import asyncio
import threading

import httpx
import numpy as np
import pytest
from pentimento_client import Client, PentimentoError

from tests.containers.envoy import ENVOY, standing
from tests.programs import missing
from tests.service.live import wait_until
from tests.service.toys import write_toys

pytestmark = pytest.mark.skipif(ENVOY is None, reason=missing("envoy"))


@pytest.fixture(scope="module")
def bundles(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bundles")
    write_toys(folder, ["toy-steps", "toy-slow"])
    return folder


@pytest.fixture(scope="module")
def both(bundles, tmp_path_factory):
    """The address of a proxy, and its replicas, which stay up."""
    with standing(bundles, tmp_path_factory.mktemp("envoy")) as proxy:
        yield proxy.address, proxy.replicas


def counts(replica):
    """Drawings of a replica that ended well, of both transports."""
    snapshot = asyncio.run(replica.snapshot())
    return [snapshot.outcomes(transport).get("ok", 0) for transport in ("http", "grpc")]


def test_both_transports_reach_both_replicas_through_one_port(both):
    proxy, replicas = both
    drawn = []
    for url in (f"http://{proxy}", f"grpc://{proxy}"):
        for _ in range(16):
            with Client(url) as client:
                drawn.append(client.generate(n=2, seed=7).frames[-1].arrays)
    assert all(np.array_equal(drawing, drawn[0]) for drawing in drawn)
    each = [counts(replica) for replica in replicas]
    assert np.sum(each, axis=0).tolist() == [16, 16]
    assert np.all(np.array(each) > 0), each


def test_a_client_cannot_say_that_it_is_another(both):
    proxy, replicas = both
    said = {"X-Forwarded-For": "203.0.113.9", "X-Request-Id": "mine"}
    answer = httpx.post(f"http://{proxy}/generate", headers=said, trust_env=False)
    assert answer.status_code == 200 and answer.headers["X-Request-Id"] == "mine"
    assert wait_until(lambda: len(logged(replicas, "request_id=mine")) == 1)
    assert "client=127.0.0.1 " in logged(replicas, "request_id=mine")[0]


def logged(replicas, part):
    """Lines of the replicas' logs that have this in them."""
    return [line for replica in replicas for line in replica.log.splitlines() if part in line]


class Painter(threading.Thread):
    """Draws again and again, without a second try, until told to stop; keeps what went wrong."""

    def __init__(self, url, stop):
        super().__init__()
        self._url, self._told = url, stop
        self.done, self.wrong = 0, []

    def run(self):
        with Client(self._url, retries=0) as client:
            while not self._told.is_set():
                try:
                    with client.stream(model="toy-slow", n=2, steps=20) as drawing:
                        assert len(list(drawing)) == 20
                    self.done += 1
                except (PentimentoError, AssertionError) as error:
                    self.wrong.append(repr(error))


def test_nobody_notices_that_a_replica_goes_but_the_last(bundles, tmp_path):
    with standing(bundles, tmp_path) as standing_proxy:
        proxy, replicas = standing_proxy.address, standing_proxy.replicas
        stop = threading.Event()
        painters = [Painter(f"{'http' if k % 2 else 'grpc'}://{proxy}", stop) for k in range(8)]
        for painter in painters:
            painter.start()
        try:
            assert wait_until(lambda: all(sum(counts(replica)) > 2 for replica in replicas))
            replicas[0].signal()  # SIGTERM: drains, and ends
            assert replicas[0].wait() == 0
            before = sum(painter.done for painter in painters)
            assert wait_until(lambda: sum(painter.done for painter in painters) > before + 16)
        finally:
            stop.set()
            for painter in painters:
                painter.join()
        assert [wrong for painter in painters for wrong in painter.wrong] == []

        replicas[1].kill()
        assert wait_until(lambda: httpx.get(f"http://{proxy}/readyz", trust_env=False).status_code == 503)
        with Client(f"grpc://{proxy}", retries=0) as client, pytest.raises(PentimentoError, match="upstream"):
            client.generate(n=1)
