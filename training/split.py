"""Which settled moments are fitted, which are tested, and on which of the fitted ones choices are made.

A test must look like production: what is fitted was settled when the test begins. Several moments of a lead share a
label window, so where the windows of fitted and tested moments overlap, leads stand on one side only; where they
don't, a lead may stand on both. A lead is never left out because it comes back: that selects survivors.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from features.calendar_days import DAY, as_datetime
from features.durations import duration_text
from features.errors import TooLittleData
from training.dataset import Rows, TrainingSet

TEST_SHARE = 0.2
"""The last part of the settled moments, in time order, that is tested."""
CHOICE_SHARE = 0.36
"""The last part of the fitted moments, in time order, on which choices are made."""
THIRDS = 3
FIT_LEADS, TEST_LEADS = 20, 10
"""Leads of each label that must at least be fitted and tested."""
CHOICE_LEADS = 10
"""Leads of each label that each forward fit, and the predicted block, must hold; else choices ignore time."""

Kind = Literal["time", "time and lead", "lead"]


@dataclass(frozen=True, eq=False)
class Split:
    """Which rows of a training set are fitted and tested, and why so.

    Attributes
    ----------
    fit, test : positions in the training set, ascending.
    kind : "time": the test block is the last fifth and a lead may stand on both sides; "time and lead": likewise, but
        a third of the leads is tested there and the others fitted; "lead": a third of the leads is tested, at any time.
    test_begin : first instant of the test block; None by lead.
    block_share : part of all moments that lies in the test block: a fifth, or the nearest cut between two instants.
    purge : microseconds between a fitted moment and the test block, at least; 0 by lead.
    overlap : microseconds by which the label windows of fitted moments may reach past `test_begin`.
    overlapping : fitted moments whose label window does.
    purged : moments before the test block that are not fitted, being too close to it.
    other_leads : moments left out since their lead stands on the other side.
    counts : leads of each label on each side: fit_converted, fit_other, test_converted, test_other.
    first_fit, last_fit, first_test, last_test : instants.
    """

    fit: Rows
    test: Rows
    kind: Kind
    test_begin: int | None
    block_share: float
    purge: int
    overlap: int
    overlapping: int
    purged: int
    other_leads: int
    counts: dict[str, int]
    first_fit: int
    last_fit: int
    first_test: int
    last_test: int

    def words(self) -> list[str]:
        """What was done, as sentences for the report."""
        day = "{:%Y-%m-%d %H:%M} UTC".format
        if self.kind == "lead":
            said = [
                "Time cannot hold enough outcomes on both sides: a third of the leads, drawn by a hash of the id, "
                "is tested and the others are fitted, whenever their moments lie."
            ]
        else:
            begin = day(as_datetime(self.test_begin or 0))
            said = [f"Tested are the last {self.block_share:.0%} of the settled moments in time, from {begin} on."]
            if self.overlap == 0:
                said.append("What is fitted was settled when the test begins; a lead may stand on both sides.")
            else:
                said.append(
                    f"Label windows of {self.overlapping:,} fitted moments reach up to {self.overlap / DAY:.1f} days into "
                    "the test block, since settled ones alone were too few: a third of the leads, drawn by a hash of the "
                    "id, is tested there and the others are fitted."
                )
            if self.purged:
                said.append(f"{self.purged:,} moments too close to the test block are not fitted.")
        said.append(
            f"Fitted: {len(self.fit):,} moments, {self.counts['fit_converted']:,} leads that converted. "
            f"Tested: {len(self.test):,} moments, {self.counts['test_converted']:,} leads that converted."
        )
        return said

    def to_json(self) -> dict[str, Any]:
        """All but the rows themselves, as plain JSON."""
        names = (
            "kind", "test_begin", "block_share", "purge", "overlap", "overlapping", "purged", "other_leads", "counts",
            "first_fit", "last_fit", "first_test", "last_test",
        )  # fmt: skip
        figures = {name: getattr(self, name) for name in names}
        return {**figures, "fit_moments": len(self.fit), "test_moments": len(self.test), "words": self.words()}


def split(train_set: TrainingSet, *, delay: int = 0, unsettled: NDArray[np.int64] | None = None) -> Split:
    """Divide settled moments into fitted and tested ones.

    The test block is the last fifth in time order. Fitted is what was settled by then: ``as_of + horizon + delay`` not
    after its first instant. Where that leaves under half of the moments before the block, or too few leads of a label,
    the purge is shortened as far as needed, down to none, and, label windows now overlapping, a third of the leads is
    tested and the others are fitted. Where time cannot hold the minimum counts, or all moments are one instant, the
    split is by that draw of leads alone.

    Parameters
    ----------
    delay : microseconds that outcomes take to be recorded (``history.outcomes.delay``).
    unsettled : as_of of the moments that are not settled yet; only for the words of the error.

    Raises
    ------
    TooLittleData
        The split by lead cannot hold 20 leads of each label to fit and 10 of each to test either.
    """
    rows = np.arange(len(train_set), dtype=np.int64)
    settle = train_set.horizon + delay
    begin = _boundary(train_set.as_of, 1.0 - TEST_SHARE)
    tested = lead_thirds(train_set, rows) == 0
    if begin is not None:
        block = train_set.as_of >= begin
        before = rows[~block]
        for purge in (settle, _longest_purge(train_set, before, begin, settle, ~tested)):
            if purge is None:
                continue
            shared = purge == settle
            fit = before[train_set.as_of[before] <= begin - purge]
            purged = len(before) - len(fit)
            if shared and 2 * len(fit) < len(before):
                continue
            fit = fit if shared else fit[~tested[fit]]
            test = rows[block] if shared else rows[block & tested]
            if _enough(train_set, fit, test):
                return _made(train_set, fit, test, "time" if shared else "time and lead", begin, purge, settle, purged)
    fit, test = rows[~tested], rows[tested]
    if not _enough(train_set, fit, test):
        raise _too_little(train_set, settle, unsettled)
    return _made(train_set, fit, test, "lead", None, 0, settle, 0)


def lead_thirds(train_set: TrainingSet, rows: Rows, parts: int = THIRDS) -> NDArray[np.int64]:
    """Number 0 .. parts - 1 of each row's lead, by the rank of its hash: equal parts of the leads.

    Leads that converted and leads that did not are ranked apart, so that few conversions are shared out evenly: a
    plain draw would leave one part without any more often than a small workspace can bear.
    """
    hashes, back = np.unique(train_set.lead_hash[rows], return_inverse=True)
    converted = np.zeros(len(hashes), dtype=np.bool_)
    np.logical_or.at(converted, back, train_set.label[rows] == 1)
    part = np.zeros(len(hashes), dtype=np.int64)
    for stratum in (converted, ~converted):
        size = int(stratum.sum())
        if size:
            part[stratum] = np.arange(size) * parts // size
    return part[back]


def choice_folds(train_set: TrainingSet, rows: Rows) -> list[tuple[Rows, Rows]]:
    """Three (fit, predict) pairs on which choices are made: each lead is predicted by what others did before.

    The last 36% of `rows` in time are predicted in three groups of leads, each by a fit on the earlier moments of the
    other two groups. Where a fit, or the predicted block, would hold too few leads of a label, or all moments are one
    instant, all rows are predicted, each group by the others.

    Returns
    -------
    Positions in `train_set`, ascending; the predicted ones of the three pairs are disjoint.
    """
    group = lead_thirds(train_set, rows)
    begin = _boundary(train_set.as_of[rows], 1.0 - CHOICE_SHARE)
    if begin is not None:
        late = train_set.as_of[rows] >= begin
        folds = [(rows[(group != g) & ~late], rows[(group == g) & late]) for g in range(THIRDS)]
        held = [min(_leads(train_set, fit)) for fit, _ in folds] + [min(_leads(train_set, rows[late]))]
        if min(held) >= CHOICE_LEADS and all(len(predict) for _, predict in folds):
            return folds
    return [(rows[group != g], rows[group == g]) for g in range(THIRDS)]


def _boundary(as_of: NDArray[np.int64], share: float) -> int | None:
    """The instant, among the sorted ones, before which about this share lies; None where all are one instant.

    Moments of one instant stay together: of the possible cuts the nearest is taken.
    """
    firsts = np.flatnonzero(np.diff(as_of) > 0) + 1
    if len(firsts) == 0:
        return None
    return int(as_of[firsts[np.argmin(np.abs(firsts - share * len(as_of)))]])


def _longest_purge(
    train_set: TrainingSet, before: Rows, begin: int, settle: int, fitted_lead: NDArray[np.bool_]
) -> int | None:
    """The longest purge, under `settle`, that leaves half of the moments `before` the block and enough fitted leads.

    None where not even no purge at all leaves them.
    """
    low = (len(before) + 1) // 2  # so many moments must stay: the first so many in time

    def enough(kept: int) -> bool:
        return min(_leads(train_set, before[:kept][fitted_lead[before[:kept]]])) >= FIT_LEADS

    if not enough(len(before)):
        return None
    high = len(before)
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle + 1, high)
    return min(begin - int(train_set.as_of[before[max(high, 1) - 1]]), settle - 1)


def _leads(train_set: TrainingSet, rows: Rows) -> tuple[int, int]:
    """Number of leads with a moment labelled 1, and with one labelled 0."""
    label, leads = train_set.label[rows], train_set.lead_hash[rows]
    return len(np.unique(leads[label == 1])), len(np.unique(leads[label == 0]))


def _enough(train_set: TrainingSet, fit: Rows, test: Rows) -> bool:
    return min(_leads(train_set, fit)) >= FIT_LEADS and min(_leads(train_set, test)) >= TEST_LEADS


def _made(
    train_set: TrainingSet, fit: Rows, test: Rows, kind: Kind, begin: int | None, purge: int, settle: int, purged: int
) -> Split:
    as_of = train_set.as_of
    side = dict(zip(("fit_converted", "fit_other"), _leads(train_set, fit), strict=True))
    side |= dict(zip(("test_converted", "test_other"), _leads(train_set, test), strict=True))
    return Split(
        fit=fit,
        test=test,
        kind=kind,
        test_begin=begin,
        block_share=1.0 if begin is None else float((as_of >= begin).mean()),
        purge=purge,
        overlap=0 if begin is None else settle - purge,
        overlapping=0 if begin is None else int((as_of[fit] > begin - settle).sum()),
        purged=purged,
        other_leads=len(train_set) - len(fit) - len(test) - purged,
        counts=side,
        first_fit=int(as_of[fit[0]]),
        last_fit=int(as_of[fit[-1]]),
        first_test=int(as_of[test[0]]),
        last_test=int(as_of[test[-1]]),
    )


def _too_little(train_set: TrainingSet, settle: int, unsettled: NDArray[np.int64] | None) -> TooLittleData:
    converted, other = _leads(train_set, np.arange(len(train_set), dtype=np.int64))
    needed = FIT_LEADS + TEST_LEADS
    asked = [
        f"{needed - count} more leads that {what}"
        for count, what in ((converted, "converted within the horizon"), (other, "did not"))
        if count < needed
    ] or ["more leads of both kinds"]
    next_step = f"add {' and '.join(asked)}, with the events before"
    if unsettled is not None and len(unsettled):
        times = np.sort(unsettled) + settle
        half, last = as_datetime(int(times[(len(times) - 1) // 2])), as_datetime(int(times[-1]))
        next_step += (
            f"; or wait: {len(unsettled):,} moments are not settled yet. Tables complete until {half:%Y-%m-%d} settle half of "
            f"them, until {last:%Y-%m-%d} all; a horizon shorter than {duration_text(train_set.horizon)} settles them earlier"
        )
    return TooLittleData(
        found=f"{len(train_set):,} settled moments, of {converted:,} leads that converted within the horizon and {other:,} "
        "that did not",
        expected=f"at least {needed} leads of each: {FIT_LEADS} to train on and {TEST_LEADS} to test",
        next_step=next_step,
        where="training",
    )
