"""Which of the agreement's rules hold for a lead at a moment: exclusions, triggers and personas."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from features.history import History
from features.moments import Moments
from features.visible_rows import visible_events, visible_rows
from serving.agreement import Agreement
from serving.agreement_rules import AttributeCondition, Conditions, EventCount, OpenedShare, Persona, Trigger
from serving.evidence import codes_of

Flags = NDArray[np.bool_]


def excluded_by(history: History, moments: Moments, agreement: Agreement) -> list[str | None]:
    """For each moment the exclusion that holds, by name; of several the first by name, so that the file's order is free.

    Parameters
    ----------
    history : read with the agreement's `rule_columns`.
    """
    rules = agreement.exclude
    counts = {name: rule.events for name, rule in rules.items() if rule.events is not None}
    by_events = _events_hold(history, moments, counts)
    holds = {}
    for name, rule in rules.items():
        found = _attributes_hold(history, moments, rule.attributes)
        holds[name] = found & by_events[name] if name in by_events else found
    return _first(holds, sorted(holds), len(moments))


def triggered_by(history: History, moments: Moments, triggers: Mapping[str, Trigger]) -> list[str | None]:
    """For each moment the trigger that holds, by name; of several the first by name."""
    holds = _events_hold(history, moments, {name: each.rule for name, each in triggers.items()})
    return _first(holds, sorted(holds), len(moments))


def personas_of(history: History, moments: Moments, personas: Sequence[Persona]) -> list[str | None]:
    """For each moment the first persona that matches, in the agreement's order."""
    holds = {each.name: _attributes_hold(history, moments, each.attributes) for each in personas}
    return _first(holds, [each.name for each in personas], len(moments))


def _first(holds: Mapping[str, Flags], order: Sequence[str], n: int) -> list[str | None]:
    found: list[str | None] = [None] * n
    for name in reversed(order):
        for row in np.flatnonzero(holds[name]).tolist():
            found[row] = name
    return found


def _attributes_hold(history: History, moments: Moments, conditions: Conditions) -> Flags:
    """Whether what was known of a lead meets all conditions; without any it does."""
    holds = np.ones(len(moments), dtype=np.bool_)
    for column, condition in conditions.items():
        holds &= _meets(history, moments, column, condition)
    return holds


def _meets(history: History, moments: Moments, column: str, condition: AttributeCondition) -> Flags:
    """Whether the newest value known strictly before each moment meets a condition; an unknown one doesn't."""
    held = history.rule_attributes
    if held is None or column not in held.columns:
        raise ValueError("the history was read without the columns that the agreement's rules look at")
    place = held.columns.index(column)
    codes = held.rows.codes[place]
    newest = np.full(len(moments), -1, dtype=np.int64)
    for first, _, moment, row in visible_rows(held.rows.offsets, held.rows.known_at, moments):
        says = codes[row] >= 0
        newest[first + moment[says]] = codes[row[says]]  # rows are in order of time: the newest is written last
    # Only values that some moment has are looked at: a column of mail addresses has as many values as leads.
    texts, told = held.rows.vocabularies[place], newest.tolist()
    met = {code: code >= 0 and condition.met_by(texts[code]) for code in set(told)}
    return np.array([met[code] for code in told], dtype=np.bool_)


def _events_hold(history: History, moments: Moments, rules: Mapping[str, EventCount | OpenedShare]) -> dict[str, Flags]:
    """By rule whether enough visible events lie in [as_of - within, as_of); all rules in one pass over the events."""
    holds = {name: np.zeros(len(moments), dtype=np.bool_) for name in rules}
    vocabulary = set(history.events.vocabularies[0])
    possible = {name: rule for name, rule in rules.items() if not vocabulary.isdisjoint(rule.types)}
    if not possible:
        return holds
    codes, occurred = history.events.codes[0], history.events.occurred_at
    looked_for = {types: codes_of(history, types) for rule in possible.values() for types in _types(rule)}
    any_type = np.logical_or.reduce(list(looked_for.values()))
    for first, last, moment, event in visible_events(history, moments):
        candidate = any_type[codes[event]]
        moment, event = moment[candidate], event[candidate]
        code, age = codes[event], moments.as_of[first + moment] - occurred[event]
        for name, rule in possible.items():
            within = np.ones(len(age), dtype=np.bool_) if rule.within is None else age <= rule.within
            first_, *others = (
                np.bincount(moment[within & looked_for[types][code]], minlength=last - first) for types in _types(rule)
            )
            if isinstance(rule, EventCount):
                holds[name][first:last] = first_ >= rule.at_least
            else:
                sent = others[0]  # divided, not multiplied: 7 of 100 are 0.07 exactly, 0.07 x 100 is more than 7
                holds[name][first:last] = (sent >= rule.sent_at_least) & (first_ / np.maximum(sent, 1) >= rule.share)
    return holds


def _types(rule: EventCount | OpenedShare) -> tuple[tuple[str, ...], ...]:
    return (rule.types,) if isinstance(rule, EventCount) else (rule.opened, rule.sent)
