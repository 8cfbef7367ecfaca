"""The leads that are open now, as two models see them: each under the agreement as it is signed for that model."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import closing
from dataclasses import dataclass

import numpy as np

from features.history import NEVER, History
from features.moments import Moments
from features.tables import read_history
from features.workspace import Workspace
from serving.agreement_file import load_agreement
from serving.band_moves import BandMoves, moves_of
from serving.known_facts import facts_of
from serving.lead_score import LeadScore
from serving.scoring import score_leads
from serving.serving_model import ServingModel
from serving.signatures import AgreementState, agreement_state
from serving.store import open_store


@dataclass(frozen=True, eq=False)
class Side:
    """One model over the open leads.

    Attributes
    ----------
    history : read by the model's schema, and with the columns that the agreement's rules look at.
    moments : of the open leads, all at one instant.
    agreement : as it stands for this model.
    facts : known of each lead.
    """

    model: ServingModel
    history: History
    moments: Moments
    agreement: AgreementState
    facts: Sequence[Collection[str]]

    @property
    def lead_ids(self) -> list[str]:
        return [str(each) for each in self.history.lead_ids[self.moments.lead]]

    def scores(self, *, reasons: bool = False) -> list[LeadScore]:
        """What this model would answer, in the order of `moments`."""
        now = int(self.moments.as_of[0]) if len(self.moments) else 0
        found = score_leads(
            self.model,
            self.agreement,
            self.history,
            self.moments,
            scored_at=now,
            reasons=reasons,
            facts=self.facts,
        )
        return list(found)


@dataclass(frozen=True, eq=False)
class SideBySide:
    """The same leads at the same instant, in the same order.

    Attributes
    ----------
    now, then : the model that serves, and the one that would.
    """

    now: Side
    then: Side

    def moves(self) -> BandMoves:
        """How many leads would go from which band to which. Hysteresis, which may keep a band for a while, is left out."""
        return moves_of([each.band for each in self.now.scores()], [each.band for each in self.then.scores()])


def side_of(workspace: Workspace, model: ServingModel) -> Side:
    """The open leads of a workspace, with what scoring them needs."""
    history = _history(workspace, model)
    return _side(workspace, model, history, history.open_leads(history.now), history.now)


def side_by_side(workspace: Workspace, now: ServingModel, then: ServingModel) -> SideBySide:
    """The leads of the queue, which leaves out those older than any that the serving model learned from."""
    first = _history(workspace, now)
    at = first.now
    leads = first.open_leads(at)
    if now.oldest_age is not None:
        leads = leads[at - first.created_at[leads] <= now.oldest_age]
    second = first if then.schema == now.schema else _history(workspace, then)
    places = second.positions(first.lead_ids[leads])  # a store lives on: a lead may have been erased between the two
    leads, places = leads[places >= 0], places[places >= 0]
    return SideBySide(_side(workspace, now, first, leads, at), _side(workspace, then, second, places, at))


def _history(workspace: Workspace, model: ServingModel) -> History:
    agreement = load_agreement(workspace.folder)
    columns = frozenset() if agreement is None else agreement.rule_columns()
    return read_history(workspace, schema=model.schema, rule_columns=columns, set_aside=False).history


def _side(workspace: Workspace, model: ServingModel, history: History, leads: np.ndarray, at: int) -> Side:
    state = agreement_state(
        workspace.folder, horizon=model.horizon, converted=model.converted, stages=history.schema.stages
    )
    facts: list[Collection[str]] = [frozenset()] * len(leads)
    if state.valid is not None and state.valid.facts_required:
        with closing(open_store(workspace)) as store, store.reading() as c:
            known = facts_of(c, None, as_of=NEVER)  # all that were entered, as on the pages
        facts = [known.get(str(each), frozenset()) for each in history.lead_ids[leads]]
    return Side(model, history, Moments(leads, np.full(len(leads), at, dtype=np.int64)), state, facts)
