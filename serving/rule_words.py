"""The names of the agreement's rules, and its conditions, as people say them."""

from __future__ import annotations

from collections.abc import Sequence

from babel.lists import format_list

from features.schema import Schema, Words
from features.wording import Lang, topic_label
from features.wording.subjects import column_text
from features.wording.texts import humanised
from serving import locales
from serving.agreement import Agreement
from serving.agreement_rules import ANY, AttributeCondition, Conditions, EventCount, OpenedShare
from serving.lead_score import Missing
from serving.page_words import words
from serving.reason_words import event_definition


def listed(texts: Sequence[str], lang: Lang, *, any_of: bool = False) -> str:
    """Texts as a list: "a, b, and c", with `any_of` "a, b, or c"."""
    return str(format_list(list(texts), style="or" if any_of else "standard", locale=lang))


def own_name(told: Words, name: str, lang: Lang) -> str:
    """What the agreement calls a thing in a language, else in the other one, else its name in the file."""
    first, second = (told.en, told.ja) if lang == "en" else (told.ja, told.en)
    return first or second or humanised(name)


def rule_name(agreement: Agreement | None, rule: str, lang: Lang) -> str:
    """What people call an exclusion or a trigger."""
    found = None if agreement is None else agreement.exclude.get(rule) or agreement.triggers.get(rule)
    return humanised(rule) if found is None else own_name(found.words, rule, lang)


def persona_name(agreement: Agreement | None, persona: str, lang: Lang) -> str:
    """What people call a persona."""
    if persona == ANY:
        return words("rules.any.persona", lang)
    found = [each.words for each in agreement.personas if each.name == persona] if agreement is not None else []
    return own_name(found[0], persona, lang) if found else humanised(persona)


def stage_name(stage: str, lang: Lang) -> str:
    return words("rules.any.stage" if stage == ANY else f"rules.stage.{stage}", lang)


def fact_name(fact: str, lang: Lang) -> str:
    return words(f"rules.fact.{fact}", lang)


def event_name(event_type: str, schema: Schema, lang: Lang) -> str:
    return topic_label(event_definition(event_type), schema, lang)


def missing_words(missing: Missing, lang: Lang) -> str:
    """One thing that a lead lacks before SQL."""
    what, asked, seen = missing
    if what == "stage":
        return words("rules.missing.stage", lang, stage=stage_name(str(asked), lang))
    if what == "fact":
        return words("rules.missing.fact", lang, fact=fact_name(str(asked), lang))
    return words(f"rules.missing.{what}", lang, n=asked, seen=seen)


def conditions_words(conditions: Conditions, schema: Schema, lang: Lang) -> list[str]:
    """Each condition on an attribute as a clause."""
    return [_condition(name, each, schema, lang) for name, each in conditions.items()]


def _condition(name: str, condition: AttributeCondition, schema: Schema, lang: Lang) -> str:
    attribute = column_text(name, schema, lang)
    if condition.one_of or condition.none_of:
        kind, values = ("in", condition.one_of) if condition.one_of else ("not_in", condition.none_of)
        return words(f"rules.condition.{kind}", lang, attribute=attribute, values=listed(values, lang, any_of=True))
    if condition.domains or condition.free_mail:
        free = [words("rules.condition.free_mail", lang)] if condition.free_mail else []
        told = listed([*condition.domains, *free], lang, any_of=True)
        return words("rules.condition.domains", lang, attribute=attribute, values=told)
    low, high = condition.at_least, condition.at_most
    kind = "between" if low is not None and high is not None else "at_least" if low is not None else "at_most"
    bounds = {name: value for name, value in (("low", low), ("high", high)) if value is not None}
    return words(f"rules.condition.{kind}", lang, attribute=attribute, **bounds)


def events_words(rule: EventCount | OpenedShare, schema: Schema, lang: Lang) -> str:
    """What must have happened, as a clause."""
    within = "" if rule.within is None else locales.length(rule.within, lang)
    if isinstance(rule, OpenedShare):
        share = locales.percentage(rule.share, lang)
        return words("rules.condition.opened", lang, n=rule.sent_at_least, share=share, within=within)
    events = listed([event_name(each, schema, lang) for each in rule.types], lang, any_of=True)
    kind = "events_within" if within else "events_ever"
    return words(f"rules.condition.{kind}", lang, n=rule.at_least, events=events, within=within)
