"""Entity tags: whoever has the bytes is told so without a graph call, and other bytes have another tag."""

import re

import pytest

from pentimento.service.errors import PentimentoError
from pentimento.service.http.etags import is_known
from tests.service.control_toys import write_control_toy
from tests.service.http.test_addresses import calls
from tests.service.http.test_generate import problem
from tests.service.live import LiveServer
from tests.service.revisions import write_revision

ADDRESS = "/drawings/toy-steps@1.0.0/7.png?steps=3"


def tag(http, path: str) -> str:
    """The tag of what is at an address; nothing is drawn for it."""
    response = http.head(f"/drawings/{path}")
    assert response.status_code == 200, path
    return response.headers["ETag"]


@pytest.mark.parametrize("form", ["{}", "W/{}", '"other", {}', '"a,b" ,\t,W/{},', "{},{}", "*", '"", {}'])
def test_304_without_a_graph_call(live, http, form):
    first = http.get(ADDRESS)
    etag = first.headers["ETag"]
    assert re.fullmatch('"[0-9a-f]{32}"', etag), "a strong one"
    before = calls(live)
    response = http.get(ADDRESS, headers={"If-None-Match": form.format(etag, etag)})
    assert (response.status_code, response.content) == (304, b"")
    assert calls(live) == before
    assert response.headers["ETag"] == etag
    assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    head = http.head(ADDRESS, headers={"If-None-Match": form.format(etag, etag)})
    assert head.status_code == 304


def test_several_headers_are_one_list(http):
    etag = http.head(ADDRESS).headers["ETag"]
    given = [("If-None-Match", '"a"'), ("If-None-Match", etag)]
    assert http.get(ADDRESS, headers=given).status_code == 304


@pytest.mark.parametrize("form", ['"other"', 'W/"other"', '"{}x"', ""])
def test_other_tags_get_the_picture(live, http, form):
    etag = http.head(ADDRESS).headers["ETag"]
    headers = {"If-None-Match": form.format(etag.strip('"'))} if form else {}
    before = calls(live)
    response = http.get(ADDRESS, headers=headers)
    assert response.status_code == 200 and response.headers["ETag"] == etag
    assert calls(live) > before


@pytest.mark.parametrize(
    "nonsense",
    ["abc", '"abc', 'abc"', '"a" "b"', '"a""b"', 'w/"a"', '*, "a"', '"a", *', ", ,", '"a b"', "W/"],
)
def test_what_is_no_tag_is_refused(http, nonsense):
    response = http.get(ADDRESS, headers={"If-None-Match": nonsense})
    detail = problem(response, 400)["detail"]
    assert detail.startswith('If-None-Match must be * or entity tags such as "5f2c", got ')
    assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("text", [", " * 500_000, '"' * 1_000_001, 'W/"a", ' * 200_000 + "x"])
def test_a_long_list_is_read_once(text):
    """Or it would take hours: each place would be looked at again and again."""
    with pytest.raises(PentimentoError):
        is_known([text], '"a"')


def test_without_a_version_it_is_asked_again(http):
    response = http.get("/drawings/toy-steps/7.png?steps=3")
    assert response.headers["Cache-Control"] == "public, no-cache"
    assert response.headers["ETag"] == http.head(ADDRESS).headers["ETag"], "the same bytes"


def test_another_bundle_that_judges_has_no_version(http):
    response = http.head("/drawings/toy-steps@1.0.0/7.json?score=true")
    assert response.headers["Cache-Control"].endswith("immutable")
    response = http.head("/drawings/toy-steps@1.0.0/7.json?score_by=toy-steps")
    assert response.headers["Cache-Control"].endswith("immutable")


def test_one_that_judges(judging):
    with judging.client() as http:
        response = http.head("/drawings/toy-steps@1.0.0/7.json?score_by=toy-critic")
        assert response.headers["Cache-Control"] == "public, no-cache"
        tags = [tag(http, f"toy-steps/7.json{by}") for by in ("", "?score=true", "?score_by=toy-critic")]
        assert len(set(tags)) == 3


def test_other_bytes_have_other_tags(http):
    addresses = [
        "toy-steps/7.png",
        "toy-steps/8.png",
        "toy-steps/7.gif",
        "toy-steps/7.apng",
        "toy-steps/7.npy",
        "toy-steps/7.json",
        "toy-steps/7.png?steps=2",
        "toy-steps/7.png?n=2",
        "toy-steps/7.png?scale=2",
        "toy-color/7.png",
        "toy-steps/7.json?score=true",
        "toy-labels/7.png?label=1",
        "toy-labels/7.png?label=2",
        "toy-labels/7.png?labels=1,2",
        "toy-labels/7.png?labels=2,1",
    ]
    tags = {address: tag(http, address) for address in addresses}
    assert len(set(tags.values())) == len(tags)


def test_what_is_left_out_is_the_default(http):
    default = http.get("/models/toy-steps").json()["steps"]["default"]
    assert tag(http, "toy-steps/7.png") == tag(http, f"toy-steps/7.png?steps={default}&n=1&scale=1")
    assert tag(http, "toy-labels/7.png?label=1&n=2") == tag(http, "toy-labels/7.png?labels=1,1")


def test_controls_are_part_of_it(tmp_path):
    write_control_toy(tmp_path)
    server = LiveServer(tmp_path, calibrate=False)
    try:
        with server.client() as http:
            (model,) = http.get("/models").json()["models"]
            control = model["controls"][0]
            name, label = model["name"], "" if model["labels"] is None else "&label=0"
            plain = f"{name}/7.png?n=1{label}"
            assert tag(http, plain) == tag(http, f"{plain}&{control['name']}={control['default']}")
            other = f"{plain}&{control['name']}={control['max']}"
            assert control["max"] != control["default"] and tag(http, plain) != tag(http, other)
            picture = http.get(f"/drawings/{other}")
            asked = f"model={name}&seed=7&{control['name']}={control['max']}{label}"
            posted = http.post(f"/generate?{asked}", headers={"Accept": "image/png"})
            assert picture.content == posted.content
    finally:
        server.close()


def test_a_new_version_has_another_tag_and_the_old_address_says_so(tmp_path):
    """Also where only the graph is another: the manifest has its hash."""
    write_revision(tmp_path / "a", 1)
    server = LiveServer(tmp_path, calibrate=False, admin_token="t" * 20)
    try:
        with server.client() as http:
            old = http.get("/drawings/a@1.1.0/7.npy")
            kept = {"If-None-Match": old.headers["ETag"]}
            assert http.get("/drawings/a/7.npy", headers=kept).status_code == 304
            write_revision(tmp_path / "a", 2)
            reload = http.post("/models:reload", headers={"Authorization": f"Bearer {'t' * 20}"})
            assert reload.status_code == 200, reload.text
            gone = http.get("/drawings/a@1.1.0/7.npy", headers=kept)
            assert problem(gone, 404)["detail"] == (
                "version of model 'a' must be 1.2.0, the one served here, got 1.1.0"
            )
            assert gone.headers["Cache-Control"] == "no-store"
            new = http.get("/drawings/a/7.npy", headers=kept)
            assert new.status_code == 200 and new.content != old.content
            assert new.headers["ETag"] != old.headers["ETag"]
    finally:
        server.close()
