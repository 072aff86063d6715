"""How the page is served: to browsers alone, with its own policy, from a checkout and from the wheel."""

import re
from pathlib import Path

import httpx
import pytest

from tests.service.live import LiveServer

ROOT = Path(__file__).parents[2]
WEB = ROOT / "clients" / "web"
BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


@pytest.fixture
def http(live):
    with live.client() as client:
        yield client


def test_browsers_get_the_page_and_programs_the_index(http):
    page = http.get("/", headers=BROWSER)
    assert page.headers["Content-Type"].startswith("text/html")
    assert page.headers["Vary"] == "Accept"
    index = http.get("/")
    assert index.json()["docs"] == "/docs"
    assert index.headers["Vary"] == "Accept"


def test_the_policy_of_the_page_lets_nothing_in_from_elsewhere(http):
    policy = http.get("/", headers=BROWSER).headers.get_list("Content-Security-Policy")
    assert len(policy) == 1
    rules = dict(rule.split(" ", 1) for rule in policy[0].split("; "))
    assert (
        rules["default-src"]
        == rules["frame-ancestors"]
        == rules["base-uri"]
        == rules["form-action"]
        == "'none'"
    )
    for kind in ("script-src", "style-src", "font-src", "connect-src"):
        assert rules[kind] == "'self'"
    assert rules["img-src"] == "'self' blob: data:"


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("app.js", "text/javascript"),
        ("client/index.js", "text/javascript"),
        ("style/tokens.css", "text/css"),
        ("fonts/inter.woff2", "font/woff2"),
        ("icon.svg", "image/svg+xml"),
    ],
)
def test_files_have_their_type_and_are_asked_for_again(http, path, kind):
    response = http.get(f"/studio/{path}")
    assert response.status_code == 200
    assert response.headers["Content-Type"].partition(";")[0] == kind
    assert response.headers["Cache-Control"] == "no-cache"
    again = http.get(f"/studio/{path}", headers={"If-None-Match": response.headers["ETag"]})
    assert again.status_code == 304


def test_text_is_packed_for_those_who_take_it(http):
    def get(**headers):
        return http.get("/studio/app.js", headers=headers)

    plain, packed = get(**{"Accept-Encoding": "identity"}), get(**{"Accept-Encoding": "br, gzip"})
    assert "Content-Encoding" not in plain.headers and packed.headers["Content-Encoding"] == "gzip"
    assert packed.content == plain.content == (WEB / "app.js").read_bytes()
    assert int(packed.headers["Content-Length"]) < int(plain.headers["Content-Length"])
    assert packed.headers["Vary"] == plain.headers["Vary"] == "Accept-Encoding"
    assert packed.headers["Content-Type"] == plain.headers["Content-Type"]
    assert packed.headers["Cache-Control"] == "no-cache"
    assert get(**{"Accept-Encoding": "gzip;q=0"}).headers.get("Content-Encoding") is None
    for known in (plain, packed):  # either knows what the other has
        for takes in ("gzip", "identity"):
            again = get(**{"Accept-Encoding": takes, "If-None-Match": known.headers["ETag"]})
            assert (again.status_code, again.content) == (304, b"")
    head = http.head("/studio/app.js", headers={"Accept-Encoding": "gzip"})
    assert (head.content, head.headers["Content-Length"]) == (b"", packed.headers["Content-Length"])
    font = http.get("/studio/fonts/inter.woff2", headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in font.headers


@pytest.mark.parametrize(
    "path",
    [
        "/studio/..%2f..%2fpyproject.toml",
        "/studio/%2e%2e/python/pyproject.toml",
        "/studio//etc/passwd",
        "/studio/no.js",
        "/studio/",
    ],
)
def test_nothing_else_is_served(http, path):
    response = http.get(path)
    assert response.status_code == 404
    assert response.json()["code"] == "NOT_FOUND"


def test_every_file_that_a_module_imports_is_there(http):
    for file in WEB.rglob("*.js"):
        for target in re.findall(r"""(?:from|import\()\s*["'](\.[^"']+)["']""", file.read_text()):
            url = httpx.URL(f"/studio/{file.relative_to(WEB)}").join(target)
            assert http.get(url).status_code == 200, f"{file.name} imports {target}"


def test_shared_modules_are_asked_for_at_once(http):
    page = http.get("/", headers=BROWSER).text
    preloaded = set(re.findall(r'rel="modulepreload" href="studio/([^"]+)"', page))
    shared = {f"parts/{file.name}" for file in (WEB / "parts").glob("*.js")}
    client = {f"client/{file.name}" for file in (ROOT / "clients" / "js" / "src").glob("*.js")}
    assert preloaded == shared | client | {"tabs/index.js"}


def test_without_it_there_is_the_index_alone(zoo):
    server = LiveServer(zoo, studio=False)
    try:
        with server.client() as client:
            assert client.get("/", headers=BROWSER).json()["name"] == "Pentimento"
            assert client.get("/studio/app.js").status_code == 404
    finally:
        server.close()


def test_the_page_needs_no_key_and_the_rest_does(zoo):
    server = LiveServer(zoo, api_keys="k" * 20)
    try:
        with server.client() as client:
            for path, status in (
                ("/", 200),
                ("/studio/app.js", 200),
                ("/studio/client/index.js", 200),
                ("/models", 401),
                ("/metrics", 401),
            ):
                assert client.get(path, headers=BROWSER).status_code == status, path
    finally:
        server.close()
