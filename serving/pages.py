"""The pages that people read: the leads to call, and one lead with its reasons. On loopback only, see `serving.access`."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from importlib.resources import files
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import anyio.to_thread
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import Response

from features.wording import Lang, message
from serving.lead_page import lead_page
from serving.problems import Fault, Refused
from serving.query import moment_of, one_each
from serving.queue_page import queue_page

if TYPE_CHECKING:
    from serving.office import Office

_STATIC = {"pages.css": "text/css; charset=utf-8", "icon.svg": "image/svg+xml"}
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""No script runs, nothing comes from elsewhere, no other site frames a page, and no address of a lead leaks to a link."""


class Pages:
    """Renders pages. What is on a page is decided by plain functions beside; here are language, headers and errors."""

    def __init__(self, office: Callable[[], Office]) -> None:
        self._office = office
        self._static = {name: files("serving").joinpath("static", name).read_bytes() for name in _STATIC}
        self._stamp = hashlib.sha256(b"".join(self._static.values())).hexdigest()[:12]
        self._templates = Environment(
            loader=PackageLoader("serving"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    async def queue(self, request: Request) -> Response:
        return await anyio.to_thread.run_sync(self._answer, request, self._queue)

    async def lead(self, request: Request, lead_id: str) -> Response:
        return await anyio.to_thread.run_sync(
            self._answer, request, lambda asked, lang: self._lead(asked, lang, lead_id)
        )

    async def static(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name not in _STATIC:
            raise Refused(404, [Fault("path", "an address without anything", "one of those in /openapi.json")])
        headers = {**HEADERS, "Cache-Control": "public, max-age=31536000, immutable"}
        return Response(self._static[name], media_type=_STATIC[name], headers=headers)

    def _queue(self, request: Request, lang: Lang) -> Response:
        office = self._office()
        asked = one_each(request, ("page", "lang"), strict=False)
        text = asked.get("page", "1")
        if not (text.isascii() and text.isdigit() and 0 < int(text[:8]) <= 1_000_000):
            raise Refused(422, [Fault("page", "no such number", "a whole number from 1 on")])
        content = queue_page(
            office.call_list.current(),
            page=int(text),
            lang=lang,
            scored_at=office.clock(),
            notices=office.tables.notices,
        )
        return self._render("queue.html", request, lang, content)

    def _lead(self, request: Request, lang: Lang, lead_id: str) -> Response:
        office = self._office()
        asked = one_each(request, ("as_of", "lang"), strict=False)
        as_of = moment_of(asked.get("as_of"), office.snapshot().schema.zone)
        score, tables, snapshot = office.answers.of_tables(lead_id, as_of, lang)
        content = lead_page(score, tables.history, snapshot, lang, link=office.workspace.page.get("link"))
        return self._render("lead.html", request, lang, content)

    def _answer(self, request: Request, page: Callable[[Request, Lang], Response]) -> Response:
        lang = language(request)
        try:
            if request.query_params.get("lang", lang) != lang:
                raise Refused(422, [Fault("lang", "another language", "en or ja")])
            return page(request, lang)
        except Refused as refused:
            key = {404: "page.not_found", 503: "page.not_yet"}.get(refused.status, "page.wrong_address")
            content = {"heading": message(key, lang), "detail": ""}
            return self._render("problem.html", request, lang, content, refused.status, refused.headers)

    def _render(
        self,
        template: str,
        request: Request,
        lang: Lang,
        content: Mapping[str, Any],
        status: int = 200,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        other = urlencode({**dict(request.query_params), "lang": "en" if lang == "ja" else "ja"})
        html = self._templates.get_template(template).render(
            {
                "lang": lang,
                "workspace": self._office().workspace.name,
                "stamp": self._stamp,
                "other_language": f"{quote(request.url.path)}?{other}",
                "t": lambda key, **values: message(key, lang, **values),
                "open_access": not self._office().keyed,
                **content,
            }
        )
        sent = {**HEADERS, "Content-Language": lang, "Vary": "Accept-Language", **(headers or {})}
        return Response(html, status_code=status, media_type="text/html; charset=utf-8", headers=sent)


def language(request: Request) -> Lang:
    """The language of a page: as its address says, else the first of ours that the browser asks for, else English."""
    told = request.query_params.get("lang")
    if told in ("en", "ja"):
        return "ja" if told == "ja" else "en"
    best: tuple[float, Lang] = (0.0, "en")
    for part in request.headers.get("accept-language", "")[:200].split(","):
        tag, _, quality = part.strip().lower().partition(";q=")
        try:
            weight = float(quality or 1)
        except ValueError:
            continue
        if tag.split("-")[0] in ("en", "ja") and weight > best[0]:
            best = (weight, "ja" if tag.startswith("ja") else "en")
    return best[1]
