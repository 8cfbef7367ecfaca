"""The whole agreement in plain words: headings, each with its sentences."""

from __future__ import annotations

import datetime as dt
from functools import reduce

from babel import Locale

from features.calendar_days import DAY
from features.schema import Schema
from features.wording import Lang
from serving import locales
from serving.agreement import Agreement
from serving.agreement_terms import WEEKDAYS, Hours, clock_text
from serving.page_words import words
from serving.rule_words import (
    conditions_words,
    event_name,
    events_words,
    fact_name,
    listed,
    own_name,
    persona_name,
    stage_name,
)

Part = tuple[str, list[str]]
_DAY_0 = dt.date(1970, 1, 1).toordinal()


def agreement_words(agreement: Agreement, lang: Lang, *, schema: Schema | None = None) -> list[Part]:
    """What the agreement says, under headings; rules that it does without are left out.

    Parameters
    ----------
    schema : of the model or the tables, which has the workspace's words for events and attributes.
    """
    schema = Schema() if schema is None else schema
    parts = [
        ("bands", [_say("cutoffs", lang, mql=_percent(agreement.mql, lang), sql=_percent(agreement.sql, lang))]),
        ("evidence", _evidence(agreement, lang)),
        ("fast_lane", _fast_lane(agreement, schema, lang)),
        ("exclude", _exclusions(agreement, schema, lang)),
        ("trigger", _triggers(agreement, schema, lang)),
        ("personas", _personas(agreement, schema, lang)),
        ("nurture", _nurture(agreement, lang)),
        ("sla", _sla(agreement, lang)),
        ("hysteresis", _hysteresis(agreement, lang)),
        ("capacity", [] if agreement.sqls_a_week is None else [_say("capacity", lang, n=agreement.sqls_a_week)]),
    ]
    if agreement.held_back is not None:
        parts.append(
            ("held_back", [_say("held_back", lang, share=locales.percentage(agreement.held_back.share, lang))])
        )
    if agreement.recycle_after is not None:
        parts.append(("recycle", [_say("recycle", lang, time=locales.length(agreement.recycle_after, lang))]))
    if agreement.band_change is not None:
        change = locales.percentage(agreement.band_change, lang)
        parts.append(("promotion", [_say("promotion", lang, change=change)]))
    return [(words(f"rules.head.{key}", lang), sentences) for key, sentences in parts if sentences]


def _say(key: str, lang: Lang, **values: object) -> str:
    return words(f"rules.say.{key}", lang, **values)


def _percent(probability: float, lang: Lang) -> str:
    """A cutoff with all of its digits: 12.5% is not 13%."""
    return f"{locales.number(100 * probability, lang)}%"


def _evidence(agreement: Agreement, lang: Lang) -> list[str]:
    asked, told = agreement.evidence, []
    if asked is not None:
        told += [_say(key, lang, n=n) for key, n in (("events", asked.events), ("days", asked.days)) if n]
        told += [_say("stage", lang, stage=stage_name(asked.stage, lang))] if asked.stage is not None else []
    if agreement.facts_required:
        told.append(
            _say("facts", lang, facts=listed([fact_name(each, lang) for each in agreement.facts_required], lang))
        )
    return told


def _fast_lane(agreement: Agreement, schema: Schema, lang: Lang) -> list[str]:
    return [
        _say(
            "fast_lane",
            lang,
            event=event_name(name, schema, lang),
            counts_for=locales.length(lane.counts_for, lang),
            respond_within=locales.length(lane.respond_within, lang),
        )
        for name, lane in agreement.fast_lane.items()
    ]


def _exclusions(agreement: Agreement, schema: Schema, lang: Lang) -> list[str]:
    told = []
    for name, rule in agreement.exclude.items():
        clauses = conditions_words(rule.attributes, schema, lang)
        clauses += [] if rule.events is None else [events_words(rule.events, schema, lang)]
        told.append(_say("named", lang, name=own_name(rule.words, name, lang), what=_all(clauses, lang)))
    return told


def _all(clauses: list[str], lang: Lang) -> str:
    """Clauses that hold together. Not as a list with commas, since a clause may have its own."""
    return reduce(lambda first, second: _say("and", lang, first=first, second=second), clauses)


def _triggers(agreement: Agreement, schema: Schema, lang: Lang) -> list[str]:
    return [
        _say("named", lang, name=own_name(each.words, name, lang), what=events_words(each.rule, schema, lang))
        for name, each in agreement.triggers.items()
    ]


def _personas(agreement: Agreement, schema: Schema, lang: Lang) -> list[str]:
    told = [
        _say(
            "named",
            lang,
            name=own_name(each.words, each.name, lang),
            what=_all(conditions_words(each.attributes, schema, lang), lang),
        )
        for each in agreement.personas
    ]
    return [*told, _say("persona_order", lang)] if len(told) > 1 else told


def _nurture(agreement: Agreement, lang: Lang) -> list[str]:
    return [
        _say(
            "nurture",
            lang,
            who=persona_name(agreement, who, lang),
            stage=stage_name(stage, lang),
            content=own_name(each.words, "", lang),
        )
        for who, by_stage in agreement.nurture.items()
        for stage, each in by_stage.items()
    ]


def _sla(agreement: Agreement, lang: Lang) -> list[str]:
    told, sla = [], agreement.sla
    if sla is not None:
        times = (("sla_sql", sla.sql), ("sla_mql", sla.mql))
        told += [_say(key, lang, time=locales.length(time, lang)) for key, time in times if time is not None]
    if agreement.hours is not None:
        told += _hours(agreement.hours, lang)
    elif told or agreement.fast_lane:
        told.append(_say("always_open", lang))
    return told


def _hours(hours: Hours, lang: Lang) -> list[str]:
    days = listed([words(f"rules.day.{day}", lang) for day in WEEKDAYS if day in hours.days], lang)
    opens, closes = clock_text(hours.opens), clock_text(hours.closes)
    told = [_say("hours", lang, days=days, opens=opens, closes=closes, zone=hours.timezone)]
    if hours.country:
        country = Locale.parse(lang).territories.get(hours.country, hours.country)
        told.append(_say("holidays", lang, country=" ".join(filter(None, (country, hours.region)))))
    if hours.closed:
        dates = [locales.date((each.toordinal() - _DAY_0) * DAY, "UTC", lang) for each in hours.closed]
        told.append(_say("closed", lang, dates=" · ".join(dates)))
    return told


def _hysteresis(agreement: Agreement, lang: Lang) -> list[str]:
    rules, told = agreement.hysteresis, []
    if rules is None:
        return []
    if rules.down_by:
        told.append(_say("down_by", lang, points=100 * rules.down_by))
    if rules.stays_for:
        told.append(_say("stays_for", lang, time=locales.length(rules.stays_for, lang)))
    return [*told, _say("up_at_once", lang)]
