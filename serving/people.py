"""The people who may log in: name, role, team, and the hash of their password."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

import sqlalchemy as sa

from features.errors import UsageError
from serving.actor import PEOPLES_ROLES, TEAMS, Actor, Role
from serving.passwords import hash_password, is_outdated, is_password, rehash
from serving.store import Store
from serving.store.tables import sessions, users

_NAME = re.compile(r"[\w.@+-](?:[\w.@+ -]{0,62}[\w.@+-])?")


@dataclass(frozen=True)
class Person:
    """A user, without the password."""

    name: str
    role: Role
    team: str | None
    created_at: int

    @property
    def actor(self) -> Actor:
        return Actor(self.name, self.role, self.team)


def user_name(text: str) -> str | None:
    """The one form of a user's name in lower case; None where it is none.

    >>> user_name("Mori@Example.com"), user_name("田中　花子"), user_name("a/b")
    ('mori@example.com', '田中 花子', None)
    """
    name = unicodedata.normalize("NFKC", text).casefold()
    return name if _NAME.fullmatch(name) else None


def has_users(c: sa.Connection) -> bool:
    """Whether anyone may log in; where somebody may, everybody is asked."""
    return c.execute(sa.select(users.c.name).limit(1)).first() is not None


def list_users(c: sa.Connection) -> list[Person]:
    """All users by name."""
    found = sa.select(users.c.name, users.c.role, users.c.team, users.c.created_at).order_by(users.c.name)
    return [Person(*row) for row in c.execute(found)]


def add_user(c: sa.Connection, name: str, *, role: str, team: str | None, password: str, now: int) -> Person:
    """Add a user.

    Raises
    ------
    UsageError
        A name that is taken or none, another role or team, a password that is easily guessed.
    """
    known = _named(name)
    if role not in PEOPLES_ROLES or team not in (None, *TEAMS):
        raise UsageError(
            f"role {role}" + (f" and team {team}" if team else ""),
            expected=f"a role of {', '.join(PEOPLES_ROLES)}; a team of {', '.join(TEAMS)}, or none",
        )
    if c.execute(sa.select(users.c.name).where(users.c.name == known)).first() is not None:
        raise UsageError(
            f"there is a user {known} already",
            expected="a name that nobody has",
            next_step="propensity user password changes a password, propensity user remove removes a user",
        )
    row = {"name": known, "role": role, "team": team, "created_at": now}
    c.execute(users.insert().values(**row, password_hash=hash_password(password, name=known)))
    return Person(known, role, team, now)


def change_password(c: sa.Connection, name: str, *, password: str) -> str:
    """Give a user a new password and end all of their sessions; the user's name."""
    known = _existing(c, name)
    hashed = hash_password(password, name=known)
    c.execute(sa.update(users).where(users.c.name == known).values(password_hash=hashed))
    c.execute(sa.delete(sessions).where(sessions.c.user == known))
    return known


def remove_user(c: sa.Connection, name: str) -> str:
    """Remove a user and end all of their sessions; the user's name. What they did stays in the audit trail."""
    known = _existing(c, name)
    c.execute(sa.delete(users).where(users.c.name == known))
    c.execute(sa.delete(sessions).where(sessions.c.user == known))
    return known


def who_has_password(store: Store, name: str, password: str) -> Person | None:
    """The user of this name and password, or None. It takes as long whether or not there is such a user.

    No transaction is open while the password is checked, which is slow by intent.
    """
    known = user_name(name)
    with store.reading() as c:
        row = c.execute(sa.select(users).where(users.c.name == (known or ""))).first()
    if not is_password(row.password_hash if row else None, password) or row is None:
        return None
    if is_outdated(row.password_hash):
        with store.writing() as c:
            unchanged = (users.c.name == row.name) & (users.c.password_hash == row.password_hash)
            c.execute(sa.update(users).where(unchanged).values(password_hash=rehash(password)))
    return Person(row.name, row.role, row.team, row.created_at)


def _named(name: str) -> str:
    known = user_name(name)
    if known is None:
        raise UsageError(
            "that can't be a user's name",
            expected="1 to 64 letters, digits, spaces between them, or . _ @ + -",
        )
    return known


def _existing(c: sa.Connection, name: str) -> str:
    known = _named(name)
    if c.execute(sa.select(users.c.name).where(users.c.name == known)).first() is None:
        raise UsageError(
            f"there is no user {known}", expected="the name of a user", next_step="propensity user list shows them"
        )
    return known
