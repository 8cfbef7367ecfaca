"""A watch as people read it in a terminal, and as JSON for programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from rich.table import Table

from features.instants import instant_text
from serving import locales
from serving.watch_figures import CameTrue, Drift, Evidence, Inflow, Source, Watch
from serving.watch_signs import RULES, group_name
from training.bootstrap import Estimate
from training.intervals import Interval
from training.terminal import printed

SHOWN = 8
"""Of inputs so many are shown, those farthest away."""


def watch_text(watch: Watch, *, zone: str, more: Sequence[str] = ()) -> str:
    """For the terminal: alarms first, then the figures that they come from, then the rules.

    Parameters
    ----------
    more : further lines, such as what a recalibration did.
    """
    alarms, others = watch.alarms, [each for each in watch.signs if not each.alarm]
    head = f"{watch.model} version {watch.version}, trained until {instant_text(watch.trained_until, zone)}."
    return printed(
        head,
        "",
        *(f"ALARM  {each.words}" for each in alarms),
        *(f"note   {each.words}" for each in others),
        *([] if alarms else ["No alarm."]),
        "",
        watch.advice,
        *more,
        "",
        *_came_true(watch.came_true, zone),
        "",
        *_inflow(watch.inflow, zone),
        "",
        *_sources(watch.sources, zone),
        *_evidence(watch.evidence),
        *(
            f"Answers of sales, 90 days, {each.kind.replace('_', ' ')}: {each.accepted:,} accepted, {each.rejected:,} "
            f"rejected, of {each.leads:,}."
            for each in watch.answers
        ),
        "",
        "An alarm means:",
        *(f"- {each}" for each in RULES),
    )


def watch_json(watch: Watch) -> dict[str, Any]:
    """All figures as plain JSON; instants are UTC microseconds. No lead stands in it."""
    told = asdict(watch)
    told["alarms"] = len(watch.alarms)
    told["rules"] = list(RULES)
    for group, figures in zip(watch.came_true.groups, told["came_true"]["groups"], strict=True):
        figures["name"] = group_name(group)
    return told


def _came_true(came: CameTrue, zone: str) -> Iterator[str | Table]:
    if not came.groups:
        later = "" if came.next_settled is None else f"; the first of {came.waiting:,} moments settle on "
        when = "" if came.next_settled is None else instant_text(came.next_settled, zone)[:10]
        few = f"{came.leads:,} leads have settled" if came.leads else "Nothing has settled"
        yield f"{few} since the training: too few to judge what came true{later}{when}."
        return
    yield f"What came true of {came.leads:,} leads whose horizon ended since:"
    groups = _table("", "leads", "expected", "converted", "rate", "")
    for each in came.groups:
        if each.by in ("all", "band", "served") or each.alarm is not None:
            groups.add_row(
                group_name(each),
                f"{each.leads:,}",
                _counts(each.expected),
                f"{each.converted:,}",
                _rate(each.rate),
                "" if each.alarm is None else f"ALARM: {each.alarm.value}",
            )
    yield groups
    quiet = sum(each.by not in ("all", "band", "served") and each.alarm is None for each in came.groups)
    yield f"{quiet} segments of attributes, stages and ages without an alarm; --json lists them."
    if came.ranking.point is not None:
        yield f"ROC-AUC {_estimate(came.ranking)} since, {_estimate(came.ranking_then)} on the test block."
    yield ""
    yield "Over time, by the leads' moments:"
    periods = _table("from", "until", "leads", "expected", "converted", "rate")
    for period in came.periods:
        periods.add_row(
            instant_text(period.first, zone)[:10],
            instant_text(period.last, zone)[:10],
            f"{period.leads:,}",
            _counts(period.expected),
            f"{period.converted:,}",
            _rate(period.rate),
        )
    yield periods


def _inflow(inflow: Inflow, zone: str) -> Iterator[str | Table]:
    if not inflow.known:
        why = (
            f"only {inflow.leads:,} leads have a moment since"
            if inflow.leads < 100
            else "the model keeps no spreads; train again"
        )
        yield f"Whether leads look as they did when the model learned is not known: {why}."
        return
    first = "" if inflow.first is None else f", since {instant_text(inflow.first, zone)[:10]}"
    yield f"The newest {inflow.moments:,} moments of {inflow.leads:,} leads{first}, beside those that the model learned from:"
    table = _table("", "distance", "usual up to", "weight", "changed most", "now", "then")
    score = [] if inflow.score is None else [("score", inflow.score)]
    for name, each in [*score, *((each.name, each) for each in inflow.inputs[:SHOWN])]:
        table.add_row(
            name + (" (drifted)" if each.drifted else ""),
            f"{each.distance:.2f}",
            f"{each.usual:.2f}",
            locales.percentage(each.weight, "en"),
            *_change(each),
        )
    yield table


def _change(drift: Drift) -> tuple[str, str, str]:
    return drift.what, locales.percentage(drift.now, "en"), locales.percentage(drift.then, "en")


def _sources(sources: Sequence[Source], zone: str) -> Iterator[str]:
    for each in sources:
        if each.kind == "table":
            yield f"Newest row of {each.name}: {instant_text(each.newest, zone)}."
    alive = sum(not each.quiet for each in sources if each.kind != "table")
    if alive:
        yield f"{alive} event types and channels give rows as they used to."


def _evidence(evidence: Evidence) -> Iterator[str]:
    silent = ""
    if evidence.without_events is not None and evidence.open_leads:
        share = locales.percentage(evidence.without_events / evidence.open_leads, "en")
        silent = f", {share} of them without any event"
    yield f"{evidence.open_leads:,} open leads{silent}."


def _table(*heads: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for place, head in enumerate(heads):
        table.add_column(head, justify="right" if place and head not in ("", "changed most") else "left")
    return table


def _counts(interval: Interval) -> str:
    return f"{interval.low:,.0f} to {interval.high:,.0f}"


def _rate(interval: Interval) -> str:
    low, high = locales.percentage(interval.low, "en"), locales.percentage(interval.high, "en")
    return f"{locales.percentage(interval.point, 'en')} ({low} to {high})"


def _estimate(estimate: Estimate) -> str:
    if estimate.point is None or estimate.low is None or estimate.high is None:
        return "unknown"
    return f"{estimate.point:.3f} (95% interval {estimate.low:.3f} to {estimate.high:.3f})"
