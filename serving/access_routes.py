"""The routes by which people log in and out, and the page for those whose role doesn't go so far."""

from __future__ import annotations

from urllib.parse import quote

import anyio
import anyio.to_thread
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from features.wording import Lang
from serving.access import cookie_name, is_encrypted, session_token
from serving.actor import require_role
from serving.audit import record
from serving.csrf import require_csrf
from serving.forms import read_form
from serving.login_page import Attempt, login_cookie_name, login_guard, login_page, safe_address, try_login
from serving.own_machine import require_own_site
from serving.pages import HEADERS, Pages
from serving.problems import Fault, Refused
from serving.sessions import end_session

PASSWORDS_AT_ONCE = 2
"""Checking a password takes 64 MiB and a tenth of a second by intent: more at once would keep others waiting."""
NO_ENTRY = "/no-entry"
"""Where the door leads a browser whose role isn't enough; nobody can ask for it by its address."""
REFUSED = "propensity.refused"


def access_routes(pages: Pages) -> list[Route]:
    """`GET` and `POST /login`, `POST /logout`."""
    passwords = anyio.CapacityLimiter(PASSWORDS_AT_ONCE)

    async def show(request: Request) -> Response:
        return await anyio.to_thread.run_sync(pages.answer, request, form_page)

    async def log_in(request: Request) -> Response:
        fields = await _fields(request)
        return await anyio.to_thread.run_sync(
            pages.answer, request, lambda asked, lang: checked(asked, lang, fields), limiter=passwords
        )

    async def log_out(request: Request) -> Response:
        fields = await _fields(request)
        return await anyio.to_thread.run_sync(
            pages.answer, request, lambda asked, lang: logged_out(asked, lang, fields)
        )

    async def no_entry(request: Request) -> Response:
        return await anyio.to_thread.run_sync(pages.answer, request, refuse)

    def form_page(
        request: Request, lang: Lang, attempt: Attempt | None = None, name: str = "", status: int = 200
    ) -> Response:
        office, scope, headers = pages.office(), request.scope, dict(request.scope["headers"])
        to = safe_address(request.query_params.get("next"))
        if attempt is None and office.access.recognise(scope, headers) is not None:
            return _go(to)
        guard, value = login_guard(scope, headers, office.store, office.clock())
        content = login_page(office.store, lang, to=to, csrf=guard.token, attempt=attempt, name=name)
        wait = {"Retry-After": str(attempt.wait)} if attempt is not None and attempt.wait else {}
        page = pages.render("login.html", request, lang, content, status, wait)
        _set_cookie(page, request, login_cookie_name(scope, headers), value)
        return page

    def checked(request: Request, lang: Lang, fields: dict[str, str] | Refused) -> Response:
        fields = _sent(fields)
        office, scope, headers = pages.office(), request.scope, dict(request.scope["headers"])
        now = office.clock()
        require_own_site(scope, headers)
        guard, _ = login_guard(scope, headers, office.store, now)
        if not guard.accepts(fields.get("csrf", "")):
            raise Refused(403, [Fault("csrf", "another token, or none", "the token of the login page")])
        attempt = try_login(
            office.store,
            fields.get("name", ""),
            fields.get("password", ""),
            address=scope["client"][0] if scope.get("client") else "",
            now=now,
            instead_of=session_token(scope, headers),
        )
        if attempt.token is None:
            status = 429 if attempt.wait else 401
            return form_page(request, lang, attempt, fields.get("name", "")[:64], status)
        answer = _go(safe_address(request.query_params.get("next")))
        _set_cookie(answer, request, cookie_name(scope, headers), attempt.token)
        return answer

    def logged_out(request: Request, lang: Lang, fields: dict[str, str] | Refused) -> Response:
        actor = require_role(request.scope, "score")
        require_csrf(request.scope, _sent(fields))
        headers = dict(request.scope["headers"])
        token = session_token(request.scope, headers)
        if token is not None and actor.kind == "person":
            office = pages.office()
            with office.store.writing() as c:
                end_session(c, token)
                record(c, office.store, actor=actor, action="logout", now=office.clock())
        answer = _go(f"/login?lang={lang}")
        _set_cookie(answer, request, cookie_name(request.scope, headers), "", ends=True)
        return answer

    def refuse(request: Request, lang: Lang) -> Response:
        refused = request.scope.get(REFUSED)
        if isinstance(refused, Refused):
            raise refused
        raise Refused(404, [Fault("path", "an address without anything", "one of those in /openapi.json")])

    return [
        Route("/login", show, methods=["GET"]),
        Route("/login", log_in, methods=["POST"]),
        Route("/logout", log_out, methods=["POST"]),
        Route(NO_ENTRY, no_entry, methods=["GET", "POST"]),
    ]


async def _fields(request: Request) -> dict[str, str] | Refused:
    """The form's fields, or why there are none: a refusal becomes a page in the thread that renders it."""
    try:
        return await read_form(request)
    except Refused as refused:
        return refused


def _sent(fields: dict[str, str] | Refused) -> dict[str, str]:
    if isinstance(fields, Refused):
        raise fields
    return fields


def _go(address: str) -> Response:
    return RedirectResponse(address, status_code=303, headers=dict(HEADERS))


def _set_cookie(answer: Response, request: Request, name: str, value: str, *, ends: bool = False) -> None:
    """A cookie of this host alone, which no script reads and no other site sends along with what it posts."""
    answer.set_cookie(
        name,
        quote(value, safe=""),
        max_age=0 if ends else None,
        path="/",
        secure=is_encrypted(request.scope, dict(request.scope["headers"])),
        httponly=True,
        samesite="lax",
    )
