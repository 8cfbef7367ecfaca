"""A workspace opened to be scored: champion or points, tables and agreement, read once."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import TypedDict

import numpy as np

from features.history import NEVER, History
from features.moments import Moments
from features.tables import read_history
from features.wording import Lang
from features.workspace import Workspace
from serving.agreement_file import load_agreement
from serving.champion import champion_of
from serving.cold_start import cold_start
from serving.known_facts import facts_of
from serving.lead_score import LeadScore
from serving.notices import Notice
from serving.scoring import score_leads
from serving.serving_model import ColdStart, ServingModel
from serving.signatures import AgreementState, agreement_state
from serving.store import open_store


class Meaning(TypedDict):
    """What an agreement's cutoffs are about; signed along with it."""

    horizon: int
    converted: str
    stages: Mapping[str, str]


@dataclass(frozen=True, eq=False)
class Desk:
    """All that scoring a workspace's leads needs.

    Attributes
    ----------
    model : the champion; points while there is none.
    history : read by the champion's schema once there is one.
    meaning : of the champion; of the workspace while there is none.
    notices : told with every score.
    """

    workspace: Workspace
    model: ServingModel | ColdStart
    history: History
    meaning: Meaning
    agreement: AgreementState
    notices: tuple[Notice, ...]

    def scores(self, moments: Moments, *, lang: Lang) -> Iterator[LeadScore]:
        """Scores in the order of the moments, made as they are asked for."""
        return score_leads(
            self.model,
            self.agreement,
            self.history,
            moments,
            scored_at=time.time_ns() // 1000,
            lang=lang,
            notices=self.notices,
            facts=self._facts(moments),
        )

    def _facts(self, moments: Moments) -> list[Collection[str]] | None:
        """The facts known at each moment; looked up only where the agreement asks for some.

        At the tables' newest moment all that were entered count, as they do on the pages.
        """
        agreement = self.agreement.valid
        if agreement is None or not agreement.facts_required:
            return None
        store = open_store(self.workspace)
        try:
            with store.reading() as c:
                by_moment = {
                    each: facts_of(c, None, as_of=NEVER if each == self.history.now else each)
                    for each in np.unique(moments.as_of).tolist()
                }
        finally:
            store.close()
        leads = self.history.lead_ids[moments.lead]
        return [
            by_moment[as_of].get(lead, frozenset()) for lead, as_of in zip(leads, moments.as_of.tolist(), strict=True)
        ]


def open_desk(workspace: Workspace) -> Desk:
    """Read champion, tables and agreement.

    Raises
    ------
    UserError
        The tables, or the agreement, cannot be used.
    """
    champion = champion_of(workspace)
    agreed = load_agreement(workspace.folder)
    history = read_history(
        workspace,
        schema=None if champion is None else champion.schema,
        rule_columns=frozenset() if agreed is None else agreed.rule_columns(),
    ).history
    model = cold_start(workspace, history) if champion is None else champion
    meaning = Meaning(
        horizon=model.horizon,
        converted=workspace.converted if champion is None else champion.converted,
        stages=history.schema.stages,
    )
    agreement = agreement_state(workspace.folder, **meaning)
    return Desk(workspace, model, history, meaning, agreement, toml_differences(workspace, champion))


def toml_differences(workspace: Workspace, model: ServingModel | None) -> tuple[Notice, ...]:
    """What the toml says otherwise than the model was trained with: it changes nothing, and is told."""
    if model is None:
        return ()
    differs = []
    if workspace.horizon != model.horizon:
        differs.append("horizon")
    if workspace.converted != model.converted:
        differs.append("converted")
    if workspace.zone != model.schema.zone:
        differs.append("timezone")
    told = [each.to_json() for each in workspace.model.definitions]
    if told != model.bundle.manifest.get("model_settings", {}).get("definitions", []):
        differs.append("definitions")
    return (Notice("warning.toml_differs", {"names": ", ".join(differs)}),) if differs else ()


def people_now(workspace: Workspace, history: History) -> int:
    """The moment that people live in, as on the pages: the clock, but of tables that are told to end, their end."""
    clock = time.time_ns() // 1000
    told_end = workspace.store is None and workspace.data_end is not None
    return min(history.now, clock) if told_end else clock
