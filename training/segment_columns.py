"""Which attributes say where a lead is, what it speaks and how large its company is: what a model is asked to be fair by.

Found by the words of their names, English and Japanese.
"""

from __future__ import annotations

from typing import Literal

from features.name_words import holds_one, name_words

Topic = Literal["country", "language", "company size"]
TOPIC_WORDS: dict[Topic, tuple[str, ...]] = {
    "company size": (
        "company_size", "firm_size", "org_size", "organisation_size", "organization_size", "business_size", "team_size",
        "employees", "employee", "headcount", "workforce",
        "従業員", "社員数", "企業規模", "会社規模", "規模",
    ),
    "language": ("language", "lang", "locale", "mother_tongue", "言語", "母語"),
    "country": (
        "country", "nation", "nationality", "region", "prefecture", "province", "territory", "geo",
        "国", "地域", "都道府県", "エリア",
    ),
}  # fmt: skip
"""Topic to the words that mean it; the first topic in this order with a word of the name wins."""


def topic_of(column: str) -> Topic | None:
    """What an attribute is about, by the words of its name; None where it is none of these.

    >>> topic_of("billingCountry"), topic_of("number_of_employees"), topic_of("従業員規模"), topic_of("source")
    ('country', 'company size', 'company size', None)
    """
    words = name_words(column)
    return next((topic for topic, meant in TOPIC_WORDS.items() if holds_one(words, meant)), None)
