"""A site with the real door, the real login and a store; behind all other addresses stands who was let in."""

from __future__ import annotations

from collections.abc import MutableMapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from oracles.asked_app import Asking
from serving.access import Access
from serving.access_routes import access_routes
from serving.actor import actor_of
from serving.csrf import csrf_of, require_csrf
from serving.door import Door
from serving.forms import read_form
from serving.metrics import Metrics
from serving.pages import Pages
from serving.people import add_user
from serving.problems import Refused
from serving.store import Store

PASSWORD = "correct horse battery"
MINUTE = 60 * 1_000_000
HOUR = 60 * MINUTE


@dataclass
class Clock:
    """A clock that is put forward by hand."""

    now: int = 20_000 * 24 * HOUR

    def __call__(self) -> int:
        return self.now


class Site:
    """What the running service holds, as far as access goes."""

    def __init__(self, store: Store, *keys: str, proxy_secret: str = "", open_on_loopback: bool = True) -> None:
        self.clock = Clock()
        self.store = store
        self.access = Access(
            store, keys, proxy_secret=proxy_secret, clock=self.clock, open_on_loopback=open_on_loopback
        )
        self.metrics = Metrics()
        self.workspace = SimpleNamespace(name="shop")
        pages = Pages(lambda: self)  # type: ignore[arg-type, return-value]
        app = Starlette(
            routes=[
                *access_routes(pages),
                Route("/leads/{id}/feedback", _formed, methods=["POST"]),
                Route("/{rest:path}", _told, methods=["GET", "POST", "PUT", "DELETE"]),
            ],
            exception_handlers={Refused: _refused},
        )
        self.app = Door(app, desk=lambda: self)  # type: ignore[arg-type, return-value]

    def score_body(self, body: bytes) -> bytes:
        return body

    score_batch_body = score_body

    def add(self, name: str, role: str = "sales", team: str | None = None) -> None:
        with self.store.writing() as c:
            add_user(c, name, role=role, team=team, password=PASSWORD, now=self.clock.now)

    def asking(self, *, https: bool = False, client: str = "127.0.0.1") -> Asking:
        return Asking(self.app, address="https://localhost" if https else "http://localhost", client=client)

    def logged_in(self, name: str, *, https: bool = False) -> Asking:
        """The browser of somebody who logged in."""
        asking = self.asking(https=https)
        reply = log_in(asking, name)
        assert reply.status_code == 303, reply.text
        return asking


def log_in(asking: Asking, name: str, password: str = PASSWORD, *, to: str = "", **headers: str) -> Any:
    """Open the login page and send its form."""
    address = f"/login?next={to}" if to else "/login"
    token = asking.get(address).text.partition('name="csrf" value="')[2].partition('"')[0]
    return asking.post(address, {"name": name, "password": password, "csrf": token}, **headers)


async def _told(request: Request) -> Response:
    actor = actor_of(request.scope)
    told: MutableMapping[str, Any] = {"name": actor.name, "role": actor.role, "team": actor.team, "kind": actor.kind}
    return JSONResponse({**told, "csrf": csrf_of(request.scope)})


async def _formed(request: Request) -> Response:
    require_csrf(request.scope, await read_form(request))
    return JSONResponse({"taken": True})


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    return Response(error.body(), status_code=error.status, headers=dict(error.headers))
