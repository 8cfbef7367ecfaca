"""People log in, stay logged in for a while, and log out; on SQLite and on PostgreSQL."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from oracles.made_site import HOUR, MINUTE, PASSWORD, Site, log_in
from serving.login_limits import TRIES_OF_ADDRESS, TRIES_OF_NAME, begin_attempt, forget_failures
from serving.login_page import safe_address
from serving.people import change_password, remove_user
from serving.sessions import IDLE, LONGEST
from serving.store import Store
from serving.store.tables import login_failures, sessions, users


@pytest.fixture
def site(store: Store) -> Site:
    made = Site(store)
    made.add("mori")
    return made


def test_whoever_is_not_logged_in_is_led_to_the_login_and_back(site: Site) -> None:
    browser = site.asking()
    turned = browser.get("/leads/a%2Fb?lang=ja")
    assert (turned.status_code, turned.headers["location"]) == (
        303,
        "/login?next=%2Fleads%2Fa%252Fb%3Flang%3Dja&lang=ja",
    )
    page = browser.get(turned.headers["location"])
    assert page.status_code == 200
    assert 'action="/login?next=%2Fleads%2Fa%252Fb%3Flang%3Dja&amp;lang=ja"' in page.text
    assert "ユーザー名" in page.text, "in the language of the page that was asked for"
    entered = log_in(browser, "mori", to="%2Fleads%2Fa%252Fb%3Flang%3Dja")
    assert (entered.status_code, entered.headers["location"]) == (303, "/leads/a%2Fb?lang=ja")
    assert browser.get("/leads/a%2Fb?lang=ja").json()["name"] == "mori"


def test_a_program_is_refused_instead_of_led(site: Site) -> None:
    refused = site.asking().ask("GET", "/leads/a")
    assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")
    assert site.asking().ask("POST", "/score", body=b"{}").status_code in (200, 401)


def test_from_the_first_user_on_everyone_is_asked(store: Store) -> None:
    site = Site(store)
    assert site.asking().get("/").json()["kind"] == "machine"
    assert site.asking().get("/login").headers["location"] == "/"
    site.add("mori")
    assert site.asking().get("/").status_code == 303
    assert site.asking().ask("POST", "/events", body=b"{}").status_code == 401
    with store.writing() as c:
        remove_user(c, "mori")
    site.access.look()
    assert site.asking().get("/").json()["kind"] == "machine"


def test_a_name_is_found_however_it_is_typed(site: Site) -> None:
    assert log_in(site.asking(), "ＭＯＲＩ").status_code == 303
    assert log_in(site.asking(), "Mori", "ｃｏｒｒｅｃｔ horse battery").status_code == 303


@pytest.mark.parametrize(
    ("name", "password"), [("mori", PASSWORD + "x"), ("nobody", PASSWORD), ("", ""), ("a/b", "another password")]
)
def test_a_wrong_name_and_a_wrong_password_look_the_same(site: Site, name: str, password: str) -> None:
    refused = log_in(site.asking(), name, password)
    assert refused.status_code == 401
    assert "Name or password is wrong." in refused.text
    assert password not in refused.text or not password
    assert "propensity=" not in refused.headers.get("set-cookie", "")


def test_the_cookie_is_for_this_host_and_no_script(site: Site) -> None:
    plain = log_in(site.asking(), "mori").headers.get_list("set-cookie")
    assert re.fullmatch(r"propensity=[\w-]{43}; HttpOnly; Path=/; SameSite=lax", plain[0])
    encrypted = log_in(site.asking(https=True), "mori").headers.get_list("set-cookie")
    assert re.fullmatch(r"__Host-propensity=[\w-]{43}; HttpOnly; Path=/; SameSite=lax; Secure", encrypted[0])


def test_behind_a_proxy_that_encrypts_the_cookie_is_secure(site: Site) -> None:
    page = site.asking().get("/login", **{"X-Forwarded-Proto": "https"})
    assert page.headers["set-cookie"].startswith("__Host-propensity-login=")
    assert "Secure" in page.headers["set-cookie"]


def test_the_store_holds_neither_password_nor_token(site: Site) -> None:
    browser = site.logged_in("mori")
    token = browser.cookies["propensity"]
    with site.store.reading() as c:
        rows = [*c.execute(sa.select(users)), *c.execute(sa.select(sessions)), *c.execute(sa.select(login_failures))]
    kept = repr(rows)
    assert "$argon2id$" in kept
    assert token not in kept
    assert PASSWORD not in kept


def test_a_session_ends_after_a_day_without_a_request(site: Site) -> None:
    browser = site.logged_in("mori")
    site.clock.now += IDLE - MINUTE
    assert browser.get("/").status_code == 200
    site.clock.now += IDLE - MINUTE
    assert browser.get("/").status_code == 200, "the request before put the end off"
    site.clock.now += IDLE
    assert browser.get("/").status_code == 303


def test_a_session_ends_after_a_week_in_any_case(site: Site) -> None:
    browser = site.logged_in("mori")
    for _ in range(LONGEST // (7 * HOUR)):
        assert browser.get("/").status_code == 200
        site.clock.now += 7 * HOUR
    assert browser.get("/").status_code == 303


def test_logging_out_ends_the_session(site: Site) -> None:
    browser = site.logged_in("mori")
    copied = browser.cookies["propensity"]
    token = browser.get("/").json()["csrf"]
    assert browser.post("/logout", {"csrf": "x"}).status_code == 403
    left = browser.post("/logout", {"csrf": token})
    assert (left.status_code, left.headers["location"]) == (303, "/login?lang=en")
    assert "Max-Age=0" in left.headers["set-cookie"]
    again = site.asking()
    again.cookies.set("propensity", copied)
    assert again.get("/").status_code == 303


def test_a_new_login_ends_the_session_that_the_browser_had(site: Site) -> None:
    browser = site.logged_in("mori")
    assert browser.get("/login").headers["location"] == "/", "who is logged in needs no login"
    again = site.asking()
    token = again.get("/login").text.partition('name="csrf" value="')[2].partition('"')[0]
    again.cookies.set("propensity", browser.cookies["propensity"])
    assert again.post("/login", {"name": "mori", "password": PASSWORD, "csrf": token}).status_code == 303
    assert browser.get("/").status_code == 303


def test_a_token_that_a_browser_brings_along_never_becomes_its_session(site: Site) -> None:
    browser = site.asking()
    browser.cookies.set("propensity", "a" * 43)
    log_in(browser, "mori")
    assert browser.cookies.get("propensity", domain="localhost.local") != "a" * 43
    other = site.asking()
    other.cookies.set("propensity", "a" * 43)
    assert other.get("/").status_code == 303


def test_a_removed_user_and_a_new_password_end_all_sessions(site: Site) -> None:
    site.add("sato", "lead")
    mori, sato = site.logged_in("mori"), site.logged_in("sato")
    with site.store.writing() as c:
        remove_user(c, "mori")
        change_password(c, "sato", password="another horse battery")
    assert mori.get("/").status_code == 303
    assert sato.get("/").status_code == 303


def test_the_role_is_that_of_now(site: Site) -> None:
    browser = site.logged_in("mori")
    assert browser.get("/agreement").status_code == 403
    with site.store.writing() as c:
        c.execute(sa.update(users).values(role="lead", team="marketing"))
    assert browser.get("/agreement").json()["team"] == "marketing"


def test_after_five_wrong_passwords_a_name_has_to_wait(site: Site) -> None:
    for _ in range(TRIES_OF_NAME):
        assert log_in(site.asking(), "mori", "wrong password").status_code == 401
        site.clock.now += MINUTE
    refused = log_in(site.asking(client="10.0.0.9"), "mori")
    assert (refused.status_code, refused.headers["retry-after"]) == (429, str(10 * 60))
    assert "Try again in 10 minutes." in refused.text
    assert "試行回数" in log_in(site.asking(), "mori", **{"Accept-Language": "ja"}).text
    site.clock.now += 10 * MINUTE
    assert log_in(site.asking(), "mori").status_code == 303


def test_attempts_at_once_are_no_more_than_five(site: Site) -> None:
    now = site.clock.now
    with ThreadPoolExecutor(12) as threads:
        waits = list(threads.map(lambda _: begin_attempt(site.store, "mori", "10.0.0.9", now=now), range(12)))
    assert sorted(waits) == [0] * TRIES_OF_NAME + [15 * 60] * (12 - TRIES_OF_NAME)


def test_an_address_that_tries_many_names_has_to_wait(site: Site) -> None:
    for i in range(TRIES_OF_ADDRESS - 1):
        assert begin_attempt(site.store, f"user{i}", "10.0.0.9", now=site.clock.now) == 0
    assert log_in(site.asking(client="10.0.0.9"), "nobody", "wrong password").status_code == 401
    assert log_in(site.asking(client="10.0.0.9"), "mori").status_code == 429
    assert log_in(site.asking(client="10.0.0.8"), "mori").status_code == 303


def test_of_ipv6_the_network_counts(site: Site) -> None:
    now = site.clock.now
    for i in range(TRIES_OF_ADDRESS):
        assert begin_attempt(site.store, f"user{i}", f"2001:db8::{i:x}", now=now) == 0
    assert begin_attempt(site.store, "mori", "2001:db8::ffff", now=now) == 15 * 60
    assert begin_attempt(site.store, "mori", "2001:db8:1::1", now=now) == 0


def test_a_success_forgets_the_failures_before(site: Site) -> None:
    for _ in range(2):
        for _ in range(TRIES_OF_NAME - 1):
            assert log_in(site.asking(), "mori", "wrong password").status_code == 401
        assert log_in(site.asking(), "mori").status_code == 303


def test_many_logins_from_one_office_are_no_failures(site: Site) -> None:
    for _ in range(TRIES_OF_ADDRESS + 2):
        assert begin_attempt(site.store, "mori", "10.0.0.9", now=site.clock.now) == 0
        with site.store.writing() as c:
            forget_failures(c, site.store, "mori", "10.0.0.9", now=site.clock.now)


@pytest.mark.parametrize(
    "address",
    [
        "//evil.example", "https://evil.example/", "/\\evil.example", "\\\\evil.example", "javascript:alert(1)", "evil",
        "/a\nSet-Cookie: x", "/ /evil", "", None, "///evil.example", "/login?next=/login", "/logout", "/" + "a" * 3000,
    ],
)  # fmt: skip
def test_nobody_is_led_to_another_site(address: str | None) -> None:
    assert safe_address(address) == "/"


def test_the_login_form_of_another_site_is_refused(site: Site) -> None:
    elsewhere = {"Origin": "http://evil.example"}
    assert log_in(site.asking(), "mori", **elsewhere).status_code == 403
    assert log_in(site.asking(), "mori", **{"Sec-Fetch-Site": "cross-site"}).status_code == 403
    browser = site.asking()
    token = site.asking().get("/login").text.partition('name="csrf" value="')[2].partition('"')[0]
    sent = {"name": "mori", "password": PASSWORD, "csrf": token}
    assert browser.post("/login", sent).status_code == 403, "a token without its cookie"


def test_where_nobody_can_log_in_the_page_says_how(store: Store) -> None:
    site = Site(store, open_on_loopback=False)
    assert "propensity user add" in site.asking().get("/login").text
    assert "propensity user add" in site.asking().get("/login?lang=ja").text


def test_after_a_session_ended_a_form_leads_back_to_its_page(site: Site) -> None:
    sent = {"Referer": "http://localhost/leads/a?lang=ja"}
    assert (
        site.asking().post("/leads/a/feedback", {}, **sent).headers["location"]
        == "/login?next=%2Fleads%2Fa%3Flang%3Dja&lang=ja"
    )
    sent = {"Referer": "http://evil.example/leads/a"}
    assert site.asking().post("/leads/a/feedback", {}, **sent).headers["location"] == "/login"


def test_a_page_of_a_higher_role_says_so_in_words(site: Site) -> None:
    refused = site.logged_in("mori").get("/agreement?lang=ja")
    assert refused.status_code == 403
    assert refused.headers["content-type"].startswith("text/html")
    assert 'lang="ja"' in refused.text
    assert site.logged_in("mori").ask("GET", "/agreement").headers["content-type"] == "application/problem+json"
