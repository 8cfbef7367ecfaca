"""Reads the agreement's rules and terms: each table of the file to its rule, or its faults noted."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar
from zoneinfo import available_timezones

from features.schema import STAGES, Words
from features.toml_lines import KeyPath
from features.toml_reader import TomlReader, nearest
from serving.agreement_rules import (
    ANY,
    AttributeCondition,
    EventCount,
    Exclusion,
    Nurture,
    OpenedShare,
    Persona,
    Trigger,
)
from serving.agreement_terms import WEEKDAYS, HeldBack, Hours, Hysteresis
from serving.mail_domains import domain_of
from serving.public_holidays import country_fault
from serving.toml_values import chosen, flag, number_within, several, shown, values, whole

Rule = TypeVar("Rule")
_WORDS = ("en", "ja")
_COUNT = ("events", "at_least", "within")
_OPENED = ("opened", "sent", "share", "sent_at_least", "within")
_CONDITION = ("in", "not_in", "domains", "free_mail", "at_least", "at_most")


def rules_of(
    toml: TomlReader, section: str, expected: str, read: Callable[[TomlReader, str], Rule | None]
) -> dict[str, Rule]:
    """All rules of a section by name, without those that have faults."""
    found: dict[str, Rule] = {}
    for name, value in toml.table((section,)).items():
        if not name or not isinstance(value, dict):
            toml.problem((section, name), f'"{section}.{name}" is no rule', expected=f"a table {expected}")
            continue
        before = len(toml.problems)
        rule = read(toml, name)
        if rule is not None and len(toml.problems) == before:
            found[name] = rule
    return found


def exclusion(toml: TomlReader, name: str) -> Exclusion | None:
    path = ("exclude", name)
    toml.known_keys(path, (*_WORDS, "attributes", *_COUNT))
    attributes = _conditions(toml, (*path, "attributes"))
    table = toml.table(path)
    counts = any(key in table for key in _COUNT)
    events = _event_count(toml, path) if counts else None
    if not counts and not table.get("attributes"):
        expected = "attributes, or events"
        toml.problem(
            path, f'"{".".join(path)}" asks for nothing', expected=expected, next_step="it would exclude everyone"
        )
    elif attributes or events is not None:
        return Exclusion(_words(toml, path), attributes, events)
    return None


def trigger(toml: TomlReader, name: str) -> Trigger | None:
    path = ("trigger", name)
    table = toml.table(path)
    opened = any(key in table for key in ("opened", "sent", "share", "sent_at_least"))
    toml.known_keys(path, (*_WORDS, *(_OPENED if opened else _COUNT)))
    within = toml.duration((*path, "within"), required=True)
    rule = _opened_share(toml, path) if opened else _event_count(toml, path)
    return None if rule is None or within is None else Trigger(rule, _words(toml, path))


def _event_count(toml: TomlReader, path: KeyPath) -> EventCount | None:
    types = _required(toml, (*path, "events"), several)
    at_least = whole(toml, (*path, "at_least"))
    within = toml.duration((*path, "within")) if path[0] == "exclude" else _quietly(toml, (*path, "within"))
    return EventCount(types, at_least=at_least or 1, within=within) if types else None


def _opened_share(toml: TomlReader, path: KeyPath) -> OpenedShare | None:
    opened, sent = (_required(toml, (*path, key), several) for key in ("opened", "sent"))
    expected = "a share above 0, at most 1"
    share = number_within(toml, (*path, "share"), lambda value: 0 < value <= 1, expected=expected, percent=True)
    if "share" not in toml.table(path):
        toml.problem((*path, "share"), f'no "share" in [{".".join(path)}]', expected=expected, next_step="add it")
    sent_at_least = whole(toml, (*path, "sent_at_least"))
    within = _quietly(toml, (*path, "within"))
    if not opened or not sent or share is None or within is None:
        return None
    return OpenedShare(opened, sent, share=share, sent_at_least=sent_at_least or 1, within=within)


def _quietly(toml: TomlReader, path: KeyPath) -> int | None:
    """A duration whose faults were noted before."""
    before = len(toml.problems)
    found = toml.duration(path)
    del toml.problems[before:]
    return found


def _required(
    toml: TomlReader, path: KeyPath, read: Callable[[TomlReader, KeyPath], tuple[str, ...]]
) -> tuple[str, ...]:
    if path[-1] in toml.table(path[:-1]):
        return read(toml, path)
    expected = f'{path[-1]} = ["..."]'
    toml.problem(path, f'no "{path[-1]}" in [{".".join(path[:-1])}]', expected=expected, next_step="add it")
    return ()


def persona(toml: TomlReader, name: str) -> Persona | None:
    path = ("personas", name)
    toml.known_keys(path, (*_WORDS, "attributes"))
    if name == ANY:
        toml.problem(path, f'a persona "{ANY}"', expected="another name", next_step=f'"{ANY}" means whatever persona')
        return None
    conditions = _conditions(toml, (*path, "attributes"))
    if not toml.table(path).get("attributes"):
        expected = 'attributes.NAME = { in = ["..."] }'
        toml.problem(path, f'"{".".join(path)}" has no attributes', expected=expected, next_step="add them")
    return Persona(name, conditions, _words(toml, path)) if conditions else None


def _words(toml: TomlReader, path: KeyPath) -> Words:
    return Words(*(toml.text((*path, lang)) or "" for lang in _WORDS))


def _conditions(toml: TomlReader, path: KeyPath) -> dict[str, AttributeCondition]:
    found = {}
    for name, value in toml.table(path).items():
        if isinstance(value, dict) and name:
            condition = _condition(toml, (*path, name))
            if condition is not None:
                found[name] = condition
        else:
            expected = 'a condition, such as { in = ["a", "b"] }'
            toml.problem((*path, name), f'"{".".join((*path, name))}" is {shown(value)}', expected=expected)
    return found


def _condition(toml: TomlReader, path: KeyPath) -> AttributeCondition | None:
    toml.known_keys(path, _CONDITION)
    table = toml.table(path)
    told = [key for key in ("in", "not_in") if key in table]
    told += ["domains"] if "domains" in table or "free_mail" in table else []
    told += ["at_least"] if "at_least" in table or "at_most" in table else []
    if len(told) != 1:
        found = f"says {' and '.join(told)}" if told else "says nothing"
        expected = "one of in, not_in, domains with free_mail, at_least with at_most"
        step = "write a rule for each" if told else ""
        toml.problem(path, f'"{".".join(path)}" {found}', expected=expected, next_step=step)
        return None
    before = len(toml.problems)
    free_mail = flag(toml, (*path, "free_mail"))
    bounds = [number_within(toml, (*path, key), _sensible, expected="a number") for key in ("at_least", "at_most")]
    domains = several(toml, (*path, "domains"))
    for each in domains:
        if domain_of(each) is None:
            expected = 'a domain, such as "example.com"'
            toml.problem((*path, "domains"), f"domains has {shown(each)}", expected=expected)
    one_of, none_of = values(toml, (*path, "in")), values(toml, (*path, "not_in"))
    if None not in bounds and bounds[0] > bounds[1]:  # type: ignore[operator]
        toml.problem((*path, "at_most"), f"at_least = {bounds[0]:g} above at_most = {bounds[1]:g}", expected="a range")
    if told == ["domains"] and not free_mail and not domains and len(toml.problems) == before:
        toml.problem((*path, "free_mail"), "free_mail = false alone", expected="free_mail = true, or domains")
    if len(toml.problems) > before:
        return None
    return AttributeCondition(one_of, none_of, domains, free_mail, bounds[0], bounds[1])


def _sensible(value: float) -> bool:
    return abs(value) <= 1e15


def nurture(toml: TomlReader, personas: Sequence[str]) -> dict[str, Mapping[str, Nurture]]:
    """Content by persona and stage."""
    found: dict[str, Mapping[str, Nurture]] = {}
    known = (*personas, ANY)
    for who, by_stage in toml.table(("nurture",)).items():
        if who not in known:
            expected = f"one of {', '.join(known)}"
            place = ("nurture", who, *(list(by_stage)[:1] if isinstance(by_stage, dict) else ()))
            toml.problem(place, f'no persona "{who}"', expected=expected, next_step=nearest(who, known))
        if not isinstance(by_stage, dict):
            toml.problem(
                ("nurture", who), f'"nurture.{who}" is {shown(by_stage)}', expected="a table [nurture.PERSONA.STAGE]"
            )
            continue
        for stage in by_stage:
            if stage not in (*STAGES, ANY):
                expected = f"one of {', '.join((*STAGES, ANY))}"
                step = nearest(stage, (*STAGES, ANY))
                toml.problem(("nurture", who, stage), f'no stage "{stage}"', expected=expected, next_step=step)
        contents = {stage: each for stage in by_stage if (each := _content(toml, ("nurture", who, stage))) is not None}
        found[who] = contents
    return found


def _content(toml: TomlReader, path: KeyPath) -> Nurture | None:
    if not isinstance(toml.table(path[:-1]).get(path[-1]), dict):
        toml.problem(path, f'"{".".join(path)}" is no content', expected="a table [nurture.PERSONA.STAGE]")
        return None
    toml.known_keys(path, (*_WORDS, "link"))
    words, link = _words(toml, path), toml.text((*path, "link"))
    if link is not None and not link.startswith(("https://", "http://", "/")):
        toml.problem((*path, "link"), f"link is {shown(link)}", expected="an address with https://")
    if not (words.en or words.ja):
        expected = 'en = "..." and ja = "..."'
        toml.problem(path, f'"{".".join(path)}" has no content', expected=expected, next_step="add them")
        return None
    return Nurture(words, link or "")


def hysteresis(toml: TomlReader) -> Hysteresis | None:
    toml.known_keys(("hysteresis",), ("down_by", "stays_for"))
    expected = "a probability above 0 and below 1"
    down_by = number_within(
        toml, ("hysteresis", "down_by"), lambda value: 0 < value < 1, expected=expected, percent=True
    )
    return Hysteresis(down_by or 0.0, toml.duration(("hysteresis", "stays_for")) or 0)


def held_back(toml: TomlReader) -> HeldBack | None:
    path = ("held_back",)
    toml.known_keys(path, ("share", "draw"))
    expected = "a share above 0 and below 1"
    share = number_within(toml, (*path, "share"), lambda value: 0 < value < 1, expected=expected, percent=True)
    draw = whole(toml, (*path, "draw"))
    if toml.data.get("held_back") is not None and "share" not in toml.table(path):
        toml.problem((*path, "share"), 'no "share" in [held_back]', expected=expected, next_step="add it")
    return None if share is None else HeldBack(share, draw or 1)


def hours(toml: TomlReader) -> Hours | None:
    path = ("hours",)
    if toml.data.get("hours") is None:
        return None
    toml.known_keys(path, ("days", "opens", "closes", "timezone", "country", "region", "closed"))
    before = len(toml.problems)
    days = chosen(toml, (*path, "days"), WEEKDAYS)
    opens, closes = _clock(toml, (*path, "opens")), _clock(toml, (*path, "closes"))
    if opens is not None and closes is not None and opens >= closes:
        toml.problem(
            (*path, "closes"), "it closes before it opens", expected="closes later than opens, on the same day"
        )
    zone = toml.text((*path, "timezone"), required=True)
    if zone is not None and zone not in available_timezones():
        step = nearest(zone, available_timezones())
        toml.problem(
            (*path, "timezone"), f"timezone {shown(zone)}", expected="a name such as Asia/Tokyo", next_step=step
        )
    country, region = toml.text((*path, "country")) or "", toml.text((*path, "region")) or ""
    if region and not country:
        toml.problem((*path, "region"), "a region without its country", expected='country = "JP"', next_step="add it")
    elif country and (fault := country_fault(country, region)) is not None:
        key = "region" if fault.of_region else "country"
        toml.problem((*path, key), f"{key} {shown(region if fault.of_region else country)}", expected=fault.expected)
    closed = _dates(toml, (*path, "closed"))
    if "days" in toml.table(path) and not days and len(toml.problems) == before:
        toml.problem((*path, "days"), "no day", expected=f"some of {', '.join(WEEKDAYS)}")
    if len(toml.problems) > before:
        return None
    assert opens is not None
    assert closes is not None
    assert zone is not None
    return Hours(opens, closes, zone, days or WEEKDAYS[:5], country, region, closed)


def _clock(toml: TomlReader, path: KeyPath) -> int | None:
    value = toml.table(path[:-1]).get(path[-1])
    found = _minutes(value)
    if found is None:
        what = f'no "{path[-1]}" in [hours]' if value is None else f'"{".".join(path)}" is {shown(value)}'
        toml.problem(path, what, expected='a time of day, such as "09:00"')
    return found


def _minutes(value: Any) -> int | None:
    if isinstance(value, str):
        if value == "24:00":
            return 1440
        try:
            value = dt.time.fromisoformat(value if len(value) > 4 else f"0{value}")
        except ValueError:
            return None
    if not isinstance(value, dt.time) or value.second or value.microsecond or value.tzinfo is not None:
        return None
    return value.hour * 60 + value.minute


def _dates(toml: TomlReader, path: KeyPath) -> tuple[dt.date, ...]:
    value = toml.table(path[:-1]).get(path[-1])
    if value is None:
        return ()
    found = [_date(each) for each in value] if isinstance(value, list) else [None]
    if not all(found):
        toml.problem(
            path, f'"{".".join(path)}" holds something else than dates', expected="a list such as [2026-12-29]"
        )
        return ()
    return tuple(each for each in found if each is not None)


def _date(value: Any) -> dt.date | None:
    if isinstance(value, str):
        try:
            return dt.date.fromisoformat(value)
        except ValueError:
            return None
    return value if isinstance(value, dt.date) and not isinstance(value, dt.datetime) else None
