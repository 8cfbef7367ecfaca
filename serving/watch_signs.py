"""What the figures of a watch mean: each thing worth knowing as a sentence, and which of them are alarms.

The rules stand here as numbers and in `RULES` as words; whoever is woken by an alarm can read why.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from features.calendar_days import DAY
from features.durations import duration_text
from features.instants import instant_text
from serving import locales
from serving.review_figures import Alarm, Kind
from serving.watch_figures import Answers, CameTrue, Drift, Evidence, Group, Inflow, NewType, Sign, Source
from serving.watch_inputs import FAR, VERY_FAR, WEIGHTY
from serving.watch_outcomes import RANKING_FELL, TOLERATED, ranking_fell
from serving.watch_people import FEWEST, of_kind
from serving.watch_sources import NEW_SHARE
from training.intervals import Interval, difference, rate

SURE = 0.999
"""Level of the intervals that people's answers are held against: they are looked at again and again."""
MOST = 5
"""Of one kind so many are named."""

RULES = (
    f"Conversions: the odds are off by more than a factor of {TOLERATED['all']:g} over all leads, {TOLERATED['band']:g} "
    f"in a band, {TOLERATED['age']:g} in a segment, or by more than so young a model leaves open. Of a hundred sound models "
    "at most five ever raise such an alarm, however often one looks.",
    f"Ranking: the ROC-AUC on what settled since fell by more than {RANKING_FELL:g}, and its 95% interval lies below the "
    "test block's.",
    f"Scores: a distance of {FAR:g} or more (0 alike, 1 nothing in common), half as much again as within the training, and "
    f"beyond chance. Inputs: likewise, where the scores moved too or the distance is {VERY_FAR:g} or more; one with under "
    f"{WEIGHTY:.0%} of the model's weight is only named.",
    "Sources: silent for more than two days and twice the longest pause of the year before, or a week with less than a "
    "quarter of the rows of the poorest of the twelve before.",
    f"New event types: {NEW_SHARE:.0%} or more of the events since.",
    "Evidence: surely more than half of those whom the model would hand over lack it.",
    "Feedback: sales surely rejects more than half of what is handed over, or surely accepts MQLs more often than SQLs "
    f"(surely: the {SURE:.1%} interval says so, of at least {FEWEST} leads).",
)


def signs(
    came: CameTrue,
    inflow: Inflow,
    sources: Sequence[Source],
    new_types: Sequence[NewType],
    evidence: Evidence,
    answers: Sequence[Answers],
    *,
    zone: str,
) -> tuple[Sign, ...]:
    """All of them, alarms first: what is wrong with the data before what is wrong with the model."""
    found = [
        *_of_sources(sources),
        *_of_new_types(new_types),
        *_of_inflow(inflow),
        *_of_groups(came.groups, zone),
        *_of_ranking(came),
        *_of_evidence(evidence),
        *_of_answers(answers),
    ]
    return tuple(sorted(found, key=lambda each: not each.alarm))


def _of_sources(sources: Sequence[Source]) -> Iterator[Sign]:
    names = {"table": "The table {}", "event_type": "The event type {}", "channel": "The channel {}"}
    for each in [source for source in sources if source.quiet][: 2 * MOST]:
        pause = (
            f"no row for {_gap(each.silent_for)}; the longest pause of the year before was {_gap(each.longest_pause)}"
            if each.recent == 0 or each.silent_for > 2 * each.longest_pause
            else f"{_rows(each.recent)} in the last 7 days; the poorest of the 12 weeks before had {each.least:,}"
        )
        yield Sign(
            code="stale_table" if each.kind == "table" else "silent_source",
            alarm=True,
            subject=each.name,
            words=f"{names[each.kind].format(each.name)} has gone quiet: {pause}.",
        )


def _of_new_types(new_types: Sequence[NewType]) -> Iterator[Sign]:
    for each in new_types[:MOST]:
        yield Sign(
            code="new_event_type",
            alarm=each.share >= NEW_SHARE,
            subject=each.name,
            words=f"The event type {each.name} is new since the training: {each.events:,} events, {_percent(each.share)} "
            "of those since; the model takes it for an unknown one.",
        )


def _of_inflow(inflow: Inflow) -> Iterator[Sign]:
    score = inflow.score
    score_drifted = score is not None and score.drifted
    if score is not None and score_drifted:
        yield Sign("score", True, "score", f"Scores are spread otherwise than when the model learned ({_far(score)}).")
    drifted = [each for each in inflow.inputs if each.drifted]
    heavy = [each for each in drifted if each.weight >= WEIGHTY][: 2 * MOST]
    for each in (*heavy, *[each for each in drifted if each.weight < WEIGHTY][:MOST]):
        yield Sign(
            code="input",
            alarm=each in heavy and (score_drifted or each.distance >= VERY_FAR),
            subject=each.topic,
            words=f"{each.name}: {each.what} for {_percent(each.now)} of the newest moments, {_percent(each.then)} when the "
            f"model learned ({_far(each)}; {_percent(each.weight)} of the model's weight).",
        )


def _far(drift: Drift) -> str:
    return f"distance {drift.distance:.2f}, within the training at most {drift.usual:.2f}"


def _of_groups(groups: Sequence[Group], zone: str) -> Iterator[Sign]:
    codes = {"all": "level", "band": "band", "served": "band"}
    for each in groups:
        if each.alarm is None or each.since is None:
            continue
        much = "more" if each.alarm is Alarm.ABOVE else "fewer"
        yield Sign(
            code=codes.get(each.by, "segment"),  # type: ignore[arg-type]
            alarm=True,
            subject=group_name(each),
            words=f"{group_name(each)}: {much} leads converted than the model says, {each.converted:,} of {each.leads:,} where "
            f"{_between(each.expected)} were expected, since about {instant_text(each.since, zone)[:10]}.",
        )


def group_name(group: Group) -> str:
    """What a group is called: "all leads", "band SQL", "country: jp", "1 day after creation"."""
    match group.by:
        case "all":
            return "all leads"
        case "band":
            return f"band {group.value}"
        case "served":
            return f"served as {group.value.replace('_', ' ')}"
        case "stage":
            return f"stage {group.value or 'none'}"
        case "age":
            return f"{duration_text(int(group.value))} after creation"
        case _:
            return f"{group.column}: {group.value or 'unknown'}"


def _of_ranking(came: CameTrue) -> Iterator[Sign]:
    if ranking_fell(came):
        now, then = came.ranking, came.ranking_then
        yield Sign(
            "ranking",
            True,
            "ranking",
            f"The ranking got worse: ROC-AUC {now.point:.3f} (95% interval {now.low:.3f} to {now.high:.3f}) on what settled "
            f"since, {then.point:.3f} ({then.low:.3f} to {then.high:.3f}) on the test block.",
        )


def _of_evidence(evidence: Evidence) -> Iterator[Sign]:
    ready, lacking = evidence.sales_ready, evidence.too_little
    if ready and lacking:
        sure = ready >= FEWEST and rate(lacking, ready, level=SURE).low > 0.5
        yield Sign(
            "evidence",
            sure,
            "evidence",
            f"Too little evidence keeps {lacking:,} of {ready:,} open leads from sales whom the model takes for sales-ready"
            + ("; either the rule asks too much, or their behaviour does not reach the tables." if sure else "."),
        )


def _of_answers(answers: Sequence[Answers]) -> Iterator[Sign]:
    handed = [each for each in answers if each.kind in (Kind.SQL.value, Kind.FAST_LANE.value)]
    rejected, answered = sum(each.rejected for each in handed), sum(each.rejected + each.accepted for each in handed)
    if answered >= FEWEST and rate(rejected, answered, level=SURE).low > 0.5:
        yield Sign(
            "feedback",
            True,
            "SQL",
            f"Sales rejected {rejected:,} of {answered:,} answered hand-offs of the last 90 days: what the two teams signed "
            "does not fit what sales takes; look at the reasons in `propensity review`.",
        )
    sql, mql = of_kind(answers, Kind.SQL), of_kind(answers, Kind.MQL)
    if sql is None or mql is None:
        return
    n, m = sql.accepted + sql.rejected, mql.accepted + mql.rejected
    if min(n, m) >= FEWEST and difference(mql.accepted, m, sql.accepted, n, level=SURE).low > 0:
        yield Sign(
            "feedback",
            True,
            "MQL",
            f"Sales accepts MQLs more often than SQLs: {mql.accepted:,} of {m:,} against {sql.accepted:,} of {n:,} answered.",
        )


def _rows(count: int) -> str:
    return f"{count:,} {'row' if count == 1 else 'rows'}"


def _between(interval: Interval) -> str:
    return f"{interval.low:,.0f} to {interval.high:,.0f}"


def _percent(share: float) -> str:
    return locales.percentage(share, "en")


def _gap(microseconds: int) -> str:
    return locales.gap(microseconds, "en") if microseconds < 60 * DAY else f"{microseconds // DAY:,} days"
