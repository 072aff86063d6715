"""API keys and the door: who is let in, known by what name, how often, and with how many streams."""

import re
from pathlib import Path

import pytest

from pentimento.service.door.access import ApiKeys
from pentimento.service.door.buckets import Buckets
from pentimento.service.door.door import Caller, Door
from pentimento.service.errors import Code, PentimentoError
from pentimento.service.settings import Settings

ALICE, BOB = "alice-" + "a" * 20, "bob-" + "b" * 20


def keys(text: str) -> ApiKeys:
    return ApiKeys.of(Settings(api_keys=text))


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def refused(door: Door, caller: Caller, guard="key") -> PentimentoError:
    with pytest.raises(PentimentoError) as caught:
        door.enter(caller, guard)
    return caught.value


def test_keys_come_from_the_environment_and_a_file(tmp_path, monkeypatch):
    file = tmp_path / "keys"
    file.write_text(f"# who may draw\n\n  bob   {BOB}  \n\t{'c' * 16}\n")
    monkeypatch.setenv("PENTIMENTO_API_KEYS", f"{ALICE}\n")
    both = ApiKeys.of(Settings(api_keys_file=file))
    assert both
    assert both.owner(f"Bearer {ALICE}", None) == "key-1"
    assert both.owner(f"bearer  {BOB} ", None) == "bob"
    assert both.owner(None, "c" * 16) == "key-3"
    assert both.owner(f"Bearer {ALICE}", BOB) == "bob", "x-api-key counts; the token may be the admin's"


def test_without_keys_there_are_none():
    assert not ApiKeys.of(Settings(api_keys=None))


@pytest.mark.parametrize(
    ("authorization", "api_key", "field", "words"),
    [
        (None, None, "authorization", "an API key is needed: authorization: Bearer KEY, or x-api-key: KEY"),
        (f"Basic {ALICE}", None, "authorization", "an API key is needed"),
        (ALICE, None, "authorization", "an API key is needed"),
        ("Bearer ", None, "authorization", "authorization has no API key that is known here"),
        (f"Bearer {ALICE}x", None, "authorization", "authorization has no API key that is known here"),
        (f"Bearer {ALICE[:-1]}", None, "authorization", "authorization has no API key"),
        (f"Bearer {ALICE}", "", "x-api-key", "x-api-key has no API key that is known here"),
        (f"Bearer {ALICE}", ALICE.upper(), "x-api-key", "x-api-key has no API key that is known here"),
        ("Bearer \xe9\U0001f600", None, "authorization", "authorization has no API key"),
    ],
)
def test_whoever_has_no_key_stays_outside(authorization, api_key, field, words):
    with pytest.raises(PentimentoError) as caught:
        keys(ALICE).owner(authorization, api_key)
    error = caught.value
    assert (error.code, error.field) == (Code.UNAUTHENTICATED, field)
    assert words in error.message and ALICE not in error.message


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "api_keys holds no key; leave it unset for a server without keys"),
        ("# all\n", "api_keys holds no key"),
        ("fifteen-letters", "api_keys line 1 must be 16..512 visible ASCII .* got 15 characters"),
        (f"{ALICE}\n{'x' * 513}", "api_keys line 2 must be 16..512 .* got 513 characters"),
        ("\xe9" * 20, "api_keys line 1 must be 16..512 visible ASCII"),
        (f"{ALICE} {BOB}", "api_keys line 1 must be a key, or a name and a key, got 2 words"),
        (f"10.0.0.1 {BOB}", "a name is a letter and up to 14 letters, digits and ._-"),
        (f"a b {BOB}", "api_keys line 1 must be .* got 3 words"),
        (f"{ALICE},{BOB}", "api_keys line 1 has a comma: write one key a line; no key has a comma in it"),
        (f"{ALICE}\nbob {ALICE},bob {BOB}", "api_keys line 2 has a comma"),
        (f"{ALICE}, {BOB}", "api_keys line 1 has a comma"),
        (f"a {BOB}\n\nb {BOB}", "api_keys line 3 has the key of line 1 again"),
    ],
)
def test_a_key_that_is_none_is_one_sentence_without_it(text, words):
    with pytest.raises(RuntimeError, match=words) as caught:
        keys(text)
    assert not any(word in str(caught.value) for word in re.split(r"[\s,]", text) if len(word) >= 15)


def test_a_key_file_that_cannot_be_had_is_one_sentence(tmp_path):
    with pytest.raises(RuntimeError, match=r"api_keys_file '.*nowhere' cannot be read: No such file"):
        ApiKeys.of(Settings(api_keys_file=tmp_path / "nowhere"))
    file = tmp_path / "large"
    file.write_text("x" * 1_000_000)
    with pytest.raises(RuntimeError, match="api_keys_file may have at most 532000 bytes"):
        ApiKeys.of(Settings(api_keys_file=file))
    file.write_text("\n".join(f"{i:016}" for i in range(1001)))
    with pytest.raises(RuntimeError, match="api_keys may be at most 1000, got 1001"):
        ApiKeys.of(Settings(api_keys_file=file))


def test_the_admin_token_is_no_key():
    with pytest.raises(
        RuntimeError, match="the admin token is among the API keys; it must be another secret"
    ):
        ApiKeys.of(Settings(api_keys=ALICE, admin_token=ALICE))
    assert ApiKeys.of(Settings(api_keys=ALICE, admin_token=BOB))


def test_two_keys_of_one_name_are_one_client():
    """So that a key can be changed without a gap."""
    assert {keys(f"bob {BOB}\nbob {ALICE}").owner(None, key) for key in (ALICE, BOB)} == {"bob"}


def test_keys_are_kept_as_hashes():
    settings = Settings(api_keys=f"bob {BOB}")
    door = Door.of(settings)
    kept = f"{settings!r} {settings} {settings.model_dump()!r} {vars(door)!r} {vars(door._keys)!r}"
    assert BOB not in kept


def test_some_calls_want_no_key():
    door = Door(keys=keys(f"bob {BOB}"))
    assert door.enter(Caller("10.0.0.1"), "none").client == "10.0.0.1"
    assert door.enter(Caller("10.0.0.1"), "admin").client == "10.0.0.1"
    assert door.enter(Caller("10.0.0.1", api_key=BOB)).client == "bob"
    assert refused(door, Caller("10.0.0.1")).code is Code.UNAUTHENTICATED


def test_a_bucket_fills_with_time():
    clock = Clock()
    buckets = Buckets(per_s=2, burst=3, clock=clock)
    assert [buckets.take("a") for _ in range(3)] == [0, 0, 0]
    assert buckets.take("a") == pytest.approx(0.5)
    assert buckets.take("b") == 0, "each client has one of its own"
    clock.now += 0.49
    assert buckets.take("a") == pytest.approx(0.01), "to be refused costs nothing"
    clock.now += 0.01
    assert buckets.take("a") == 0
    assert buckets.take("a") == pytest.approx(0.5)
    clock.now += 3600
    assert [buckets.take("a") for _ in range(3)] == [0, 0, 0], "it holds no more than three"
    assert buckets.take("a") > 0


def test_a_slow_bucket_of_one():
    clock = Clock()
    buckets = Buckets(per_s=0.1, burst=1, clock=clock)
    assert buckets.take("a") == 0 and buckets.take("a") == pytest.approx(10)


def test_buckets_are_bounded():
    buckets = Buckets(per_s=1, burst=1, clock=Clock(), max_clients=3)
    for client in "abcad":  # b has not asked for the longest time
        buckets.take(client)
    assert len(buckets) == 3
    assert buckets.take("a") > 0 and buckets.take("c") > 0 and buckets.take("b") == 0


def test_who_asks_too_often_is_told_when_to_come_back():
    clock = Clock()
    door = Door(keys=keys(f"bob {BOB}"), requests_per_s=4, burst_requests=2, clock=clock)
    bob = Caller("10.0.0.1", api_key=BOB)
    door.enter(bob), door.enter(bob._replace(address="10.9.9.9"))
    error = refused(door, bob)
    assert (error.code, error.retry_after_s) == (Code.OVERLOADED, pytest.approx(0.25))
    assert error.message == "client bob may make 4 requests a second, 2 at once; try again in 0.25 s"
    assert door.enter(bob, "none").client == "10.0.0.1", "health is not counted"


def test_guessing_keys_is_asking():
    door = Door(keys=keys(BOB), requests_per_s=1, burst_requests=2, clock=Clock())
    guess = Caller("10.0.0.1", api_key="x" * 16)
    assert [refused(door, guess).code for _ in range(3)] == [Code.UNAUTHENTICATED] * 2 + [Code.OVERLOADED]
    assert refused(door, guess, "admin").code is Code.OVERLOADED
    assert door.enter(guess._replace(api_key=BOB)).client == "key-1"


def test_one_network_of_ipv6_is_one_client():
    door = Door(requests_per_s=1, burst_requests=1, clock=Clock())
    assert door.enter(Caller("2001:db8::1")).client == "2001:db8::1"
    assert "2001:db8::2" in refused(door, Caller("2001:db8::2")).message
    door.enter(Caller("2001:db8:0:1::1"))
    door.enter(Caller("10.0.0.1"))
    refused(door, Caller("::ffff:10.0.0.1"))
    door.enter(Caller(None))
    refused(door, Caller(None))


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("10.1.1.1", "203.0.113.9", "203.0.113.9"),
        ("10.1.1.1", "203.0.113.9:5000", "203.0.113.9"),
        ("10.1.1.1", "[2001:db8::1]:80", "2001:db8::1"),
        ("10.1.1.1", "2001:db8::1", "2001:db8::1"),
        ("10.1.1.1", "made-up, 198.51.100.1, 203.0.113.9, 192.168.0.1", "203.0.113.9"),
        ("10.1.1.1", "10.2.2.2", "10.2.2.2"),
        ("10.1.1.1", "made-up", "10.1.1.1"),
        ("10.1.1.1", "", "10.1.1.1"),
        ("10.1.1.1", None, "10.1.1.1"),
        ("203.0.113.1", "198.51.100.1", "203.0.113.1"),
        ("::ffff:10.1.1.1", "203.0.113.9", "203.0.113.9"),
    ],
)
def test_trusted_proxies_say_whom_they_speak_for(peer, forwarded, address):
    door = Door.of(Settings(trusted_proxies="10.0.0.0/8, 192.168.0.1,"))
    assert door.enter(Caller(peer, forwarded_for=forwarded)).client == address


def test_nobody_is_trusted_by_default():
    assert Door.of(Settings()).enter(Caller("127.0.0.1", forwarded_for="10.0.0.1")).client == "127.0.0.1"
    with pytest.raises(RuntimeError, match=r"trusted_proxies must be addresses or networks .* got 'proxy'"):
        Door.of(Settings(trusted_proxies="127.0.0.1,proxy"))


def test_streams_of_a_client_are_counted():
    door = Door(max_streams=2)
    visits = [door.enter(Caller("10.0.0.1")) for _ in range(3)]
    visits[0].open_stream(), visits[1].open_stream()
    with pytest.raises(PentimentoError) as caught:
        visits[2].open_stream()
    error = caught.value
    assert (error.code, error.retry_after_s) == (Code.OVERLOADED, 1.0)
    assert error.message == "client 10.0.0.1 may have at most 2 streams open, and has as many"
    door.enter(Caller("10.0.0.2")).open_stream()
    visits[2].leave(), visits[0].leave(), visits[0].leave()
    visits[2].open_stream()
    with pytest.raises(PentimentoError):
        visits[0].open_stream()
    visits[1].leave(), visits[2].leave()
    assert "10.0.0.1" not in door._streams


def test_the_settings_reach_the_door(tmp_path: Path):
    file = tmp_path / "keys"
    file.write_text(BOB)
    settings = Settings(
        api_keys_file=file, client_requests_per_s=0.5, client_burst_requests=1, max_client_streams=1
    )
    door = Door.of(settings)
    visit = door.enter(Caller("10.0.0.1", api_key=BOB))
    visit.open_stream()
    with pytest.raises(PentimentoError, match="at most 1 streams"):
        visit.open_stream()
    assert "0.5 requests a second, 1 at once" in refused(door, Caller("10.0.0.1", api_key=BOB)).message
