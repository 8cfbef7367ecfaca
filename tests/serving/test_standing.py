"""Where leads stand: settled once a moment, in the order to call, with hand-offs in the same transaction."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa

from features.calendar_days import DAY, HOUR
from features.history import NEVER, History, Outcomes
from features.moments import Moments
from features.one_lead import RawEvent, RawLead
from oracles.made_service import AGREED, NOW, SCHEMA, made_history, made_leads, made_model, signed
from serving.champion import Snapshot
from serving.handoff_settings import HandoffSettings, WebhookSettings
from serving.scoring import score_leads
from serving.settling import LANE_FAST, LANE_SQL, leave, settle
from serving.signatures import AgreementState
from serving.standing import score_standings, standing_leads
from serving.store import Store
from serving.store.erasure import erase_lead
from serving.store.tables import band_changes, deliveries, handoffs, scores, standings
from serving.withheld import object_to

LEADS, CONVERTED = made_leads(300)
MODEL = made_model(LEADS, CONVERTED)
SENDING = HandoffSettings(webhook=WebhookSettings("https://crm.example/hook", ("whsec_c2VjcmV0",)))


def snapshot(state: AgreementState | None = None) -> Snapshot:
    return Snapshot(MODEL, SCHEMA, state or signed(), ())


def stand(store: Store, history: History, *, as_of: int, by: Snapshot | None = None, facts: Any = None) -> int:
    by = by or snapshot()
    positions = standing_leads(history, as_of)
    scored = list(score_standings(by, history, positions, as_of=as_of, facts=facts or {}))
    with store.writing() as c:
        return settle(c, scored, agreement=by.agreement.valid, settings=SENDING, now=as_of)


def rows(store: Store, table: sa.Table) -> list[Any]:
    with store.reading() as c:
        return list(c.execute(sa.select(table)))


def test_every_open_lead_stands_with_the_score_that_scoring_gives(store: Store) -> None:
    history = made_history(LEADS)
    assert stand(store, history, as_of=NOW) == len(LEADS)
    moments = list(range(len(history)))
    direct = score_leads(MODEL, signed(), history, _at(moments, NOW), scored_at=NOW, lang="ja", reasons=True, threads=1)
    standing = {row.lead_id: row for row in rows(store, standings)}
    for score in direct:
        row = standing[score.lead_id]
        assert row.probability == score.probability
        assert row.band == (score.band and score.band.value)
        assert score.reasons is not None
        assert row.reason_ja == (score.reasons.speak_for[0].text if score.reasons.speak_for else None)


def test_a_lead_that_became_sql_is_handed_over_once_with_its_delivery(store: Store) -> None:
    history = made_history(LEADS)
    stand(store, history, as_of=NOW)
    stand(store, history, as_of=NOW + HOUR)
    sqls = {row.lead_id for row in rows(store, standings) if row.band == "SQL"}
    handed = rows(store, handoffs)
    assert len(handed) >= len(sqls) > 0
    assert len({row.lead_id for row in handed}) == len(handed)
    assert len(rows(store, deliveries)) == len(handed)
    states = {row.lead_id: row.state for row in rows(store, standings)}
    assert {states[each] for each in sqls} == {"handed_over"}


def test_without_a_valid_agreement_nobody_is_handed_over(store: Store) -> None:
    stand(store, made_history(LEADS), as_of=NOW, by=snapshot(AgreementState(AGREED)))
    assert rows(store, handoffs) == []
    assert {row.band for row in rows(store, standings)} == {None}


def test_an_older_moment_does_not_undo_a_newer_one(store: Store) -> None:
    history = made_history(LEADS[:20])
    stand(store, history, as_of=NOW)
    before = rows(store, standings)
    assert stand(store, history, as_of=NOW - HOUR) == 0
    assert rows(store, standings) == before


def test_the_fast_lane_comes_first_then_sql_then_the_others_by_probability(store: Store) -> None:
    called = RawLead("Z-fast", NOW - 5 * DAY, {}, [RawEvent("call_booked", NOW - HOUR)])
    stand(store, made_history([*LEADS, called]), as_of=NOW)
    with store.reading() as c:
        order = list(
            c.execute(
                sa.select(standings.c.lead_id, standings.c.lane, standings.c.deadline).order_by(
                    standings.c.lane, standings.c.order_deadline, standings.c.order_score, standings.c.lead_id
                )
            )
        )
    lanes = [row.lane for row in order]
    assert lanes == sorted(lanes)
    fast = {row.lead_id: row for row in order if row.lane == LANE_FAST}
    assert fast["Z-fast"].deadline == NOW + 4 * HOUR
    assert LANE_SQL in lanes


def test_a_score_is_kept_when_it_moves_and_once_a_day_and_not_otherwise(store: Store) -> None:
    history = made_history(LEADS[:40])
    stand(store, history, as_of=NOW)
    assert len(rows(store, scores)) == 40
    first = {row.lead_id: row for row in rows(store, standings)}
    stand(store, history, as_of=NOW + HOUR)
    second = {row.lead_id: row for row in rows(store, standings)}
    moved = [each for each in first if (first[each].score, first[each].band) != (second[each].score, second[each].band)]
    assert len(rows(store, scores)) == 40 + len(moved)
    stand(store, history, as_of=NOW + 2 * DAY)
    assert len(rows(store, scores)) == 80 + len(moved)


def test_a_change_of_band_is_written_down_with_what_it_came_from(store: Store) -> None:
    history = made_history(LEADS[:60])
    stand(store, history, as_of=NOW)
    looser = signed(replace(AGREED, version=2, mql=0.05, sql=0.1, evidence=None))
    stand(store, history, as_of=NOW + 1, by=snapshot(looser))
    changes = [row for row in rows(store, band_changes) if row.at == NOW + 1]
    bands = {row.lead_id: row.band for row in rows(store, standings)}
    assert changes
    assert all(row.from_band != row.to_band == bands[row.lead_id] for row in changes)


def test_a_lost_lead_that_acts_again_is_listed_and_not_handed_over_by_the_model(store: Store) -> None:
    history = _lost(made_history(LEADS), at=NOW - 2 * DAY)
    acted = {str(each) for each in history.lead_ids[standing_leads(history, NOW)]}
    stand(store, history, as_of=NOW)
    found = rows(store, standings)
    assert {row.lead_id for row in found} == acted
    again = {row.lead_id for row in found if row.active_again}
    assert again == {each for each in acted if int(history.outcomes.at[_position(history, each)]) < NOW}
    assert again
    assert all(row.decided_by == "fast_lane" for row in rows(store, handoffs) if row.lead_id in again)


def test_who_left_stands_nowhere(store: Store) -> None:
    stand(store, made_history(LEADS[:5]), as_of=NOW)
    with store.writing() as c:
        leave(c, ["L-0001", "L-0002"])
    assert {row.lead_id for row in rows(store, standings)} == {"L-0000", "L-0003", "L-0004"}


def test_who_objects_or_is_erased_while_being_scored_is_not_written(store: Store) -> None:
    history = made_history(LEADS[:10])
    scored = list(score_standings(snapshot(), history, standing_leads(history, NOW), as_of=NOW, facts={}))
    erase_lead(store, "L-0001", now=NOW)
    with store.writing() as c:
        object_to(c, store, "L-0002", now=NOW)
    with store.writing() as c:
        assert settle(c, scored, agreement=AGREED, settings=SENDING, now=NOW) == 8
    assert {"L-0001", "L-0002"}.isdisjoint(row.lead_id for row in rows(store, standings))


def test_a_writing_that_fails_leaves_no_trace(store: Store) -> None:
    history = made_history(LEADS[:30])
    scored = list(score_standings(snapshot(), history, standing_leads(history, NOW), as_of=NOW, facts={}))

    def killed_in_the_middle() -> None:
        with store.writing() as c:
            settle(c, scored, agreement=AGREED, settings=SENDING, now=NOW)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        killed_in_the_middle()
    assert [rows(store, each) for each in (standings, scores, handoffs, deliveries, band_changes)] == [[]] * 5


def _at(leads: list[int], as_of: int) -> Moments:
    return Moments(np.array(leads, dtype=np.int64), np.full(len(leads), as_of, dtype=np.int64))


def _position(history: History, lead_id: str) -> int:
    return int(history.positions(np.array([lead_id], dtype=object))[0])


def _lost(history: History, *, at: int) -> History:
    instants = np.full(len(history), at, dtype=np.int64)
    instants[history.created_at >= at] = NEVER
    return replace(history, outcomes=Outcomes(instants, instants, np.zeros(len(history), dtype=np.bool_)))
