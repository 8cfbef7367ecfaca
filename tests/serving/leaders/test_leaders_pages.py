"""The leaders' pages and commands over a trained workspace, in both languages, full and empty."""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from features.calendar_days import DAY, HOUR
from features.errors import UsageError
from features.tables import read_history
from features.workspace import load_workspace
from oracles.asked_app import Asking, LetIn
from serving.leaders_runs import profile_workspace, review_workspace
from serving.office import Office
from serving.routes import routes
from serving.store.tables import facts, feedback, handoffs

PAGES = ("/model", "/review", "/profile")


class Text(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data.strip())

    @property
    def text(self) -> str:
        return " ".join(filter(None, self.words))


@pytest.fixture(scope="module")
def office(trained: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    folder = tmp_path_factory.mktemp("leaders") / "b2b"
    shutil.copytree(trained.folder, folder)
    made = Office(load_workspace(folder), [], clock=lambda: time.time_ns() // 1000)
    made.champion.look()
    made.tables.look()
    yield made
    made.close()


@pytest.fixture(scope="module")
def browser(office: Office) -> Asking:
    return Asking(LetIn(routes(lambda: office)))


def read(browser: Asking, path: str) -> Text:
    answer = browser.get(path)
    assert answer.status_code == 200, answer.text[:500]
    return Text(answer.text)


def hand_over_some(office: Office, *, days_ago: int, count: int, converted: int, p: float) -> None:
    """So many hand-offs of leads of which exactly so many converted within the horizon."""
    history = office.tables.current().history
    at = history.now - days_ago * DAY
    horizon = office.snapshot().model.horizon
    ends = history.outcomes
    won = (ends.at >= at) & (ends.at < at + horizon) & ends.converted
    ids = [str(each) for each in (*history.lead_ids[won][:converted], *history.lead_ids[~won][: count - converted])]
    with office.store.writing() as c:
        for place, lead_id in enumerate(ids):
            c.execute(
                handoffs.insert().values(
                    handoff_id=f"{days_ago}-{place}",
                    lead_id=lead_id,
                    created_at=at,
                    as_of=at,
                    decided_by="model",
                    probability=p,
                    deadline=at + DAY,
                    held_back=False,
                    active_again=False,
                    payload={},
                )
            )


@pytest.mark.parametrize("path", PAGES)
def test_pages_speak_both_languages_and_hold_to_the_policy(browser: Asking, path: str) -> None:
    english, japanese = (read(browser, f"{path}?lang={lang}") for lang in ("en", "ja"))
    assert re.search(r"[ぁ-ん]", japanese.text)
    # the link to the other language is the only Japanese of an English page
    assert not re.search(r"[ぁ-んァ-ン]", english.text)
    for page in (english, japanese):
        assert not [tag for tag, attrs in page.tags if "style" in attrs or tag in ("style", "script")]
        heads = [tag for tag, _ in page.tags if tag in ("h1", "h2")]
        assert heads[0] == "h1"
        assert heads.count("h1") == 1


def test_an_empty_review_says_so(browser: Asking) -> None:
    page = read(browser, "/review?lang=en&since=7d").text
    assert "No lead came into a band in this period." in page
    assert "Nothing to hold the probabilities against yet" in page
    assert "The agreement holds no lead back" in page


def test_the_review_raises_its_alarm_on_the_page_and_in_the_terminal(office: Office, browser: Asking) -> None:
    horizon_days = office.snapshot().model.horizon // DAY
    hand_over_some(office, days_ago=horizon_days + 5, count=40, converted=2, p=0.5)
    page = read(browser, "/review?lang=en&since=30d")
    assert "SQL by the model: 2 of 40 converted, where 14 to 26 were to be expected" in page.text
    assert ("p", {"class": "notice is-alarm", "role": "alert"}) in page.tags
    folder = office.workspace.folder
    assert "2 of 40" in review_workspace(folder, since="30d", lang="en", as_json=False).replace("\n", " ")
    told = json.loads(review_workspace(folder, since="30d", lang="en", as_json=True))
    assert told["alarms"] == [{"kind": "sql", "alarm": "below"}]
    sql = next(row for row in told["rows"] if row["kind"] == "sql")
    assert sql["realised"]["expected"] == {"point": 20.0, "low": 14.0, "high": 26.0}
    assert "リード" in review_workspace(folder, since="30d", lang="ja", as_json=False)


def test_what_people_said_is_on_the_review(office: Office, browser: Asking) -> None:
    hand_over_some(office, days_ago=2, count=4, converted=0, p=0.4)
    now = office.tables.current().history.now
    with office.store.writing() as c:
        for place, (verdict, reason) in enumerate((("accepted", None), ("rejected", "too_early"))):
            c.execute(
                feedback.insert().values(
                    lead_id=str(office.tables.current().history.lead_ids[place]),
                    handoff_id=f"2-{place}",
                    at=now - 2 * DAY + HOUR,
                    by="someone",
                    verdict=verdict,
                    reason=reason,
                )
            )
    page = read(browser, "/review?lang=en").text
    assert "Too early: 1" in page or "too early: 1" in page
    assert "50%" in page


@pytest.mark.parametrize("since", ["nothing", "0d", "30"])
def test_a_period_that_is_none_is_refused(browser: Asking, office: Office, since: str) -> None:
    assert browser.get(f"/review?since={since}").status_code == 422
    with pytest.raises(UsageError, match="--since"):
        review_workspace(office.workspace.folder, since=since, lang="en", as_json=False)


def test_the_profile_counts_and_names_what_is_more_than_noise(browser: Asking, office: Office) -> None:
    page = read(browser, "/profile?lang=en").text
    assert "Sales-ready means 30% or more: the SQL cutoff that both teams signed." in page
    assert "Viewed the pricing page" in page or "viewed the pricing page" in page
    assert re.search(r"\d+ of \d+, others \d[\d,]* of [\d,]+", page)
    told = profile_workspace(office.workspace.folder, lang="en")
    assert "times as often" in told
    assert "価格ページを閲覧" in profile_workspace(office.workspace.folder, lang="ja")


def test_facts_that_people_entered_are_counted_among_open_leads(browser: Asking, office: Office) -> None:
    history = office.tables.current().history
    lead = str(history.lead_ids[history.open_leads(history.now)[0]])
    with office.store.writing() as c:
        c.execute(
            facts.insert().values(lead_id=lead, fact="budget", known=True, recorded_at=history.now - DAY, by="someone")
        )
    page = read(browser, "/profile?lang=en").text
    assert "Authority to decide" in page or "None of the open leads is sales-ready now" in page


def test_another_cutoff_can_be_asked_for_in_the_terminal(office: Office) -> None:
    folder = office.workspace.folder
    assert "Sales-ready means 12% or more, as asked for." in profile_workspace(folder, lang="en", sql="12%")
    assert "Too few to compare" in profile_workspace(folder, lang="en", sql="0.999")
    with pytest.raises(UsageError, match="--sql"):
        profile_workspace(folder, lang="en", sql="often")


def test_the_model_page_gives_its_figures_with_their_ranges(browser: Asking, office: Office) -> None:
    page = read(browser, "/model?lang=en")
    evaluation = office.snapshot().model.bundle.evaluation  # type: ignore[union-attr]
    auc = evaluation.models["model"].metrics["roc_auc"]
    assert f"{auc.point:.3f}" in page.text
    assert f"{auc.low:.3f} to {auc.high:.3f}" in page.text
    drawings = [attrs for tag, attrs in page.tags if tag == "svg" and attrs.get("role") == "img"]
    assert len(drawings) == 3
    for what in ("What it learned from", "By segment", "Versions", "serves now", "What it is not for"):
        assert what in page.text


def test_without_a_model_the_pages_say_what_is_missing(tmp_path: Path) -> None:
    (tmp_path / "leads.csv").write_text("lead_id,created_at\na,2026-01-01\nb,2026-01-02\n")
    (tmp_path / "outcomes.csv").write_text("lead_id,occurred_at,outcome\na,2026-01-09,won\n")
    (tmp_path / "propensity.toml").write_text(
        '[tables]\nleads = "leads.csv"\noutcomes = "outcomes.csv"\n[target]\nconverted = "won"\nhorizon = "30d"\n'
    )
    office = Office(load_workspace(tmp_path), [], clock=lambda: time.time_ns() // 1000)
    try:
        office.champion.look()
        office.tables.look()
        browser = Asking(LetIn(routes(lambda: office)))
        assert "There is no model yet" in read(browser, "/model?lang=en").text
        assert "There is no model yet" in read(browser, "/profile?lang=en").text
        assert "No version is registered." in read(browser, "/model?lang=en").text
        read(browser, "/review?lang=ja")
    finally:
        office.close()
    with pytest.raises(UsageError, match="no champion"):
        profile_workspace(tmp_path, lang="en")


def test_pages_and_commands_take_a_workspace_whose_tables_are_the_store(store_folder: Path) -> None:
    office = Office(load_workspace(store_folder), [], clock=lambda: time.time_ns() // 1000)
    try:
        office.champion.look()
        browser = Asking(LetIn(routes(lambda: office)))
        assert "What it learned from" in read(browser, "/model?lang=en").text
        assert "Sales-ready means 30% or more" in read(browser, "/profile?lang=en").text
        history = read_history(office.workspace, set_aside=False).history
        lead_id = str(history.lead_ids[0])
        now = office.clock()
        with office.store.writing() as c:
            c.execute(feedback.insert().values(lead_id=lead_id, at=now - DAY, by="someone", verdict="found"))
        page = read(browser, "/review?lang=en")
        assert "Sales told of one lead that they found by themselves." in page.text
        assert [
            attrs["href"] for tag, attrs in page.tags if tag == "a" and str(attrs.get("href")).startswith("/leads/")
        ]
    finally:
        office.close()
    assert "Sales told of one lead" in review_workspace(store_folder, since="30d", lang="en", as_json=False)
