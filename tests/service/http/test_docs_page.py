"""The page at /docs: every file from this server, within a policy that lets nothing in from elsewhere."""

import re

import pytest

from tests.service.live import LiveServer


@pytest.fixture(scope="module")
def plain(toys):
    server = LiveServer(toys, studio=False, api_keys="k" * 20, calibrate=False)
    yield server
    server.close()


@pytest.mark.parametrize("address", ["/docs", "/docs/"])
def test_it_loads_files_of_this_server_alone(plain, address):
    with plain.client() as client:
        page = client.get(address)
        assert page.status_code == 200 and page.headers["Content-Type"] == "text/html; charset=utf-8"
        linked = re.findall(r'(?:src|href)="([^"]+)"', page.text)
        files = [path for path in linked if path != "data:,"]
        assert len(files) == 3 and not any(path.startswith(("/", "http")) for path in files)
        for path in files:
            response = client.get(page.url.join(path))
            assert response.status_code == 200, path
            kind = "text/css" if path.endswith(".css") else "text/javascript"
            assert response.headers["Content-Type"].partition(";")[0] == kind
        assert "<script>" not in page.text and "style=" not in page.text


def test_its_policy_lets_nothing_in_from_elsewhere(http):
    (policy,) = http.get("/docs").headers.get_list("Content-Security-Policy")
    rules = dict(part.split(" ", 1) for part in policy.split("; "))
    for kind in ("default-src", "frame-ancestors", "base-uri", "form-action"):
        assert rules[kind] == "'none'"
    assert rules["script-src"] == rules["style-src"] == rules["connect-src"] == "'self'"
    assert rules["img-src"] == "'self' data:"


def test_what_it_is_made_of_says_so(http):
    text = http.get("/docs/LICENSE.txt").text
    assert "swagger-ui-dist 5" in text and "SmartBear" in text and "Apache License" in text


@pytest.mark.parametrize("path", ["/docs/no.js", "/docs/..%2findex.html", "/redoc", "/docs/oauth2-redirect"])
def test_nothing_else_is_there(http, path):
    assert http.get(path).status_code == 404
