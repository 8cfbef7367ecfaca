"""Invented names of people, companies and sales representatives, for pages alone: no feature reads them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from features.worlds.b2b_chain import Bools

# fmt: off
_SURNAMES = {
    "ja": ["佐藤", "鈴木", "高橋", "田中", "伊藤", "渡辺", "山本", "中村", "小林", "加藤", "吉田", "山田", "佐々木", "松本"],
    "en": ["Smith", "Jones", "Taylor", "Brown", "Wilson", "Evans", "Walker", "Clark", "Reed", "Cooper", "Bailey", "Hughes"],
}
_GIVEN_NAMES = {
    "ja": ["健", "美咲", "翔", "陽子", "大輔", "直美", "拓也", "恵", "誠", "彩", "亮", "由美", "浩", "香織", "徹", "千尋"],
    "en": ["James", "Mary", "Robert", "Linda", "Daniel", "Susan", "Peter", "Karen", "Mark", "Nancy", "Paul", "Laura", "Kevin"],
}
_COMPANIES = {
    "ja": ["青葉", "桜", "東洋", "みらい", "大和", "北斗", "日の出", "光陽", "富士見", "若葉", "瑞穂", "新星"],
    "en": ["Aldgate", "Birch", "Cobalt", "Dover", "Elm", "Falcon", "Granite", "Harbor", "Ivory", "Juniper", "Keystone", "Lark"],
}
_TRADES = {
    "ja": ["システム", "製作所", "商事", "電機", "物流", "ソフト", "工業", "食品", "建設", "学園"],
    "en": ["Systems", "Works", "Trading", "Electric", "Logistics", "Software", "Industries", "Foods", "Builders", "Academy"],
}
_OWNERS = {"ja": ["青木", "森", "石田", "岡"], "en": ["A. Moore", "B. Ward", "C. Ellis", "D. Shaw"]}
# fmt: on


def draw_names(japanese: Bools, rng: np.random.Generator) -> pd.DataFrame:
    """``contact_name``, ``company_name`` and ``owner`` of each lead, in the order and script of its language."""
    parts = []
    for language, here in (("ja", japanese), ("en", ~japanese)):
        rows = np.flatnonzero(here)
        surname, given, company, trade, owner = (
            pd.Series(rng.choice(words[language], len(rows)), index=rows, dtype="str")
            for words in (_SURNAMES, _GIVEN_NAMES, _COMPANIES, _TRADES, _OWNERS)
        )
        contact = surname + " " + given if language == "ja" else given + " " + surname
        full = "株式会社" + company + trade if language == "ja" else company + " " + trade
        parts.append(pd.DataFrame({"contact_name": contact, "company_name": full, "owner": owner}))
    return pd.concat(parts).sort_index()
