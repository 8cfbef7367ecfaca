"""Every route by every role, through the real door."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from oracles.made_site import Site
from serving.actor import PEOPLES_ROLES, ROLES, Actor
from serving.permissions import ANY_METHOD, PERMISSIONS, least_role, may, route_of
from serving.routes import routes
from serving.store import Store
from serving.store.opening import open_address

KEY = {role: f"{role}-key-of-20-letters" for role in ROLES}
SECRET = "the-proxy-says-so-0123"
TABLE = """
route                        method  score sales lead admin
/                            GET     -     x     x    x
/queue.csv                   GET     -     x     x    x
/leads/{id}                  GET     -     x     x    x
/leads/{id}                  DELETE  -     -     -    x
/leads/{id}/feedback         POST    -     x     x    x
/leads/{id}/facts            POST    -     x     x    x
/leads/{id}/objection        POST    x     x     x    x
/leads/{id}/score            GET     x     x     x    x
/score                       POST    x     x     x    x
/score_batch                 POST    x     x     x    x
/leads                       POST    x     x     x    x
/leads                       GET     -     -     -    x
/events                      POST    x     x     x    x
/outcomes                    POST    x     x     x    x
/metrics                     GET     x     x     x    x
/openapi.json                GET     x     x     x    x
/agreement                   GET     -     -     x    x
/agreement/save              POST    -     -     x    x
/agreement/sign              POST    -     -     x    x
/agreement/simulate.json     GET     -     -     x    x
/model                       GET     -     -     x    x
/review                      GET     -     -     x    x
/profile                     GET     -     -     x    x
/anything/else               GET     -     -     -    x
/agreement/anything          POST    -     -     -    x
"""
ROWS = [line.split() for line in TABLE.strip().splitlines()[1:]]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    store = open_address("sqlite:///store.db", tmp_path_factory.mktemp("site"))
    return Site(store, *(f"{role}:{key}" for role, key in KEY.items()), proxy_secret=SECRET)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize(("route", "method", "opened"), [(row[0], row[1], row[2:]) for row in ROWS])
def test_a_role_opens_what_the_table_says(site: Site, route: str, method: str, opened: list[str], role: str) -> None:
    path = route.replace("{id}", "L-1")
    passes = opened[ROLES.index(role)] == "x"
    headers = {"Authorization": f"Bearer {KEY[role]}", "Content-Type": "application/json"}
    by_key = site.asking(client="10.0.0.9").ask(method, path, body=b"{}", headers=headers).status_code
    assert by_key != 401
    assert (by_key == 403) is not passes
    if role in PEOPLES_ROLES and path not in ("/score", "/score_batch") and "/feedback" not in path:
        named = {"X-Propensity-Proxy-Secret": SECRET, "X-Propensity-User": "mori", "X-Propensity-Role": role}
        by_proxy = site.asking(client="10.0.0.9").ask(method, path, headers=named).status_code
        assert (by_proxy == 403) is not passes
    without = site.asking(client="10.0.0.9").ask(method, path, headers={"Content-Type": "application/json"})
    assert without.status_code == 401


def test_the_table_here_names_every_route_that_is_not_open_to_anyone() -> None:
    named = {(row[0], row[1]) for row in ROWS}
    for route, methods in PERMISSIONS.items():
        for method, least in methods.items():
            if least != "anyone" and route not in ("/schema.json", "/logout"):
                tested = method if method != ANY_METHOD else ("POST" if route in ("/score", "/score_batch") else "GET")
                assert (route, tested) in named


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/healthz", "/static/pages.css", "/login"])
def test_probes_static_files_and_the_login_are_open(path: str) -> None:
    assert least_role("GET", route_of(path)) == "anyone"


@pytest.mark.parametrize("role", PEOPLES_ROLES)
def test_a_session_opens_what_a_key_of_its_role_opens(store: Store, role: str) -> None:
    site = Site(store)
    site.add("mori", role)
    browser = site.logged_in("mori")
    for route, method, *opened in ROWS:
        if method == "GET":
            status = browser.get(route.replace("{id}", "L-1")).status_code
            assert (status == 200) is (opened[ROLES.index(role)] == "x"), route


def test_an_id_never_passes_for_another_route(site: Site) -> None:
    """A lead may be called `a/score`: its page stays a page."""
    program = {"Authorization": f"Bearer {KEY['score']}"}
    assert site.asking().ask("GET", "/leads/a/score", headers=program).status_code == 200
    assert site.asking().ask("GET", "/leads/a/%73core", headers=program).status_code == 200
    assert site.asking().ask("GET", "/leads/a%2Fscore", headers=program).status_code == 403
    assert site.asking().ask("GET", "/leads/score", headers=program).status_code == 403
    assert site.asking().ask("DELETE", "/leads/a%2Fscore", headers=program).status_code == 403


def test_a_plain_key_is_one_of_programs_and_opens_no_page(store: Store) -> None:
    site = Site(store, "a-key-of-20-letters.")
    sent = {"Authorization": "Bearer a-key-of-20-letters.", "Accept": "text/html"}
    assert site.asking().ask("GET", "/openapi.json", headers=sent).json()["role"] == "score"
    assert site.asking().ask("GET", "/", headers=sent).status_code == 403


def test_what_a_navigation_shows_is_what_the_door_opens() -> None:
    assert may(Actor("mori", "lead"), "GET", "/agreement")
    assert not may(Actor("mori", "sales"), "GET", "/agreement")
    assert may(Actor("mori", "sales"), "HEAD", "/leads/a")


@pytest.mark.parametrize("keys", [(), ("a-key-of-20-letters.",)])
def test_scoring_with_a_key_or_on_open_loopback_asks_no_store(tmp_path: Path, keys: tuple[str, ...]) -> None:
    store = open_address("sqlite:///store.db", tmp_path)
    site = Site(store, *keys)
    asked: list[str] = []
    sa.event.listen(store.engine, "before_cursor_execute", lambda *told: asked.append(told[2]))
    sent = [("Content-Type", "application/json"), *(("Authorization", f"Bearer {key}") for key in keys)]
    assert site.asking().ask("POST", "/score", body=b"{}", headers=sent).status_code == 200
    assert asked == []
    assert site.asking().get("/").status_code in (200, 303)
    store.close()


def test_a_session_is_found_by_one_question_to_the_store(tmp_path: Path) -> None:
    site = Site(open_address("sqlite:///store.db", tmp_path))
    site.add("mori")
    token = site.logged_in("mori").cookies["propensity"]
    headers = {b"host": b"localhost", b"cookie": f"propensity={token}".encode()}
    asked: list[str] = []
    sa.event.listen(site.store.engine, "before_cursor_execute", lambda *told: asked.append(told[2]))
    site.access.check({"path": "/", "method": "GET", "scheme": "http", "client": ("127.0.0.1", 1)}, headers)
    assert len([each for each in asked if each.startswith("SELECT")]) == 1


def test_every_address_of_the_application_has_its_role() -> None:
    """What is added to the application and not to the table would be open to administrators alone: say so here."""
    inside = {"/no-entry", "/{rest:path}", "/leads/{rest:path}"}
    served = {route.path for route in routes(lambda: None).routes} - inside  # type: ignore[arg-type, return-value, attr-defined]
    assert {route_of(path.replace("{name}", "pages.css")) for path in served} <= set(PERMISSIONS)
