"""The audit trail: who decided what and when, one row a decision, leads only as a keyed hash."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from serving.actor import Actor
from serving.store import Store
from serving.store.tables import audit

Detail = Mapping[str, str | int | float | bool | None]


def record(
    c: sa.Connection,
    store: Store,
    *,
    actor: Actor,
    action: str,
    now: int,
    subject_lead: str | None = None,
    subject: str | None = None,
    detail: Detail | None = None,
) -> None:
    """Write down a decision, in the transaction that carries it out: both stay or neither does.

    Parameters
    ----------
    action : one word or some with underscores: sign, save_agreement, accept, reject, fact, erase, object, login, ...
    now : microseconds.
    subject_lead : id of the lead it is about; only its keyed hash is kept.
    subject : what else it is about, such as a version or a user's name.
    detail : small plain values; never what a lead is called, wrote or did.
    """
    about = store.hash_of(subject_lead) if subject_lead is not None else subject
    row = {"at": now, "actor": actor.name, "role": actor.role, "action": action, "subject": about}
    c.execute(audit.insert().values(**row, detail=None if detail is None else dict(detail)))


@dataclass(frozen=True)
class Decision:
    """A row of the trail."""

    at: int
    actor: str
    role: str
    action: str
    subject: str | None
    detail: Mapping[str, Any] | None


def trail(c: sa.Connection, store: Store, *, lead: str | None = None, last: int = 100) -> Sequence[Decision]:
    """The newest rows, oldest first; with `lead` those about this lead, which is found by its hash even when erased."""
    found = sa.select(audit.c.at, audit.c.actor, audit.c.role, audit.c.action, audit.c.subject, audit.c.detail)
    if lead is not None:
        found = found.where(audit.c.subject == store.hash_of(lead))
    rows = c.execute(found.order_by(audit.c.number.desc()).limit(last)).all()
    return [Decision(*row) for row in reversed(rows)]


def audit_line(decision: Decision) -> str:
    """One line: when (UTC), who, role, what, about what, further."""
    at = datetime.fromtimestamp(decision.at / 1e6, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    told = json.dumps(decision.detail, ensure_ascii=False, sort_keys=True) if decision.detail else ""
    return "\t".join((at, decision.actor, decision.role, decision.action, decision.subject or "", told)).rstrip()
