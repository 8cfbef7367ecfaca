"""What stands in an agreement's way: names that nothing answers to, a stage that is never reached, gaps in what was agreed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from features.history import History
from features.wording import Lang
from serving.agreement import Agreement, reaching
from serving.agreement_rules import ANY
from serving.page_words import words


def agreement_warnings(
    agreement: Agreement, history: History, stages: Mapping[str, str], *, lang: Lang = "en"
) -> list[str]:
    """A sentence for each, without a full stop.

    Parameters
    ----------
    history : the tables, read with the agreement's `rule_columns`.
    stages : event type to stage, of the model that scores.
    """
    return [words(f"rules.warning.{key}", lang, **values) for key, values in _found(agreement, history, stages)]


def _found(
    agreement: Agreement, history: History, stages: Mapping[str, str]
) -> Iterator[tuple[str, dict[str, object]]]:
    stage = agreement.evidence.stage if agreement.evidence is not None else None
    if stage is not None and not reaching(stage, stages):
        yield "no_stage", {"stage": stage}
    known = {*history.events.vocabularies[0], *stages}
    for where, types in _types(agreement):
        for name in sorted(set(types) - known):
            yield "no_type", {"where": where, "name": name}
    said = _columns_with_values(history)
    for where, columns in _columns(agreement):
        for name in sorted(set(columns) - said):
            yield "no_column", {"where": where, "name": name}
    if agreement.nurture and agreement.nurture_for(ANY, ANY) is None:
        yield "no_nurture", {}


def _types(agreement: Agreement) -> Iterator[tuple[str, tuple[str, ...]]]:
    for name in sorted(agreement.fast_lane):
        yield f"[fast_lane.{name}]", (name,)
    for name, rule in sorted(agreement.exclude.items()):
        yield f"[exclude.{name}]", () if rule.events is None else rule.events.types
    for name, trigger in sorted(agreement.triggers.items()):
        yield f"[trigger.{name}]", trigger.rule.types


def _columns(agreement: Agreement) -> Iterator[tuple[str, tuple[str, ...]]]:
    for name, rule in sorted(agreement.exclude.items()):
        yield f"[exclude.{name}]", tuple(rule.attributes)
    for persona in agreement.personas:
        yield f"[personas.{persona.name}]", tuple(persona.attributes)


def _columns_with_values(history: History) -> set[str]:
    held = history.rule_attributes
    if held is None:
        return set()
    return {name for name, texts in zip(held.columns, held.rows.vocabularies, strict=True) if texts}
