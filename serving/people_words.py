"""What people see of a score in a list or on a page: its figure, its bar, who the lead is, when."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from features.calendar_days import as_datetime
from features.history import History
from features.wording import Lang, message, number, percent
from serving import locales
from serving.lead_score import LeadScore


def figure(score: LeadScore, lang: Lang) -> str:
    """The one number of a score: 31%, or its points while there is no model."""
    return number(score.score, lang) if score.probability is None else percent(score.probability, lang)


def between(low: float, high: float, lang: Lang) -> str:
    """An interval in little room; in words it is "between 23% and 36%".

    >>> between(0.232, 0.356, "en"), between(0.0004, 0.02, "ja"), between(0.02, 0.999, "en")
    ('23–36%', '0.1%未満〜2%', '2% – over 99%')
    """
    ends = [locales.percentage(each, lang) for each in (low, high)]
    if all(each.removesuffix("%").replace(".", "").isdigit() for each in ends):
        ends[0] = ends[0].removesuffix("%")
    elif lang == "en":
        return " – ".join(ends)
    return ("〜" if lang == "ja" else "–").join(ends)


def share(score: LeadScore) -> float:
    """How much of its bar a score fills, 0 to 100."""
    return round(100.0 * (score.score / 100 if score.probability is None else score.probability), 2)


def grade(score: LeadScore) -> str:
    """Fit and engagement together, A1 to C3; "" where they are not graded."""
    if score.fit.grade is None or score.engagement.grade is None:
        return ""
    return f"{score.fit.grade}{score.engagement.grade}"


def names(history: History, position: int) -> tuple[str, str]:
    """What a lead is called, and what stands beside it: its name or else its id, then company, owner and id."""

    def told(what: str) -> str:
        column = history.labels.get(what)
        return "" if column is None else str(column[position])

    lead_id = str(history.lead_ids[position])
    title = told("name") or told("company") or lead_id
    beside = [each for each in (told("company"), told("owner"), lead_id) if each and each != title]
    return title, " · ".join(dict.fromkeys(beside))


def instant_words(instant: int, zone: str) -> str:
    """An instant for people: the day and the minute in the workspace's zone.

    >>> instant_words(0, "Asia/Tokyo")
    '1970-01-01 09:00 JST'
    """
    try:
        return as_datetime(instant).astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M %Z")
    except OverflowError:  # at the edge of the calendar
        return as_datetime(instant).strftime("%Y-%m-%d %H:%M UTC")


def made_by(score: LeadScore, zone: str, lang: Lang) -> list[str]:
    """By what and as of when a score was made: the small print of a page."""
    parts = [message("score.as_of", lang, time=instant_words(score.as_of, zone))]
    if score.model is not None:
        parts.append(message("score.model", lang, name=score.model.name, version=score.model.version))
    if score.agreement is not None:
        parts.append(message("score.agreement", lang, version=score.agreement.version))
    return [" · ".join(parts)]
