"""The routes by which programs tell what happens: leads, events, outcomes; erasure and objection."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import anyio.to_thread
from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from serving.actor import actor_of, require_role
from serving.csrf import require_csrf
from serving.forms import FORM, read_form
from serving.lead_rights import erase, object_to_profiling
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


async def erase_lead(office: Office, request: Request, lead_id: str) -> Response:
    """`DELETE /leads/{id}`."""
    actor = require_role(request.scope, "admin")
    return json_reply(await anyio.to_thread.run_sync(erase, office, lead_id, actor))


async def object_of_lead(office: Office, request: Request, lead_id: str) -> Response:
    """`POST /leads/{id}/objection`: by a program, whose body is JSON, or by the form on the lead's page."""
    headers = dict(request.scope["headers"])
    actor = actor_of(request.scope)
    if headers.get(b"content-type", b"").startswith(FORM.encode()):
        require_csrf(request.scope, await read_form(request))
        await anyio.to_thread.run_sync(object_to_profiling, office, lead_id, actor)
        lang = "ja" if request.query_params.get("lang") == "ja" else "en"
        return RedirectResponse(f"/?lang={lang}&done=objection", status_code=303, headers=_HEADERS)
    require_json(headers)
    return json_reply(await anyio.to_thread.run_sync(object_to_profiling, office, lead_id, actor))


def json_reply(body: bytes | object) -> Response:
    """A JSON reply that no cache keeps."""
    content = body if isinstance(body, bytes) else to_json(body)
    return Response(content, media_type="application/json", headers=_HEADERS)
