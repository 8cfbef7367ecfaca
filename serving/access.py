"""Who may ask: programs with a key, people who logged in or whom a trusted proxy names, or everyone on this machine."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable, Mapping, MutableMapping
from secrets import token_bytes
from typing import Any

import anyio.to_thread

from features.errors import UsageError
from serving.actor import ACTOR, SOMEONE, Actor, Role, actor_of, require_role
from serving.csrf import GUARD, NO_FORMS, Guard, csrf_of, require_csrf, session_guard, signed_guard
from serving.keys import KEYS_VARIABLE, PROXY_VARIABLE, Key, digest, key_that_matches, read_keys
from serving.own_machine import is_loopback, require_own_machine, require_own_site
from serving.people import has_users
from serving.permissions import ANYONE, Least, least_role, route_of
from serving.problems import Fault, Refused
from serving.proxy import PROXY_HEADERS, actor_named_by_proxy
from serving.sessions import find_session
from serving.store import Store

__all__ = [
    "KEYS_VARIABLE",
    "Access",
    "Actor",
    "actor_of",
    "csrf_of",
    "is_loopback",
    "read_keys",
    "require_csrf",
    "require_role",
]

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
Scope = MutableMapping[str, Any]
Headers = Mapping[bytes, bytes]
Admitted = tuple[Actor, Guard]


class Access:
    """Decides before anything is read, and leaves the actor and the guard of forms in the request's scope.

    Without keys, users and proxy only this machine may ask, no web page elsewhere through its browser, and everyone is
    `SOMEONE`. As soon as there is one of them, everyone is asked.

    Parameters
    ----------
    store : of users and sessions; without it nobody can log in.
    keys : as `read_keys` gives them.
    proxy_secret : that a trusted proxy sends; empty where there is none.
    clock : microseconds.
    open_on_loopback : whether the service listens on this machine alone.
    """

    def __init__(
        self,
        store: Store | None,
        keys: Iterable[str],
        *,
        proxy_secret: str = "",
        clock: Callable[[], int],
        open_on_loopback: bool = True,
    ) -> None:
        self.store = store
        self.clock = clock
        self._keys = tuple(Key.of(key) for key in keys)
        self._proxy_digest = digest(proxy_secret.encode()) if proxy_secret else None
        self._configured = bool(self._keys or proxy_secret or not open_on_loopback)
        self._users_seen = False
        self._own_key = token_bytes(32)
        self.look()

    @classmethod
    def by_keys(cls, keys: Iterable[str]) -> Access:
        """Without a store: keys, or everyone on this machine where there are none."""
        return cls(None, keys, clock=lambda: 0)

    def look(self) -> None:
        """See whether there are users by now. Scoring relies on the last look and asks no store."""
        if self.store is not None:
            with self.store.reading() as c:
                self._users_seen = has_users(c)

    @property
    def closed(self) -> bool:
        """Whether everyone is asked who they are."""
        return self._configured or self._users_seen

    async def admit(self, scope: Scope, headers: Headers) -> None:
        """`check` for the event loop: what has to ask the store is done in a thread."""
        least = _least(scope)
        if least != ANYONE:
            found = self._at_once(scope, headers, least)
            if found is None:
                found = await anyio.to_thread.run_sync(self._by_store, scope, headers)
            _let_in(scope, found, least)

    def check(self, scope: Scope, headers: Headers) -> None:
        """Let the request pass, or raise `Refused`: 401 where nobody is known, 403 where it comes from elsewhere or may not."""
        least = _least(scope)
        if least != ANYONE:
            _let_in(scope, self._at_once(scope, headers, least) or self._by_store(scope, headers), least)

    def recognise(self, scope: Scope, headers: Headers) -> Admitted | None:
        """Who asks, on addresses that take nobody: the login page. None where nobody is known."""
        try:
            return self._known_at_once(scope, headers) or self._by_store(scope, headers)
        except Refused:
            return None

    def hash_of(self, text: str) -> str:
        """A keyed hash: the store's, which all workers share."""
        if self.store is not None:
            return self.store.hash_of(text)
        return hmac.new(self._own_key, text.encode(), "sha256").hexdigest()

    def guard_of(self, actor: Actor) -> Guard:
        """The guard of forms for an actor without a session."""
        return signed_guard(self.hash_of, actor.name, self.clock())

    def _at_once(self, scope: Scope, headers: Headers, least: Least) -> Admitted | None:
        """Whoever is known without asking the store; None where it has to be asked."""
        found = self._known_at_once(scope, headers)
        if found is None and (self.closed or least == "score") and not session_token(scope, headers):
            return self._without_login(scope, headers)
        return found

    def _known_at_once(self, scope: Scope, headers: Headers) -> Admitted | None:
        if not PROXY_HEADERS.isdisjoint(headers):
            actor = actor_named_by_proxy(scope, headers, self._proxy_digest)
            if scope["method"] not in _SAFE_METHODS:
                require_own_site(scope, headers)
            return actor, self.guard_of(actor)
        scheme, _, given = headers.get(b"authorization", b"").partition(b" ")
        if self._keys and scheme.lower() == b"bearer":
            key = key_that_matches(self._keys, given.strip())
            if key is None:
                raise _nobody(headers)
            return Actor(f"key {self.hash_of('key' + key.digest.hex())[:8]}", key.role, kind="key"), NO_FORMS
        return None

    def _by_store(self, scope: Scope, headers: Headers) -> Admitted:
        """Whoever has a session; where there are no users at all, whoever needs none."""
        store = self.store
        if store is not None:
            token = session_token(scope, headers)
            session = find_session(store, token, now=self.clock()) if token else None
            if session is not None:
                self._users_seen = True
                if scope["method"] not in _SAFE_METHODS:
                    require_own_site(scope, headers)
                return session.actor, session_guard(session.csrf)
            if not self._configured:
                self.look()
        return self._without_login(scope, headers)

    def _without_login(self, scope: Scope, headers: Headers) -> Admitted:
        if not self.closed:
            require_own_machine(scope, headers)
            return SOMEONE, self.guard_of(SOMEONE)
        if scope["path"] == "/metrics":
            try:
                require_own_machine(scope, headers)
            except Refused:
                pass  # from elsewhere it takes a key, and says so below
            else:
                return SOMEONE, NO_FORMS
        raise _nobody(headers)


def cookie_name(scope: Mapping[str, Any], headers: Headers) -> str:
    """The session's cookie. Encrypted, it has the prefix by which a browser takes it from this very host alone."""
    return "__Host-propensity" if is_encrypted(scope, headers) else "propensity"


def is_encrypted(scope: Mapping[str, Any], headers: Headers) -> bool:
    """Whether the browser's connection is encrypted, up to a proxy before us at least."""
    return scope.get("scheme") == "https" or headers.get(b"x-forwarded-proto", b"").strip().lower() == b"https"


def session_token(scope: Mapping[str, Any], headers: Headers) -> str | None:
    """The session's token that a browser sends."""
    return cookie(headers, cookie_name(scope, headers))


def cookie(headers: Headers, name: str) -> str | None:
    """A cookie by its name, the first where there are several."""
    for each in headers.get(b"cookie", b"").split(b";"):
        known, _, value = each.strip().partition(b"=")
        if known == name.encode():
            return value.decode() if value.isascii() else None
    return None


def require_access_off_loopback(host: str, keys: Iterable[str], *, proxy_secret: str = "", users: bool = False) -> None:
    """Refuse to listen where other machines reach us and nobody is asked who they are."""
    if not (tuple(keys) or proxy_secret or users or is_loopback(host)):
        raise UsageError(
            f"--host {host} can be reached from other machines, and no key is set, nor is there a user or a proxy's secret",
            expected=f"keys in {KEYS_VARIABLE}, users, a secret in {PROXY_VARIABLE}, or a loopback address",
            next_step=f"propensity user add, or set {KEYS_VARIABLE} to one or more keys, or leave --host out",
        )


def _nobody(headers: Headers) -> Refused:
    found = "no valid key" if b"authorization" in headers else "nothing"
    return Refused(401, [Fault("Authorization", found, "Bearer and a key")], {"WWW-Authenticate": "Bearer"})


def _least(scope: Mapping[str, Any]) -> Least:
    return least_role(scope["method"], route_of(scope["path"], scope.get("raw_path") or b""))


def _let_in(scope: Scope, found: Admitted, least: Role) -> None:
    scope[ACTOR], scope[GUARD] = found
    require_role(scope, least)
