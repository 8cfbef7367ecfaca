"""The profile of a sales-ready lead in words: for its page, and for the terminal."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from features.schema import STAGES, Schema
from features.wording import Lang, event_text, value_text
from features.wording.subjects import column_text
from serving import locales
from serving.page_words import words
from serving.profile import Profile
from serving.profile_traits import Did, Is, Measures, Trait
from serving.serving_model import ServingModel

TYPICAL = 3
"""So many of who they are, and of what they did, stand in the one sentence at the top."""
SHOWN = 8
"""So many of each part; the others are told apart from them by less."""


def profile_page(profile: Profile, model: ServingModel, schema: Schema, lang: Lang) -> dict[str, Any]:
    """The content of the page."""
    who = [each for each in profile.traits if _is_who(each)]
    active = [each for each in profile.traits if isinstance(each.what, Measures) and not each.what.what]
    deeds = [each for each in profile.traits if isinstance(each.what, Did)]
    return {
        "why_not": "",
        "counts": [
            words("profile.counts_ready", lang, n=profile.counted_ready),
            words("profile.counts_others", lang, n=profile.counted_others),
        ],
        "typical": _typical(who, deeds, schema, lang),
        "few": ""
        if profile.enough
        else words("profile.few", lang, ready=profile.counted_ready, others=profile.counted_others),
        "parts": [
            _part("who", [("", who)], schema, lang),
            _part("did", _by_stage(deeds, lang), schema, lang),
            _part("active", [("", active)], schema, lang),
        ]
        if profile.enough
        else [],
        "facts": _facts(profile, lang),
        "counted": counted(profile, lang, zone=schema.zone),
        "help": [words(f"profile.help.{each}", lang) for each in ("noise", "known", "cause")],
        "printed": words(
            "profile.printed",
            lang,
            time=locales.moment(profile.now, schema.zone, lang),
            model=words("profile.model", lang, name=model.name, version=model.version),
        ),
    }


def nothing_yet(lang: Lang) -> dict[str, Any]:
    """The content of the page while there is no model."""
    return {"why_not": words("profile.no_model", lang)}


def profile_text(profile: Profile, model: ServingModel, schema: Schema, lang: Lang) -> list[str]:
    """The page for the terminal, a line each."""
    page = profile_page(profile, model, schema, lang)
    lines = [words("profile.title", lang), *page["counted"], ""]
    lines += [page["typical"], ""] if page["typical"] else []
    lines += [page["few"], ""] if page["few"] else []
    for part in page["parts"]:
        lines.append(part["title"])
        for group in part["groups"]:
            lines += [f"  {group['name']}"] if group["name"] else []
            lines += [f"  - {row['text']}: {row['said']}; {row['times_said']}" for row in group["rows"]]
        lines += [f"  {part['nothing']}"] if part["nothing"] else []
        lines.append("")
    lines.append(words("profile.facts.title", lang))
    lines += [f"  - {row['fact']}: {row['ready_said']}; {row['others_said']}" for row in page["facts"]["rows"]]
    lines += [f"  {page['facts']['nothing']}"] if page["facts"]["nothing"] else []
    return [*lines, "", *page["help"]]


def counted(profile: Profile, lang: Lang, *, zone: str = "UTC") -> list[str]:
    """Which leads were counted, and which of them are called sales-ready."""
    told = [
        words(f"profile.cutoff.{profile.ready.source}", lang, cutoff=locales.percentage(profile.ready.cutoff, lang)),
        words("profile.counted.horizon", lang, horizon=locales.length(profile.horizon, lang)),
        words(
            "profile.counted.open",
            lang,
            ready=profile.open_ready,
            others=profile.open_others,
            time=locales.moment(profile.now, zone, lang),
        ),
    ]
    told.append(words("profile.counted.too_old", lang))
    ended = profile.ended_ready + profile.ended_others
    if ended:
        told.append(
            words("profile.counted.ended", lang, n=ended, ready=profile.ended_ready, others=profile.ended_others)
        )
    return told


def trait_text(what: Is | Measures | Did, schema: Schema, lang: Lang) -> str:
    """A trait as people say it: "company size: 201-1000", "viewed the pricing page"."""
    if isinstance(what, Did):
        if what.event_type:
            return event_text(what.event_type, schema, lang)
        return words("profile.did.any_of_stage", lang)
    if isinstance(what, Is):
        column = column_text(what.column, schema, lang)
        return words("profile.who.is", lang, column=column, value=value_text(what.column, what.value, schema, lang))
    limit = locales.number(what.limit if what.how == "number" else _tidy(what.limit), lang)
    if what.what:
        key = ("age_" if what.how == "age" else "") + ("at_least" if what.at_least else "below")
        return words(f"profile.who.{key}", lang, column=column_text(what.what, schema, lang), limit=limit)
    return words(f"profile.active.{what.how}{'' if what.at_least else '_below'}", lang, limit=limit)


def _is_who(trait: Trait) -> bool:
    return isinstance(trait.what, Is) or (isinstance(trait.what, Measures) and bool(trait.what.what))


def _typical(who: Sequence[Trait], deeds: Sequence[Trait], schema: Schema, lang: Lang) -> str:
    named = [each for each in deeds if isinstance(each.what, Did) and each.what.event_type]
    best = [each for group in (who, named) for each in [one for one in group if one.apart > 0][:TYPICAL]]
    if not best:
        return ""
    items = [
        words(
            "profile.typical_item",
            lang,
            trait=trait_text(each.what, schema, lang),
            share=locales.percentage(each.shares[0], lang),
            other=locales.percentage(each.shares[1], lang),
        )
        for each in best
    ]
    return words("profile.typical", lang, traits=words("profile.and", lang).join(items))


def _by_stage(deeds: Sequence[Trait], lang: Lang) -> list[tuple[str, list[Trait]]]:
    """What they did, by stage in their order; the stage as a whole at its head."""
    groups = []
    for stage in (*STAGES, None):
        of_stage = [each for each in deeds if isinstance(each.what, Did) and each.what.stage == stage]
        of_stage.sort(key=lambda each: (bool(isinstance(each.what, Did) and each.what.event_type), -abs(each.apart)))
        name = words("profile.did.without_stage", lang) if stage is None else value_text("stage", stage, Schema(), lang)
        if of_stage:
            groups.append((name, of_stage))
    return groups


def _part(name: str, groups: Iterable[tuple[str, Sequence[Trait]]], schema: Schema, lang: Lang) -> dict[str, Any]:
    told = []
    for head, traits in groups:
        more = [each for each in traits if each.apart > 0][:SHOWN]
        less = [each for each in traits if each.apart < 0][:SHOWN]
        for key, some in (("more_often", more), ("less_often", less)):
            if some:
                title = head or words(f"profile.{key}", lang)
                beside = words("profile.less_often", lang) if head and key == "less_often" else ""
                told.append({"name": title, "beside": beside, "rows": [_row(each, schema, lang) for each in some]})
    return {
        "title": words(f"profile.{name}.title", lang),
        "aside": "" if name == "active" else words(f"profile.{name}.aside", lang),
        "groups": told,
        "nothing": "" if told else words("profile.nothing_here", lang),
    }


def _row(trait: Trait, schema: Schema, lang: Lang) -> dict[str, Any]:
    share, other = trait.shares
    return {
        "text": trait_text(trait.what, schema, lang),
        "detail": _detail(trait, lang),
        "share": locales.percentage(share, lang),
        "other": locales.percentage(other, lang),
        "width": round(100 * share, 2),
        "other_width": round(100 * other, 2),
        "times": _times(trait, lang),
        "small": (" ・ " if lang == "ja" else " · ").join(
            filter(
                None,
                (
                    words(
                        "profile.counts",
                        lang,
                        ready=_of(trait.ready, trait.ready_of, lang),
                        others=_of(trait.others, trait.others_of, lang),
                    ),
                    _range(trait, lang),
                ),
            )
        ),
        "said": words(
            "profile.versus",
            lang,
            ready=locales.percentage(share, lang),
            ready_count=_of(trait.ready, trait.ready_of, lang),
            others=locales.percentage(other, lang),
            others_count=_of(trait.others, trait.others_of, lang),
        ),
        "times_said": _times_said(trait, lang),
    }


def _of(part: int, whole: int, lang: Lang) -> str:
    return words("profile.share_of", lang, part=part, whole=whole)


def _times(trait: Trait, lang: Lang) -> str:
    if trait.ready == 0 or trait.others == 0:
        return ""
    return words("profile.times_short", lang, times=locales.number(_tidy(trait.times.point), lang))


def _times_said(trait: Trait, lang: Lang) -> str:
    if trait.ready == 0 or trait.others == 0:
        return words("profile.never" if trait.ready == 0 else "profile.only", lang)
    times = words("profile.times", lang, times=locales.number(_tidy(trait.times.point), lang))
    return f"{times}{'（' if lang == 'ja' else ' ('}{_range(trait, lang)}{'）' if lang == 'ja' else ')'}"


def _range(trait: Trait, lang: Lang) -> str:
    if trait.ready == 0 or trait.others == 0:
        return words("profile.never" if trait.ready == 0 else "profile.only", lang)
    low, high = (locales.number(_tidy(each), lang) for each in (trait.times.low, trait.times.high))
    return words("profile.times_range", lang, low=low, high=high)


def _detail(trait: Trait, lang: Lang) -> str:
    deed = trait.deed
    if deed is None or trait.apart <= 0:
        return ""
    often = math.floor(deed.often + 0.5)
    told = [words("profile.did.often", lang, n=often)]
    if deed.ago < 1:
        told.append(words("profile.did.ago_now", lang))
    else:
        told.append(words("profile.did.ago", lang, days=_tidy(deed.ago)))
    if deed.first >= 1:
        told.append(words("profile.did.first", lang, days=_tidy(deed.first)))
    return words("profile.did.of_those", lang, details=words("profile.did.and", lang).join(told))


def _facts(profile: Profile, lang: Lang) -> dict[str, Any]:
    if profile.facts is None or profile.open_ready == 0:
        key = "nothing" if profile.facts is None else "none_open"
        return {"rows": [], "nothing": words(f"profile.facts.{key}", lang)}
    rows = [
        {
            "fact": words(f"profile.facts.{each.fact}", lang),
            "ready_said": _share_said(each.ready, profile.open_ready, lang),
            "others_said": _share_said(each.others, profile.open_others, lang),
        }
        for each in profile.facts
    ]
    return {"rows": rows, "nothing": ""}


def _share_said(part: int, whole: int, lang: Lang) -> str:
    share = f"{locales.percentage(part / whole, lang)} · " if whole else ""
    return share + _of(part, whole, lang)


def _tidy(value: float) -> float:
    """So many decimals that a reader can use: 5.8, 12, 0.25."""
    return (
        round(value, 1)
        if abs(value) < 10 and abs(value) >= 1
        else float(round(value))
        if value >= 10
        else round(value, 2)
    )
