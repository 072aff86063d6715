"""A page of another origin can ask nothing of a server that lets everybody in, unless its origin is set."""

import httpx
import pytest

from pentimento.service.http.origins import Origins
from pentimento.service.settings import Settings
from tests.service.live import LiveServer

EVIL = "https://evil.example"
PAGES = {
    "a script of another site": {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors", "Origin": EVIL},
    "one that wants no answer": {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"},
    "another port of this machine": {"Sec-Fetch-Site": "same-site", "Origin": "http://localhost:3000"},
    "a form": {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Origin": EVIL},
    "an old browser": {"Origin": EVIL},
    "a file": {"Origin": "null"},
    "a name that points here": {"Host": "evil.example:8000"},
    "the same, of the page itself": {"Host": "evil.example", "Sec-Fetch-Site": "same-origin"},
    "nearly this machine": {"Host": "localhost.evil.example"},
    "nearly an address": {"Host": "127.0.0.1.evil.example"},
}
OURS = {
    "a program": {},
    "our page": {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors"},
    "our page, through a proxy that changes Host": {"Sec-Fetch-Site": "same-origin", "Origin": EVIL},
    "the address bar": {"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate"},
    "an old browser on our page": {"Origin": "http://localhost:8000", "Host": "localhost:8000"},
    "IPv6": {"Host": "[::1]:8000"},
    "another name of this machine": {"Host": "studio.LOCALHOST."},
    "another address": {"Host": "192.0.2.1:80"},
}


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
@pytest.mark.parametrize("path", ["/generate", "/score"])
def test_no_page_of_others_may_ask(http, page, path):
    response = http.post(path, headers=page, content=b"")
    assert response.status_code == 403, response.text
    problem = response.json()
    assert problem["code"] == "PERMISSION_DENIED" and problem["field"] in ("Host", "Origin")
    assert problem["field"] in problem["detail"]


@pytest.mark.parametrize("path", ["/models", "/metrics", "/", "/docs", "/openapi.json"])
@pytest.mark.parametrize("page", ["a script of another site", "a name that points here"])
def test_nor_may_it_look(http, path, page):
    assert http.get(path, headers=PAGES[page]).status_code == 403


@pytest.mark.parametrize(
    "page",
    [
        [("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Site", "same-origin")],
        [("Sec-Fetch-Site", "same-origin"), ("Sec-Fetch-Site", "cross-site")],
        [("Origin", EVIL), ("Origin", "http://localhost")],
        [("Sec-Fetch-Mode", "cors"), ("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Site", "cross-site")],
    ],
)
def test_what_is_said_twice_is_not_believed(http, page):
    response = http.post("/generate?steps=1", headers=page)
    assert response.status_code == 400, response.text
    assert response.json()["detail"].endswith("is given twice in the headers")
    assert http.post("/generate?steps=1", headers=[("Sec-Fetch-Site", "cross-site, none")]).status_code == 403


@pytest.mark.parametrize("headers", OURS.values(), ids=OURS)
def test_everybody_else_may(http, headers):
    assert http.post("/generate?steps=1", headers=headers).status_code == 200


def test_a_link_may_be_followed(http):
    link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Accept": "text/html"}
    assert http.get("/", headers=link).status_code == http.get("/docs", headers=link).status_code == 200


PICTURE = "/drawings/toy-steps/7.png"
IMAGE = {"Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}
LINK = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}


@pytest.mark.parametrize(
    "page",
    [
        IMAGE | {"Sec-Fetch-Site": "cross-site"},
        IMAGE | {"Sec-Fetch-Site": "same-site"},
        IMAGE | {"Sec-Fetch-Site": "cross-site", "Origin": EVIL},  # <img crossorigin>
        LINK,  # a script that goes there, and with a file that is saved stays where it is
        LINK | {"Sec-Fetch-Dest": "iframe", "Sec-Fetch-User": "?1"},
        LINK | {"Sec-Fetch-Dest": "embed"},
    ],
)
@pytest.mark.parametrize("ending", ["png", "sse", "npy"])
def test_no_page_of_others_has_pictures_drawn(http, page, ending):
    response = http.get(PICTURE.replace("png", ending), headers=page)
    assert response.status_code == 403 and response.json()["field"] == "Origin"
    assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "page",
    [
        {},
        IMAGE | {"Sec-Fetch-Site": "same-origin"},
        LINK | {"Sec-Fetch-Site": "none"},
        LINK | {"Sec-Fetch-User": "?1"},  # a link that was clicked
    ],
)
def test_ours_and_links_show_pictures(http, page):
    assert http.get(PICTURE, headers=page).status_code == 200


@pytest.mark.parametrize("path", ["/", "/docs", "/models"])
def test_frames_of_others_show_nothing(http, path):
    frame = LINK | {"Sec-Fetch-Dest": "iframe", "Sec-Fetch-User": "?1"}
    assert http.get(path, headers=frame).status_code == 403
    assert http.get(path, headers=LINK).status_code == 200


def test_pictures_on_pages_of_origins_that_are_set(toys):
    """A browser names no origin for a plain `<img>`, so one that is set has to say `crossorigin`."""
    plain = IMAGE | {"Sec-Fetch-Site": "cross-site"}
    pages = [plain, plain | {"Origin": EVIL}, plain | {"Origin": "https://other.example"}]
    assert asked(toys, pages, PICTURE, cors_origins=EVIL) == [403, 200, 403]
    assert asked(toys, pages, PICTURE, cors_origins="*") == [200, 200, 200]


def asked(toys, headers, path=None, **settings):
    server = LiveServer(toys, default_model="toy-steps", calibrate=False, **settings)
    try:
        method, url = ("POST", "/generate?steps=1") if path is None else ("GET", path)
        url = f"http://127.0.0.1:{server.server.http_port}{url}"
        return [httpx.request(method, url, headers=each, trust_env=False).status_code for each in headers]
    finally:
        server.close()


def test_origins_that_are_set_may(toys):
    page = {"Sec-Fetch-Site": "cross-site", "Origin": EVIL}
    old, other = {"Origin": EVIL}, {"Sec-Fetch-Site": "cross-site", "Origin": "https://other.example"}
    assert asked(toys, [page, old, other], cors_origins=EVIL) == [200, 200, 403]
    assert asked(toys, [page, old, other], cors_origins="*") == [200, 200, 200]


def test_names_that_are_set_count_besides_addresses(toys):
    hosts = [
        {"Host": name} for name in ("studio.example.com:80", "STUDIO.example.com", "127.0.0.1", "b.example")
    ]
    assert asked(toys, hosts, allowed_hosts="studio.example.com") == [200, 200, 200, 403]
    assert asked(toys, hosts, allowed_hosts="studio.example.com", host="0.0.0.0") == [200, 200, 200, 403]


def test_a_container_knows_no_name_of_its_own(toys):
    """It listens everywhere, and is asked by whatever its proxy or its users call it."""
    page = {"Host": "studio.example.com", "Sec-Fetch-Site": "cross-site"}
    behind = {"Host": "backend:8000", "Origin": "http://studio.lan"}
    assert asked(toys, [{"Host": "studio.example.com"}, behind, page], host="0.0.0.0") == [200, 200, 403]


def test_a_trusted_proxy_answers_for_the_name(toys):
    behind = {"Host": "studio.example.com", "Origin": "http://studio.lan"}
    page = PAGES["a script of another site"]
    assert asked(toys, [behind, page], trusted_proxies="127.0.0.1") == [200, 403]


def test_where_keys_are_set_no_page_has_one(toys):
    key = {"X-API-Key": "k" * 20}
    wanted = [key | PAGES["a name that points here"], key | PAGES["a script of another site"], key]
    assert asked(toys, [*wanted, {}], api_keys="k" * 20) == [200, 200, 200, 401]


@pytest.mark.parametrize("wrong", ["https://a.example", "a.example:80", "a b"])
def test_what_is_no_name_is_refused(wrong):
    with pytest.raises(RuntimeError, match="allowed_hosts must be names"):
        Origins.of(Settings(allowed_hosts=wrong), None, None)


def test_the_page_of_calls_says_so(http):
    paths = http.get("/openapi.json").json()["paths"]
    assert all("403" in call["responses"] for calls in paths.values() for call in calls.values())


def test_the_page_of_calls_is_written_once(toys, monkeypatch):
    server = LiveServer(toys, calibrate=False)
    try:
        with server.client() as client:
            first = client.get("/openapi.json")
            monkeypatch.setattr("json.dumps", None)  # nobody writes JSON any more
            assert client.get("/openapi.json").content == first.content
            monkeypatch.undo()
            assert first.headers["content-type"] == "application/json" and first.json()["openapi"]
    finally:
        server.close()


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_a_monitor_may_call_us_whatever_it_likes(http, path):
    assert http.get(path, headers={"Host": "pod-7.example"}).status_code == 200
    assert http.get("/models", headers={"Host": "pod-7.example"}).status_code == 403
