"""What a person may ask of us about their own data: not to be profiled, and to be erased."""

from __future__ import annotations

from typing import TYPE_CHECKING

from serving.actor import Actor
from serving.audit import record
from serving.store.erasure import erase_lead
from serving.withheld import object_to

if TYPE_CHECKING:
    from serving.office import Office


def erase(office: Office, lead_id: str, actor: Actor) -> dict[str, object]:
    """Erase all that we keep about a lead, known or not; only a keyed hash stays, against re-import and in the audit.

    Returns
    -------
    What `DELETE /leads/{id}` answers: whether anything was found, and the tables of the customer's own that may still
    name the lead.
    """
    now = office.clock()
    erased = erase_lead(office.store, lead_id, now=now, workspace=office.workspace)
    with office.store.writing() as c:
        record(
            c,
            office.store,
            actor=actor,
            action="erase",
            now=now,
            subject_lead=lead_id,
            detail={"found": erased.found, "wiped": erased.wiped, "files": len(erased.rewritten)},
        )
    office.withheld.look()
    return {"erased": erased.found, "wiped": erased.wiped, "yours": list(erased.yours)}


def object_to_profiling(office: Office, lead_id: str, actor: Actor) -> dict[str, object]:
    """From now on no score is made of a lead, and what was scored of it goes."""
    now = office.clock()
    with office.store.writing() as c:
        object_to(c, office.store, lead_id, now=now)
        record(c, office.store, actor=actor, action="object", now=now, subject_lead=lead_id)
    office.withheld.look()
    return {"objected": True}
