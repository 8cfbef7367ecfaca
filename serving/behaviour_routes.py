"""The routes by which programs tell what happens: leads, events, outcomes; erasure and objection."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import anyio.to_thread
from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from serving.limits import read_body, require_json
from serving.wire_behaviour import ROWS_BYTES

if TYPE_CHECKING:
    from serving.office import Office

_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


def behaviour_routes(office: Callable[[], Office]) -> list[Route]:
    """`POST /leads`, `/events` and `/outcomes`."""

    def taking(name: str) -> Route:
        async def take(request: Request) -> Response:
            headers = dict(request.scope["headers"])
            require_json(headers)
            body = await read_body(headers, request.receive, ROWS_BYTES)
            taken = await anyio.to_thread.run_sync(office().ingestion.take, name, body)
            return json_reply(taken)

        return Route(f"/{name}", take, methods=["POST"])

    return [taking(name) for name in ("leads", "events", "outcomes")]


def json_reply(body: bytes | object) -> Response:
    """A JSON reply that no cache keeps."""
    content = body if isinstance(body, bytes) else to_json(body)
    return Response(content, media_type="application/json", headers=_HEADERS)
