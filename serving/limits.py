"""What a request may weigh and must look like before anyone reads it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

import anyio

from serving.problems import Fault, Refused

THROWN_AWAY = 64 * 1024 * 1024
"""Bytes of a body that is too large which are read for the sake of the answer."""
PATIENCE = 5.0

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]


class Disconnected(Exception):
    """The caller went away before the body had come: there is nobody to answer."""


def require_json(headers: Mapping[bytes, bytes]) -> None:
    """Refuse (415) a body that doesn't say that it is JSON in UTF-8, as it is.

    A form or plain text, which a web page elsewhere may send without asking, never gets further than here.
    """
    kind, _, rest = headers.get(b"content-type", b"").decode("latin-1").partition(";")
    kind = kind.strip().lower()
    parameters = [each.strip().lower() for each in rest.split(";") if each.strip()]
    if kind != "application/json" or any(each not in ("charset=utf-8", 'charset="utf-8"') for each in parameters):
        raise Refused(
            415,
            [Fault("Content-Type", kind or "nothing", "application/json")],
            {"Accept": "application/json"},
        )
    encoding = headers.get(b"content-encoding", b"identity").decode("latin-1").strip().lower()
    if encoding != "identity":
        raise Refused(415, [Fault("Content-Encoding", encoding, "a body that is not compressed")])


async def read_body(headers: Mapping[bytes, bytes], receive: Receive, limit: int) -> bytes:
    """The whole body, or `Refused` (413) where it is larger than `limit` bytes.

    What is too much is read and thrown away, within bounds: a caller who finds the line cut while sending sees a broken
    pipe instead of the answer.

    Raises
    ------
    Disconnected
        The caller went away.
    """
    told = headers.get(b"content-length", b"")
    if told.isdigit() and int(told) > limit:
        await _throw_away(receive)
        raise _too_large(limit)
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Disconnected
        part = message.get("body", b"")
        size += len(part)
        if size > limit:
            if message.get("more_body", False):
                await _throw_away(receive)
            raise _too_large(limit)
        parts.append(part)
        if not message.get("more_body", False):
            return parts[0] if len(parts) == 1 else b"".join(parts)


async def _throw_away(receive: Receive) -> None:
    """Read the rest of a body, up to `THROWN_AWAY` bytes and `PATIENCE` seconds."""
    size = 0
    with anyio.move_on_after(PATIENCE):
        while size <= THROWN_AWAY:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise Disconnected
            size += len(message.get("body", b""))
            if not message.get("more_body", False):
                return


def _too_large(limit: int) -> Refused:
    # Where not all of the body was read the connection can't be used again.
    return Refused(413, [Fault("body", f"more than {limit} bytes", f"at most {limit} bytes")], {"Connection": "close"})
