"""Consent of both teams: what it covers, when it lapses, and that it is never lost or half-written."""

from __future__ import annotations

import json
import multiprocessing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from features.calendar_days import DAY, HOUR
from features.errors import UsageError
from serving.agreement import Agreement, Evidence, FastLane
from serving.signatures import SIGNATURES_FILE, TEAMS, load_signatures, sign, signed_by, signed_digest, signed_for

STAGES = {"mail_opened": "awareness", "pricing_viewed": "decision"}
AGREED = Agreement(
    version=1,
    mql=0.1,
    sql=0.3,
    evidence=Evidence(events=3, days=2, stage="decision"),
    fast_lane={"call_booked": FastLane("call_booked", respond_within=4 * HOUR, counts_for=14 * DAY)},
)


def clock() -> datetime:
    return datetime(2026, 11, 20, 12, tzinfo=UTC)


def sign_as(
    folder: Path, team: str, agreement: Agreement = AGREED, *, horizon: int = 90 * DAY, name: str = "Ada Lovelace"
) -> None:
    sign(
        folder, agreement, team=team, name=name, horizon=horizon, converted="converted", stages=STAGES, clock=clock
    )  # fmt: skip


def is_signed(
    folder: Path,
    agreement: Agreement = AGREED,
    *,
    horizon: int = 90 * DAY,
    converted: str = "converted",
    stages: dict[str, str] = STAGES,
) -> bool:
    return signed_for(agreement, load_signatures(folder), horizon=horizon, converted=converted, stages=stages)


@pytest.fixture
def signed(tmp_path: Path) -> Path:
    for team in TEAMS:
        sign_as(tmp_path, team)
    return tmp_path


def test_an_agreement_is_valid_once_both_teams_signed_it(tmp_path: Path) -> None:
    assert not is_signed(tmp_path)
    sign_as(tmp_path, "marketing")
    assert not is_signed(tmp_path)
    sign_as(tmp_path, "marketing")
    assert not is_signed(tmp_path), "one team twice is not two teams"
    sign_as(tmp_path, "sales", name="営業　花子")
    assert is_signed(tmp_path)
    valid = signed_by(AGREED, load_signatures(tmp_path), horizon=90 * DAY, converted="converted", stages=STAGES)
    assert valid["sales"].name == "営業　花子"
    assert valid["sales"].time == "2026-11-20T12:00:00Z"


def test_content_edited_by_hand_is_not_signed(signed: Path) -> None:
    looser = Agreement(1, 0.1, 0.29, AGREED.evidence, AGREED.fast_lane)
    no_evidence = Agreement(1, 0.1, 0.3, None, AGREED.fast_lane)
    slower = Agreement(
        1, 0.1, 0.3, AGREED.evidence, {"call_booked": FastLane("call_booked", 8 * HOUR, 14 * DAY)}
    )  # fmt: skip
    assert is_signed(signed)
    assert not any(is_signed(signed, each) for each in (looser, no_evidence, slower))


def test_another_horizon_or_meaning_of_converted_is_not_signed(signed: Path) -> None:
    assert not is_signed(signed, horizon=30 * DAY)
    assert not is_signed(signed, converted="won")


def test_stages_count_as_far_as_the_agreement_relies_on_them(signed: Path) -> None:
    assert not is_signed(signed, stages=STAGES | {"mail_opened": "decision"})
    assert not is_signed(signed, stages={"mail_opened": "awareness"})
    assert is_signed(signed, stages=STAGES | {"mail_opened": "interest", "social_post_liked": "awareness"})
    assert is_signed(signed, stages=STAGES | {"pricing_viewed": "action"}), "still one that counts as decision or later"


def test_signatures_of_an_older_version_do_not_revive_it(signed: Path) -> None:
    newer = Agreement(2, 0.1, 0.4)
    sign_as(signed, "sales", newer)
    assert not is_signed(signed, newer)
    assert not is_signed(signed), "sales has moved on to version 2"
    sign_as(signed, "marketing", newer)
    assert is_signed(signed, newer)
    with pytest.raises(UsageError, match="version = 3"):
        sign_as(signed, "sales")


def test_going_back_to_a_model_of_the_other_horizon_finds_its_signatures_again(signed: Path) -> None:
    for team in TEAMS:
        sign_as(signed, team, horizon=30 * DAY)
    assert is_signed(signed, horizon=30 * DAY)
    assert is_signed(signed, horizon=90 * DAY)


def test_digest_does_not_depend_on_how_the_file_was_written() -> None:
    lanes = {name: FastLane(name, HOUR, DAY) for name in ("b", "a")}
    backwards = dict(reversed(lanes.items()))

    def digest(agreement: Agreement) -> str:
        return signed_digest(agreement, horizon=DAY, converted="yes", stages={})

    assert digest(Agreement(1, 0.1, 0.3, None, lanes)) == digest(Agreement(1, 0.1, 0.3, Evidence(), backwards))
    assert digest(Agreement(1, 0.1, 0.3)) == digest(Agreement(1, 0.10, 0.30))


@pytest.mark.parametrize(
    "content",
    [
        "",
        "not json",
        "[]",
        '{"signatures": {}}',
        '{"signatures": [1]}',
        '{"signatures": [{"team": "sales"}]}',
        '{"signatures": [{"team": "sales", "name": "A", "time": "t", "version": true, "sha256": "x"}]}',
        '{"signatures": [{"team": "legal", "name": "A", "time": "t", "version": 1, "sha256": "x"}]}',
        "[" * 100_000,
    ],
)
def test_a_broken_signature_file_is_a_clear_error(tmp_path: Path, content: str) -> None:
    (tmp_path / SIGNATURES_FILE).write_text(content)
    with pytest.raises(UsageError, match=SIGNATURES_FILE):
        load_signatures(tmp_path)
    with pytest.raises(UsageError):
        sign_as(tmp_path, "sales")
    assert (tmp_path / SIGNATURES_FILE).read_text() == content


def test_all_broken_signatures_are_named_at_once(tmp_path: Path) -> None:
    (tmp_path / SIGNATURES_FILE).write_text(json.dumps({"signatures": [1, {"team": "sales"}]}))
    with pytest.raises(UsageError) as error:
        load_signatures(tmp_path)
    assert [problem.found.split(" ")[1] for problem in error.value.problems] == ["1", "2"]


@pytest.mark.parametrize(("team", "name"), [("Sales", "Ada"), ("legal", "Ada"), ("sales", "  "), ("sales", "A\x1b[2J")])
def test_only_the_two_teams_sign_and_by_name(tmp_path: Path, team: str, name: str) -> None:
    with pytest.raises(UsageError):
        sign_as(tmp_path, team, name=name)
    assert not (tmp_path / SIGNATURES_FILE).exists()


def test_a_missing_folder_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be written"):
        sign_as(tmp_path / "nowhere", "sales")


def _sign_often(folder: Path, team: str) -> None:
    for turn in range(10):
        sign_as(folder, team, name=f"{team} {turn}")


def test_two_teams_that_sign_at_once_lose_no_signature(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("fork")
    teams = [spawn.Process(target=_sign_often, args=(tmp_path, team)) for team in TEAMS]
    for process in teams:
        process.start()
    for process in teams:
        process.join()
    assert len({(each.team, each.name) for each in load_signatures(tmp_path)}) == 20
    assert [path.name for path in tmp_path.iterdir()] == [SIGNATURES_FILE]
