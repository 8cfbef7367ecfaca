"""The audit trail: who decided what and when, one row a decision, leads only as a keyed hash."""

from __future__ import annotations

from collections.abc import Mapping

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
