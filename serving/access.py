"""Who may ask: a key, or a program on this very machine where no keys are set."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from features.errors import UsageError
from serving.actor import Actor, require_role
from serving.csrf import csrf_of, require_csrf
from serving.problems import Fault, Refused

__all__ = ["Access", "Actor", "csrf_of", "require_csrf", "require_role"]

KEYS_VARIABLE = "PROPENSITY_API_KEYS"
SHORTEST_KEY = 16
OPEN_PATHS = frozenset({"/livez", "/readyz", "/healthz"})
"""Probes of whoever runs the service; they tell nothing."""
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


def read_keys(text: str) -> tuple[str, ...]:
    """The keys of `PROPENSITY_API_KEYS`, separated by commas; none where it is empty.

    Raises
    ------
    UsageError
        A key that is short enough to be guessed, or can't stand in a header.
    """
    keys = tuple(key.strip() for key in text.split(",") if key.strip())
    for number, key in enumerate(keys, 1):
        if len(key) < SHORTEST_KEY or not key.isascii() or not key.isprintable() or " " in key:
            raise UsageError(
                f"key {number} of {KEYS_VARIABLE} has {len(key)} characters or some that a header can't hold",
                expected=f"{SHORTEST_KEY} or more letters, digits and signs of ASCII, keys separated by commas",
                next_step="make one with: python -c 'import secrets; print(secrets.token_urlsafe(32))'",
            )
    return keys


def require_key_off_loopback(host: str, keys: Iterable[str]) -> None:
    """Refuse to listen where other machines reach us without a key."""
    if not tuple(keys) and not is_loopback(host):
        raise UsageError(
            f"--host {host} can be reached from other machines, and no key is set",
            expected=f"keys in {KEYS_VARIABLE}, or a loopback address",
            next_step=f"set {KEYS_VARIABLE} to one or more keys, or leave --host out",
        )


@dataclass(frozen=True)
class Access:
    """Decides before anything is read. Without keys only this machine may ask, and no web page through its browser."""

    key_digests: tuple[bytes, ...]

    @classmethod
    def by_keys(cls, keys: Iterable[str]) -> Access:
        return cls(tuple(_digest(key.encode()) for key in keys))

    def check(self, scope: Mapping[str, Any], headers: Mapping[bytes, bytes]) -> None:
        """Let the request pass, or raise `Refused`: 401 without a valid key, 403 where it comes from elsewhere."""
        path = scope["path"]
        if path in OPEN_PATHS:
            return
        if not self.key_digests:
            require_own_machine(scope, headers)
            return
        if self._holds_key(headers):
            return
        if path == "/metrics":
            try:
                require_own_machine(scope, headers)
            except Refused:
                pass  # from elsewhere it takes a key, and says so below
            else:
                return
        found = "no valid key" if b"authorization" in headers else "nothing"
        raise Refused(401, [Fault("Authorization", found, "Bearer and a key")], {"WWW-Authenticate": "Bearer"})

    def _holds_key(self, headers: Mapping[bytes, bytes]) -> bool:
        scheme, _, key = headers.get(b"authorization", b"").partition(b" ")
        given = _digest(key.strip())
        # All keys are compared, each in constant time: how long it takes says nothing about any of them.
        matches = [hmac.compare_digest(given, digest) for digest in self.key_digests]
        return any(matches) and scheme.lower() == b"bearer"


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
                f"a direct one; behind a proxy set {KEYS_VARIABLE}",
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


def _not_from_here(field: str, found: str, expected: str) -> Refused:
    return Refused(403, [Fault(field, found, expected)])


def _digest(key: bytes) -> bytes:
    return hashlib.sha256(key).digest()
