"""Forms are taken only from our own pages: each carries a token that no other site can know."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from serving.problems import Fault, Refused

FIELD = "csrf"
GUARD = "propensity.csrf"
"""Where the door leaves the guard in a request's scope."""
TOKEN_HOURS = 24
_HOUR = 3600 * 1_000_000


@dataclass(frozen=True)
class Guard:
    """The token that the forms of one actor carry, and how one that comes back is told from others."""

    token: str
    accepts: Callable[[str], bool]


NO_FORMS = Guard("", lambda _token: True)
"""Of programs with a key: no browser adds a key by itself, so nothing can be forged in their name."""


def session_guard(token: str) -> Guard:
    """The guard of a session, whose token lies in the store."""
    return Guard(token, lambda given: hmac.compare_digest(given.encode(), token.encode()))


def signed_guard(hash_of: Callable[[str], str], name: str, now: int) -> Guard:
    """The guard of those without a session: the token is a keyed hash of who asks and the hour.

    Nothing is stored. A page of another site can neither read the token from ours nor make one, and a token of another
    name is worth nothing. It is taken for `TOKEN_HOURS`.

    Parameters
    ----------
    hash_of : keyed hash of the store.
    now : microseconds.
    """

    def token(hour: int) -> str:
        return f"{hour}." + hash_of(f"csrf\n{hour}\n{name}")

    hour = now // _HOUR

    def accepts(given: str) -> bool:
        stamp = given.partition(".")[0]
        if not (stamp.isascii() and stamp.isdigit() and len(stamp) < 12 and 0 <= hour - int(stamp) < TOKEN_HOURS):
            return False
        return hmac.compare_digest(given.encode(), token(int(stamp)).encode())

    return Guard(token(hour), accepts)


def csrf_of(scope: Mapping[str, Any]) -> str:
    """The token for the hidden field `csrf` of a page's forms; empty where the request needs none."""
    guard = scope.get(GUARD)
    return guard.token if isinstance(guard, Guard) else ""


def require_csrf(scope: Mapping[str, Any], form: Mapping[str, Any]) -> None:
    """Refuse (403) a form that didn't come from a page of ours. Every handler of a page's POST calls this first."""
    guard, given = scope.get(GUARD), form.get(FIELD)
    if isinstance(guard, Guard) and guard is NO_FORMS:
        return
    if not isinstance(guard, Guard) or not isinstance(given, str) or not guard.accepts(given):
        found = "nothing" if not given else "a token that isn't this page's, or an old one"
        raise Refused(403, [Fault(FIELD, found, "the token of a page opened lately: open the page again")])
