"""The score over time: at every moment what `score_leads` says of that moment, and nothing of the future."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from features.calendar_days import DAY, HOUR
from features.one_lead import RawLead
from features.wording import LANGS, Lang
from oracles.found_leads import LEADS, busiest, found_lead, score_of, with_event
from oracles.made_service import NOW, signed
from serving.course_chart import course_chart
from serving.lead_events import visible_events
from serving.lead_source import FoundLead
from serving.score_course import AHEAD, LONGEST, Course, score_course
from serving.scoring import score_leads
from serving.serving_model import ColdStart
from serving.store import Store
from serving.store.opening import open_address
from training.points import PointsRules


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """One for all: nothing is written here."""
    opened = open_address("sqlite:///store.db", tmp_path_factory.mktemp("store"))
    yield opened
    opened.close()


def course_of(found: FoundLead, as_of: int = NOW) -> Course:
    return score_course(found, as_of, visible_events(found.history, 0, as_of))


@pytest.mark.parametrize("number", range(0, 300, 43))
def test_every_point_is_what_score_leads_says_of_its_moment(store: Store, number: int) -> None:
    found = found_lead(store, LEADS[number])
    course = course_of(found)
    for at, share in (*course.past, *course.ahead):
        assert share == score_of(found, at).probability
    assert course.past[-1] == course.ahead[0]
    assert course.past[-1][0] == NOW
    assert course.ahead[-1][0] == NOW + AHEAD


def test_points_are_what_score_leads_says_too(store: Store) -> None:
    model = ColdStart(rules=PointsRules(events={"mail_opened": 7.0}), horizon=90 * DAY)
    found = found_lead(store, busiest(), model=model)
    for at, share in course_of(found).past:
        assert round(100 * share) == score_of(found, at).score


def test_moments_rise_begin_after_creation_and_reach_back_half_a_year_at_most(store: Store) -> None:
    for created in (NOW - 400 * DAY, NOW - 3 * DAY, NOW - 1):
        course = course_of(found_lead(store, RawLead("a", created, {}, [])))
        moments = [at for at, _ in course.past]
        assert moments == sorted(set(moments))
        assert moments[0] >= max(created + 1, NOW - LONGEST)


def test_a_score_jumps_at_its_event_not_before(store: Store) -> None:
    lead = with_event(RawLead("a", NOW - 20 * DAY, {}, []), "pricing_page_viewed", NOW - 2 * DAY)
    course = course_of(found_lead(store, lead))
    shares = dict(course.past)
    before, after = shares[NOW - 2 * DAY], shares[NOW - 2 * DAY + 1]
    assert after > before
    assert course.events == (NOW - 2 * DAY,)


def test_nothing_after_the_moment_is_seen(store: Store) -> None:
    lead = busiest()
    then = NOW - 5 * DAY
    found, later = found_lead(store, lead), found_lead(store, with_event(lead, "call_booked", then + HOUR))
    assert course_of(found, then).past == course_of(later, then).past


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("number", range(0, 300, 29))
def test_everything_drawn_lies_within_the_drawing(store: Store, number: int, lang: Lang) -> None:
    found = found_lead(store, LEADS[number])
    (score,) = score_leads(
        found.snapshot.model, signed(), found.history, found.moments(NOW), scored_at=NOW, reasons=False
    )
    chart = course_chart(course_of(found), score.cutoffs, zone="Asia/Tokyo", lang=lang)
    for path in (chart["past"], chart["ahead"]):
        for pair in path.removeprefix("M").split("L"):
            x, y = map(float, pair.split())
            assert chart["left"] <= x <= chart["right"]
            assert 0 <= y <= chart["floor"]
    assert all(0 <= each["y"] <= chart["floor"] for each in (*chart["cutoffs"], *chart["levels"]))
    assert all(chart["left"] <= x <= chart["right"] for x in chart["events"])
