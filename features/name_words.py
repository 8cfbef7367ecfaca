"""Words within the names of columns and event types, as tables spell them: English and Japanese."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable


def name_words(name: str) -> str:
    """A name's words in small letters, joined by underscores; full-width letters are read as plain ones.

    >>> name_words("newsletterUnsubscribed"), name_words("Pricing page-viewed"), name_words("従業員数")
    ('newsletter_unsubscribed', 'pricing_page_viewed', '従業員数')
    """
    plain = unicodedata.normalize("NFKC", name)
    return re.sub(r"(?<=[a-z])(?=[A-Z])|[^\w]+|_+", "_", plain).lower()


def holds_one(words: str, looked_for: Iterable[str]) -> bool:
    """Whether `name_words` of a name hold one of these. English words count whole; Japanese ones, which stand without
    spaces, wherever they are.

    >>> holds_one("billing_country_code", ["country"]), holds_one("counterparty", ["country"]), holds_one("従業員数", ["従業員"])
    (True, False, True)
    """
    return any(f"_{word}_" in f"_{words}_" if word.isascii() else word in words for word in looked_for)
