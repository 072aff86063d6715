"""Streams at addresses: a reader that lost its connection goes on at the next step, with the same bytes."""

import pytest

from tests.service.http.test_addresses import calls
from tests.service.http.test_generate import problem
from tests.service.sockets import Plug

STEPS = 12
URL = f"/drawings/toy-steps/7.sse?steps={STEPS}&n=2"


def ids(body: bytes) -> list[str]:
    return [line[4:].decode() for line in body.split(b"\n") if line.startswith(b"id: ")]


@pytest.fixture
def whole(http) -> bytes:
    """The stream as it is without an accident."""
    response = http.get(URL)
    assert response.headers["Cache-Control"] == "no-store" and "ETag" not in response.headers
    return response.content


def test_every_event_has_an_id_of_its_own(whole):
    found = ids(whole)
    assert len(set(found)) == len(found) == whole.count(b"event: ") == STEPS + 1
    assert [each.partition("-")[2] for each in found] == [*map(str, range(1, STEPS + 1)), "end"]


@pytest.mark.parametrize("step", range(1, STEPS + 1))
def test_whoever_has_a_step_gets_the_rest(http, whole, step):
    events = whole.split(b"\n\n")
    last = ids(events[step - 1])[0]
    response = http.get(URL, headers={"Last-Event-ID": last})
    assert response.status_code == 200
    assert response.content == b"\n\n".join(events[step:])


@pytest.mark.parametrize("size", [1, 700, 1500, 4000])
def test_the_connection_is_cut_in_the_middle(live, http, size):
    """Of an event that is not complete a browser has nothing, and no id."""
    url = "/drawings/toy-slow/7.sse?steps=60"
    whole = http.get(url).content
    with Plug(live) as plug:
        plug.send(f"GET {url} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode())  # without chunks
        had = b""
        while len(had.partition(b"\r\n\r\n")[2]) < size:
            had += plug.receive(100)
    had = had.partition(b"\r\n\r\n")[2]
    complete = had[: had.rfind(b"\n\n") + 2] if b"\n\n" in had else b""
    last = {"Last-Event-ID": ids(complete)[-1]} if complete else {}
    assert complete + http.get(url, headers=last).content == whole


def test_the_end_is_known_without_a_graph_call(live, http, whole):
    last, end = ids(whole)[-2:]
    before = calls(live)
    response = http.get(URL, headers={"Last-Event-ID": last})
    assert response.content == whole[whole.index(b"event: done") :]
    over = http.get(URL, headers={"Last-Event-ID": end})
    assert (over.status_code, over.content) == (204, b""), "or a browser would connect for ever"
    assert calls(live) == before


def test_without_an_id_it_begins_at_the_beginning(http, whole):
    assert http.get(URL, headers={"Last-Event-ID": ""}).content == whole


@pytest.mark.parametrize(
    "given", ["x", "3", "{name}", "{name}-", "{name}-0", "{name}-x", "{name}-1-1", "X-1"]
)
def test_what_is_no_id_is_refused(http, whole, given):
    name = ids(whole)[0].partition("-")[0]
    given = given.format(name=name)
    detail = problem(http.get(URL, headers={"Last-Event-ID": given}), 400)["detail"]
    assert detail == f"Last-Event-ID must be an id of this stream, as {name}-1, got {given[:60]!r}"


def test_a_step_that_there_is_not_is_refused(http, whole):
    name = ids(whole)[0].partition("-")[0]
    detail = problem(http.get(URL, headers={"Last-Event-ID": f"{name}-13"}), 400)["detail"]
    assert detail == f"Last-Event-ID must be of step 1..12, got '{name}-13'"


def test_an_id_of_another_drawing_is_refused(http, whole):
    """Its next canvas would not be the next one of what the reader has."""
    other = ids(http.get(URL.replace("7.sse", "8.sse")).content)[2]
    response = http.get(URL, headers={"Last-Event-ID": other})
    assert problem(response, 404)["detail"].startswith("Last-Event-ID is of another drawing than the one ")
    assert response.headers["Cache-Control"] == "no-store"


def test_two_ids_are_refused(http):
    headers = [("Last-Event-ID", "a"), ("Last-Event-ID", "b")]
    assert problem(http.get(URL, headers=headers), 400)["detail"] == (
        "last-event-id is given twice in the headers"
    )
