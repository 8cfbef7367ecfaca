"""Every definition says itself in English and Japanese, and both wording files hold the same."""

from __future__ import annotations

import math
import re
import string
import timeit

import numpy as np
import pytest

from features.definitions import (
    ALL,
    KINDS,
    OTHER,
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
    Selector,
    Sessions,
    Share,
    SumWithin,
    Trend,
)
from features.schema import Schema, Words
from features.wording import LANGS, Lang, ago, duration, label, message, number, percent, say, topic_label
from features.wording.formats import rough, window
from features.wording.subjects import subject
from features.wording.texts import known, plain, texts
from oracles.made_histories import DAY, HOUR, every_definition

SCHEMA = Schema(
    event_types=("basket", "frobnicated_thing", "mail_opened", "mail_sent", "pricing_page_viewed", "デモ見学"),
    stages={"pricing_page_viewed": "decision", "basket": "action"},
    event_numbers=("value", "n_items", "score_x"),
    event_categories={"channel": ("Type A", "web"), "plan": ("free", "team")},
    attributes={
        "company_size": "category", "existing": "category", "job_level": "category", "renewal": "date", "seats": "number"
    },
    categories={"company_size": ("1-10", "201-1000"), "existing": ("false", "true"), "job_level": ("director", "魔術師")},
    zone="Asia/Tokyo",
    event_words={"basket": Words("bought a basket of goods", "店舗で買い物")},
    attribute_words={"renewal": Words("renewal date", "更新日")},
)  # fmt: skip
PRICING = Selector("event_type", "pricing_page_viewed")
UNKNOWN = Selector("event_type", "frobnicated_thing")


def fields_of(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name is not None}


def values_of(definition: Definition) -> list[float | str | None]:
    """Values of each class that a definition can have: missing, none, one, many, fractions, huge ones."""
    if definition.categorical:
        return [None, math.nan, *definition.categories, "never seen", 0.0]
    return [None, math.nan, 0.0, 1.0, 2.0, 3.0, 1234.0, 0.07, 0.4, 2.345, 45.0, 900.0, 1e300, np.float64(7.0)]


# ---- the files


def test_both_languages_have_the_same_keys() -> None:
    own = {lang: {key for key in texts(lang) if not key.startswith("say.")} for lang in LANGS}
    assert own["en"] == own["ja"]


def test_both_languages_can_say_the_same() -> None:
    """A selection's way of speaking may be left to [say.any]."""
    said = {
        lang: {
            (mode, key.split(".", 2)[2])
            for mode in ("any", "verb", "noun")
            for key in texts(lang)
            if key.startswith(("say.any.", f"say.{mode}."))
        }
        for lang in LANGS
    }
    assert said["en"] == said["ja"]
    assert {key for key in texts("en") if key.startswith("say.plain.")} == {
        key for key in texts("ja") if key.startswith("say.plain.")
    }


def test_both_languages_have_the_same_placeholders_in_fixed_texts() -> None:
    for key, english in texts("en").items():
        if key.startswith(("message.", "formats.", "label.", "topic.")):
            assert fields_of(english) == fields_of(texts("ja")[key]), key


def test_no_text_is_empty_or_ends_in_a_space() -> None:
    for lang in LANGS:
        for key, each in texts(lang).items():
            assert each, key
            assert each == each.strip(), key


def test_common_names_are_known_in_both_languages_and_only_once() -> None:
    sections = {"events": known()["events"], "channels": known()["channels"], "columns": known()["columns"]}
    sections |= {f"values.{name}": table for name, table in known()["values"].items()}
    for section, table in sections.items():
        names = [plain(name) for entry in table.values() for name in entry["names"]]
        assert len(names) == len(set(names)), (section, {name for name in names if names.count(name) > 1})
        for key, entry in table.items():
            assert set(entry) == {"en", "ja", "names"}, key
            assert re.search(r"[ぁ-んァ-ヶ一-龯]", entry["ja"]) or entry["ja"] in ("Web", "SNS", "LINE", "IT", "OS"), (
                key
            )
    assert set(known()["values"]) - {"any"} <= set(known()["columns"])


def test_every_common_event_is_a_past_tense_that_can_be_denied() -> None:
    for entry in known()["events"].values():
        mode, forms = subject(Selector("event_type", entry["names"][0]), SCHEMA, "en")
        assert mode == "verb", entry
        assert re.match(r"(did|was) not ", forms["not"]), entry


# ---- completeness


@pytest.mark.parametrize("lang", LANGS)
def test_every_definition_says_every_class_of_value(lang: Lang) -> None:
    everything = (
        *every_definition(SCHEMA, (HOUR, DAY, 7 * DAY, 90 * DAY)),
        *(kind(Selector("event_type", OTHER), None) for kind in (CountWithin, Sessions)),
    )
    assert {type(each).__name__ for each in everything} == set(KINDS)
    for definition in everything:
        for value in values_of(definition):
            sentence = say(definition, value, SCHEMA, lang)
            assert sentence == sentence.strip() != "", definition
            assert not re.search(r"[{}]|nan|None|  |：$|: $", sentence), sentence
        for name in (label(definition, SCHEMA, lang), topic_label(definition, SCHEMA, lang)):
            assert name, definition
            assert not re.search(r"[{}]|None", name), name


@pytest.mark.parametrize("lang", LANGS)
def test_labels_tell_all_definitions_apart(lang: Lang) -> None:
    everything = every_definition(SCHEMA, (HOUR, DAY, 7 * DAY, 90 * DAY))
    labels = [label(each, SCHEMA, lang) for each in everything]
    assert len(set(labels)) == len(labels)


@pytest.mark.parametrize("lang", LANGS)
def test_definitions_of_one_topic_have_one_topic_label(lang: Lang) -> None:
    labels: dict[tuple[str, str], set[str]] = {}
    for each in every_definition(SCHEMA, (HOUR, 7 * DAY)):
        labels.setdefault((each.group, each.topic), set()).add(topic_label(each, SCHEMA, lang))
    assert {len(each) for each in labels.values()} == {1}


def test_japanese_sentences_hold_no_english_but_names_of_the_tables() -> None:
    names = ("frobnicated thing", "Type A", "score x", "Web", "free", "team", "existing", "seats", "never seen", "e+")
    for definition in every_definition(SCHEMA, (HOUR, DAY, 90 * DAY)):
        for value in values_of(definition):
            sentence = say(definition, value, SCHEMA, "ja")
            for name in names:
                sentence = sentence.replace(name, "")
            assert not re.search(r"[A-Za-z]{2}", sentence), sentence


# ---- sentences


SENTENCES: list[tuple[Definition, float | str | None, str, str]] = [
    (CountWithin(PRICING, 7 * DAY), 3.0,
     "viewed the pricing page 3 times in the last 7 days", "価格ページを閲覧：過去7日間に3回"),
    (CountWithin(PRICING, 7 * DAY), 1.0,
     "viewed the pricing page once in the last 7 days", "価格ページを閲覧：過去7日間に1回"),
    (CountWithin(PRICING, 30 * DAY), 0.0,
     "did not view the pricing page in the last 30 days", "価格ページの閲覧：過去30日間なし"),
    (CountWithin(PRICING, HOUR), 2.0,
     "viewed the pricing page twice in the last hour", "価格ページを閲覧：過去1時間に2回"),
    (CountWithin(PRICING, DAY), 12345.0,
     "viewed the pricing page 12,345 times in the last 24 hours", "価格ページを閲覧：過去24時間に12,345回"),
    (CountWithin(PRICING, None), 0.0, "never viewed the pricing page", "価格ページの閲覧：これまでなし"),
    (CountWithin(PRICING, None), 5.0, "viewed the pricing page 5 times so far", "価格ページを閲覧：これまでに5回"),
    (CountWithin(Selector("event_type", "mail_opened"), 30 * DAY), 0.0,
     "did not open a mail in the last 30 days", "メールの開封：過去30日間なし"),
    (CountWithin(Selector("event_type", "mail_sent"), 30 * DAY), 0.0,
     "was not sent a mail in the last 30 days", "メールの配信：過去30日間なし"),
    (CountWithin(UNKNOWN, 7 * DAY), 3.0,
     "“frobnicated thing”: 3 times in the last 7 days", "「frobnicated thing」：過去7日間に3回"),
    (CountWithin(UNKNOWN, 7 * DAY), 0.0,
     "“frobnicated thing”: not once in the last 7 days", "「frobnicated thing」：過去7日間なし"),
    (CountWithin(Selector("event_type", "デモ見学"), 7 * DAY), 2.0,
     "“デモ見学”: twice in the last 7 days", "「デモ見学」：過去7日間に2回"),
    (CountWithin(Selector("event_type", "basket"), 7 * DAY), 0.0,
     "did not buy a basket of goods in the last 7 days", "店舗で買い物：過去7日間なし"),
    (CountWithin(ALL, 7 * DAY), 12.0, "12 activities in the last 7 days", "アクション：過去7日間に12回"),
    (CountWithin(ALL, 7 * DAY), 0.0, "no activity in the last 7 days", "アクション：過去7日間なし"),
    (CountWithin(Selector("stage", "decision"), 365 * DAY), 1.0,
     "1 decision-stage activity in the last year", "比較・検討段階のアクション：過去1年間に1回"),
    (CountWithin(Selector("channel", "web"), 7 * DAY), 3.0,
     "3 activities via web in the last 7 days", "Web経由のアクション：過去7日間に3回"),
    (CountWithin(Selector("channel", "Type A"), 7 * DAY), 3.0,
     "3 activities via “Type A” in the last 7 days", "「Type A」経由のアクション：過去7日間に3回"),
    (CountWithin(Selector("plan", "team"), 7 * DAY), 3.0,
     "3 activities with plan “team” in the last 7 days", "プランが「team」のアクション：過去7日間に3回"),
    (CountWithin(Selector("event_type", OTHER), None), 2.0,
     "2 other activities so far", "その他のアクション：これまでに2回"),
    (DistinctDays(PRICING, 30 * DAY), 3.0,
     "viewed the pricing page on 3 different days in the last 30 days", "価格ページを閲覧：過去30日間のうち3日"),
    (Sessions(PRICING, 7 * DAY), 2.0,
     "viewed the pricing page in 2 separate sessions in the last 7 days", "価格ページを閲覧：過去7日間に2セッション"),
    (Share(PRICING, 30 * DAY), 0.25,
     "viewed the pricing page: 25% of all activity in the last 30 days",
     "価格ページの閲覧：過去30日間の全アクションの25%"),
    (SumWithin(PRICING, 30 * DAY, "value"), 1234.5,
     "viewed the pricing page: total value 1,234.5 in the last 30 days",
     "価格ページを閲覧：過去30日間の値は合計1,234.5"),
    (MeanWithin(PRICING, None, "n_items"), 3.25,
     "viewed the pricing page: average number of items 3.25 so far", "価格ページを閲覧：これまでの商品点数は平均3.25"),
    (MaxWithin(PRICING, 7 * DAY, "score_x"), None,
     "viewed the pricing page: score x not known in the last 7 days", "価格ページを閲覧：過去7日間のscore xは不明"),
    (LastNumber(ALL, "value"), 7.0, "activity: latest value 7", "アクション：直近の値は7"),
    (DaysSinceLast(PRICING), 2 / 24, "last viewed the pricing page 2 hours ago", "最後に価格ページを閲覧：2時間前"),
    (DaysSinceLast(PRICING), None, "never viewed the pricing page", "価格ページの閲覧：これまでなし"),
    (DaysSinceFirst(PRICING), 1.0, "first viewed the pricing page 1 day ago", "最初に価格ページを閲覧：1日前"),
    (DaysSinceLast(ALL), 40.0, "last activity 6 weeks ago", "最後のアクション：6週間前"),
    (DaysSinceLast(UNKNOWN), 100.0, "“frobnicated thing”: last time 3 months ago", "「frobnicated thing」：最後は3か月前"),
    (MeanGap(PRICING), 3.5, "viewed the pricing page every 3.5 days on average", "価格ページを閲覧：平均3.5日に1回"),
    (MeanGap(PRICING), 1.0, "viewed the pricing page every day on average", "価格ページを閲覧：平均1日に1回"),
    (MeanGap(PRICING), None, "viewed the pricing page at most once so far", "価格ページを閲覧：これまでに1回以下"),
    (LastGap(PRICING), 0.5,
     "viewed the pricing page: the last two times 12 hours apart", "価格ページを閲覧：直近2回の間隔は12時間"),
    (Trend(ALL, 7 * DAY, 90 * DAY), 3.2,
     "more activity than usual: in the last 7 days 3.2 times the rate of the last 90 days",
     "アクション：過去7日間は増加（過去90日間の3.2倍のペース）"),
    (Trend(PRICING, 7 * DAY, 90 * DAY), 0.4,
     "viewed the pricing page less often in the last 7 days: 40% of the rate of the last 90 days",
     "価格ページを閲覧：過去7日間は減少（過去90日間の40%のペース）"),
    (Trend(PRICING, 7 * DAY, 90 * DAY), 1.0,
     "viewed the pricing page as often in the last 7 days as over the last 90 days",
     "価格ページを閲覧：過去7日間も過去90日間とほぼ同じペース"),
    (Trend(PRICING, 7 * DAY, 90 * DAY), 0.0,
     "viewed the pricing page in the last 90 days, but not in the last 7 days",
     "価格ページを閲覧：過去90日間にはあり、過去7日間はなし"),
    (Trend(PRICING, 7 * DAY, 90 * DAY), None,
     "did not view the pricing page in the last 90 days", "価格ページの閲覧：過去90日間なし"),
    (DecayedCount(PRICING, 7 * DAY), 2.37,
     "viewed the pricing page 2.4 times lately (older times count less: half after 7 days)",
     "価格ページを閲覧：最近2.4回（古いものほど軽く計算、7日で半減）"),
    (DecayedCount(PRICING, 7 * DAY), 0.2,
     "viewed the pricing page some time ago, but not in the last 7 days",
     "価格ページを閲覧：以前のみ（過去7日間はなし）"),
    (LastCategory("event_type", 1, SCHEMA.event_types), "pricing_page_viewed",
     "latest activity: viewed the pricing page", "直近のアクション：価格ページを閲覧"),
    (LastCategory("event_type", 2, SCHEMA.event_types), None,
     "second-latest activity: none, or of a rarer kind", "2番目に新しいアクション：なし、またはその他"),
    (LastCategory("channel", 1, ("web",)), "web", "latest channel: web", "直近のチャネル：Web"),
    (DistinctValues("event_type", 30 * DAY), 3.0,
     "3 kinds of activity in the last 30 days", "アクションの種類：過去30日間に3種類"),
    (DistinctValues("channel", None), 1.0, "active through 1 channel so far", "利用チャネル：これまでに1つ"),
    (AttributeCategory("job_level", ("director",)), "director", "job level: director", "役職：部長クラス"),
    (AttributeCategory("job_level", ("director",)), 0.0, "job level: director", "役職：部長クラス"),
    (AttributeCategory("job_level", ("魔術師",)), "魔術師", "job level: 魔術師", "役職：魔術師"),
    (AttributeCategory("company_size", ("201-1000",)), None, "company size is not known", "従業員規模：不明"),
    (AttributeCategory("existing", ("false", "true")), "true", "existing: yes", "existing：はい"),
    (AttributeNumber("seats"), 1250.0, "seats: 1,250", "seats：1,250"),
    (AttributeAge("renewal"), -45.0, "renewal date: in 6 weeks", "更新日：6週間後"),
    (DaysSinceCreation(), 45.0, "became a lead 6 weeks ago", "リード登録：6週間前"),
]  # fmt: skip


@pytest.mark.parametrize(("definition", "value", "english", "japanese"), SENTENCES)
def test_sentence_reads(definition: Definition, value: float | str | None, english: str, japanese: str) -> None:
    assert say(definition, value, SCHEMA, "en") == english
    assert say(definition, value, SCHEMA, "ja") == japanese


def test_words_of_the_workspace_come_before_the_list_of_common_names() -> None:
    theirs = Schema(
        event_types=("pricing_page_viewed",),
        event_words={"pricing_page_viewed": Words("Looked at {prices}", "料金を確認した")},
        attribute_words={"value": Words("yen", "円")},
    )
    count = CountWithin(PRICING, 7 * DAY)
    assert say(count, 2.0, theirs, "en") == "looked at {prices} twice in the last 7 days"
    assert say(count, 0.0, theirs, "en") == "did not look at {prices} in the last 7 days"
    assert say(count, 0.0, theirs, "ja") == "料金を確認した：過去7日間なし"
    assert say(SumWithin(PRICING, None, "value"), 2.0, theirs, "en") == "looked at {prices}: total yen 2 so far"
    only_english = Schema(event_types=("x",), event_words={"x": Words("did x", "")})
    assert say(CountWithin(Selector("event_type", "x"), None), 2.0, only_english, "ja") == "「x」：これまでに2回"


def test_english_verbs_that_cannot_be_told_are_denied_with_never() -> None:
    def absent(phrase: str) -> str:
        schema = Schema(event_types=("x",), event_words={"x": Words(phrase, "")})
        return say(CountWithin(Selector("event_type", "x"), 7 * DAY), 0.0, schema, "en")

    assert absent("renamed a project") == "never renamed a project in the last 7 days"
    assert absent("verified the mail") == "did not verify the mail in the last 7 days"
    assert absent("visited") == "did not visit in the last 7 days"
    assert absent("page views") == "page views: not once in the last 7 days"


# ---- numbers and times


@pytest.mark.parametrize(
    ("value", "written"),
    [(0.0, "0"), (3, "3"), (1234.5, "1,234.5"), (1234.567, "1,234.6"), (0.25, "0.25"), (2.0001, "2"), (0.00123, "0.0012"),
     (-0.5, "-0.5"), (-0.0, "0"), (99.999, "100"), (1e300, "1.00e+300"), (3e-9, "3.00e-09"), (math.inf, "∞")],
)  # fmt: skip
def test_number_is_written_with_separators_and_the_decimals_that_matter(value: float, written: str) -> None:
    assert number(value, "en") == number(value, "ja") == written


@pytest.mark.parametrize(
    ("share", "english", "japanese"),
    [(0.0, "0%", "0%"), (0.31, "31%", "31%"), (0.06, "6%", "6%"), (0.064, "6.4%", "6.4%"), (0.0996, "10%", "10%"),
     (0.0004, "under 0.1%", "0.1%未満"), (0.9999, "over 99%", "99%超"), (1.0, "100%", "100%")],
)  # fmt: skip
def test_percentage_is_never_0_or_100_where_the_share_is_not(share: float, english: str, japanese: str) -> None:
    assert percent(share, "en") == english
    assert percent(share, "ja") == japanese


@pytest.mark.parametrize(
    ("microseconds", "english", "japanese", "as_window"),
    [(90 * DAY, "90 days", "90日", "90 days"), (3 * HOUR, "3 hours", "3時間", "3 hours"), (DAY, "1 day", "1日", "24 hours"),
     (365 * DAY, "365 days", "365日", "year"), (730 * DAY, "730 days", "730日", "2 years"), (HOUR, "1 hour", "1時間", "hour"),
     (HOUR // 2, "30 minutes", "30分", "30 minutes"), (1_500_000, "1.5 seconds", "1.5秒", "1.5 seconds"),
     (DAY + 1, "1 day", "1日", "day")],
)  # fmt: skip
def test_length_of_time_is_named_in_its_largest_unit(
    microseconds: int, english: str, japanese: str, as_window: str
) -> None:
    assert (duration(microseconds, "en"), duration(microseconds, "ja")) == (english, japanese)
    assert window(microseconds, "en") == as_window


def test_time_ago_is_said_in_the_unit_people_would_use() -> None:
    days = [0.0001, 1 / 1440, 0.02, 0.9, 1.2, 13.4, 30, 59, 61, 400, 800, -3]
    assert [ago(each, "en") for each in days] == [
        "less than a minute ago", "1 minute ago", "29 minutes ago", "22 hours ago", "1 day ago", "13 days ago",
        "4 weeks ago", "8 weeks ago", "2 months ago", "13 months ago", "2.2 years ago", "in 3 days",
    ]  # fmt: skip
    assert ago(400, "ja") == "13か月前"
    assert [rough(each, "en") for each in (0.0002, 0.5, 3.25, 1.0, 100)] == [
        "17 seconds", "12 hours", "3.2 days", "1 day", "3 months",
    ]  # fmt: skip


# ---- fixed texts


def test_message_fills_in_numbers_texts_and_plurals() -> None:
    assert message("score.similar", "en", converted=58, leads=1200) == "of 1,200 leads like this one 58 converted"
    assert message("score.headline", "ja", probability=percent(0.31, "ja"), horizon=duration(90 * DAY, "ja")) == (
        "90日以内に成約する確率 31%"
    )
    assert message("queue.more", "en", n=1) == "and 1 more lead"
    assert message("queue.more", "en", n=3) == "and 3 more leads"
    assert message("band.nurture", "ja") == "育成"


def test_message_that_lacks_its_key_or_a_value_says_so() -> None:
    with pytest.raises(KeyError, match=r"nowhere\.to_be_found"):
        message("nowhere.to_be_found", "en")
    with pytest.raises(KeyError, match="average"):
        message("score.average", "en")


@pytest.mark.parametrize("lang", LANGS)
def test_every_message_can_be_written(lang: Lang) -> None:
    for key, template in texts(lang).items():
        if key.startswith("message."):
            written = message(key.removeprefix("message."), lang, **dict.fromkeys(fields_of(template), "x"))
            assert not re.search(r"[{}]", written), key


def test_language_without_a_file_is_refused() -> None:
    with pytest.raises(ValueError, match="no wording for language 'fr'"):
        say(CountWithin(ALL, None), 1.0, SCHEMA, "fr")  # type: ignore[arg-type]


def test_sentence_costs_microseconds_once_it_was_said() -> None:
    """Ten reasons for each of 100,000s of leads: generous against a busy machine, tight against compiling each time."""
    some = [(each, values_of(each)[-1]) for each in every_definition(SCHEMA, (7 * DAY,))[:200]]

    def say_all() -> None:
        for definition, value in some:
            say(definition, value, SCHEMA, "en")
            say(definition, value, SCHEMA, "ja")

    say_all()
    assert min(timeit.repeat(say_all, number=1, repeat=5)) / (2 * len(some)) < 50e-6
