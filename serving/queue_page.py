"""What stands on the page of leads to call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from features.schema import STAGES, Schema
from features.wording import Lang, message, topic_label
from features.wording.texts import text
from serving.locales import machine_time, moment, number, percentage, relative
from serving.page_words import words
from serving.people_words import between
from serving.queue import LANES, STATES, Part, Wanted
from serving.queue_counts import Counts
from serving.reason_words import event_definition
from serving.settling import LANE_FAST
from training.intervals import rate


@dataclass(frozen=True)
class Reader:
    """Who reads a page: in which language, at what time, with what words for events.

    Attributes
    ----------
    now : by the clock.
    acts_until : from when on activity is told as so long ago: the clock, or of tables that are files their newest moment.
    """

    lang: Lang
    schema: Schema
    now: int
    acts_until: int | None = None

    @property
    def zone(self) -> str:
        return self.schema.zone


def queue_page(
    part: Part, wanted: Wanted, counts: Counts, reader: Reader, *, notices: tuple[str, ...] = ()
) -> dict[str, Any]:
    """The content of one part of the queue."""
    lang = reader.lang
    return {
        "tabs": [_tab(band, wanted, counts, lang) for band in LANES],
        "wanted": wanted,
        "narrowed": wanted.narrowed,
        "owners": _with_chosen(counts.owners, wanted.owner),
        "stages": [(stage, text(f"stages.{stage}", lang)) for stage in STAGES],
        "states": [(state, words(f"queue.state.{state}", lang)) for state in ("open", *STATES, "all")],
        "notices": notices,
        "rows": [_row(row, rank, reader) for rank, row in enumerate(part.rows, part.rank)],
        "position": _position(part, wanted, counts, lang),
        "before": "" if part.before is None else _address(wanted, lang, before=part.before.written()),
        "after": "" if part.after is None else _address(wanted, lang, after=part.after.written()),
        "everything": _address(Wanted(band=wanted.band), lang),
        "export": "/queue.csv?" + urlencode({**wanted.query(), "lang": lang}),
        "nobody": counts.leads == 0,
        "footer": _footer(part, reader),
    }


def _tab(band: str, wanted: Wanted, counts: Counts, lang: Lang) -> dict[str, Any]:
    return {
        "name": words(f"queue.tab.{band}", lang),
        "count": number(counts.bands[band], lang),
        "href": _address(Wanted(**{**wanted.query(), "band": band}), lang),
        "current": band == wanted.band,
    }


def _with_chosen(owners: tuple[str, ...], chosen: str) -> tuple[str, ...]:
    """The owners to choose from; the chosen one is among them even where there are too many to list."""
    return owners if not chosen or chosen in owners else (chosen, *owners)


def _position(part: Part, wanted: Wanted, counts: Counts, lang: Lang) -> str:
    if not part.rows:
        return ""
    first, last = part.rank, part.rank + len(part.rows) - 1
    if wanted.narrowed:
        return words("queue.position", lang, first=first, last=last)
    return words("queue.position_of", lang, first=first, last=last, all=max(counts.bands[wanted.band], last))


def _address(wanted: Wanted, lang: Lang, **place: str) -> str:
    return "/?" + urlencode({**wanted.query(), **place, "lang": lang})


def _row(row: Mapping[str, Any], rank: int, reader: Reader) -> dict[str, Any]:
    lang = reader.lang
    probability = row["probability"]
    beside = [row["company"], row["owner"] and words("queue.owned", lang, owner=row["owner"]), row["lead_id"]]
    return {
        "rank": rank,
        "figure": number(row["score"], lang) if probability is None else percentage(probability, lang),
        "interval": _interval(row, lang),
        "width": round(row["score"] if probability is None else 100 * probability, 2),
        "trend": _trend(row["trend"], lang),
        "href": f"/leads/{quote(row['lead_id'], safe='')}?{urlencode({'lang': lang})}",
        "title": row["title"],
        "beside": [each for each in beside if each and each != row["title"]],
        "why": _why(row, reader),
        "activity": _activity(row, reader),
        "band": row["band"] or "",
        "band_text": message(f"band.{row['band']}", lang) if row["band"] else "",
        "band_help": message(f"band.{row['band']}_help", lang) if row["band"] else "",
        "fast": row["lane"] == LANE_FAST,
        "grade": row["grade"] or "",
        "state": "" if row["state"] == "waiting" else words(f"queue.state.{row['state']}", lang),
        "active_again": row["active_again"],
        "deadline": deadline_words(row["deadline"], reader),
    }


def _interval(row: Mapping[str, Any], lang: Lang) -> dict[str, str] | None:
    """The interval of the probability, short, and in words for those who wonder or don't see it."""
    if row["probability"] is None or not row["similar_leads"]:
        return None
    likely = rate(row["similar_converted"], row["similar_leads"])
    similar = message("score.similar", lang, leads=row["similar_leads"], converted=row["similar_converted"])
    ends = {"low": percentage(likely.low, lang), "high": percentage(likely.high, lang)}
    return {
        "short": between(likely.low, likely.high, lang),
        "said": message("score.interval", lang, similar=similar, **ends),
    }


def _trend(points: int | None, lang: Lang) -> dict[str, str] | None:
    """How the score moved within a week, as an arrow and in words for those who don't see it."""
    if points is None:
        return None
    way = "up" if points > 0 else "down" if points < 0 else "same"
    return {
        "way": way,
        "arrow": {"up": "↑", "down": "↓", "same": "→"}[way],
        "points": number(abs(points), lang) if points else "",
        "said": words(f"queue.trend.{way}", lang, n=abs(points)),
    }


def _why(row: Mapping[str, Any], reader: Reader) -> str:
    """What to say of a lead in one line: the rule that put it on the fast lane, else its strongest reason."""
    if row["lane"] == LANE_FAST and row["rule"]:
        return topic_label(event_definition(row["rule"]), reader.schema, reader.lang)
    return row[f"reason_{reader.lang}"] or message("reasons.none_for", reader.lang)


def _activity(row: Mapping[str, Any], reader: Reader) -> str:
    if row["last_event_at"] is None:
        return words("queue.no_activity", reader.lang)
    event = topic_label(event_definition(row["last_event_type"] or ""), reader.schema, reader.lang)
    seen_from = row["as_of"] if reader.acts_until is None else reader.acts_until
    return words(
        "queue.activity", reader.lang, event=event, time=relative(row["last_event_at"], seen_from, reader.lang)
    )


def deadline_words(deadline: int | None, reader: Reader) -> dict[str, Any] | None:
    """Until when somebody answers: relative, exact, and whether that has passed."""
    if deadline is None:
        return None
    overdue = deadline < reader.now
    time = relative(deadline, reader.now, reader.lang)
    return {
        "overdue": overdue,
        "said": words("queue.overdue" if overdue else "queue.until", reader.lang, time=time),
        "exact": moment(deadline, reader.zone, reader.lang, now=reader.now),
        "machine": machine_time(deadline),
    }


def _footer(part: Part, reader: Reader) -> list[str]:
    if not part.rows:
        return []
    row = max(part.rows, key=lambda each: each["as_of"])
    told = [words("queue.scored", reader.lang, time=moment(row["as_of"], reader.zone, reader.lang), zone=reader.zone)]
    if row["model_version"]:
        told.append(words("queue.by_model", reader.lang, version=row["model_version"]))
    if row["agreement_version"]:
        told.append(message("score.agreement", reader.lang, version=str(row["agreement_version"])))
    return [" · ".join(told), message("score.grade_help", reader.lang)]
