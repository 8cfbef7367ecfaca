"""What all pages share: language, navigation, headers, errors, rendering. What is on a page is decided by the modules beside."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from importlib.resources import files
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import Response

from features.wording import Lang, message
from serving.actor import ACTOR, Actor, Role
from serving.csrf import csrf_of
from serving.page_words import all_words, words
from serving.problems import Fault, Refused

if TYPE_CHECKING:
    from serving.office import Office

_KINDS = {"css": "text/css; charset=utf-8", "svg": "image/svg+xml", "js": "text/javascript; charset=utf-8"}
_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_WITH_SCRIPT = f"{_POLICY}; script-src 'self'; connect-src 'self'"
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Not "no-referrer": with it browsers call the origin of our own forms "null", and they would be refused.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""No script runs but where a page names its own, nothing comes from elsewhere, no other site frames a page, and no
address of a lead leaks to a link."""
PARTS: tuple[tuple[str, str, Role], ...] = (
    ("queue", "/", "sales"),
    ("agreement", "/agreement", "lead"),
    ("model", "/model", "lead"),
    ("review", "/review", "lead"),
    ("profile", "/profile", "lead"),
)
"""The navigation: each part's name, its address, and the role from which on it is shown."""
_HEADINGS = (401, 403, 404, 413, 422, 429, 503)


class Pages:
    """Renders pages and catches what is refused. Handlers live in one module of routes a part of the product."""

    def __init__(self, office: Callable[[], Office]) -> None:
        self.office = office
        self._static = {
            each.name: each.read_bytes()
            for each in files("serving").joinpath("static").iterdir()
            if each.name.rpartition(".")[2] in _KINDS
        }
        self._stamp = hashlib.sha256(b"".join(each for _, each in sorted(self._static.items()))).hexdigest()[:12]
        self._templates = Environment(
            loader=PackageLoader("serving"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    async def static(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name not in self._static:
            raise Refused(404, [Fault("path", "an address without anything", "one of those in /openapi.json")])
        headers = {**HEADERS, "Cache-Control": "public, max-age=31536000, immutable"}
        return Response(self._static[name], media_type=_KINDS[name.rpartition(".")[2]], headers=headers)

    def answer(self, request: Request, page: Callable[[Request, Lang], Response]) -> Response:
        """A page in the language of the request; where something is refused, a page that says so. Runs in a thread."""
        lang = language(request)
        try:
            if request.query_params.get("lang", lang) != lang:
                raise Refused(422, [Fault("lang", "another language", "en or ja")])
            return page(request, lang)
        except Refused as refused:
            status = refused.status if refused.status in _HEADINGS else 422
            content = {"heading": words(f"page.problem.{status}", lang), "detail": _advice(refused, status, lang)}
            return self.render("problem.html", request, lang, content, refused.status, refused.headers)

    def render(
        self,
        template: str,
        request: Request,
        lang: Lang,
        content: Mapping[str, Any],
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        *,
        script: str = "",
    ) -> Response:
        """A template filled with a page's content and all that the layout needs.

        Parameters
        ----------
        template : finds `content` by name, beside `t` (messages), `w` (words of pages), `lang` and `csrf`, the token of
            the hidden field in every form.
        script : name of a file in `static/` that the page runs; without one no script may run.
        """
        office, actor = self.office(), request.scope.get(ACTOR)
        other: Lang = "en" if lang == "ja" else "ja"
        address = {**dict(request.query_params), "lang": other}
        here = request.url.path if request.method in ("GET", "HEAD") else "/"
        html = self._templates.get_template(template).render(
            {
                "lang": lang,
                "workspace": office.workspace.name,
                "stamp": self._stamp,
                "script": script,
                "other": other,
                "other_language": f"{quote(here)}?{urlencode(address)}",
                "navigation": _navigation(request.url.path, actor, lang),
                "signed_in": actor.name if isinstance(actor, Actor) and actor.kind in ("person", "proxy") else "",
                "may_log_out": isinstance(actor, Actor) and actor.kind == "person",
                "csrf": csrf_of(request.scope),
                "t": lambda key, **values: message(key, lang, **values),
                "w": lambda key, **values: words(key, lang, **values),
                "open_access": not office.access.closed and (actor is None or actor.kind == "machine"),
                **content,
            }
        )
        policy = {"Content-Security-Policy": _WITH_SCRIPT} if script else {}
        sent = {**HEADERS, **policy, "Content-Language": lang, "Vary": "Accept-Language", **(headers or {})}
        return Response(html, status_code=status, media_type="text/html; charset=utf-8", headers=sent)


def _advice(refused: Refused, status: int, lang: Lang) -> str:
    """What to do about a refusal: what is known of the field that it names, else what goes for its status."""
    told = (f"page.fault.{each.field}_{status}" for each in refused.faults)
    return words(next((key for key in told if key in all_words(lang)), f"page.advice.{status}"), lang)


def _navigation(path: str, actor: Any, lang: Lang) -> list[dict[str, Any]]:
    """The parts that this actor may open; which of them the page belongs to."""
    return [
        {
            "href": f"{href}?{urlencode({'lang': lang})}",
            "name": words(f"page.nav.{name}", lang),
            "current": path == href or path.startswith("/leads/" if name == "queue" else f"{href}/"),
        }
        for name, href, role in PARTS
        if not isinstance(actor, Actor) or actor.may(role)
    ]


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
