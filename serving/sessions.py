"""Sessions of people who logged in. The browser holds a random token, the store its hash alone."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass

import sqlalchemy as sa

from serving.actor import Actor
from serving.people import Person
from serving.store import Store
from serving.store.tables import sessions, users

_SECOND = 1_000_000
IDLE = 8 * 3600 * _SECOND
"""A session ends when nothing came for a working day,"""
LONGEST = 7 * 24 * 3600 * _SECOND
"""and after a week in any case."""
SEEN_EVERY = 5 * 60 * _SECOND
"""How exactly it is kept when something last came: a write with each request would cost more than the page."""


@dataclass(frozen=True)
class Session:
    """Whose session it is, and the token of its forms."""

    actor: Actor
    csrf: str


def begin_session(c: sa.Connection, person: Person, *, now: int, instead_of: str | None = None) -> str:
    """Begin a session and give its token. The one that this browser had (`instead_of`) ends, and so do those in the past."""
    token = secrets.token_urlsafe(32)
    over = (sessions.c.ends_at <= now) | (sessions.c.seen_at <= now - IDLE)
    if instead_of is not None:
        over |= sessions.c.token_hash == _hash(instead_of)
    c.execute(sa.delete(sessions).where(over))
    c.execute(
        sessions.insert().values(
            token_hash=_hash(token),
            user=person.name,
            csrf=secrets.token_urlsafe(32),
            created_at=now,
            seen_at=now,
            ends_at=now + LONGEST,
        )
    )
    return token


def find_session(store: Store, token: str, *, now: int) -> Session | None:
    """The session of a token, if it hasn't ended. Role and team are the user's of now, not those at login."""
    found = (
        sa.select(users.c.name, users.c.role, users.c.team, sessions.c.csrf, sessions.c.seen_at)
        .join_from(sessions, users, sessions.c.user == users.c.name)
        .where(
            sessions.c.token_hash == _hash(token),
            sessions.c.ends_at > now,
            sessions.c.seen_at > now - IDLE,
            sessions.c.created_at >= users.c.created_at,  # of a removed user whose name was given again: none
        )
    )
    with store.reading() as c:
        row = c.execute(found).first()
    if row is None:
        return None
    if now - row.seen_at >= SEEN_EVERY:
        with store.writing() as c:
            c.execute(sa.update(sessions).where(sessions.c.token_hash == _hash(token)).values(seen_at=now))
    return Session(Actor(row.name, row.role, row.team), row.csrf)


def end_session(c: sa.Connection, token: str) -> None:
    c.execute(sa.delete(sessions).where(sessions.c.token_hash == _hash(token)))


def _hash(token: str) -> str:
    # A plain hash will do: a token is 256 random bits, which nobody can try out.
    return hashlib.sha256(token.encode()).hexdigest()
