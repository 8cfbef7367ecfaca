"""What a sentence is about: a selection of events, a column, a value, in words of a language."""

from __future__ import annotations

import re
from collections.abc import Mapping

from features.definitions import OTHER, Called, Selector
from features.schema import Schema, Words
from features.wording.texts import Lang, humanised, known, known_key, known_words, text

Subject = tuple[str, Mapping[str, str]]
"""How it is spoken of ("verb", "noun" or "any"), and its forms for the templates of `[say]`."""


def quoted(name: str, lang: Lang) -> str:
    return text("formats.quoted", lang).format(text=name)


def _given(words: Mapping[str, Words], name: str, lang: Lang) -> str | None:
    found = words.get(name)
    return (getattr(found, lang) or None) if found is not None else None


def event_phrase(event_type: str, schema: Schema, lang: Lang) -> str | None:
    """What a lead did, as the toml or the list of common types says it; None where neither does."""
    return _given(schema.event_words, event_type, lang) or known_words("events", event_type, lang)


def event_text(event_type: str, schema: Schema, lang: Lang) -> str:
    """An event type before a colon or after one: its phrase, else its name in quotes."""
    if event_type == OTHER:
        return text("nouns.other.topic", lang)
    return event_phrase(event_type, schema, lang) or quoted(humanised(event_type), lang)


def column_text(column: str, schema: Schema, lang: Lang) -> str:
    """A column of events or attributes: as the toml says it, a common name's words, else the name without underscores."""
    given = _given(schema.attribute_words, column, lang)
    return given or known_words("columns", column, lang) or humanised(column)


def called_text(called: Called, lang: Lang) -> str:
    """What a workspace calls a definition of its own: in its words, else the name without underscores."""
    return getattr(called, lang) or humanised(called.name)


def value_text(column: str, value: str, schema: Schema, lang: Lang) -> str:
    """A value of a categorical column; what isn't known to mean something is left as it stands in the table.

    English keeps the table's own spelling unless the table is in another script, so that people find the value again.
    """
    if column == "event_type":
        return event_text(value, schema, lang)
    if column == "stage":
        return text(f"stages.{value}", lang)
    if column == "channel":
        return known_words("channels", value, lang) or value
    if lang == "en" and value.isascii() and value.lower() not in ("true", "false"):
        return value
    key = known_key("columns", column)
    found = known_words(f"values.{key}", value, lang) if key else None
    return found or known_words("values.any", value, lang) or value


def subject(selector: Selector, schema: Schema, lang: Lang) -> Subject:
    """The selection's forms: `topic` before a colon, `one` and `many` to count, `last` and `first` before a time,
    and for an English phrase what the lead `did`, did `not` do and `never` did."""
    if selector.column == "event_type" and selector.value != OTHER:
        phrase = event_phrase(selector.value, schema, lang)
        if phrase is None:
            name = quoted(humanised(selector.value), lang)
            return "any", {"topic": name, "one": name, "many": name, "last": name, "first": name}
        return _english(phrase) if lang == "en" else _japanese(phrase)
    values: dict[str, str] = {}
    if selector.column == "":
        kind = "all"
    elif selector.column == "event_type":
        kind = "other"
    elif selector.column in ("stage", "channel"):
        kind = selector.column
        shown = value_text(selector.column, selector.value, schema, lang)
        unknown = kind == "channel" and known_words("channels", selector.value, lang) is None
        values = {"value": quoted(shown, lang) if unknown else shown}
    else:
        kind = "column"
        shown = value_text(selector.column, selector.value, schema, lang)
        values = {"column": column_text(selector.column, schema, lang), "value": quoted(shown, lang)}
    forms = ("topic", "one", "many", "last", "first")
    return "noun", {form: fill(text(f"nouns.{kind}.{form}", lang), values) for form in forms}


def fill(template: str, values: Mapping[str, str]) -> str:
    """Put words into a template without touching braces that the words themselves hold."""
    return re.sub(r"\{(\w+)\}", lambda found: values.get(found[1], found[0]), template)


def _english(phrase: str) -> Subject:
    """Forms of a past-tense phrase. One that doesn't begin with a verb we can tell is spoken of as a topic."""
    if phrase[1:2].islower():
        phrase = phrase[0].lower() + phrase[1:]
    verb, space, rest = phrase.partition(" ")
    rest = space + rest
    forms = {"topic": phrase, "did": phrase, "one": phrase, "many": phrase, "last": phrase, "first": phrase}
    if verb in ("was", "were"):
        forms |= {each: f"{verb} {each}{rest}" for each in ("not", "never", "last", "first")}
        return "verb", forms
    base = _base(verb)
    if base is None and not re.fullmatch(r"[a-z]+ed", verb):
        return "any", forms
    forms |= {each: f"{each} {phrase}" for each in ("never", "last", "first")}
    return "verb", forms | {"not": f"did not {base}{rest}" if base else forms["never"]}


_ONLY_ADDS_ED = re.compile(
    r"(?:[cslr]k|ook|s[tsh]|[tl]?ch|nd|[rcpfln]t|isit|ll|[eo]w|[aoe]y|er|oad|[ao]in|ail|ea[ltk]|ign|urn)ed"
)


def _base(verb: str) -> str | None:
    """Base form of an English past tense: from the list, else where the ending leaves no doubt.

    None where it is not known, or the word is no past tense at all; "did not renam" would be worse than "never renamed".
    """
    listed: str | None = known()["verbs"].get(verb)
    if listed is not None or len(verb) < 5:
        return listed
    if re.fullmatch(r"[a-z]+ied", verb):
        return verb[:-3] + "y"
    return verb[:-2] if re.fullmatch(rf"[a-z]*{_ONLY_ADDS_ED.pattern}", verb) else None


_JAPANESE_VERB_ENDS = frozenset("ただるうくすつぬむぶぐてで")


def _japanese(phrase: str) -> Subject:
    """Forms of a phrase such as 価格ページを閲覧: 価格ページの閲覧 where it is said not to have been."""
    noun = phrase
    if phrase[-1] not in _JAPANESE_VERB_ENDS and "を" in phrase:
        what, _, done = phrase.rpartition("を")
        where, to, deed = done.rpartition("に")
        if to and where and deed:
            noun = f"{what}の{where}への{deed}"
        else:  # カートに商品を追加: the place stands first
            place, at, thing = what.partition("に")
            noun = f"{place}への{thing}の{done}" if at and place and thing else f"{what}の{done}"
    elif phrase[-1] not in _JAPANESE_VERB_ENDS and re.search(
        r"[^に]に(参加|登録|返信|回答|申し込み|連絡|来店|来場)$", phrase
    ):
        where, _, deed = phrase.rpartition("に")
        noun = f"{where}への{deed}"
    return "verb", {
        "topic": phrase, "did": phrase, "one": noun, "many": phrase, "last": f"最後に{phrase}", "first": f"最初に{phrase}"
    }  # fmt: skip
