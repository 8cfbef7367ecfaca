"""The report: one file that stands alone, says what is known and what is not, and holds no lead."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from features.definitions import CountWithin, Definitions, Selector
from oracles.made_scorers import made_bundle
from training.bundle import Bundle
from training.dataset import TrainingSet
from training.report.page import FILE, report_html, write_report
from training.segments import Mask, judge
from training.train_page import segments_off
from training.what_moves import what_moves

EVIL = "<script>alert('x')</script> & \"co\""


class Read(HTMLParser):
    """What a page is made of: its tags with their attributes, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, name: str) -> list[str]:
        """The values of an attribute wherever it stands."""
        return [value for _, attributes in self.tags for key, value in attributes.items() if key == name and value]


@pytest.fixture(scope="module")
def made() -> tuple[Bundle, TrainingSet]:
    """A bundle as training leaves it, with all that a report can be made of."""
    bundle, train_set = made_bundle(300, draws=20)
    p, label = bundle.backtest.probability, bundle.backtest.label
    first = np.arange(len(p)) % 2 == 0
    parted = [
        Mask("all", "", "", np.ones(len(p), dtype=np.bool_)),
        Mask("attribute", "country", "v0000", first, "country"),
        Mask("attribute", "country", "", ~first, "country"),
        Mask("stage", "", "decision", first),
        Mask("age", "", str(7 * 86_400_000_000), ~first),
    ]
    of_values = [Mask(each.by, each.column, each.value, np.ones(len(train_set), dtype=np.bool_)) for each in parted]
    manifest = {
        **bundle.manifest,
        "segments": [each.to_json() for each in judge(p, label, parted)],
        "moves": what_moves(bundle.scorer, train_set.values, of_values).to_json(),
        "guard": [],
    }
    return replace(bundle, manifest=manifest), train_set


def with_manifest(bundle: Bundle, **changed: Any) -> Bundle:
    return replace(bundle, manifest={**bundle.manifest, **changed})


def test_the_file_stands_alone(made: tuple[Bundle, TrainingSet], tmp_path: Path) -> None:
    read = Read(write_report(made[0], tmp_path).read_text(encoding="utf-8"))
    tags = {tag for tag, _ in read.tags}
    assert not tags & {"script", "link", "img", "iframe", "object", "embed", "form", "base", "audio", "video", "use"}
    assert read.all("src") == []
    assert read.all("style") == []
    assert all(each.startswith("#") for each in read.all("href"))
    style = (tmp_path / FILE).read_text(encoding="utf-8").split("<style>")[1].split("</style>")[0]
    assert "url(" not in style
    assert "@import" not in style
    (policy,) = (attributes for tag, attributes in read.tags if attributes.get("http-equiv"))
    assert "default-src 'none'" in str(policy["content"])


def test_every_link_of_the_contents_leads_to_a_section_and_no_id_comes_twice(made: tuple[Bundle, TrainingSet]) -> None:
    read = Read(report_html(made[0]))
    ids = read.all("id")
    assert len(ids) == len(set(ids))
    assert {each.removeprefix("#") for each in read.all("href")} <= set(ids)
    assert {each for labels in read.all("aria-labelledby") for each in labels.split()} <= set(ids)


def test_drawings_are_well_formed_and_name_themselves(made: tuple[Bundle, TrainingSet]) -> None:
    page = report_html(made[0])
    drawn = [f"<svg{each.split('</svg>')[0]}</svg>" for each in page.split("<svg")[1:]]
    assert len(drawn) > 10
    for each in drawn:
        root = ET.fromstring(each)
        named = root.attrib.get("aria-label") or root.attrib.get("aria-labelledby")
        assert named or root.attrib.get("aria-hidden") == "true"


def test_the_same_training_gives_the_same_bytes(made: tuple[Bundle, TrainingSet], tmp_path: Path) -> None:
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        write_report(made[0], tmp_path / name)
    assert (tmp_path / "one" / FILE).read_bytes() == (tmp_path / "other" / FILE).read_bytes()


def test_figures_of_all_models_stand_side_by_side(made: tuple[Bundle, TrainingSet]) -> None:
    text = Read(report_html(made[0])).text
    metrics = made[0].evaluation.models["model"].metrics
    assert f"{metrics['roc_auc'].point:.3f}" in text
    assert f"{metrics['roc_auc'].low:.3f} to {metrics['roc_auc'].high:.3f}" in text
    for head in (
        "Model",
        "Its line alone",
        "Points",
        "Base rate",
        "Model less points",
        "Calibration slope (1 is right)",
    ):
        assert head in text
    assert "never saw the moments" in text


def test_no_lead_stands_in_it(made: tuple[Bundle, TrainingSet]) -> None:
    assert "lead-1" not in report_html(made[0])


def test_names_of_the_workspace_are_text_wherever_they_stand(made: tuple[Bundle, TrainingSet]) -> None:
    bundle = made[0]
    items = (CountWithin(Selector("event_type", EVIL), None), *bundle.scorer.definitions.items[1:])
    scorer = replace(bundle.scorer, definitions=Definitions(bundle.scorer.definitions.schema, items))
    finding = {
        "code": "x", "severity": "likely", "about": "attribute", "subject": EVIL, "sentence": EVIL, "setting": EVIL,
        "left_out": False, "trusted": EVIL,
    }  # fmt: skip
    evil = replace(
        with_manifest(
            bundle,
            workspace=EVIL,
            converted=EVIL,
            warnings=[EVIL],
            guard=[finding],
            moves=what_moves(scorer, made[1].values).to_json(),
        ),
        scorer=scorer,
    )
    page = report_html(evil, version=EVIL, agreed={EVIL: 0.2})
    assert "<script" not in page
    assert Read(page).text.count("alert('x')") >= 7


def test_japanese_names_are_drawn_as_they_are(made: tuple[Bundle, TrainingSet]) -> None:
    bundle = made[0]
    items = (CountWithin(Selector("event_type", "謎の行動"), None), *bundle.scorer.definitions.items[1:])
    scorer = replace(bundle.scorer, definitions=Definitions(bundle.scorer.definitions.schema, items))
    page = report_html(with_manifest(bundle, moves=what_moves(scorer, made[1].values).to_json()))
    assert "謎の行動" in Read(page).text


def test_a_bundle_of_before_says_what_was_not_kept_with_it() -> None:
    old = made_bundle(200, draws=20)[0]
    text = Read(report_html(old)).text
    assert "trained before there was a guard" in text
    assert "trained before what moves scores was kept" in text
    assert "trained before segments were counted" in text
    assert "Nothing is kept of how this model was chosen" in text


def test_warnings_and_what_the_guard_found_are_told(made: tuple[Bundle, TrainingSet]) -> None:
    found = {
        "code": "known_when_ended", "severity": "certain", "about": "attribute", "subject": "duration",
        "sentence": "known for 3% of open leads and all that ended", "setting": "[attributes] trust = {}",
        "left_out": True, "trusted": None,
    }  # fmt: skip
    trusted = {**found, "subject": "stage", "left_out": False, "trusted": "known at sign-up"}
    text = Read(report_html(with_manifest(made[0], warnings=["provisional!"], guard=[found, trusted]))).text
    assert "provisional!" in text
    assert "known for 3% of open leads" in text
    assert "is left out of the features: duration; used since the workspace trusts it: stage." in text
    assert "Trusted: known at sign-up" in text
    assert "Nothing smells of the future." in Read(report_html(made[0])).text


def test_what_the_workspace_sets_is_told(made: tuple[Bundle, TrainingSet]) -> None:
    told = with_manifest(made[0], model_settings={"words": [f"Definitions of your own: {EVIL}."]})
    assert f"What the workspace setsDefinitions of your own: {EVIL}." in Read(report_html(told)).text.replace("\n", "")
    assert "What the workspace sets" not in report_html(made[0])


def test_the_agreements_cutoffs_stand_among_the_others_with_what_they_would_have_given(
    made: tuple[Bundle, TrainingSet],
) -> None:
    bundle = made[0]
    text = Read(report_html(bundle, agreed={"MQL": 0.123})).text
    assert "There is no agreement yet" not in text
    assert "MQL 12.3%" in " ".join(text.split())
    assert "There is no agreement yet" in Read(report_html(bundle)).text


def test_segments_say_what_was_said_what_came_true_and_where_the_two_part(made: tuple[Bundle, TrainingSet]) -> None:
    bundle = made[0]
    off = [
        {**each, "off": True, "converted": 0} if each["by"] == "stage" else each for each in bundle.manifest["segments"]
    ]
    text = " ".join(Read(report_html(with_manifest(bundle, segments=off))).text.split())
    assert "1 of the 5 segments did not convert as said, beyond chance: Furthest stage: decision (0 converted" in text
    assert "fewer than said" in text
    assert "Country" in text
    assert "not known" in text
    assert "7 days after coming in" in text
    assert "No column with enough leads tells language and company size" in text
    assert "segments converted as its probabilities allow for" in Read(report_html(bundle)).text


def test_what_it_is_not_for_is_always_told(made: tuple[Bundle, TrainingSet]) -> None:
    text = Read(report_html(with_manifest(made[0], oldest_age=100 * 86_400_000_000))).text
    assert "It must not decide about credit" in text
    assert "It never saw leads older than 100 days" in text


def test_what_a_search_for_a_better_recipe_gained_is_told(made: tuple[Bundle, TrainingSet]) -> None:
    choices = {"rounds": 90, "weight": 0.75, "c": 0.01, "dropped": [], "losses": {}}
    story = {
        "trials": 24, "seconds": 120.0, "taken": True, "why": "",
        "confirmed": {"leads": 500, "best_loss": 0.21, "default_loss": 0.22, "difference": -0.01, "error": 0.004},
        "gain": {"log_loss": {"point": -0.0123, "low": -0.02, "high": -0.004}},
    }  # fmt: skip
    text = Read(report_html(with_manifest(made[0], choices=choices, tuning=story))).text
    assert "Tuning: 24 recipes tried in 2.0 minutes." in text
    assert "log loss -0.0123 [-0.0200, -0.0040]" in text
    assert "Tuning:" not in Read(report_html(with_manifest(made[0], choices=choices))).text


def test_training_warns_of_segments_that_did_not_convert_as_said(made: tuple[Bundle, TrainingSet]) -> None:
    bundle = made[0]
    schema = bundle.scorer.definitions.schema
    off = [{**each, "off": each["by"] == "age"} for each in bundle.manifest["segments"]]
    (said,) = segments_off({"segments": off}, schema)
    assert said.startswith(
        "Warning: 1 of the 5 segments did not convert as said, beyond chance: 7 days after coming in ("
    )
    assert segments_off(bundle.manifest, schema) == []
    assert segments_off({}, schema) == []


def test_what_moved_its_probabilities_since_the_training_is_told(made: tuple[Bundle, TrainingSet]) -> None:
    since = {"about": "It follows the outcomes.", "rows": [{"name": "It moves", "value": "20% to 26%"}]}
    read = Read(report_html(made[0], since=since))
    assert "It follows the outcomes." in read.text
    assert "20% to 26%" in read.text
    assert "#since" in read.all("href")
    assert "#since" not in Read(report_html(made[0])).all("href")
