"""What came of leads, band by band: handed over, answered, and converted against what was expected. Reads nothing itself.

Two kinds of figures stand side by side. What was *done* is told of the period itself: who came into a band or was handed
over in it. What came *true* is told of those whose horizon ended in the period: anyone newer may still convert, and would
bend the rate downwards. With one review a month every lead's end is seen in exactly one of them.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from statistics import median

from serving.review_figures import (
    Answer,
    Case,
    Clock,
    Ends,
    Found,
    HeldBackComparison,
    Kind,
    Pending,
    Realised,
    Response,
    Review,
    Row,
)
from training.intervals import Interval, difference, how_many, rate

FEWEST_HELD_BACK = 30
"""Under so many settled leads in either group nothing is said of what the hand-off brings."""
FEWEST_EVENTS = 5
"""Nor where fewer than so many of both groups converted."""


def make_review(
    cases: Iterable[Case],
    answers: Iterable[Answer],
    ends: Ends,
    clock: Clock,
    *,
    horizon: int,
    reached_at: Mapping[str, int],
    watched_from: int | None,
    capacity: int | None = None,
) -> Review:
    """Put the figures together.

    Parameters
    ----------
    cases : of the period, of the time whose horizons ended in it, and all that were handed over or held back.
    answers : of all time.
    reached_at : lead id to when it first was MQL or SQL, of the leads that converted in the period.
    watched_from : since when leads are scored; None where they never were. Earlier conversions cannot have been missed.
    """
    everything = sorted(cases, key=lambda each: (each.at, each.since, each.lead_id))
    by_lead = _answers_by_lead(answers)
    until = min(ends.until, clock.moment) - ends.delay - horizon
    periods = {kind: [each for each in everything if each.kind is kind] for kind in Kind}
    settled = (until - clock.length, until)
    following = _following(everything)
    rows = tuple(
        _row(kind, of_kind, by_lead, following, ends, clock, horizon, settled=settled)
        for kind, of_kind in periods.items()
    )
    handed = [each for each in everything if each.handoff_id is not None]
    told = once([each for each in handed if not each.held_back and settled[0] < each.at <= settled[1]])
    return Review(
        clock=clock,
        horizon=horizon,
        settled_from=settled[0],
        settled_until=settled[1],
        rows=rows,
        handed=_realised(told, ends, horizon),
        held_back=_compare_held_back(handed, ends, horizon),
        found=_found(by_lead, ends, clock, reached_at, watched_from),
        capacity=capacity,
    )


def _row(
    kind: Kind,
    cases: Sequence[Case],
    answers: Mapping[str, Sequence[Answer]],
    following: Mapping[Case, int],
    ends: Ends,
    clock: Clock,
    horizon: int,
    *,
    settled: tuple[int, int],
) -> Row:
    told = [each for each in cases if not each.held_back]
    begin = clock.moment - clock.length
    period = once([each for each in told if begin <= each.at < clock.moment])
    said = {each: _answers_to(each, following.get(each), answers.get(each.lead_id, ())) for each in period}
    newest = {each: _verdict(of_case) for each, of_case in said.items()}
    verdicts = Counter(found.verdict for found in newest.values() if found is not None)
    return Row(
        kind=kind,
        leads=len(period),
        held_back=len(once([each for each in cases if each.held_back and begin <= each.at < clock.moment])),
        accepted=verdicts["accepted"],
        rejected=verdicts["rejected"],
        contacted=verdicts["contacted"],
        reasons=Counter(found.reason or "" for found in newest.values() if found and found.verdict == "rejected"),
        response=_response([each for each in period if not _taken_over(each, following)], said, clock.now),
        realised=_realised(once([each for each in told if settled[0] < each.at <= settled[1]]), ends, horizon),
        pending=_pending(once([each for each in told if settled[1] < each.at < clock.moment]), ends, horizon),
    )


def once(cases: Iterable[Case]) -> list[Case]:
    """The first case of each lead: two of one lead share its fate, and would count it twice."""
    first: dict[str, Case] = {}
    for each in cases:
        first.setdefault(each.lead_id, each)
    return list(first.values())


def _answers_by_lead(answers: Iterable[Answer]) -> dict[str, list[Answer]]:
    by_lead: dict[str, list[Answer]] = {}
    for each in sorted(answers, key=lambda each: each.at):
        by_lead.setdefault(each.lead_id, []).append(each)
    return by_lead


def _following(cases: Iterable[Case]) -> dict[Case, int]:
    """When a lead's next hand-off begins, by case; of an MQL also when it next becomes one. The last of a lead has none."""
    following: dict[Case, int] = {}
    of_lead: dict[str, list[Case]] = {}
    for each in cases:
        if each.kind is not Kind.NURTURE:
            of_lead.setdefault(each.lead_id, []).append(each)
    for own in of_lead.values():
        for each in own:
            later = [
                other.since
                for other in own
                if other.since > each.since and (other.handoff_id is not None or each.handoff_id is None)
            ]
            if later:
                following[each] = min(later)
    return following


def _taken_over(case: Case, following: Mapping[Case, int]) -> bool:
    """An MQL that was handed over before its answer was due: the hand-off's own deadline took its place."""
    after = following.get(case)
    return case.handoff_id is None and case.deadline is not None and after is not None and after <= case.deadline


def _answers_to(case: Case, until: int | None, of_lead: Sequence[Answer]) -> list[Answer]:
    """What was said about a case: what names its hand-off; without a name, what was said from then until the lead's next.

    Nobody is asked about leads in nurture.
    """
    if case.kind is Kind.NURTURE:
        return []
    return [
        each
        for each in of_lead
        if each.verdict != "found"
        and (
            each.handoff_id == case.handoff_id
            if each.handoff_id is not None
            else each.at >= case.since and (until is None or each.at < until)
        )
    ]


def _verdict(answers: Sequence[Answer]) -> Answer | None:
    """The newest acceptance or rejection; a contact where there is neither."""
    decided = [each for each in answers if each.verdict in ("accepted", "rejected")]
    return next(iter([*answers, *decided][::-1]), None)


def _response(cases: Sequence[Case], said: Mapping[Case, Sequence[Answer]], now: int) -> Response:
    counts: Counter[str] = Counter()
    took: list[float] = []
    for each in cases:
        first = said[each][0].at if said[each] else None
        if each.deadline is None:
            counts["without_deadline"] += 1
        elif first is not None:
            counts["in_time" if first <= each.deadline else "late"] += 1
        else:
            counts["overdue" if each.deadline < now else "waiting"] += 1
        if first is not None:
            took.append(max(first - each.since, 0))
        elif each.deadline is not None and each.deadline < now:
            took.append(math.inf)
    return Response(
        in_time=counts["in_time"],
        late=counts["late"],
        overdue=counts["overdue"],
        waiting=counts["waiting"],
        without_deadline=counts["without_deadline"],
        median=float(median(took)) if took else None,
    )


def _realised(cases: Sequence[Case], ends: Ends, horizon: int) -> Realised:
    scored = [each for each in cases if each.probability is not None]
    converted = sum(ends.converted(each, horizon) for each in scored)
    return Realised(
        leads=len(scored),
        converted=converted,
        expected=_expected(scored),
        rate=rate(converted, len(scored)) if scored else None,
        unscored=len(cases) - len(scored),
    )


def _pending(cases: Sequence[Case], ends: Ends, horizon: int) -> Pending:
    scored = [each for each in cases if each.probability is not None]
    return Pending(len(scored), sum(ends.converted(each, horizon) for each in scored), _expected(scored))


def _expected(cases: Sequence[Case]) -> Interval | None:
    return how_many([each.probability for each in cases if each.probability is not None]) if cases else None


def _compare_held_back(cases: Sequence[Case], ends: Ends, horizon: int) -> HeldBackComparison:
    """Within the time of the draw alone, and of those alone who could be drawn: anything else is no fair comparison.

    Who asked for a person is never held back, and converts more often whatever sales does.
    """
    drawn_from = [each for each in cases if each.kind is Kind.SQL]
    held = once(each for each in drawn_from if each.held_back)
    if not held:
        return HeldBackComparison(0, 0, 0, 0, 0, None, None, None)
    first, last = held[0].at, max(each.at for each in held)
    handed = once(each for each in drawn_from if not each.held_back and first <= each.at <= last)
    (n, converted), (m, other) = (_settled_counts(group, ends, horizon) for group in (handed, held))
    enough = min(n, m) >= FEWEST_HELD_BACK and converted + other >= FEWEST_EVENTS
    found = difference(converted, n, other, m) if enough else None
    return HeldBackComparison(n, converted, m, other, len(held) - m, first, last, found)


def _settled_counts(cases: Sequence[Case], ends: Ends, horizon: int) -> tuple[int, int]:
    settled = [each for each in cases if ends.settled(each, horizon)]
    return len(settled), sum(ends.converted(each, horizon) for each in settled)


def _found(
    answers: Mapping[str, Sequence[Answer]],
    ends: Ends,
    clock: Clock,
    reached_at: Mapping[str, int],
    watched_from: int | None,
) -> Found:
    begin = clock.now - clock.length
    told = {
        lead_id: max(each.at for each in of_lead if each.verdict == "found")
        for lead_id, of_lead in answers.items()
        if any(each.verdict == "found" and begin <= each.at < clock.now for each in of_lead)
    }
    since = clock.moment - clock.length if watched_from is None else max(clock.moment - clock.length, watched_from)
    conversions = (
        {}
        if watched_from is None
        else {lead_id: at for lead_id, at in ends.converted_at.items() if since <= at < clock.moment}
    )
    missed = {lead_id: at for lead_id, at in conversions.items() if reached_at.get(lead_id, at) >= at}
    return Found(_newest_first(told), len(conversions), _newest_first(missed))


def _newest_first(at: Mapping[str, int]) -> tuple[str, ...]:
    return tuple(sorted(at, key=lambda lead_id: (-at[lead_id], lead_id)))
