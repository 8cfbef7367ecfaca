"""From a request's bytes to a reply's bytes: the one scoring function behind every door of the service."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np
from pydantic_core import to_json

from features.errors import MomentOutsideHistory
from features.moments import Moments
from features.one_lead import history_of_leads
from features.wording import Lang
from serving.champion import Snapshot
from serving.incoming import Incoming, incoming
from serving.lead_score import LeadScore
from serving.lead_source import FoundLead, LeadSource, objecting
from serving.metrics import Metrics
from serving.notices import Notice
from serving.problems import Fault, Refused
from serving.scoring import score_leads
from serving.strict_json import parse_json
from serving.wire import Envelope, Lead
from serving.wire_reading import read_envelope, read_lead
from serving.withheld import Withheld


class Answers:
    """Answers about leads that are sent, and about leads of the workspace's tables.

    Every answer takes one snapshot and makes all of the reply with it, so that version, probability, reasons and band
    always belong together, whatever is swapped meanwhile.
    """

    def __init__(
        self,
        *,
        snapshot: Callable[[], Snapshot],
        leads: LeadSource,
        facts: Callable[[Sequence[str], int], Mapping[str, Collection[str]]],
        withheld: Withheld,
        metrics: Metrics,
        clock: Callable[[], int],
    ) -> None:
        self._snapshot = snapshot
        self._leads = leads
        self._facts = facts
        self._withheld = withheld
        self._metrics = metrics
        self._clock = clock

    def score_body(self, body: bytes) -> bytes:
        """The reply to `POST /score`, or `Refused`."""
        return to_json(self.score(read_lead(parse_json(body))))

    def score_batch_body(self, body: bytes) -> bytes:
        """The reply to `POST /score_batch`, or `Refused` where the envelope has faults."""
        return to_json(self.score_batch(read_envelope(parse_json(body))))

    def score(self, lead: Lead) -> dict[str, Any]:
        """Score one lead that was sent."""
        now, snapshot = self._clock(), self._snapshot()
        if self._withheld.objects(lead.lead_id):
            raise objecting("lead_id")
        told = incoming(lead, snapshot.schema, now=now, rule_columns=snapshot.rule_columns)
        (score,) = self._score_told(snapshot, [told], now)
        return score.to_json()

    def score_batch(self, batch: Envelope) -> dict[str, Any]:
        """Score many leads; one that fails stands in its place as `{"lead_id", "error"}`."""
        now, snapshot = self._clock(), self._snapshot()
        replies: list[dict[str, Any]] = [{}] * len(batch.leads)
        told: list[tuple[int, Incoming]] = []
        for place, each in enumerate(batch.leads):
            try:
                lead = each if isinstance(each, Lead) else read_lead(each)
                if self._withheld.objects(lead.lead_id):
                    raise objecting("lead_id")
                as_told = incoming(
                    lead,
                    snapshot.schema,
                    now=now,
                    as_of=batch.as_of,
                    lang=batch.lang,
                    rule_columns=snapshot.rule_columns,
                )
                told.append((place, as_told))
            except Refused as refused:
                replies[place] = {"lead_id": _id_of(each), "error": refused.to_json()}
        self._metrics.refused_leads(len(replies) - len(told))
        for round_ in _rounds(told):
            scores = self._score_told(snapshot, [each for _, each in round_], now)
            for (place, _), score in zip(round_, scores, strict=True):
                replies[place] = score.to_json()
        return {"scores": replies}

    def of_tables(self, lead_id: str, as_of: int | None, lang: Lang) -> tuple[LeadScore, FoundLead]:
        """Score one lead of the workspace at a moment, now where none is said.

        Raises
        ------
        Refused
            404 where there is no such lead, 403 where it objects to profiling, 422 where it was not created before the
            moment.
        """
        found = self._leads.find(lead_id)
        moment = found.now if as_of is None else as_of
        snapshot = found.snapshot
        try:
            (score,) = score_leads(
                snapshot.model,
                snapshot.agreement,
                found.history,
                found.moments(moment),
                scored_at=self._clock(),
                lang=lang,
                notices=(*snapshot.notices, *found.notices),
                facts=found.facts(moment),
                threads=1,
            )
        except MomentOutsideHistory:
            raise Refused(422, [Fault("as_of", "a time at or before created_at", "a time after created_at")]) from None
        self._count([score])
        return score, found

    def _score_told(self, snapshot: Snapshot, told: Sequence[Incoming], now: int) -> list[LeadScore]:
        """Score leads with distinct ids, in their order."""
        history = history_of_leads(
            snapshot.schema,
            [each.lead for each in told],
            as_of=max((each.as_of for each in told), default=now),
            named_types=snapshot.named_types,
            rule_columns=snapshot.rule_columns,
        )
        ids = np.array([each.lead.lead_id for each in told], dtype=object)
        moments = Moments(history.positions(ids), np.array([each.as_of for each in told], dtype=np.int64))
        scores = score_leads(
            snapshot.model,
            snapshot.agreement,
            history,
            moments,
            scored_at=now,
            lang=[each.lang for each in told],
            notices=snapshot.notices,
            facts=self._facts_told(snapshot, told),
            threads=1,
        )
        answered = [_with_ignored(score, each) for score, each in zip(scores, told, strict=True)]
        self._count(answered)
        return answered

    def _facts_told(self, snapshot: Snapshot, told: Sequence[Incoming]) -> list[Collection[str]] | None:
        """What people have entered about leads that are told; looked up only where the agreement asks for it."""
        agreement = snapshot.agreement.valid
        if agreement is None or not agreement.facts_required:
            return None
        return [self._facts([each.lead.lead_id], each.as_of).get(each.lead.lead_id, ()) for each in told]

    def _count(self, scores: Sequence[LeadScore]) -> None:
        self._metrics.scores((None if each.band is None else each.band.value, each.decided_by.value) for each in scores)


def _with_ignored(score: LeadScore, told: Incoming) -> LeadScore:
    """Tell which names were not looked at, each in a warning of its own."""
    if not told.ignored:
        return score
    notices = [Notice(f"warning.ignored_{what}", {"name": name}).said(told.lang) for what, name in told.ignored]
    return dataclasses.replace(score, warnings=(*score.warnings, *notices))


def _id_of(value: Any) -> str | None:
    """The id that a lead of a batch gave, however wrong the rest of it is."""
    found = value.get("lead_id") if isinstance(value, dict) else None
    return found if isinstance(found, str) else None


def _rounds(told: Sequence[tuple[int, Incoming]]) -> list[list[tuple[int, Incoming]]]:
    """Leads in groups without a repeated id: a batch may ask for one lead at several moments, a history holds it once."""
    rounds: list[list[tuple[int, Incoming]]] = []
    times: dict[str, int] = {}
    for place, each in told:
        number = times.get(each.lead.lead_id, 0)
        times[each.lead.lead_id] = number + 1
        if number == len(rounds):
            rounds.append([])
        rounds[number].append((place, each))
    return rounds
