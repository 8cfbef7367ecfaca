"""`propensity recalibrate`: what serves follows what settled, everywhere at once, and goes back."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from features.errors import UsageError
from features.workspace import load_workspace
from oracles.made_champions import Away, follow
from serving.champion import champion_of
from serving.desk import open_desk
from serving.recalibrating import recalibrate, recalibrate_workspace
from serving.scoring_run import explain_lead, open_moments
from serving.serving_model import ServingModel
from training.bundle import BundleBroken
from training.calibration import Calibrator
from training.calibration_record import LivingCalibration, load_calibration, save_calibration
from training.registry import RegistryAway, open_registry

OFF = -1.0
"""The model that serves says log-odds that are too low by so much."""


@pytest.fixture(scope="session")
def off(trained: Any, register_version: Callable[..., str]) -> Callable[[Path], Path]:
    """Makes a workspace whose champion, a run of its own, is off, and knew outcomes until the test block began."""

    def made(folder: Path) -> Path:
        shutil.copytree(trained.folder, folder)
        bundle = trained.bundle
        scorer = dataclasses.replace(bundle.scorer, calibrator=Calibrator("platt", 1.0, 1.0, OFF))
        manifest = {**bundle.manifest, "data_end": int(bundle.manifest["split"]["first_test"])}
        register_version(folder, dataclasses.replace(bundle, scorer=scorer, manifest=manifest), champion=True)
        return folder

    return made


@pytest.fixture(scope="module")
def drifted(off: Callable[[Path], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Not to be changed."""
    return off(tmp_path_factory.mktemp("drifted") / "b2b")


@pytest.fixture(scope="module")
def recalibrated(off: Callable[[Path], Path], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The same, recalibrated once, and what was said. Not to be changed."""
    folder = off(tmp_path_factory.mktemp("recalibrated") / "b2b")
    return folder, recalibrate_workspace(folder, undo=False)


def serving_model(folder: Path) -> ServingModel:
    found = champion_of(load_workspace(folder))
    assert found is not None
    return found


def test_it_says_what_moved_and_the_reply_says_by_which_calibration(recalibrated: tuple[Path, str]) -> None:
    folder, said = recalibrated
    assert "b2b version 2 serves with living calibration 1 from now on" in said
    assert "propensity recalibrate --undo goes back." in said
    model = serving_model(folder)
    assert model.calibration is not None
    middle = float(model.calibration.moved.log_odds(np.array([-3.0]))[0])
    assert middle + 3.0 == pytest.approx(-OFF, abs=0.35), "most of what it was off by is won back"
    about = model.calibration.about
    assert abs(about.expected_after - about.newest_converted) < abs(about.expected_before - about.newest_converted)
    lead = str(open_desk(load_workspace(folder)).history.lead_ids[0])
    told = json.loads(explain_lead(folder, lead, as_of=None, lang="en", as_json=True))
    assert told["model"] == {"name": "b2b", "version": "2", "provisional": True, "calibration": 1}


def test_every_way_to_a_score_follows_it_and_nothing_else_moves(drifted: Path, recalibrated: tuple[Path, str]) -> None:
    before, after = open_desk(load_workspace(drifted)), open_desk(load_workspace(recalibrated[0]))
    moments = open_moments(before.history, before.history.now)
    assert isinstance(after.model, ServingModel)
    living = after.model.calibration
    assert living is not None
    for old, new in zip(before.scores(moments, lang="en"), after.scores(moments, lang="en"), strict=True):
        assert old.reasons is not None
        assert new.reasons is not None
        assert old.probability is not None
        z = np.log(old.probability) - np.log1p(-old.probability)
        assert new.probability == pytest.approx(float(1 / (1 + np.exp(-living.moved.log_odds(z)))), abs=1e-9)
        assert new.reasons.raw_log_odds == old.reasons.raw_log_odds
        assert [each.feature for each in new.reasons.speak_for] == [each.feature for each in old.reasons.speak_for]
        assert new.cutoffs is not None
        assert old.cutoffs is not None
        for band, cutoff in new.cutoffs.items():
            assert cutoff.probability == old.cutoffs[band].probability, "what the teams signed"
            assert cutoff.log_odds is not None
            reached = after.model.bundle.scorer.calibrator.probability(np.array([cutoff.log_odds]))[0]
            assert reached == pytest.approx(cutoff.probability, rel=1e-6)


def test_similar_leads_are_true_to_the_new_probabilities(recalibrated: tuple[Path, str]) -> None:
    model = serving_model(recalibrated[0])
    reference = model.bundle.reference
    assert len(reference) >= 300
    expected, spread = reference.probability.sum(), (reference.probability * (1 - reference.probability)).sum()
    assert abs(reference.converted.sum() - expected) < 4 * np.sqrt(spread)
    assert model.as_trained.reference is not reference


def test_again_on_the_same_outcomes_nothing_is_made(recalibrated: tuple[Path, str]) -> None:
    done = recalibrate(load_workspace(recalibrated[0]))
    assert (done.made, done.version.calibration) == (None, 1)
    assert done.step == 0
    assert "follows the newest already" in done.words()[0]


def test_a_service_follows_undoing_and_rollback_and_remembers_what_it_served(
    off: Callable[[Path], Path], tmp_path: Path
) -> None:
    folder = off(tmp_path / "b2b")
    workspace = load_workspace(folder)
    registry, champion = open_registry(workspace), follow(folder)
    champion.look()
    assert champion.snapshot.served == "2"
    as_trained = serving_model(folder).bundle.scorer.calibrator
    recalibrate(workspace)
    champion.look()
    assert champion.snapshot.served == "2+1"

    assert registry.rollback().calibration is None
    assert serving_model(folder).served == "1"
    registry.set_champion("2")
    assert serving_model(folder).served == "2+1", "each version keeps its own"

    assert recalibrate_workspace(folder, undo=True) == "b2b version 2 serves again as it left training.\n"
    champion.look()
    assert champion.snapshot.served == "2"
    assert serving_model(folder).bundle.scorer.calibrator == as_trained
    with pytest.raises(UsageError, match="serves as it left training"):
        recalibrate_workspace(folder, undo=True)

    assert recalibrate(workspace).version.calibration == 2, "a number is not given twice"
    champion.look()
    away = Away(registry)
    away.away = True
    restarted = follow(folder, away)
    with pytest.raises(RegistryAway):
        restarted.look()
    assert restarted.snapshot.served == "2+2"


def test_a_model_that_nothing_settled_after_stays_as_it_is(trained: Any) -> None:
    done = recalibrate(load_workspace(trained.folder))
    assert (done.made, done.step) == (None, None)
    assert done.words() == [
        f"{done.leads:,} leads have settled since b2b version 1 was trained; 300 are needed to follow them.",
        "b2b version 1 serves as it left training.",
    ]


def test_without_a_champion_it_says_what_to_do(workspace_folder: Path) -> None:
    shutil.rmtree(workspace_folder / ".propensity")
    with pytest.raises(UsageError, match="propensity train"):
        recalibrate_workspace(workspace_folder, undo=False)


def test_written_and_read_it_is_the_same_and_a_changed_file_is_refused(
    recalibrated: tuple[Path, str], tmp_path: Path
) -> None:
    model = serving_model(recalibrated[0])
    living = model.calibration
    assert isinstance(living, LivingCalibration)
    digest = save_calibration(living, tmp_path / "saved")
    found = load_calibration(tmp_path / "saved", digest=digest, number=7)
    assert (found.moved, found.about, found.bundle, found.number) == (living.moved, living.about, living.bundle, 7)
    assert np.array_equal(found.reference.probability, living.reference.probability)
    with pytest.raises(BundleBroken, match="belongs to the bundle"):
        dataclasses.replace(found, bundle="0" * 64).applied_to(model.as_trained)
    path = tmp_path / "saved" / "reference" / "probability.npy"
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(BundleBroken, match="was changed"):
        load_calibration(tmp_path / "saved", digest=digest, number=7)


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_the_model_page_shows_what_moved(recalibrated: tuple[Path, str], drifted: Path, lang: Any) -> None:
    from serving.calibration_page import calibration_part

    shown = calibration_part(serving_model(recalibrated[0]), "UTC", lang)
    assert len(shown["rows"]) == 4, "nothing was told ahead: all settled within one horizon"
    assert all(each["name"] and each["value"] for each in shown["rows"])
    assert calibration_part(serving_model(drifted), "UTC", lang)["rows"] == []


def test_the_model_report_tells_what_moved_and_only_where_something_did(
    recalibrated: tuple[Path, str], drifted: Path
) -> None:
    from serving.reporting import report_model

    def report(folder: Path) -> str:
        return Path(report_model(folder).splitlines()[1]).read_text(encoding="utf-8")

    assert "Since the training" in report(recalibrated[0])
    assert "Since the training" not in report(drifted)
