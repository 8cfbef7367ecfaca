"""The routes behind the door, but for scoring: leads of the tables, pages, metrics, the OpenAPI document."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import anyio.to_thread
from pydantic_core import to_json
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from serving.access_routes import access_routes
from serving.agreement_routes import agreement_routes
from serving.behaviour_routes import behaviour_routes, erase_lead, object_of_lead
from serving.leaders_routes import leaders_routes
from serving.openapi import openapi_document
from serving.pages import Pages
from serving.problems import PROBLEM_JSON, Fault, Refused
from serving.query import language_of, lead_of, moment_of, one_each
from serving.sales_routes import SalesPages, sales_routes

if TYPE_CHECKING:
    from serving.office import Office

METHODS: Mapping[str, str] = {"/score": "POST", "/score_batch": "POST"}
"""Routes that the door answers; asked by another method they come here."""


def routes(office: Callable[[], Office]) -> Starlette:
    """The application behind the door. It owns every path that BentoML's own routes leave, `/` and 404 included."""
    pages = Pages(office)
    sales = SalesPages(pages)

    async def openapi(request: Request) -> Response:
        held = office()
        document = openapi_document(held.snapshot().schema, keyed=held.keyed, version=held.version)
        return _json(document)

    async def metrics(request: Request) -> Response:
        held = office()
        page = await anyio.to_thread.run_sync(
            lambda: held.metrics.page(tables_age=held.tables.age, watched=held.watched.lines())
        )
        return Response(page, media_type="text/plain; version=0.0.4; charset=utf-8", headers=_HEADERS)

    async def lead(request: Request) -> Response:
        lead_id, part = lead_of(request.scope["raw_path"])
        if part == "" and request.method in ("GET", "HEAD"):
            return await sales.lead(request, lead_id)
        if part in ("feedback", "facts") and request.method == "POST":
            return await sales.post(request, lead_id, part)
        if part == "score" and request.method in ("GET", "HEAD"):
            return await anyio.to_thread.run_sync(lead_score, request, lead_id)
        if part == "objection" and request.method == "POST":
            return await object_of_lead(office(), request, lead_id)
        if part == "" and request.method == "DELETE":
            return await erase_lead(office(), request, lead_id)
        expected = {"": "GET, DELETE", "score": "GET"}.get(part, "POST")
        raise Refused(405, [Fault("method", request.method, expected)], {"Allow": expected})

    def lead_score(request: Request, lead_id: str) -> Response:
        held = office()
        asked = one_each(request, ("as_of", "lang"), strict=True)
        as_of, lang = (
            moment_of(asked.get("as_of"), held.snapshot().schema.zone),
            language_of(asked.get("lang")),
        )
        score, _ = held.answers.of_tables(lead_id, as_of, lang)
        return _json(score.to_json())

    return Starlette(
        routes=[
            *sales_routes(sales),
            Route("/leads/{rest:path}", lead, methods=["GET", "POST", "DELETE"]),
            Route("/openapi.json", openapi),
            Route("/metrics", metrics),
            Route("/static/{name}", pages.static),
            *agreement_routes(pages),
            *leaders_routes(pages),
            *access_routes(pages),
            *behaviour_routes(office),
            Route("/{rest:path}", _Nothing()),
        ],
        exception_handlers={Refused: _problem, HTTPException: _problem_of_starlette},
    )


class _Nothing:
    """Whatever else is asked for, by any method: an application of its own, since a function takes GET alone."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        method = METHODS.get(scope["path"])
        if method is not None:
            raise Refused(405, [Fault("method", scope["method"], method)], {"Allow": method})
        raise Refused(404, [Fault("path", "an address without anything", "one of those in /openapi.json")])


_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


def _json(value: object) -> Response:
    return Response(to_json(value), media_type="application/json", headers=_HEADERS)


async def _problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    headers = {**_HEADERS, **error.headers}
    return Response(error.body(), status_code=error.status, media_type=PROBLEM_JSON, headers=headers)


async def _problem_of_starlette(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    headers = dict(error.headers or {})
    expected = headers.get("Allow", "another address or method")
    refused = Refused(error.status_code, [Fault("method", request.method, expected)], headers)
    return await _problem(request, refused)
