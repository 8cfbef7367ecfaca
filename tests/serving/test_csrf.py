"""No page of another site can make somebody's browser post here."""

from __future__ import annotations

import pytest

from oracles.made_site import HOUR, Site
from serving.csrf import NO_FORMS, TOKEN_HOURS, require_csrf, session_guard, signed_guard
from serving.problems import Refused
from serving.store import Store

SECRET = "the-proxy-says-so-0123"
NAMED = {"X-Propensity-Proxy-Secret": SECRET, "X-Propensity-User": "mori", "X-Propensity-Role": "sales"}
FORM = "/leads/a/feedback"


@pytest.fixture
def site(store: Store) -> Site:
    made = Site(store)
    made.add("mori")
    return made


def test_a_form_of_a_session_takes_its_own_token(site: Site) -> None:
    site.add("sato")
    mori, sato = site.logged_in("mori"), site.logged_in("sato")
    token = mori.get("/").json()["csrf"]
    assert mori.post(FORM, {"csrf": token}).status_code == 200
    assert mori.post(FORM, {}).status_code == 403
    assert mori.post(FORM, {"csrf": ""}).status_code == 403
    assert mori.post(FORM, {"csrf": "日本"}).status_code == 403
    assert sato.post(FORM, {"csrf": token}).status_code == 403, "one token is nobody else's"
    assert site.logged_in("mori").post(FORM, {"csrf": token}).status_code == 403, "nor another session's"


@pytest.mark.parametrize(
    "sent",
    [{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "http://evil.example"}, {"Origin": "null"}],
)  # fmt: skip
def test_a_page_of_another_site_is_refused_even_with_a_token(site: Site, sent: dict[str, str]) -> None:
    browser = site.logged_in("mori")
    token = browser.get("/").json()["csrf"]
    assert browser.post(FORM, {"csrf": token}, **sent).status_code == 403
    assert browser.get("/", **sent).status_code == 200, "a link from elsewhere may be followed"


def test_behind_a_proxy_that_renames_the_host_the_browser_says_where_it_comes_from(site: Site) -> None:
    browser = site.logged_in("mori")
    token = browser.get("/").json()["csrf"]
    renamed = {"Origin": "https://scores.example"}
    assert browser.post(FORM, {"csrf": token}, **renamed, **{"Sec-Fetch-Site": "same-origin"}).status_code == 200
    assert browser.post(FORM, {"csrf": token}, **renamed, **{"X-Forwarded-Host": "scores.example"}).status_code == 200
    assert browser.post(FORM, {"csrf": token}, **renamed).status_code == 403


def test_on_open_loopback_forms_take_a_token_too(store: Store) -> None:
    browser = Site(store).asking()
    assert browser.post(FORM, {"csrf": browser.get("/").json()["csrf"]}).status_code == 200
    assert browser.post(FORM, {"csrf": "x"}).status_code == 403
    assert browser.post(FORM, {}).status_code == 403


def test_a_person_whom_a_proxy_names_has_a_token_of_their_own(store: Store) -> None:
    browser = Site(store, proxy_secret=SECRET).asking()
    token = browser.get("/", **NAMED).json()["csrf"]
    assert browser.post(FORM, {"csrf": token}, **NAMED).status_code == 200
    assert browser.post(FORM, {"csrf": token}, **NAMED, Origin="http://evil.example").status_code == 403
    assert browser.post(FORM, {"csrf": token}, **{**NAMED, "X-Propensity-User": "sato"}).status_code == 403


def test_a_program_with_a_key_needs_no_token(store: Store) -> None:
    site = Site(store, "sales:a-key-of-20-letters.")
    sent = {"Authorization": "Bearer a-key-of-20-letters."}
    assert site.asking().ask("POST", FORM, form={}, headers=sent).status_code == 200


def test_a_signed_token_holds_for_a_day_and_is_no_other_stores() -> None:
    def hashed(text: str) -> str:
        return text[::-1]

    guard = signed_guard(hashed, "mori", 10 * HOUR)
    assert guard.accepts(guard.token)
    assert signed_guard(hashed, "mori", (9 + TOKEN_HOURS) * HOUR).accepts(guard.token)
    assert not signed_guard(hashed, "mori", (10 + TOKEN_HOURS) * HOUR).accepts(guard.token)
    assert not signed_guard(hashed, "mori", 9 * HOUR).accepts(guard.token), "of the future"
    assert not signed_guard(lambda text: "other" + text, "mori", 10 * HOUR).accepts(guard.token)
    for wrong in ("", ".", "x.y", "9" * 40 + ".x", "²." + guard.token, guard.token + "x"):
        assert not guard.accepts(wrong)


def test_without_the_door_no_form_is_taken() -> None:
    with pytest.raises(Refused):
        require_csrf({}, {"csrf": ""})
    with pytest.raises(Refused):
        require_csrf({"propensity.csrf": session_guard("a")}, {})
    require_csrf({"propensity.csrf": NO_FORMS}, {})
