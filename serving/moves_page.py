"""Which open leads would change their band if a challenger served: shown before a promotion."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing

import numpy as np
from rich.table import Table

from features.history import History
from features.moments import Moments
from features.tables import read_history
from features.workspace import Workspace
from serving.agreement import Agreement
from serving.agreement_file import load_agreement
from serving.band_moves import BANDS, BandMoves, moves_of
from serving.decision import Band
from serving.known_facts import facts_of
from serving.scoring import ServingModel, score_leads
from serving.signatures import agreement_state
from serving.store import open_store


def moves_on_promotion(
    workspace: Workspace, challenger: ServingModel, champion: ServingModel | None
) -> list[str | Table]:
    """The table of bands now and then, on the leads that are open now; nothing where there is no agreement.

    Both models score the same moment under the agreement as it is signed for each: a signature given for another horizon
    or other stages does not count for the challenger, and then every lead falls out of its band. Hysteresis, which may
    keep a lead in its band for a while, is left out.
    """
    agreement = load_agreement(workspace.folder)
    if agreement is None or champion is None:
        return []
    history = _history(workspace, challenger, agreement)
    now = history.now
    then = _bands(workspace, challenger, history, now, champion.oldest_age)
    if champion.schema != challenger.schema:
        history = _history(workspace, champion, agreement)
    moves = moves_of(_bands(workspace, champion, history, now, champion.oldest_age), then)
    if moves.leads == 0:
        return ["No lead is open now, so that none changes its band."]
    said = f"Of {moves.leads:,} open leads {moves.moving:,} change their band with version {challenger.version}:"
    if moves.then(None) > moves.now(None):
        return [said, _table(moves), "Warning: the signatures do not hold for this model; both teams must sign anew."]
    return [said, _table(moves)]


def _history(workspace: Workspace, model: ServingModel, agreement: Agreement) -> History:
    return read_history(workspace, schema=model.schema, rule_columns=agreement.rule_columns(), set_aside=False).history


def _bands(
    workspace: Workspace, model: ServingModel, history: History, now: int, oldest: int | None
) -> Sequence[Band | None]:
    """Bands of the open leads that are in the queue, which leaves out those older than `oldest` (microseconds)."""
    state = agreement_state(
        workspace.folder, horizon=model.horizon, converted=model.converted, stages=history.schema.stages
    )
    leads = history.open_leads(now)
    if oldest is not None:
        leads = leads[now - history.created_at[leads] <= oldest]
    with closing(open_store(workspace)) as store, store.reading() as c:
        known = facts_of(c, None, as_of=now)
    moments = Moments(leads, np.full(len(leads), now, dtype=np.int64))
    facts = [known.get(str(each), frozenset()) for each in history.lead_ids[leads]]
    scores = score_leads(model, state, history, moments, scored_at=now, reasons=False, facts=facts)
    return [each.band for each in scores]


def _table(moves: BandMoves) -> Table:
    shown = [band for band in BANDS if moves.now(band) or moves.then(band)]
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("band now")
    for band in shown:
        table.add_column(f"then {_name(band)}", justify="right")
    for now in shown:
        table.add_row(_name(now), *(f"{moves.counts.get((now, then), 0):,}" for then in shown))
    return table


def _name(band: Band | None) -> str:
    return "no band" if band is None else str(band)
