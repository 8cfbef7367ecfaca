"""From leads at moments to answers: the same alone and in a batch, in every form, and adding up."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from features.calendar_days import DAY
from features.compute import compute_features
from features.errors import MomentOutsideHistory, UsageError
from features.history import History
from features.moments import Moments
from features.one_lead import RawLead, history_of_leads
from oracles.made_service import (
    AGREED,
    HORIZON,
    NOW,
    SCHEMA,
    made_history,
    made_leads,
    made_model,
    moments_now,
    signed,
)
from serving.decision import Band, DecidedBy
from serving.evidence import enough_evidence
from serving.lead_score import LeadScore, call_order
from serving.notices import Notice
from serving.score_table import score_row, write_scores
from serving.scoring import score_leads
from serving.serving_model import ColdStart, ServingModel
from serving.signatures import AgreementState
from training.intervals import rate
from training.points import PointsRules

LEADS, CONVERTED = made_leads(400)
NONE = AgreementState()


@pytest.fixture(scope="module")
def model() -> ServingModel:
    return made_model(LEADS, CONVERTED)


@pytest.fixture(scope="module")
def history() -> History:
    return made_history(LEADS)


@pytest.fixture(scope="module")
def scores(model: ServingModel, history: History) -> list[LeadScore]:
    return list(score_leads(model, signed(), history, moments_now(history), scored_at=NOW + 1))


def cold_start(**points: object) -> ColdStart:
    rules = PointsRules(stages=SCHEMA.stages, **points)  # type: ignore[arg-type]
    return ColdStart(rules, HORIZON, (Notice("warning.no_champion_next", {"missing": (Notice("missing.training"),)}),))


def test_probability_is_the_scorers_on_the_one_way_to_features(
    model: ServingModel, history: History, scores: list[LeadScore]
) -> None:
    scorer = model.bundle.scorer
    values = compute_features(history, moments_now(history), scorer.definitions)
    raw, probability = scorer.score(values)
    assert [each.probability for each in scores] == probability.tolist()
    assert [each.reasons.raw_log_odds for each in scores if each.reasons] == raw.tolist()
    assert [each.score for each in scores] == [math.floor(100 * p + 0.5) for p in probability]
    assert len({each.score for each in scores}) > 20


def test_a_lead_alone_gets_the_same_bits_as_in_a_batch_in_slices_and_with_any_number_of_threads(
    model: ServingModel, history: History, scores: list[LeadScore], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serving.scoring.LEADS_AT_ONCE", 7)
    backwards = np.arange(len(history), dtype=np.int64)[::-1].copy()
    moments = moments_now(history).take(backwards)
    again = list(score_leads(model, signed(), history, moments, scored_at=NOW + 1, threads=2))
    assert again[::-1] == scores
    for row in range(0, len(LEADS), 41):
        alone = history_of_leads(SCHEMA, [LEADS[row]], as_of=NOW, named_types=("call_booked",))
        (score,) = score_leads(model, signed(), alone, moments_now(alone), scored_at=NOW + 1, threads=1)
        assert score == scores[row]


def test_reasons_add_up_to_the_raw_score_and_groups_to_what_is_above_the_base(scores: list[LeadScore]) -> None:
    for each in scores:
        why = each.reasons
        assert why is not None
        assert why.base_log_odds is not None
        assert why.other_log_odds is not None
        shown = sum(reason.log_odds or 0.0 for reason in why.speak_for + why.speak_against)
        assert why.base_log_odds + why.other_log_odds + shown == pytest.approx(why.raw_log_odds, abs=1e-6)
        assert each.fit.log_odds is not None
        assert each.engagement.log_odds is not None
        both = each.fit.log_odds + each.engagement.log_odds
        assert both == pytest.approx((why.raw_log_odds or 0.0) - why.base_log_odds, abs=1e-6)


def test_reasons_keep_their_sign_and_fall_in_strength(scores: list[LeadScore]) -> None:
    for each in scores:
        assert each.reasons is not None
        for side, sign in ((each.reasons.speak_for, 1), (each.reasons.speak_against, -1)):
            strengths = [sign * (reason.log_odds or 0.0) for reason in side]
            assert strengths == sorted(strengths, reverse=True)
            assert len(side) <= 5
            assert all(sign * reason.score_points > 0 for reason in side)


def test_bands_follow_the_agreed_order(history: History, scores: list[LeadScore]) -> None:
    enough = enough_evidence(history, moments_now(history), AGREED.evidence)
    seen = set()
    for row, each in enumerate(scores):
        assert each.probability is not None
        expected = (Band.NURTURE, DecidedBy.MODEL)
        if each.fast_lane is not None:
            expected = (Band.SQL, DecidedBy.FAST_LANE)
        elif each.probability >= AGREED.sql:
            by_model, too_little = (Band.SQL, DecidedBy.MODEL), (Band.MQL, DecidedBy.TOO_LITTLE_EVIDENCE)
            expected = by_model if enough[row] else too_little
        elif each.probability >= AGREED.mql:
            expected = (Band.MQL, DecidedBy.MODEL)
        assert (each.band, each.decided_by) == expected
        seen.add(expected)
    assert len(seen) == 5, "the made leads show every case"


def test_cutoffs_stand_on_the_scale_of_the_reasons(model: ServingModel, scores: list[LeadScore]) -> None:
    cutoffs = scores[0].cutoffs
    assert cutoffs is not None
    for band, probability in ((Band.MQL, AGREED.mql), (Band.SQL, AGREED.sql)):
        log_odds = cutoffs[band].log_odds
        assert log_odds is not None
        reached = model.bundle.scorer.calibrator.probability(np.array([log_odds]))[0]
        assert reached == pytest.approx(probability, abs=1e-9)


def test_an_unsigned_agreement_decides_nothing(model: ServingModel, history: History, scores: list[LeadScore]) -> None:
    for state in (NONE, AgreementState(AGREED)):
        for each, decided in zip(
            score_leads(model, state, history, moments_now(history), scored_at=NOW), scores, strict=True
        ):
            assert (each.band, each.decided_by, each.cutoffs) == (None, DecidedBy.NO_AGREEMENT, None)
            assert each.probability == decided.probability
            assert each.agreement is None or not each.agreement.signed


def test_what_happens_at_the_moment_or_later_changes_no_bit(model: ServingModel, scores: list[LeadScore]) -> None:
    known = [
        RawLead(
            lead.lead_id,
            lead.created_at,
            lead.attributes,
            [e for e in lead.events if max(e.occurred_at, e.recorded_at or 0) < NOW],
        )
        for lead in LEADS
    ]
    assert sum(len(a.events) for a in known) < sum(len(b.events) for b in LEADS)
    history = made_history(known)
    assert list(score_leads(model, signed(), history, moments_now(history), scored_at=NOW + 1)) == scores


def test_json_has_the_fields_of_the_contract_in_its_order(scores: list[LeadScore]) -> None:
    data = scores[0].to_json()
    assert list(data) == [
        "lead_id", "as_of", "scored_at", "horizon", "probability", "interval", "score", "percentile", "average",
        "similar", "band", "decided_by", "cutoffs", "reasons", "fit", "engagement", "model", "agreement", "warnings",
    ]  # fmt: skip
    assert list(data["reasons"]) == ["for", "against", "other_log_odds", "base_log_odds", "raw_log_odds"]
    reason = next(each for score in scores for each in score.to_json()["reasons"]["for"])
    assert list(reason) == ["feature", "group", "text", "value", "log_odds", "score_points", "similar"]
    assert data["as_of"] == "2024-10-04T00:00:00Z"
    assert data["scored_at"] == "2024-10-04T00:00:00.000001Z"
    assert data["horizon"] == "90d"
    assert data["model"] == {"name": "b2b", "version": "3", "provisional": False, "calibration": None}
    assert data["agreement"] == {"version": 1, "signed": True}
    assert set(data["cutoffs"]) == {"MQL", "SQL"}
    assert json.loads(json.dumps(data, allow_nan=False)) == data


def test_whole_numbers_are_sent_whole(scores: list[LeadScore]) -> None:
    values = [each["value"] for score in scores for each in score.to_json()["reasons"]["for"]]
    assert any(type(value) is int for value in values)
    assert not any(isinstance(value, float) and value.is_integer() for value in values)
    assert any(isinstance(value, str) for value in values)


def test_comparison_with_the_past_stays_within_its_bounds(scores: list[LeadScore]) -> None:
    for each in scores:
        assert each.similar is not None
        assert 30 <= each.similar.leads <= 40, "a tenth of 400, fewer at the ends of the scale"
        assert 0 <= each.similar.converted <= each.similar.leads
        assert each.interval == rate(each.similar.converted, each.similar.leads)
        assert each.to_json()["interval"] == {"low": each.interval.low, "high": each.interval.high}
        assert each.percentile is not None
        assert 0 <= each.percentile <= 1
    assert {each.fit.grade for each in scores} == {"A", "B", "C"}
    assert {each.engagement.grade for each in scores} == {1, 2, 3}


def test_words_come_in_the_language_asked_for_lead_by_lead(
    model: ServingModel, history: History, scores: list[LeadScore]
) -> None:
    moments = moments_now(history).take(np.array([0, 1]))
    english, japanese = score_leads(model, signed(), history, moments, scored_at=NOW + 1, lang=["en", "ja"])
    assert english == scores[0]
    assert japanese != scores[1]
    assert japanese.probability == scores[1].probability
    assert japanese.reasons is not None
    assert all(any(ord(letter) > 0x3000 for letter in each.text) for each in japanese.reasons.speak_for)
    with pytest.raises(ValueError, match="1 languages for 2 moments"):
        score_leads(model, signed(), history, moments, scored_at=NOW, lang=["en"])


def test_a_list_without_reasons_says_the_same_otherwise(
    model: ServingModel, history: History, scores: list[LeadScore]
) -> None:
    bare = list(score_leads(model, signed(), history, moments_now(history), scored_at=NOW + 1, reasons=False))
    for short, full in zip(bare, scores, strict=True):
        assert (short.probability, short.percentile, short.similar) == (full.probability, full.percentile, full.similar)
        assert (short.band, short.decided_by) == (full.band, full.decided_by)
        assert (short.reasons, short.fit.grade) == (None, None)


def test_warnings_tell_of_a_provisional_model_an_old_lead_and_what_the_caller_knows() -> None:
    model = made_model(LEADS, CONVERTED, provisional=True, oldest_age=30 * DAY)
    history = made_history(LEADS)
    notice = Notice("warning.toml_differs", {"names": "horizon"})
    told = list(score_leads(model, NONE, history, moments_now(history), scored_at=NOW, notices=[notice]))
    assert told[0].model is not None
    assert told[0].model.provisional
    for row, each in enumerate(told):
        assert f"{sum(CONVERTED)} converted leads" in each.warnings[0]
        assert "horizon" in each.warnings[-1]
        assert len(each.warnings) == (3 if NOW - history.created_at[row] > 30 * DAY else 2)
    assert {len(each.warnings) for each in told} == {2, 3}


def test_a_moment_before_its_leads_creation_is_refused_before_anything_is_scored(
    model: ServingModel, history: History
) -> None:
    early = Moments(np.array([0, 1]), np.array([NOW, history.created_at[1]]))
    with pytest.raises(MomentOutsideHistory, match="moment 1"):
        score_leads(model, signed(), history, early, scored_at=NOW)


def test_without_a_champion_points_answer_and_say_what_is_missing(history: History) -> None:
    cold = cold_start(events={"mail_opened": -2.0}, attributes={"job_level": {"director": 15.0, "student": -5.0}})
    told = list(score_leads(cold, signed(), history, moments_now(history), scored_at=NOW))
    on_lane = [each for each in told if each.fast_lane is not None]
    assert on_lane
    assert all((each.band, each.decided_by) == (Band.SQL, DecidedBy.FAST_LANE) for each in on_lane)
    for each in told:
        assert (each.probability, each.percentile, each.average, each.similar, each.model) == (None,) * 5
        assert each.to_json()["interval"] is None
        assert (each.fit.grade, each.engagement.grade) == (None, None)
        assert 0 <= each.score <= 100
        if each.fast_lane is None:
            assert (each.band, each.decided_by) == (None, DecidedBy.POINTS)
        assert "propensity train" in " ".join(each.warnings)
        assert each.cutoffs is not None
        assert each.cutoffs[Band.SQL].log_odds is None
        assert json.loads(json.dumps(each.to_json(), allow_nan=False)) == each.to_json()
    texts = {r.text for each in told if each.reasons for r in each.reasons.speak_for + each.reasons.speak_against}
    assert any("pricing page" in text for text in texts)
    assert any("job level" in text for text in texts)
    against = [r for each in told if each.reasons for r in each.reasons.speak_against]
    assert against
    assert all(each.score_points < 0 for each in against)


def test_points_are_capped_at_100_and_reasons_add_up_below(history: History) -> None:
    cold = cold_start(events=dict.fromkeys(SCHEMA.event_types, 30.0))
    told = list(score_leads(cold, NONE, history, moments_now(history), scored_at=NOW))
    assert {each.decided_by for each in told} == {DecidedBy.POINTS}
    for each in told:
        assert each.reasons is not None
        points = sum(reason.score_points for reason in each.reasons.speak_for)
        assert each.score == math.floor(min(points, 100.0) + 0.5)
    assert {0, 100} < {each.score for each in told}


def test_a_call_list_starts_with_the_fast_lane_and_then_falls_by_probability(scores: list[LeadScore]) -> None:
    ordered = sorted(scores, key=call_order)
    lanes = [each.decided_by is DecidedBy.FAST_LANE for each in ordered]
    assert 0 < sum(lanes) < len(lanes)
    assert lanes == sorted(lanes, reverse=True)
    rest = [each.probability or 0.0 for each in ordered[sum(lanes) :]]
    assert rest == sorted(rest, reverse=True)


def test_the_parquet_file_says_what_the_json_says(scores: list[LeadScore], tmp_path: Path) -> None:
    assert write_scores(iter(scores), tmp_path / "scores.parquet") == len(scores)
    table = pq.read_table(tmp_path / "scores.parquet")
    assert table.to_pylist()[0]["as_of"].isoformat() == "2024-10-04T00:00:00+00:00"
    assert [path.name for path in tmp_path.iterdir()] == ["scores.parquet"]
    for row, score in zip(table.to_pylist(), scores, strict=True):
        data = score.to_json()
        for name in ("probability", "interval", "score", "percentile", "average", "similar", "band", "decided_by", "cutoffs",
                     "fit", "engagement", "model", "agreement", "warnings", "lead_id", "horizon"):  # fmt: skip
            assert row[name] == data[name]
        for side in ("for", "against"):
            for told, sent in zip(row["reasons"][side], data["reasons"][side], strict=True):
                value = told.pop("value_text") if isinstance(sent["value"], str) else told.pop("value_number")
                assert {**sent, "value": value} == {name: told.get(name, value) for name in sent}
        for name in ("other_log_odds", "base_log_odds", "raw_log_odds"):
            assert row["reasons"][name] == data["reasons"][name]


def test_scoring_again_gives_the_same_bytes(model: ServingModel, history: History, tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_scores(score_leads(model, signed(), history, moments_now(history), scored_at=NOW), tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_row_groups_do_not_show_in_what_is_read_back(
    scores: list[LeadScore], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serving.score_table.ROWS_A_GROUP", 150)
    heard: list[int] = []
    write_scores(scores, tmp_path / "scores.parquet", progress=heard.append)
    assert heard == [150, 300, 400]
    assert pq.ParquetFile(tmp_path / "scores.parquet").num_row_groups == 3
    assert pq.read_table(tmp_path / "scores.parquet")["lead_id"].to_pylist() == [each.lead_id for each in scores]


def test_points_and_no_scores_at_all_make_readable_files(history: History, tmp_path: Path) -> None:
    told = list(score_leads(cold_start(), NONE, history, moments_now(history), scored_at=NOW, reasons=False))
    write_scores(told, tmp_path / "points.parquet")
    assert set(pq.read_table(tmp_path / "points.parquet")["probability"].to_pylist()) == {None}
    assert write_scores([], tmp_path / "none.parquet") == 0
    assert pq.read_table(tmp_path / "none.parquet").num_rows == 0


def test_a_write_that_fails_leaves_the_old_file_and_no_draft(scores: list[LeadScore], tmp_path: Path) -> None:
    target = tmp_path / "scores.parquet"
    target.write_text("old")

    def breaks_off() -> object:
        yield scores[0]
        raise RuntimeError("interrupted")

    with pytest.raises(RuntimeError):
        write_scores(breaks_off(), target)  # type: ignore[arg-type]
    assert target.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["scores.parquet"]
    with pytest.raises(UsageError, match="cannot be written"):
        write_scores(scores, tmp_path / "nowhere" / "scores.parquet")


def test_rows_are_made_without_touching_the_score(scores: list[LeadScore]) -> None:
    before = scores[0].to_json()
    score_row(scores[0])
    assert scores[0].to_json() == before
