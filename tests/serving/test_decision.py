"""The order of decision, and what counts as evidence and as a fast-lane event."""

from __future__ import annotations

import numpy as np
import pytest

from features.calendar_days import DAY, HOUR
from features.history import History
from features.moments import Moments
from features.one_lead import RawEvent, RawLead, history_of_leads
from features.schema import Schema
from serving.agreement import Agreement, Evidence, FastLane
from serving.decision import Band, DecidedBy, Decision, band_of, decide
from serving.evidence import enough_evidence, fast_lane_hits
from serving.lead_score import FastLaneHit

AGREED = Agreement(version=1, mql=0.10, sql=0.30)
NOW = 20_000 * DAY
SCHEMA = Schema(
    event_types=("call_booked", "mail_opened", "pricing_viewed"),
    stages={"mail_opened": "awareness", "pricing_viewed": "decision", "call_booked": "action"},
)
CALLS = {"call_booked": FastLane("call_booked", respond_within=4 * HOUR, counts_for=14 * DAY)}


def decided(
    probability: float | None,
    *,
    agreement: Agreement | None = AGREED,
    lane: bool = False,
    enough: bool = True,
    excluded: bool = False,
    triggered: bool = False,
) -> tuple[str | None, str]:
    decision = decide(
        agreement=agreement,
        probability=probability,
        fast_lane=lane,
        enough_evidence=enough,
        excluded=excluded,
        triggered=triggered,
    )
    return decision.band and decision.band.value, decision.decided_by.value


def history(*events: tuple[str, int] | tuple[str, int, int], zone: str = "UTC") -> History:
    told = [RawEvent(event_type=e[0], occurred_at=e[1], recorded_at=e[2] if len(e) == 3 else None) for e in events]
    schema = Schema(event_types=SCHEMA.event_types, stages=SCHEMA.stages, zone=zone)
    lead = RawLead(lead_id="A", created_at=NOW - 100 * DAY, events=told)
    return history_of_leads(schema, [lead], as_of=NOW, named_types=("call_booked", "trial_started"))


def at(*as_of: int) -> Moments:
    return Moments(np.zeros(len(as_of), np.int64), np.array(as_of, dtype=np.int64))


def suffices(evidence: Evidence, *events: tuple[str, int] | tuple[str, int, int], zone: str = "UTC") -> bool:
    return bool(enough_evidence(history(*events, zone=zone), at(NOW), evidence)[0])


def test_bands_rise_from_nurture_to_sql() -> None:
    assert Band.NURTURE < Band.MQL < Band.SQL
    assert Band.SQL >= Band.SQL >= Band.MQL > Band.NURTURE <= Band.NURTURE
    assert max(Band) is Band.SQL


@pytest.mark.parametrize(
    ("probability", "band"),
    [(0.0999999999, "nurture"), (0.10, "MQL"), (0.2999999999, "MQL"), (0.30, "SQL"), (1.0, "SQL"), (0.0, "nurture")],
)
def test_cutoffs_are_inclusive(probability: float, band: str) -> None:
    assert decided(probability) == (band, "model")
    assert band_of(probability, AGREED).value == band


def test_without_a_valid_agreement_there_is_no_band_not_even_on_the_fast_lane() -> None:
    assert decided(0.9, agreement=None) == (None, "no_agreement")
    assert decided(0.9, agreement=None, lane=True) == (None, "no_agreement")
    assert decided(None, agreement=None, lane=True) == (None, "points")


def test_fast_lane_makes_sql_whatever_the_score_and_the_evidence_with_or_without_a_champion() -> None:
    assert decided(0.001, lane=True, enough=False) == ("SQL", "fast_lane")
    assert decided(0.9, lane=True) == ("SQL", "fast_lane")
    assert decided(None, lane=True) == ("SQL", "fast_lane")


def test_without_a_champion_points_give_no_band() -> None:
    assert decided(None) == (None, "points")


def test_too_little_evidence_lowers_sql_to_mql_and_nothing_else() -> None:
    assert decided(0.30, enough=False) == ("MQL", "too_little_evidence")
    assert decided(0.29, enough=False) == ("MQL", "model")
    assert decided(0.01, enough=False) == ("nurture", "model")


def test_an_exclusion_comes_before_all_else_with_or_without_a_champion() -> None:
    for probability in (None, 0.01, 0.9):
        for lane in (False, True):
            assert decided(probability, excluded=True, lane=lane, triggered=True) == ("nurture", "excluded")
    assert decided(0.9, excluded=True, agreement=None) == (None, "no_agreement")
    assert decided(None, excluded=True, agreement=None) == (None, "points")


def test_a_trigger_raises_nurture_to_mql_and_nothing_else() -> None:
    assert decided(0.01, triggered=True) == ("MQL", "trigger")
    assert decided(0.10, triggered=True) == ("MQL", "model")
    assert decided(0.30, triggered=True) == ("SQL", "model")
    assert decided(0.30, triggered=True, enough=False) == ("MQL", "too_little_evidence")
    assert decided(0.01, triggered=True, lane=True) == ("SQL", "fast_lane")
    assert decided(None, triggered=True) == (None, "points"), "without a champion only people's hard rules speak"
    assert decided(0.01, triggered=True, agreement=None) == (None, "no_agreement")


def test_equal_cutoffs_leave_no_mql() -> None:
    one = Agreement(version=1, mql=0.2, sql=0.2)
    assert decide(agreement=one, probability=0.2, fast_lane=False, enough_evidence=True) == Decision(
        Band.SQL, DecidedBy.MODEL
    )


def test_evidence_counts_visible_events_only() -> None:
    three = Evidence(events=3)
    two = [("mail_opened", NOW - 2 * DAY), ("mail_opened", NOW - 1)]
    assert not suffices(three, *two)
    assert not suffices(three, *two, ("mail_opened", NOW)), "an event at the moment itself is not seen"
    assert not suffices(three, *two, ("mail_opened", NOW - DAY, NOW)), "nor one that is recorded then"
    assert suffices(three, *two, ("mail_opened", NOW - DAY, NOW - 1))


def test_evidence_counts_events_of_unknown_type_and_from_before_creation() -> None:
    assert suffices(Evidence(events=2), ("never_seen", NOW - DAY), ("mail_opened", NOW - 400 * DAY))


def test_evidence_counts_calendar_days_of_the_workspace_zone() -> None:
    midnight = NOW - 10 * DAY
    events = [("mail_opened", midnight - HOUR), ("mail_opened", midnight), ("mail_opened", midnight + HOUR)]
    assert suffices(Evidence(days=2), *events)
    assert not suffices(Evidence(days=2), *events, zone="Asia/Tokyo")
    assert not suffices(Evidence(days=3), *events)


def test_evidence_of_a_stage_is_met_by_that_stage_or_a_later_one() -> None:
    decision = Evidence(stage="decision")
    assert not suffices(decision, *[("mail_opened", NOW - DAY)] * 5, ("never_seen", NOW - DAY))
    assert suffices(decision, ("pricing_viewed", NOW - DAY))
    assert suffices(decision, ("call_booked", NOW - DAY))
    assert not suffices(decision, ("call_booked", NOW - DAY, NOW + DAY))


def test_all_of_the_evidence_asked_for_is_needed() -> None:
    asked = Evidence(events=3, days=2, stage="decision")
    days = [("pricing_viewed", NOW - 2 * DAY), ("mail_opened", NOW - DAY), ("mail_opened", NOW - DAY + 1)]
    assert suffices(asked, *days)
    assert not suffices(asked, *days[1:])
    assert not suffices(asked, ("mail_opened", NOW - 3 * DAY), *days[1:])
    assert not suffices(asked, *[("pricing_viewed", NOW - DAY)] * 3)


def test_no_evidence_rule_is_always_met_and_no_events_never_meet_one() -> None:
    assert enough_evidence(history(), at(NOW), None).all()
    assert not suffices(Evidence(events=1))
    assert not suffices(Evidence(stage="awareness"))


def lane_hit(*events: tuple[str, int] | tuple[str, int, int]) -> FastLaneHit | None:
    return fast_lane_hits(history(*events), at(NOW), CALLS)[0]


def test_fast_lane_event_counts_from_the_instant_after_it_until_its_time_is_over() -> None:
    assert lane_hit(("call_booked", NOW)) is None
    assert lane_hit(("call_booked", NOW - 1)) == FastLaneHit("call_booked", NOW - 1, 4 * HOUR)
    assert lane_hit(("call_booked", NOW - 14 * DAY)) is not None, "a window is [as_of - W, as_of)"
    assert lane_hit(("call_booked", NOW - 14 * DAY - 1)) is None


def test_fast_lane_event_recorded_late_counts_from_then_on() -> None:
    booked = history(("call_booked", NOW - 3 * DAY, NOW - DAY))
    before, at_once, after = fast_lane_hits(booked, at(NOW - 2 * DAY, NOW - DAY, NOW - DAY + 1), CALLS)
    assert (before, at_once) == (None, None)
    assert after == FastLaneHit("call_booked", NOW - 3 * DAY, 4 * HOUR)


def test_other_events_are_on_no_fast_lane() -> None:
    assert lane_hit(("pricing_viewed", NOW - 1), ("never_seen", NOW - 1)) is None
    assert fast_lane_hits(history(("call_booked", NOW - 1)), at(NOW), {}) == [None]


def test_newest_fast_lane_event_is_told_and_of_equal_ones_the_most_urgent() -> None:
    lanes = CALLS | {"trial_started": FastLane("trial_started", respond_within=HOUR, counts_for=DAY)}
    both = history(("call_booked", NOW - HOUR), ("trial_started", NOW - HOUR), ("call_booked", NOW - 2 * HOUR))
    assert fast_lane_hits(both, at(NOW), lanes) == [FastLaneHit("trial_started", NOW - HOUR, HOUR)]
    later = history(("call_booked", NOW - HOUR), ("trial_started", NOW - 2 * HOUR))
    assert fast_lane_hits(later, at(NOW), lanes) == [FastLaneHit("call_booked", NOW - HOUR, 4 * HOUR)]


def test_many_leads_at_once_say_what_each_says_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Against a plain loop, in slices so small that leads and moments fall on both sides of every border."""
    monkeypatch.setattr("features.visible_rows._PAIRS", 7)
    draw = np.random.default_rng(5)
    types = ["call_booked", "mail_opened", "pricing_viewed", "never_seen"]
    leads = [
        RawLead(
            lead_id=f"L{i:02}",
            created_at=NOW - 50 * DAY,
            events=[
                RawEvent(
                    event_type=types[draw.integers(4)],
                    occurred_at=(occurred := NOW - int(draw.integers(-2, 40)) * DAY // 2),
                    recorded_at=occurred + int(draw.integers(0, 3)) * DAY,
                )
                for _ in range(draw.integers(0, 12))
            ],
        )
        for i in range(40)
    ]
    table = history_of_leads(SCHEMA, leads, as_of=NOW)
    moments = Moments(draw.integers(0, 40, 100), NOW - draw.integers(0, 10, 100) * DAY)
    asked = Evidence(events=2, days=2, stage="decision")
    enough, hits = enough_evidence(table, moments, asked), fast_lane_hits(table, moments, CALLS)
    for row in range(100):
        now = int(moments.as_of[row])
        seen = [e for e in leads[moments.lead[row]].events if max(e.occurred_at, e.recorded_at or 0) < now]
        reached = any(e.event_type in ("pricing_viewed", "call_booked") for e in seen)
        assert enough[row] == (len(seen) >= 2 and len({e.occurred_at // DAY for e in seen}) >= 2 and reached)
        calls = [e.occurred_at for e in seen if e.event_type == "call_booked" and e.occurred_at >= now - 14 * DAY]
        assert hits[row] == (FastLaneHit("call_booked", max(calls), 4 * HOUR) if calls else None)
    assert 10 < enough.sum() < 90
    assert 10 < sum(hit is not None for hit in hits) < 90
