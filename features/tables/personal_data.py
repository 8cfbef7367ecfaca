"""Columns that hold personal data: recognised by name and by content, in English and Japanese, and left out."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

from features.tables.cell_values import plain_width, text
from features.tables.sql_text import Column, literal

_WHOSE = (
    r"(contact|customer|client|lead|person|personal|user|owner|home|work|office|business|company|billing|shipping|mailing|"
    r"primary|secondary|main|other|my|ご|お|連絡先|顧客|会社|勤務先|自宅)"
)
_NUMBERED = r"(_?(1|2|3|one|two))?"
_BY_NAME: Mapping[str, str] = {
    "name": r"(first|last|full|family|given|middle|maiden|sur|nick|user|contact|customer|client|person|lead|owner|"
    r"sales_?rep|rep|agent)_?names?(_?(kana|kanji|en|ja))?|names?|surname|forename|"
    r"contact(_person)?|氏名(_?(カナ|かな|漢字))?|お?名前|姓|名|姓名|(ご)?担当者?(名|氏名)?|フリガナ|ふりがな|カナ|かな|代表者(名)?|連絡先名|顧客名|ユーザー名",
    "mail address": r"e?_?mails?(_?(address|addr|adress))?|mail_?to|(e|電子)?メール(アドレス)?|メアド",
    "phone number": r"(tele)?phones?(_?(number|no|nr))?|(mobile|cell|cellular)(_?(tele)?phone)?(_?(number|no))?|"
    r"tel(_?(no|number|nr))?|fax(_?(number|no))?|"
    r"whatsapp|(携帯|固定)?電話(番号)?|携帯(番号)?|fax番号|ファックス",
    "address": r"(street|postal|post|ip|mac)?_?addr(ess)?(_?line)?|street(_?(name|number|no))?|"
    r"house_?(number|no)|(ip|ip_?v[46])|住所|現住所|所在地|番地|建物名?|町名番地|郵送先",
    "free text": r"notes?|comments?|remarks?|memos?|message(_?(body|text))?|free_?text|description|"
    r"inquiry(_?text)?|question_?text|feedback(_?text)?|subject|body|"
    r"備考|メモ|コメント|(お)?問い?合わ?せ(内容|詳細)?|ご?要望|自由記述|自由回答|内容|本文|ご?質問|感想|摘要",
}
_PATTERNS = {
    kind: re.compile(rf"({_WHOSE}_?)?({pattern}){_NUMBERED}", re.IGNORECASE) for kind, pattern in _BY_NAME.items()
}

_MAIL = r"[^@\s<>,;]+@[^@\s<>,;]+\.[A-Za-z]{2,}"
_PHONE = r"^(\+[0-9]|0[0-9]|\(0|\([0-9]{3}\) ?[0-9]{3}|[0-9]{3}[ .-][0-9]{3}[ .-][0-9]{4}$)[0-9() ./-]*$"
_STREET = (
    r"^[0-9]+[a-z]?,? .*\b(street|st|avenue|ave|road|rd|boulevard|blvd|lane|ln|drive|dr|way|court|ct|square|sq)\b"
    r"|(straße|strasse|str\.) ?[0-9]+|^[0-9]+,? (rue|avenue|place) "
)
_JAPANESE_ADDRESS = r"((都|道|府|県).+(市|区|町|村|郡)|(市|区|町|村).*(丁目|番地)).*[0-9一二三四五六七八九十]"
_SENTENCE = r"^(\S+\s+){5,}\S+|[。！？].|、.*、|\n"
_PERSON = (
    r"^\p{Lu}\p{Ll}+([ '-]\p{Lu}\p{Ll}*\.?)* \p{Lu}[\p{L}'-]+$"
    r"|^\p{Han}{1,4}[ \x{3000}][\p{Han}\p{Hiragana}\p{Katakana}]{1,6}$|.(様|さん|氏)$"
)
_BY_CONTENT = ("mails", "phones", "addresses", "sentences", "persons")


def personal_by_name(column: str) -> str | None:
    """What kind of personal data a column of this name holds, or None.

    >>> personal_by_name("contact_email"), personal_by_name("email_opt_in"), personal_by_name("電話番号")
    ('mail address', None, 'phone number')
    """
    plain = unicodedata.normalize("NFKC", column).strip()
    snake = re.sub(r"(?<=[a-z])(?=[A-Z])|[\s.\-]+", "_", plain)
    for kind, pattern in _PATTERNS.items():
        if pattern.fullmatch(snake):
            return kind
    return None


def content_counts(column: Column) -> dict[str, str]:
    """SQL conditions, by what is counted, on a cell of a text column."""
    t = text(column)
    plain = plain_width(t)
    digits = f"length(regexp_replace({plain}, '[^0-9]', '', 'g'))"
    return {
        "mails": f"regexp_matches({t}, {literal(_MAIL)})",
        "phones": f"regexp_matches({plain}, {literal(_PHONE)}) and {digits} between 9 and 15",
        "addresses": f"regexp_matches({t}, {literal(_STREET)}, 'i') or regexp_matches({plain}, {literal(_JAPANESE_ADDRESS)})",
        "sentences": f"length({t}) >= 120 or (length({t}) >= 12 and regexp_matches({t}, {literal(_SENTENCE)}))",
        "persons": f"regexp_matches({t}, {literal(_PERSON)})",
    }


def personal_by_content(known: int, distinct: int, counts: Mapping[str, int]) -> str | None:
    """What kind of personal data the cells hold, or None.

    Parameters
    ----------
    known, distinct : cells that hold something, and how many different.
    counts : cells that meet each condition of `content_counts`.

    Sentences and names count only where most differ from each other: the answers of a questionnaire and the names of
    cities repeat.
    """
    share = {kind: counts.get(kind, 0) / known if known else 0.0 for kind in _BY_CONTENT}
    varied = distinct >= 5 and distinct > 0.2 * known
    if share["mails"] >= 0.1:
        return "mail address"
    if share["phones"] >= 0.5:
        return "phone number"
    if share["addresses"] >= 0.3 and varied:
        return "address"
    if share["sentences"] >= 0.3 and varied:
        return "free text"
    if share["persons"] >= 0.8 and varied:
        return "name"
    return None
