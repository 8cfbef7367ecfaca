"""A trusted proxy names the user; nobody else can."""

from __future__ import annotations

from pathlib import Path

import pytest

from features.errors import UsageError
from oracles.made_site import Site
from serving.keys import read_proxy_secret
from serving.store.opening import open_address

SECRET = "the-proxy-says-so-0123"
NAMED = {"X-Propensity-Proxy-Secret": SECRET, "X-Propensity-User": "Mori", "X-Propensity-Role": "lead"}


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(open_address("sqlite:///store.db", tmp_path), proxy_secret=SECRET, open_on_loopback=False)


def test_the_proxy_names_user_role_and_team(site: Site) -> None:
    told = site.asking().get("/agreement", **NAMED, **{"X-Propensity-Team": "marketing", "X-Forwarded-For": "10.0.0.9"})
    assert {**told.json(), "csrf": ""} == {
        "name": "mori", "role": "lead", "team": "marketing", "kind": "proxy", "csrf": ""
    }  # fmt: skip


def test_a_name_may_be_written_in_japanese(site: Site) -> None:
    sent = {**NAMED, "X-Propensity-User": "田中 花子"}
    raw = {name: value.encode() for name, value in sent.items()}
    assert site.asking().ask("GET", "/", headers=raw).json()["name"] == "田中 花子"  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "wrong",
    [
        {"X-Propensity-Proxy-Secret": ""}, {"X-Propensity-Proxy-Secret": SECRET + "x"}, {"X-Propensity-User": ""},
        {"X-Propensity-User": "a/b"}, {"X-Propensity-Role": "boss"}, {"X-Propensity-Role": "score"},
        {"X-Propensity-Role": ""}, {"X-Propensity-Team": "finance"},
    ],
)  # fmt: skip
def test_whatever_isnt_the_proxys_word_is_refused(site: Site, wrong: dict[str, str]) -> None:
    assert site.asking().ask("GET", "/", headers={**NAMED, **wrong}).status_code == 403


def test_a_header_that_stands_twice_is_refused(site: Site) -> None:
    twice = [*NAMED.items(), ("X-Propensity-Role", "admin")]
    assert site.asking().ask("GET", "/", headers=twice).status_code == 403  # type: ignore[arg-type]


def test_without_a_secret_nobody_is_believed(tmp_path: Path) -> None:
    open_site = Site(open_address("sqlite:///store.db", tmp_path))
    assert open_site.asking().ask("GET", "/", headers=NAMED).status_code == 403
    only_user = {"X-Propensity-User": "mori", "X-Propensity-Proxy-Secret": ""}
    assert open_site.asking().ask("GET", "/", headers=only_user).status_code == 403
    assert open_site.asking().ask("POST", "/score", body=b"{}", headers=only_user).status_code == 403


def test_past_the_proxy_nobody_is_known(site: Site) -> None:
    assert site.asking().ask("GET", "/").status_code == 401
    assert site.asking().get("/").status_code == 303


@pytest.mark.parametrize("text", ["short", "sixteen letters and spaces", "schlüssel-schlüssel"])
def test_a_secret_that_could_be_guessed_is_refused_without_being_shown(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_proxy_secret(text)
    assert text not in str(caught.value)
    assert read_proxy_secret("") == ""
