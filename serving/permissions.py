"""Which role an address takes: one table of all routes. What isn't in it takes the highest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal
from urllib.parse import unquote_to_bytes

from serving.actor import Actor, Role

Least = Role | Literal["anyone"]
ANYONE: Final = "anyone"
ANY_METHOD = "*"

PERMISSIONS: Mapping[str, Mapping[str, Least]] = {
    # probes of whoever runs the service, and what every page needs: they tell nothing of a lead
    "/livez": {ANY_METHOD: ANYONE},
    "/readyz": {ANY_METHOD: ANYONE},
    "/healthz": {ANY_METHOD: ANYONE},
    "/static/{file}": {ANY_METHOD: ANYONE},
    "/login": {"GET": ANYONE, "POST": ANYONE},
    "/logout": {"POST": "score"},
    # programs
    "/score": {ANY_METHOD: "score"},
    "/score_batch": {ANY_METHOD: "score"},
    "/leads/{id}/score": {ANY_METHOD: "score"},
    "/leads": {"POST": "score"},
    "/events": {"POST": "score"},
    "/outcomes": {"POST": "score"},
    "/leads/{id}/objection": {"POST": "score"},
    "/metrics": {ANY_METHOD: "score"},
    "/openapi.json": {"GET": "score"},
    "/schema.json": {"GET": "score"},
    # sales
    "/": {"GET": "sales"},
    "/queue.csv": {"GET": "sales"},
    "/leads/{id}": {"GET": "sales", "DELETE": "admin"},
    "/leads/{id}/feedback": {"POST": "sales"},
    "/leads/{id}/facts": {"POST": "sales"},
    # the two teams' leaders
    "/agreement": {"GET": "lead"},
    "/agreement/save": {"POST": "lead"},
    "/agreement/sign": {"POST": "lead"},
    "/agreement/simulate.json": {"GET": "lead"},
    "/model": {"GET": "lead"},
    "/review": {"GET": "lead"},
    "/profile": {"GET": "lead"},
}
"""Route -> method -> least role. A method that isn't named takes `admin`."""

_OF_A_LEAD = frozenset(route.rpartition("/")[2] for route in PERMISSIONS if route.startswith("/leads/{id}/"))


def route_of(path: str, raw_path: bytes = b"") -> str:
    """The route that a path belongs to, with its parts left out: what may be counted and written down.

    A lead's id may hold a slash, sent as %2F: what stands below a lead is read from the path as it was sent, as
    `serving.query.lead_of` reads it, so that no id passes for another route.

    >>> route_of("/leads/L-1042/score"), route_of("/leads/a/score", b"/leads/a%2Fscore"), route_of("/wp-admin")
    ('/leads/{id}/score', '/leads/{id}', 'other')
    """
    if path in PERMISSIONS and "{" not in path:
        return path
    if path.startswith("/leads/"):
        below = (raw_path or path.encode("utf-8", "replace")).partition(b"?")[0].split(b"/")[3:]
        part = unquote_to_bytes(below[0]).decode("utf-8", "replace") if len(below) == 1 else ""
        return f"/leads/{{id}}/{part}" if part in _OF_A_LEAD else "/leads/{id}"
    return "/static/{file}" if path.startswith("/static/") else "other"


def least_role(method: str, route: str) -> Least:
    """The least role that a route takes by a method; HEAD asks what GET asks.

    >>> least_role("GET", "/"), least_role("DELETE", "/leads/{id}"), least_role("GET", "other")
    ('sales', 'admin', 'admin')
    """
    by_method = PERMISSIONS.get(route, {})
    return by_method.get("GET" if method == "HEAD" else method, by_method.get(ANY_METHOD, "admin"))


def may(actor: Actor, method: str, path: str) -> bool:
    """Whether an actor may ask for an address: what a page's navigation and buttons show."""
    least = least_role(method, route_of(path))
    return least == "anyone" or actor.may(least)
