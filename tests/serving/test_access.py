from __future__ import annotations

import pytest

from features.errors import UsageError
from serving.access import Access, read_keys, require_access_off_loopback
from serving.problems import Refused

KEY = "a-key-of-20-letters."


def ask(
    access: Access, path: str = "/score", *, client: str = "127.0.0.1", method: str = "POST", **headers: str
) -> int:
    """Status that the request is refused with, 200 where it passes."""
    sent = {"host": "localhost:3000", **{name.replace("_", "-"): value for name, value in headers.items()}}
    scope = {"path": path, "method": method, "scheme": "http", "client": (client, 1)}
    try:
        access.check(scope, {name.encode(): value.encode("latin-1") for name, value in sent.items()})
    except Refused as refused:
        return refused.status
    return 200


OPEN, KEYED = Access.by_keys([]), Access.by_keys(["another-key-of-mine", KEY])


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:3000", "127.0.0.1:80", "[::1]:3000", "127.1.2.3", "LOCALHOST"]
)
def test_without_keys_this_machine_may_ask(host: str) -> None:
    assert ask(OPEN, host=host) == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "0.0.0.0:3000",
        "",
        "localhost@evil",
        "10.0.0.1",
    ],
)
def test_without_keys_a_name_that_is_not_loopback_is_refused(host: str) -> None:
    assert ask(OPEN, host=host) == 403


@pytest.mark.parametrize(
    "header", ["Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Anything", "X-Real-IP", "Via"]
)
def test_without_keys_a_forwarded_request_is_refused(header: str) -> None:
    scope = {"path": "/score", "method": "POST", "scheme": "http", "client": ("127.0.0.1", 1)}
    with pytest.raises(Refused) as caught:
        OPEN.check(scope, {b"host": b"localhost", header.lower().encode(): b"1.2.3.4"})
    assert caught.value.status == 403


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "https://localhost:3000", "http://localhost:3001"])
def test_without_keys_another_origin_is_refused(origin: str) -> None:
    assert ask(OPEN, origin=origin) == 403


def test_without_keys_the_same_origin_may_ask() -> None:
    assert ask(OPEN, origin="http://localhost:3000", sec_fetch_site="same-origin") == 200


def test_a_link_from_elsewhere_opens_a_page_and_nothing_else_from_elsewhere_does() -> None:
    navigation = {"sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate"}
    assert ask(OPEN, "/leads/a", method="GET", sec_fetch_dest="document", **navigation) == 200
    assert ask(OPEN, "/leads/a", method="GET", sec_fetch_dest="iframe", **navigation) == 403
    assert ask(OPEN, "/leads/a", method="GET", sec_fetch_site="cross-site", sec_fetch_mode="no-cors") == 403
    assert ask(OPEN, "/score", method="POST", sec_fetch_dest="document", **navigation) == 403


def test_without_keys_an_address_elsewhere_is_refused() -> None:
    assert ask(OPEN, client="192.168.1.7") == 403


def test_with_keys_only_a_valid_one_passes() -> None:
    assert ask(KEYED) == 401
    assert ask(KEYED, authorization=f"Bearer {KEY}") == 200
    assert ask(KEYED, authorization=f"bearer  {KEY} ") == 200
    assert ask(KEYED, authorization=f"Basic {KEY}") == 401
    assert ask(KEYED, authorization=f"Bearer {KEY}x") == 401
    assert ask(KEYED, authorization="Bearer ") == 401
    assert ask(KEYED, authorization="Bearer ï¿½") == 401


def test_with_a_key_it_doesnt_matter_where_one_is() -> None:
    assert ask(KEYED, client="192.168.1.7", host="scores.example", authorization=f"Bearer {KEY}") == 200


def test_a_refusal_says_how_to_ask() -> None:
    with pytest.raises(Refused) as caught:
        KEYED.check({"path": "/score", "method": "POST"}, {})
    assert caught.value.headers == {"WWW-Authenticate": "Bearer"}


@pytest.mark.parametrize("access", [OPEN, KEYED])
def test_probes_are_open(access: Access) -> None:
    assert ask(access, "/livez", client="192.168.1.7", host="x") == 200
    assert ask(access, "/readyz", client="192.168.1.7", host="x") == 200


def test_metrics_take_loopback_or_a_key() -> None:
    assert ask(KEYED, "/metrics", method="GET") == 200
    assert ask(KEYED, "/metrics", method="GET", client="10.0.0.2", host="scores.example") == 401
    assert ask(KEYED, "/metrics", method="GET", client="10.0.0.2", authorization=f"Bearer {KEY}") == 200
    assert ask(OPEN, "/metrics", method="GET", host="scores.example") == 403


def test_keys_are_separated_by_commas() -> None:
    assert read_keys(f" {KEY}, {KEY}2,") == (KEY, KEY + "2")
    assert read_keys("") == ()


@pytest.mark.parametrize("text", ["short", "sixteen letters and spaces", "schlüssel-schlüssel"])
def test_a_key_that_could_be_guessed_or_not_sent_is_refused_without_being_shown(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_keys(f"{KEY},{text}")
    assert "key 2" in str(caught.value)
    assert text not in str(caught.value)


def test_off_loopback_it_takes_a_key_a_user_or_a_proxy() -> None:
    require_access_off_loopback("127.0.0.1", [])
    require_access_off_loopback("0.0.0.0", [KEY])
    require_access_off_loopback("0.0.0.0", [], users=True)
    require_access_off_loopback("0.0.0.0", [], proxy_secret=KEY)
    with pytest.raises(UsageError, match="PROPENSITY_API_KEYS"):
        require_access_off_loopback("0.0.0.0", [])
