"""Asks an application over ASGI as a browser or a program would, with or without the door before it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, MutableMapping, Sequence
from typing import Any
from urllib.parse import urlencode

import httpx

from serving.actor import ACTOR, SOMEONE, Actor
from serving.csrf import GUARD, Guard

TOKEN = "token-of-this-page"
HTML = {"Accept": "text/html"}


class LetIn:
    """ASGI middleware in the place of the door: every request comes from one actor, whose forms carry `TOKEN`."""

    def __init__(self, app: Any, actor: Actor = SOMEONE) -> None:
        self._app = app
        self._actor = actor

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        await self._app({**scope, ACTOR: self._actor, GUARD: Guard(TOKEN, lambda given: given == TOKEN)}, receive, send)


class Asking:
    """A client that keeps its cookies and follows no redirect.

    Parameters
    ----------
    client : the address that the requests come from.
    """

    def __init__(self, app: Any, *, address: str = "http://localhost", client: str = "127.0.0.1") -> None:
        self._app = app
        self._address = address
        self._client = client
        self.cookies = httpx.Cookies()

    def ask(
        self,
        method: str,
        path: str,
        *,
        form: Mapping[str, str] | None = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | Sequence[tuple[str, str]] = (),
    ) -> httpx.Response:
        sent = list(headers.items() if isinstance(headers, Mapping) else headers)
        if form is not None:
            body = urlencode(form).encode()
            sent.append(("Content-Type", "application/x-www-form-urlencoded"))

        async def asked() -> httpx.Response:
            transport = httpx.ASGITransport(self._app, client=(self._client, 1))
            async with httpx.AsyncClient(transport=transport, base_url=self._address, cookies=self.cookies) as http:
                reply = await http.request(method, path, content=body, headers=sent)
                self.cookies = http.cookies
                return reply

        return asyncio.run(asked())

    def get(self, path: str, **headers: str) -> httpx.Response:
        return self.ask("GET", path, headers={**HTML, **headers})

    def post(self, path: str, form: Mapping[str, str], **headers: str) -> httpx.Response:
        return self.ask("POST", path, form=form, headers={**HTML, **headers})
