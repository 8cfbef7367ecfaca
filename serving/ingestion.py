"""Takes leads, events and outcomes as they happen, and re-scores their leads in the same transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa
from pydantic_core import to_json

from features.workspace import Workspace
from serving.incoming import TIME, instant
from serving.problems import Fault, Refused
from serving.restanding import Restanding
from serving.store import Store
from serving.store.behaviour import Accepted, NewEvent, NewLead, NewOutcome, add_events, add_leads, add_outcomes
from serving.strict_json import parse_json
from serving.wire_behaviour import SentEvent, SentLead, SentOutcome, read_rows
from serving.wire_reading import read_as

AHEAD = 600 * 1_000_000
"""How far a sender's clock may be ahead of ours (microseconds)."""


class Ingestion:
    """What `POST /leads`, `/events` and `/outcomes` do. When we learned of a row is set here, by our clock."""

    def __init__(self, *, store: Store, workspace: Workspace, restanding: Restanding, clock: Callable[[], int]) -> None:
        self._store = store
        self._workspace = workspace
        self._restanding = restanding
        self._clock = clock

    def take(self, name: str, body: bytes) -> bytes:
        """Take the rows of `{"leads": [...]}`, "events" or "outcomes"; the reply says of each what became of it.

        A row with faults is named in its place and the others are taken. Once this returns all of them are kept, their
        leads scored anew and hand-offs written, or (where it raises) nothing of all that.

        Raises
        ------
        Refused
            409 where the tables are files, 422 where the envelope has faults.
        """
        self.require_store()
        now = self._clock()
        read = {"leads": self._lead, "events": self._event, "outcomes": self._outcome}[name]
        results: list[dict[str, Any]] = []
        rows: list[tuple[int, Any]] = []
        for each in read_rows(parse_json(body), name):
            try:
                rows.append((len(results), read(each, now)))
                results.append({})
            except Refused as refused:
                results.append({"status": "refused", "errors": refused.to_json()["errors"]})
        with self._store.writing() as c:
            taken = _add(c, name, [row for _, row in rows], now)
            touched = {row.lead_id for (_, row), what in zip(rows, taken, strict=True) if what.status != "erased"}
            # what was recorded at `now` is seen strictly after it
            self._restanding.restand(c, sorted(touched), as_of=now + 1)
        for (place, _), what in zip(rows, taken, strict=True):
            results[place] = {"status": what.status, **({} if what.known_lead else {"known_lead": False})}
        counted = Counter(each["status"] for each in results)
        return to_json({each: counted[each] for each in _STATUSES} | {"results": results})

    def require_store(self) -> None:
        """Refuse (409) where the tables are files, which others write."""
        if self._workspace.store is None:
            raise Refused(
                409,
                [Fault("tables", "files", "[tables] store in propensity.toml, filled by `propensity load`")],
            )

    def _lead(self, value: Any, now: int) -> NewLead:
        sent = read_as(SentLead, value)
        created_at = now if sent.created_at is None else self._time("created_at", sent.created_at, now)
        return NewLead(sent.lead_id, created_at, dict(sent.attributes or {}))

    def _event(self, value: Any, now: int) -> NewEvent:
        sent = read_as(SentEvent, value)
        return NewEvent(
            sent.lead_id,
            sent.event_type,
            self._time("occurred_at", sent.occurred_at, now),
            event_id=sent.event_id,
            value=sent.value,
            channel=sent.channel,
            properties=dict(sent.properties or {}),
        )

    def _outcome(self, value: Any, now: int) -> NewOutcome:
        sent = read_as(SentOutcome, value)
        return NewOutcome(sent.lead_id, sent.outcome, self._time("occurred_at", sent.occurred_at, now))

    def _time(self, field: str, text: str, now: int) -> int:
        found = instant(text, self._workspace.zone)
        if found is None:
            raise Refused(422, [Fault(field, "text that is no such time", TIME)])
        if found > now + AHEAD:
            raise Refused(422, [Fault(field, "a time in the future", "a time that has passed")])
        return found


_STATUSES = ("accepted", "changed", "repeated", "refused", "erased")


def _add(c: sa.Connection, name: str, rows: Sequence[Any], now: int) -> list[Accepted]:
    if name == "leads":
        return add_leads(c, rows, now=now)
    return add_events(c, rows, now=now) if name == "events" else add_outcomes(c, rows, now=now)
