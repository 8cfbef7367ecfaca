"""Whether a request comes from this machine, and from a page of this site rather than of another."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from serving.problems import Fault, Refused

_FORWARDING = frozenset(
    {b"forwarded", b"x-real-ip", b"via", b"x-original-host", b"true-client-ip", b"cf-connecting-ip"}
)
_HOST = re.compile(rb"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+)(?::[0-9]{1,5})?")


def is_loopback(host: str) -> bool:
    """Whether a host name or address means this machine alone.

    >>> is_loopback("127.0.0.1"), is_loopback("[::1]"), is_loopback("localhost"), is_loopback("0.0.0.0")
    (True, True, True, False)
    """
    bare = host.strip("[]").lower().rstrip(".")
    if bare == "localhost":
        return True
    try:
        return ipaddress.ip_address(bare).is_loopback
    except ValueError:
        return False


def require_own_machine(scope: Mapping[str, Any], headers: Mapping[bytes, bytes]) -> None:
    """Refuse (403) what doesn't come from a program on this machine, or comes from a web page of another origin.

    A page elsewhere reaches loopback through the visitor's browser, by its own name rebound to 127.0.0.1 (then `Host`
    is that name) or by a plain request (then `Origin` or `Sec-Fetch-Site` tell). A reverse proxy would make everyone
    local: its headers say so.
    """
    client = scope.get("client")
    if client is not None and not is_loopback(client[0]):
        raise _not_from_here("client", "an address elsewhere", "a program on this machine, or a key")
    for name in headers:
        if name in _FORWARDING or name.startswith(b"x-forwarded-"):
            raise _not_from_here(
                name.decode("latin-1"),
                "a forwarded request",
                "a direct one; behind a proxy set keys, users or the proxy's secret",
            )
    host = headers.get(b"host", b"")
    match = _HOST.fullmatch(host)
    if match is None or not is_loopback(match.group(1).decode()):
        raise _not_from_here("Host", "another name" if host else "nothing", "localhost, 127.0.0.1 or [::1]")
    origin = headers.get(b"origin")
    if origin is not None and origin.lower() != scope.get("scheme", "http").encode() + b"://" + host.lower():
        raise _not_from_here("Origin", "another origin", "the same origin, or none")
    site = headers.get(b"sec-fetch-site", b"none")
    opened = headers.get(b"sec-fetch-mode") == b"navigate" and headers.get(b"sec-fetch-dest") == b"document"
    followed_link = opened and scope["method"] == "GET"
    if site not in (b"none", b"same-origin") and not followed_link:
        raise _not_from_here(
            "Sec-Fetch-Site", "a page of another site", "this site's own pages, or a link opened by a person"
        )


def require_own_site(scope: Mapping[str, Any], headers: Mapping[bytes, bytes]) -> None:
    """Refuse (403) what changes something and was sent by a page of another site with the visitor's own cookie.

    Browsers tell by `Sec-Fetch-Site`, or by `Origin` where the connection is not encrypted. A proxy may have changed
    `Host`, but then it encrypts. Besides, forms carry a token: see `serving.csrf`.
    """
    site, origin = headers.get(b"sec-fetch-site"), headers.get(b"origin")
    if site is not None:
        if site not in (b"same-origin", b"none"):
            raise _not_from_here("Sec-Fetch-Site", "a page of another site", "this site's own pages")
    elif origin is not None:
        ours = {headers.get(b"host"), headers.get(b"x-forwarded-host")}
        if urlsplit(origin.decode("latin-1")).netloc.encode("latin-1") not in ours:
            raise _not_from_here("Origin", "another origin", "the same origin, or none")


def _not_from_here(field: str, found: str, expected: str) -> Refused:
    return Refused(403, [Fault(field, found, expected)])
