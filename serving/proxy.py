"""A trusted reverse proxy that has asked people who they are, and names them to us."""

from __future__ import annotations

import hmac
from collections import Counter
from collections.abc import Mapping
from typing import Any

from serving.actor import PEOPLES_ROLES, TEAMS, Actor
from serving.keys import PROXY_VARIABLE, digest
from serving.people import user_name
from serving.problems import Fault, Refused

SECRET, USER, ROLE, TEAM = (
    b"x-propensity-proxy-secret",
    b"x-propensity-user",
    b"x-propensity-role",
    b"x-propensity-team",
)
PROXY_HEADERS = frozenset({SECRET, USER, ROLE, TEAM})


def actor_named_by_proxy(scope: Mapping[str, Any], headers: Mapping[bytes, bytes], secret: bytes | None) -> Actor:
    """The person whom the proxy names, or `Refused` (403) where it isn't the proxy that speaks.

    Parameters
    ----------
    secret : digest of what the proxy sends; None where no proxy is trusted.
    """
    given = digest(headers.get(SECRET, b""))
    if secret is None or not hmac.compare_digest(given, secret):
        raise Refused(
            403,
            [Fault("X-Propensity-Proxy-Secret", "no valid secret", f"that of {PROXY_VARIABLE}, or no X-Propensity-*")],
        )
    sent = Counter(name for name, _ in scope.get("headers", ()) if name in PROXY_HEADERS)
    for name, count in sent.items():
        if count > 1:  # the proxy adds to what a visitor sent instead of replacing it
            raise Refused(403, [Fault(name.decode(), "a header that stands twice", "each once")])
    name = user_name(_text(headers, USER))
    if name is None:
        raise Refused(403, [Fault("X-Propensity-User", "no name", "the name of a user, in UTF-8")])
    role, team = _text(headers, ROLE), _text(headers, TEAM) or None
    for known in PEOPLES_ROLES:
        if role == known and team in (None, *TEAMS):
            return Actor(name, known, team, kind="proxy")
    expected = f"a role of {', '.join(PEOPLES_ROLES)}; a team of {', '.join(TEAMS)}, or none"
    raise Refused(403, [Fault("X-Propensity-Role", "a role or team that isn't known", expected)])


def _text(headers: Mapping[bytes, bytes], name: bytes) -> str:
    return headers.get(name, b"").decode("utf-8", "replace").strip()
