"""The door that every request comes through: access, limits, the hot path to a score, problem bodies, time taken."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from time import perf_counter
from typing import Any, Protocol

import anyio.to_thread

from serving.access import Access
from serving.access_routes import NO_ENTRY, REFUSED
from serving.actor import ACTOR
from serving.limits import Disconnected, Receive, read_body, require_json
from serving.log_lines import note_fault
from serving.login_page import login_address
from serving.metrics import Metrics
from serving.permissions import route_of
from serving.problems import PROBLEM_JSON, Fault, Refused
from serving.wire import BATCH_BYTES, LEAD_BYTES

Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

INLINE_BYTES = 64 * 1024
"""A lead up to this size is scored on the event loop: handing it to a thread costs more than it takes."""

_LIMITS = {"/score": LEAD_BYTES, "/score_batch": BATCH_BYTES}
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Desk(Protocol):
    """What the door leads to."""

    access: Access
    metrics: Metrics

    def score_body(self, body: bytes) -> bytes: ...
    def score_batch_body(self, body: bytes) -> bytes: ...


class Door:
    """ASGI middleware. Scores are answered here; pages, probes and all else by the application behind.

    BentoML's typed apis of the same routes lie behind and give its clients their schema; they call the same scoring
    function. Answering here leaves out their second parsing, their thread and their logging, and lets a lead of a
    batch fail in its place. `desk` gives what the running service holds.
    """

    def __init__(self, app: App, *, desk: Callable[[], Desk]) -> None:
        self._app = app
        self._desk = desk

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            else:
                await send({"type": "websocket.close", "code": 1000})
            return
        desk = self._desk()
        begun = perf_counter()
        status = 0

        async def counted(message: MutableMapping[str, Any]) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._answer(desk, scope, receive, counted)
        except Refused as refused:
            await reply(counted, refused.status, refused.body(), PROBLEM_JSON, refused.headers)
        except Disconnected:
            status = 499
        except Exception as error:
            note_fault("a request failed", error, route=_route(scope))
            if status:
                raise
            fault = Refused(500, [Fault("server", type(error).__name__, "an answer; the log says where")])
            await reply(counted, 500, fault.body(), PROBLEM_JSON)
        finally:
            method = scope["method"] if scope["method"] in _METHODS else "other"
            desk.metrics.request(_route(scope), method, status, perf_counter() - begun)

    async def _answer(self, desk: Desk, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        try:
            await desk.access.admit(scope, headers)
        except Refused as refused:
            if not is_browser(headers):
                raise
            await self._turn_away(refused, scope, headers, receive, send)
            return
        path = scope["path"]
        if "\n" in path:  # Starlette's routes don't match it, and would answer in plain text
            raise Refused(404, [Fault("path", "a line break", "one of the addresses in /openapi.json")])
        limit = _LIMITS.get(path)
        if limit is None or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        require_json(headers)
        body = await read_body(headers, receive, limit)
        scoring = desk.score_body if path == "/score" else desk.score_batch_body
        if len(body) <= INLINE_BYTES and path == "/score":
            answer = scoring(body)
        else:
            answer = await anyio.to_thread.run_sync(scoring, body)
        await reply(send, 200, answer, "application/json")

    async def _turn_away(
        self, refused: Refused, scope: Scope, headers: Mapping[bytes, bytes], receive: Receive, send: Send
    ) -> None:
        """A person sees the login page, or a page that says that their role doesn't go so far."""
        if refused.status == 401:
            await reply(send, 303, b"", "text/plain; charset=utf-8", {"Location": login_address(scope, headers)})
        elif ACTOR in scope:
            inside = {**scope, "path": NO_ENTRY, "raw_path": NO_ENTRY.encode(), "method": "GET", REFUSED: refused}
            await self._app(inside, receive, send)
        else:
            raise refused


def _route(scope: Scope) -> str:
    return route_of(scope["path"], scope.get("raw_path") or b"")


def is_browser(headers: Mapping[bytes, bytes]) -> bool:
    """Whether a person's browser asks for a page, rather than a program with or without its key."""
    return b"text/html" in headers.get(b"accept", b"") and b"authorization" not in headers


async def reply(send: Send, status: int, body: bytes, kind: str, headers: Mapping[str, str] | None = None) -> None:
    """Send a whole reply that no cache keeps."""
    pairs = [
        (b"content-type", kind.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
    ]
    pairs += [(name.lower().encode(), value.encode()) for name, value in (headers or {}).items()]
    await send({"type": "http.response.start", "status": status, "headers": pairs})
    await send({"type": "http.response.body", "body": body})
