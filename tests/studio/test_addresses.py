"""Addresses in a browser: the studio's link, an `<img>`, and an EventSource whose connection is cut."""

import contextlib
import re
import socket
import threading
from collections.abc import Iterator

import httpx
import pytest

from tests.studio.test_draw import drawn, open_draw

STREAM = "/drawings/gran5-mnist/7.sse?steps=12"

# All that an EventSource says until the server tells it to stay away.
FOLLOW = """url => new Promise(resolve => {
    const events = [], source = new EventSource(url);
    let opened = 0;
    source.onopen = () => { opened += 1; };
    for (const kind of ["frame", "done"]) {
        source.addEventListener(kind, ({ lastEventId, data }) => events.push([kind, lastEventId, data]));
    }
    source.onerror = () => {
        if (source.readyState === EventSource.CLOSED) resolve({ events, opened });
    };
})"""


@contextlib.contextmanager
def cutting(live, after: int) -> Iterator[str]:
    """Passes connections on to a server, and cuts the first one with a stream after so many bytes of it."""
    listener = socket.create_server(("127.0.0.1", 0))
    cut = threading.Event()

    def serve() -> None:
        with contextlib.suppress(OSError):  # the listener is closed
            while True:
                client, _ = listener.accept()
                upstream = socket.create_connection(("127.0.0.1", live.server.http_port))
                streams = threading.Event()
                for work in (ask, answer):
                    threading.Thread(target=work, args=(client, upstream, streams), daemon=True).start()

    def ask(client: socket.socket, upstream: socket.socket, streams: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while data := client.recv(65_536):
                if b".sse" in data:
                    streams.set()
                upstream.sendall(data)
            upstream.shutdown(socket.SHUT_WR)

    def answer(client: socket.socket, upstream: socket.socket, streams: threading.Event) -> None:
        left = after
        with contextlib.suppress(OSError), client, upstream:
            while data := upstream.recv(65_536):
                if streams.is_set() and not cut.is_set():
                    client.sendall(data[:left])
                    left -= len(data)
                    if left <= 0:
                        cut.set()
                        client.shutdown(socket.SHUT_RDWR)
                        return
                else:
                    client.sendall(data)

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        assert cut.is_set(), "nothing was cut"
    finally:
        listener.close()


def events_of(text: str) -> list[list[str]]:
    """Kind, id and data of every event of a stream."""
    return [list(each) for each in re.findall(r"event: (.+)\nid: (.+)\ndata: (.+)\n\n", text)]


@pytest.fixture
def whole(live) -> list[list[str]]:
    return events_of(httpx.get(live.http + STREAM, trust_env=False).text)


@pytest.mark.parametrize("after", [3000, 6000])
def test_an_event_source_goes_on_where_it_was_cut(page, live, whole, after):
    page.complaints.allowed = ("ERR_INCOMPLETE_CHUNKED_ENCODING", "EventSource's response has a status")
    with cutting(live, after) as url:
        page.goto(f"{url}/docs")
        followed = page.evaluate(FOLLOW, STREAM)
    assert followed["events"] == whole, "each event once, and the same bytes"
    assert followed["opened"] == 2


SHOW = """url => new Promise(resolve => {
    const image = new Image();
    image.onload = () => resolve([image.naturalWidth, image.naturalHeight]);
    image.onerror = () => resolve(null);
    image.src = url;
})"""


def test_an_image_is_an_address(page, live):
    page.goto(f"{live.http}/docs")
    size = page.evaluate(SHOW, "/drawings/gran5-mnist/7.png?steps=2&n=3")
    assert size == [2 * 30 - 2, 3 * 30 - 2]


def test_a_page_of_another_site_has_nothing_drawn(page, live):
    """By its name, localhost is another site than 127.0.0.1, and the server wants no key."""
    # Newer browsers do not even ask a server on loopback for a page of another site.
    page.complaints.allowed = ("status of 403", "Access to image", "ERR_FAILED")
    labels = {"bundle": "gran5-mnist", "graph": "step"}

    def calls() -> float | None:
        metrics = live.server.metrics.registry
        return metrics.get_sample_value("pentimento_graph_call_seconds_count", labels)

    page.route("**/other-page", lambda route: route.fulfill(body="<p>", content_type="text/html"))
    page.goto(f"http://localhost:{live.server.http_port}/other-page")
    before = calls()
    assert page.evaluate(SHOW, f"{live.http}/drawings/gran5-mnist/7.png") is None
    assert calls() == before
    assert page.evaluate(SHOW, "/drawings/gran5-mnist/7.png") is not None, "the page's own server"


@pytest.mark.parametrize("model", ["gran5-mnist", "acgan-mnist"])
def test_the_studio_links_to_the_address(page, live, model):
    open_draw(page, live, f"?model={model}&n=3&seed=9&judge=none")
    link = page.get_by_role("link", name="Address")
    link.wait_for()
    address = link.get_attribute("href")
    assert re.match(rf"{re.escape(live.http)}/drawings/{model}@\d+\.\d+\.\d+/9\.png\?", address)
    found = httpx.get(address, trust_env=False)
    assert found.status_code == 200 and "immutable" in found.headers["Cache-Control"]
    if model == "gran5-mnist":
        assert found.content == drawn(live, "image/png", model=model, n=3, seed=9, scale=4)
    with page.context.expect_page() as waiting:
        link.click()
    opened = waiting.value
    opened.wait_for_load_state()
    assert opened.evaluate("document.images[0].naturalWidth") > 100
