"""Who asks: a person, a program with a key, or someone on this machine; and which role they have."""

from __future__ import annotations

import getpass
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from serving.problems import Fault, Refused

Role = Literal["score", "sales", "lead", "admin"]
Kind = Literal["machine", "key", "person", "proxy"]
ROLES: tuple[Role, ...] = ("score", "sales", "lead", "admin")
"""In rising order: each may do what those before it may. `score` is for programs and opens no page."""
PEOPLES_ROLES: tuple[Role, ...] = ROLES[1:]
TEAMS = ("marketing", "sales")
ACTOR = "propensity.actor"
"""Where the door leaves the actor in a request's scope."""


@dataclass(frozen=True)
class Actor:
    """Whoever asks.

    Attributes
    ----------
    name : as the audit trail and signatures show it.
    team : "marketing" or "sales" of those who sign for one; else None.
    kind : "person" logged in, "proxy" named by a trusted proxy, "key" of a program, "machine" where nobody is asked.
    """

    name: str
    role: Role
    team: str | None = None
    kind: Kind = "person"

    def __post_init__(self) -> None:
        if self.role not in ROLES or self.team not in (None, *TEAMS):
            raise ValueError(f"no such role or team: {self.role}, {self.team}")

    def may(self, role: Role) -> bool:
        """Whether this actor has a role or one above it.

        >>> Actor("mori", "lead").may("sales"), Actor("mori", "lead").may("admin")
        (True, False)
        """
        return ROLES.index(self.role) >= ROLES.index(role)


SOMEONE = Actor("someone on this machine", "admin", kind="machine")
"""Everyone, where nothing is configured and only this machine may ask."""

NOBODY = Actor("not logged in", "score", kind="machine")
"""Of rows in the audit trail about attempts to log in."""


def at_command_line() -> Actor:
    """Whoever runs a command in the workspace's folder: the system's own rights say who may."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        name = "someone"
    return Actor(f"{name} (command line)", "admin", kind="machine")


def actor_of(scope: Mapping[str, Any]) -> Actor:
    """The actor of a request that came through the door; 401 where there is none."""
    actor = scope.get(ACTOR)
    if not isinstance(actor, Actor):
        raise Refused(401, [Fault("Authorization", "nothing", "a key, or a login")], {"WWW-Authenticate": "Bearer"})
    return actor


def require_role(scope: Mapping[str, Any], role: Role) -> Actor:
    """The actor of a request, or `Refused`: 403 where the role is below the one that is needed."""
    actor = actor_of(scope)
    if not actor.may(role):
        raise Refused(403, [Fault("role", actor.role, f"{role} or above")])
    return actor
