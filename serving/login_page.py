"""The login page: what it shows, where it leads afterwards, and what an attempt comes to."""

from __future__ import annotations

import math
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import sqlalchemy as sa

from features.wording import LANGS, Lang
from serving.access import cookie, is_encrypted
from serving.actor import NOBODY
from serving.audit import record
from serving.csrf import Guard, signed_guard
from serving.login_limits import begin_attempt, forget_failures
from serving.page_words import words
from serving.people import has_users, user_name, who_has_password
from serving.sessions import IDLE, LONGEST, begin_session
from serving.store import Store
from serving.store.tables import users

LONGEST_ADDRESS = 2000
HOUR = 3600 * 1_000_000


@dataclass(frozen=True)
class Attempt:
    """What came of a login: a session's token, or seconds to wait, or neither where name or password were wrong."""

    token: str | None = None
    wait: int = 0


def try_login(store: Store, name: str, password: str, *, address: str, now: int, instead_of: str | None) -> Attempt:
    """Log somebody in.

    Parameters
    ----------
    address : of the browser, which counts towards the limit.
    now : microseconds.
    instead_of : the token of the session that this browser had.
    """
    tried = user_name(name[:200]) or name[:200]
    if wait := begin_attempt(store, tried, address, now=now):
        return Attempt(wait=wait)
    person = who_has_password(store, name, password)
    with store.writing() as c:
        if person is None:
            # What was typed may be a password in the wrong field: a name is written down only where it is a user's.
            known = c.execute(sa.select(users.c.name).where(users.c.name == tried)).scalar()
            record(c, store, actor=NOBODY, action="login_failed", subject=known, now=now)
            return Attempt()
        forget_failures(c, store, tried, address, now=now)
        record(c, store, actor=person.actor, action="login", now=now)
        return Attempt(token=begin_session(c, person, now=now, instead_of=instead_of))


def login_page(store: Store, lang: Lang, *, to: str, csrf: str, attempt: Attempt | None, name: str) -> dict[str, Any]:
    """What the template `login.html` shows."""
    with store.reading() as c:
        anyone = has_users(c)
    problem = ""
    if attempt is not None and attempt.wait:
        problem = words("login.wait", lang, n=math.ceil(attempt.wait / 60))
    elif attempt is not None:
        problem = words("login.wrong", lang)
    return {
        "action": f"/login?{urlencode({'next': to, 'lang': lang})}",
        "problem": problem,
        "nobody": not anyone,
        "name": name,
        "csrf": csrf,
        "hours": IDLE // HOUR,
        "days": LONGEST // (24 * HOUR),
        "navigation": [],
        "open_access": False,
    }


def safe_address(text: str | None) -> str:
    """Where to go after the login: an address of this site, else the queue.

    >>> safe_address("/leads/a?lang=ja"), safe_address("//evil.example"), safe_address("https://evil.example")
    ('/leads/a?lang=ja', '/', '/')
    """
    if not text or len(text) > LONGEST_ADDRESS or not text.isascii() or not text.isprintable():
        return "/"
    # Browsers read \\ as /, and // as the begin of another site's name.
    if not text.startswith("/") or text.startswith("//") or "\\" in text or " " in text:
        return "/"
    parts = urlsplit(text)
    if parts.scheme or parts.netloc or parts.path in ("/login", "/logout"):
        return "/"
    return text


def login_address(scope: Mapping[str, Any], headers: Mapping[bytes, bytes]) -> str:
    """Where a browser that isn't logged in is sent; afterwards it comes back to what it asked for.

    What a form sent is lost: then it comes back to the page of that form.
    """
    if scope["method"] in ("GET", "HEAD"):
        path = (scope.get("raw_path") or scope["path"].encode()).partition(b"?")[0]
        query = scope.get("query_string", b"")
        asked = (path + (b"?" + query if query else b"")).decode("latin-1")
    else:
        before = urlsplit(headers.get(b"referer", b"").decode("latin-1"))
        ours = before.netloc.encode("latin-1") in (headers.get(b"host"), headers.get(b"x-forwarded-host"))
        asked = before._replace(scheme="", netloc="", fragment="").geturl() if ours else "/"
    to = safe_address(asked)
    told = parse_qs(urlsplit(to).query).get("lang", [""])[-1]
    query = {"next": to} | ({"lang": told} if told in LANGS else {})
    return "/login" if to == "/" else f"/login?{urlencode(query)}"


LOGIN_COOKIE = "propensity-login"


def login_guard(scope: Mapping[str, Any], headers: Mapping[bytes, bytes], store: Store, now: int) -> tuple[Guard, str]:
    """The guard of the login form, which has no session yet, and the value of its cookie.

    The token is a keyed hash of a random cookie: a page elsewhere can neither read nor set it, and so can't log anyone
    in under its own name.
    """
    held = cookie(headers, login_cookie_name(scope, headers))
    value = held if held is not None and 20 <= len(held) <= 100 else secrets.token_urlsafe(24)
    return signed_guard(store.hash_of, f"login {value}", now), value


def login_cookie_name(scope: Mapping[str, Any], headers: Mapping[bytes, bytes]) -> str:
    return f"__Host-{LOGIN_COOKIE}" if is_encrypted(scope, headers) else LOGIN_COOKIE
