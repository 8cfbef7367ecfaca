"""The keys of programs and the secret of a proxy, as the environment gives them."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass, field

from features.errors import UsageError
from serving.actor import ROLES, Role

KEYS_VARIABLE = "PROPENSITY_API_KEYS"
PROXY_VARIABLE = "PROPENSITY_PROXY_SECRET"
SHORTEST_KEY = 16
MAKE_ONE = "make one with: python -c 'import secrets; print(secrets.token_urlsafe(32))'"


@dataclass(frozen=True)
class Key:
    """What a key opens. The key itself isn't kept."""

    digest: bytes = field(repr=False)
    role: Role

    @classmethod
    def of(cls, text: str) -> Key:
        """`admin:KEY` is a key of that role, and a plain `KEY` one of the role `score`."""
        role, colon, key = text.partition(":")
        if colon:
            for known in ROLES:
                if role == known:
                    return cls(digest(key.encode()), known)
        return cls(digest(text.encode()), "score")


def read_keys(text: str) -> tuple[str, ...]:
    """The keys of `PROPENSITY_API_KEYS` with their roles, separated by commas; none where it is empty.

    Raises
    ------
    UsageError
        A key that is short enough to be guessed, or can't stand in a header; a role that isn't known.
    """
    keys = tuple(key.strip() for key in text.split(",") if key.strip())
    for number, key in enumerate(keys, 1):
        role, colon, secret = key.rpartition(":")
        if colon and role not in ROLES:
            raise UsageError(
                f"key {number} of {KEYS_VARIABLE} has a colon, but no known role before it",
                expected=f"KEY, or ROLE:KEY with a role of {', '.join(ROLES)}",
            )
        if not _is_secret(secret):
            raise UsageError(
                f"key {number} of {KEYS_VARIABLE} has {len(secret)} characters or some that a header can't hold",
                expected=f"{SHORTEST_KEY} or more letters, digits and signs of ASCII, keys separated by commas",
                next_step=MAKE_ONE,
            )
    return keys


def read_proxy_secret(text: str) -> str:
    """The secret of `PROPENSITY_PROXY_SECRET`, empty where there is none.

    Raises
    ------
    UsageError
        It is short enough to be guessed, or can't stand in a header.
    """
    secret = text.strip()
    if secret and not _is_secret(secret):
        raise UsageError(
            f"{PROXY_VARIABLE} has {len(secret)} characters or some that a header can't hold",
            expected=f"{SHORTEST_KEY} or more letters, digits and signs of ASCII",
            next_step=MAKE_ONE,
        )
    return secret


def key_that_matches(keys: Iterable[Key], given: bytes) -> Key | None:
    """The key that was given. All are compared, each in constant time: how long it takes says nothing about any of them."""
    found, sent = None, digest(given)
    for key in keys:
        if hmac.compare_digest(sent, key.digest):
            found = key
    return found


def digest(secret: bytes) -> bytes:
    return hashlib.sha256(secret).digest()


def _is_secret(text: str) -> bool:
    return len(text) >= SHORTEST_KEY and text.isascii() and text.isprintable() and " " not in text
