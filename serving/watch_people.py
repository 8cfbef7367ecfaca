"""What people's side says: leads that the model would hand over without enough evidence, and sales' answers by band."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from features.calendar_days import DAY
from features.history import History
from features.moments import Moments
from serving.agreement import Agreement
from serving.evidence import enough_evidence
from serving.model_segments import probabilities
from serving.review_figures import Clock, Ends, Kind
from serving.review_rows import read_review
from serving.serving_model import ServingModel
from serving.watch_figures import Answers, Evidence

ASKED_OF = 90 * DAY
"""Answers to what was handed over within so long a time are looked at."""
FEWEST = 30


def evidence_of(
    history: History, model: ServingModel, agreement: Agreement | None, withheld: NDArray[np.bool_]
) -> Evidence:
    """Of the leads that are open now.

    Parameters
    ----------
    agreement : the valid one.
    withheld : bool, one a lead of the history: object to profiling, and are left out.
    """
    leads = history.open_leads(history.now)
    leads = leads[~withheld[leads]]
    moments = Moments(leads, np.full(len(leads), history.now, dtype=np.int64))
    silent = None
    if len(history.events):
        visible = np.concatenate([[0], np.cumsum(history.events.known_at < history.now)])
        silent = int((visible[history.events.offsets[leads + 1]] == visible[history.events.offsets[leads]]).sum())
    if agreement is None or agreement.evidence is None:
        return Evidence(len(leads), silent, None, None)
    ready = moments.take(np.flatnonzero(probabilities(history, model.bundle.scorer, moments) >= agreement.sql))
    lacking = int((~enough_evidence(history, ready, agreement.evidence)).sum())
    return Evidence(len(leads), silent, len(ready), lacking)


def answers_of(
    c: sa.Connection, ends: Ends, *, moment: int, now: int, horizon: int, agreement: Agreement | None
) -> tuple[Answers, ...]:
    """What sales said of those handed over, or risen to MQL, within `ASKED_OF`; bands without any answer are left out."""
    review = read_review(c, ends, Clock(ASKED_OF, moment, now), horizon=horizon, agreement=agreement)
    return tuple(
        Answers(row.kind.value, row.leads, row.accepted, row.rejected)
        for row in review.rows
        if row.kind is not Kind.NURTURE and row.accepted + row.rejected
    )


def of_kind(answers: Sequence[Answers], kind: Kind) -> Answers | None:
    """The answers on one kind; None where there are none."""
    return next((each for each in answers if each.kind == kind.value), None)
