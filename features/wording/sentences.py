"""How a feature and its value are said: one sentence about one lead.

A definition is turned into a small function of the value once, with all words but the value's in place; saying a
sentence is then a call of it. All words come from the definition, the schema and the wording files.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from features.definitions import (
    AttributeAge,
    AttributeCategory,
    AttributeNumber,
    CountWithin,
    DaysSinceCreation,
    DaysSinceFirst,
    DaysSinceLast,
    DecayedCount,
    Definition,
    DistinctDays,
    DistinctValues,
    LastCategory,
    LastGap,
    LastNumber,
    MaxWithin,
    MeanGap,
    MeanWithin,
    Sessions,
    Share,
    SumWithin,
    Trend,
)
from features.schema import Schema
from features.wording import formats
from features.wording.subjects import called_text, column_text, fill, subject, value_text
from features.wording.texts import Lang, text, texts

Value = float | str | None
Sentence = Callable[[Value], str]

STEADY = (0.9, 1.1)
"""A trend between these is no trend to a person."""
LITTLE = 0.5
"""A decayed count below this holds no event younger than the half-life: that one alone would weigh more."""
_KEPT = 8192

_sentences: dict[tuple[int, int, Lang], tuple[Definition, Schema, Sentence]] = {}


def say(definition: Definition, value: Value, schema: Schema, lang: Lang) -> str:
    """Say a feature of one lead: "viewed the pricing page 3 times in the last 7 days".

    Parameters
    ----------
    definition : what was computed.
    value : the feature's value; a category as its text or its code; None or NaN where it is missing.
    schema : the words and values of the workspace.
    lang : "en" or "ja".

    A definition that the workspace gave a name is said as "name: value", whatever it computes.

    Returns
    -------
    A sentence without a full stop, in the past tense (en) or ending in a noun (ja).
    """
    # Looked up by identity: a definition's own hash runs over all its categories, and costs more than the sentence.
    found = _sentences.get((id(definition), id(schema), lang))
    if found is None:
        if len(_sentences) >= _KEPT:
            _sentences.clear()
        found = (definition, schema, _compile(definition, schema, lang))
        _sentences[id(definition), id(schema), lang] = found  # holds both alive, so that their ids stay theirs
    return found[2](None if value != value else value)


def span(window: int | None, lang: Lang, form: str = "within") -> str:
    """A window in words: "in the last 7 days", "so far"; as a label "last 7 days", "ever"."""
    if window is None:
        return text("span.ever" if form == "within" else "span.label_ever", lang)
    return text(f"span.{form}", lang).format(window=formats.window(window, lang))


def position(nth: int, lang: Lang) -> str:
    """Which of the last events: "latest", "second-latest"."""
    listed = texts(lang).get(f"say.plain.position.{nth}")
    return listed or text("say.plain.position.nth", lang).format(nth=nth)


@dataclass(frozen=True)
class _Speech:
    """The templates for one selection, with its words and the window's filled in."""

    mode: str
    words: Mapping[str, str]
    lang: Lang

    def template(self, key: str) -> str:
        return fill(self._unfilled(key), self.words)

    def _unfilled(self, key: str) -> str:
        own = texts(self.lang).get(f"say.{self.mode}.{key}")
        return text(f"say.any.{key}", self.lang) if own is None else own

    def parts(self, key: str, hole: str) -> tuple[str, str]:
        """What stands before and after the value. Split first: the words may hold braces of their own."""
        before, _, after = self._unfilled(key).partition(hole)
        return fill(before, self.words), fill(after, self.words)

    def fixed(self, key: str) -> Sentence:
        said = self.template(key)
        return lambda value: said

    def around(self, key: str, write: Callable[[float], str], hole: str = "{n}") -> Callable[[float], str]:
        """A template with one hole, as a function of what is written there."""
        before, after = self.parts(key, hole)
        return lambda value: before + write(value) + after


def _compile(definition: Definition, schema: Schema, lang: Lang) -> Sentence:
    if definition.called:
        return _own(definition, called_text(definition.called, lang), schema, lang)
    made = _of_one_lead(definition, schema, lang) or _of_events(definition, schema, lang)
    if made is None:
        raise ValueError(f"no wording for {type(definition).__name__}")
    return made


def _own(definition: Definition, name: str, schema: Schema, lang: Lang) -> Sentence:
    """A value beside the name that the workspace gave it."""
    write = _writer(lang)
    match definition:
        case LastCategory(column, _, values):
            return _of_categories("own", {"name": name}, column, values, schema, lang)
        case DaysSinceLast() | DaysSinceFirst():
            return _some_or_missing("own", {"name": name}, "{text}", lambda days: formats.ago(days, lang), lang)
        case MeanGap() | LastGap():
            return _some_or_missing("own", {"name": name}, "{text}", lambda days: formats.rough(days, lang), lang)
        case Share():
            return _some_or_missing("own", {"name": name}, "{text}", lambda x: formats.percent(x, lang), lang)
        case Trend() | DecayedCount():
            return _some_or_missing("own", {"name": name}, "{text}", lambda x: write(round(x, 1)), lang)
    return _some_or_missing("own", {"name": name}, "{text}", write, lang)


def _writer(lang: Lang) -> Callable[[float], str]:
    return lambda value: formats.number(value, lang)


def _of_one_lead(definition: Definition, schema: Schema, lang: Lang) -> Sentence | None:
    """Definitions that have no selection: attributes, creation, last categories, distinct values."""
    match definition:
        case DaysSinceCreation():
            return _some_or_missing("created", {}, "{time}", lambda value: formats.ago(value, lang), lang)
        case AttributeNumber(column):
            words = {"name": column_text(column, schema, lang)}
            return _some_or_missing("attribute", words, "{text}", _writer(lang), lang)
        case AttributeAge(column):
            words = {"name": column_text(column, schema, lang)}
            return _some_or_missing("attribute", words, "{text}", lambda value: formats.ago(value, lang), lang)
        case AttributeCategory(column, values):
            return _of_categories(
                "attribute", {"name": column_text(column, schema, lang)}, column, values, schema, lang
            )
        case LastCategory(column, nth, values):
            words = {"position": position(nth, lang), "column": column_text(column, schema, lang)}
            key = "last_event" if column == "event_type" else "last_column"
            return _of_categories(key, words, column, values, schema, lang)
        case DistinctValues(column, window):
            words = {"column": column_text(column, schema, lang), "within": span(window, lang)}
            key = {"event_type": "distinct_types", "channel": "distinct_channels"}.get(column, "distinct_column")
            speech = _Speech("plain", words, lang)
            none, one = speech.template(f"{key}.none"), speech.template(f"{key}.one")
            many = speech.around(f"{key}.many", _writer(lang))
            return lambda value: none if not value else one if value == 1 else many(_number(value))
    return None


def _some_or_missing(
    key: str, words: Mapping[str, str], hole: str, write: Callable[[float], str], lang: Lang
) -> Sentence:
    speech = _Speech("plain", words, lang)
    missing, some = speech.template(f"{key}.missing"), speech.around(f"{key}.some", write, hole)
    return lambda value: missing if value is None else some(_number(value))


def _of_categories(
    key: str, words: Mapping[str, str], column: str, values: tuple[str, ...], schema: Schema, lang: Lang
) -> Sentence:
    """A sentence for each category, made beforehand; a text that has no code is said all the same."""
    speech = _Speech("plain", words, lang)
    missing = speech.template(f"{key}.missing")
    before, after = speech.parts(f"{key}.some", "{text}")
    said: dict[Value, str] = {None: missing}
    for code, category in enumerate(values):
        said[category] = said[float(code)] = before + value_text(column, category, schema, lang) + after

    def sentence(value: Value) -> str:
        found = said.get(value)
        return before + value_text(column, str(value), schema, lang) + after if found is None else found

    return sentence


def _number(value: Value) -> float:
    if isinstance(value, str):
        raise TypeError(f"a number is expected, found the text {value!r}")
    assert value is not None
    return value


def _of_events(definition: Definition, schema: Schema, lang: Lang) -> Sentence | None:
    """Definitions of a selection of events."""
    if not hasattr(definition, "selector"):
        return None
    mode, forms = subject(definition.selector, schema, lang)
    window: int | None = getattr(definition, "window", None)
    column = getattr(definition, "column", "")
    words = {**forms, "within": span(window, lang), "column": column_text(column, schema, lang) if column else ""}
    speech = _Speech(mode, words, lang)
    none = speech.fixed("count.never" if window is None else "count.none")
    write = _writer(lang)
    match definition:
        case CountWithin():
            return _counted(none, speech, "count", two="two")
        case DistinctDays():
            return _counted(none, speech, "days", "_ever" if window is None else "")
        case Sessions():
            return _counted(none, speech, "sessions")
        case Share():
            return _cases(
                speech.fixed("share.missing"), none, speech.around("share.some", lambda x: formats.percent(x, lang))
            )
        case SumWithin() | MeanWithin() | MaxWithin() | LastNumber():
            key = {SumWithin: "sum", MeanWithin: "mean", MaxWithin: "max", LastNumber: "last_number"}[type(definition)]
            some = speech.around(f"{key}.some", write)
            return _cases(speech.fixed(f"{key}.missing"), some, some)
        case DaysSinceLast() | DaysSinceFirst():
            key = "since_last.some" if isinstance(definition, DaysSinceLast) else "since_first.some"
            some = speech.around(key, lambda days: formats.ago(days, lang), "{time}")
            return _cases(none, some, some)
        case MeanGap() | LastGap():
            key = "mean_gap" if isinstance(definition, MeanGap) else "last_gap"
            bare = key == "mean_gap"
            some = speech.around(f"{key}.some", lambda days: formats.rough(days, lang, bare=bare), "{time}")
            same, missing = speech.fixed(f"{key}.same"), speech.fixed(f"{key}.missing")
            return lambda value: (
                missing(None)
                if value is None
                else same(None)
                if formats.is_instant(_number(value))
                else some(_number(value))
            )
        case Trend(_, short, long):
            return _trend(mode, words, short, long, lang)
        case DecayedCount(_, half_life):
            words |= {"half_life": formats.duration(half_life, lang), "window": formats.window(half_life, lang)}
            return _decayed(_Speech(mode, words, lang))
    return None


def _cases(missing: Sentence, zero: Callable[[Any], str], some: Callable[[float], str]) -> Sentence:
    return lambda value: missing(None) if value is None else zero(value) if value == 0 else some(_number(value))


def _counted(none: Sentence, speech: _Speech, key: str, ending: str = "", two: str = "") -> Sentence:
    """None, one, (two) and many in their own words. A count that is missing is none."""
    absent, one = none(None), speech.template(f"{key}.one{ending}")
    twice = speech.template(f"{key}.{two}") if two else ""
    many = speech.around(f"{key}.many{ending}", _writer(speech.lang))

    def sentence(value: Value) -> str:
        if not value:
            return absent
        if value == 1:
            return one
        return twice if twice and value == 2 else many(_number(value))

    return sentence


def _trend(mode: str, words: Mapping[str, str], short: int, long: int, lang: Lang) -> Sentence:
    """Picking up, steady, slowing down, stopped; missing where even the long window is empty."""
    words = {
        **words,
        "within": span(long, lang),
        "short": formats.window(short, lang),
        "long": formats.window(long, lang),
    }
    speech = _Speech(mode, words, lang)
    missing, stopped, steady = (speech.template(key) for key in ("count.none", "trend.stopped", "trend.steady"))
    up = speech.around("trend.up", lambda ratio: formats.number(round(ratio, 1), lang))
    down = speech.around("trend.down", lambda ratio: formats.percent(ratio, lang))

    def sentence(value: Value) -> str:
        if value is None:
            return missing
        ratio = _number(value)
        if ratio == 0:
            return stopped
        return down(ratio) if ratio < STEADY[0] else up(ratio) if ratio > STEADY[1] else steady

    return sentence


def _decayed(speech: _Speech) -> Sentence:
    none, little, one = (speech.template(f"decayed.{key}") for key in ("none", "little", "one"))
    many = speech.around("decayed.many", lambda value: formats.number(value, speech.lang))

    def sentence(value: Value) -> str:
        if not value:
            return none
        weight = _number(value)
        if weight < LITTLE:
            return little
        rounded = round(weight, 1)
        return one if rounded == 1 else many(rounded)

    return sentence
