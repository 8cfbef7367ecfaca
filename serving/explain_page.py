"""The terminal page of one lead's score, made to be read in ten seconds."""

from __future__ import annotations

from collections.abc import Sequence

from rich.bar import Bar
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from features.schema import Schema
from features.wording import Lang, duration, message, number, percent
from serving.agreement import Agreement
from serving.decision import Band
from serving.decision_words import why_band
from serving.lead_score import LeadScore, Reason
from serving.people_words import instant_words
from training.terminal import plain as _plain

WIDEST = 100
"""Lines longer than this are no longer read at a glance."""
_BAR = 12
_BAND_STYLE = {Band.SQL: "bold white on green", Band.MQL: "bold black on yellow", Band.NURTURE: "bold white on blue"}


def show(score: LeadScore, schema: Schema, console: Console, *, lang: Lang = "en") -> None:
    """Print the page, at most `WIDEST` columns wide."""
    console.print(explain_page(score, schema, lang=lang), width=min(console.width, WIDEST))


def explain_page(
    score: LeadScore, schema: Schema, *, lang: Lang = "en", agreement: Agreement | None = None
) -> RenderableType:
    """How likely, which band and why, what speaks for and against it, and what to be careful about.

    Parameters
    ----------
    schema : by which the lead was scored: its zone and the words for its events.
    agreement : by which its band was decided, with the names of its rules.
    """
    parts: list[RenderableType] = [_title(score, schema, lang), _headline(score, lang), _compared(score, lang)]
    parts += [Text(), _band(score, schema, agreement, lang)]
    if score.reasons is not None:
        parts += [Text(), _reasons(score, lang)]
    if score.fit.grade is not None and score.engagement.grade is not None:
        parts += [Text(), _grades(score, lang)]
    if score.warnings:
        parts += [Text(), *(_bullet("!", each, "yellow") for each in score.warnings)]
    parts += [Text(), _source(score, lang)]
    return Group(*parts)


def _title(score: LeadScore, schema: Schema, lang: Lang) -> Text:
    time = message("score.as_of", lang, time=instant_words(score.as_of, schema.zone))
    return Text.assemble((_plain(score.lead_id), "bold"), ("  " + time, "dim"))


def _headline(score: LeadScore, lang: Lang) -> Text:
    if score.probability is None:
        said = message("score.points", lang, score=number(score.score, lang))
    else:
        likely = percent(score.probability, lang)
        said = message("score.headline", lang, probability=likely, horizon=duration(score.horizon, lang))
    return Text(said, style="bold")


def _compared(score: LeadScore, lang: Lang) -> Text:
    if score.probability is None:
        return Text(message("score.points_help", lang), style="dim")
    said = [] if score.average is None else [message("score.average", lang, average=percent(score.average, lang))]
    if score.similar is not None:
        counts = {"leads": number(score.similar.leads, lang), "converted": number(score.similar.converted, lang)}
        similar, interval = message("score.similar", lang, **counts), score.similar.interval
        ends = {"low": percent(interval.low, lang), "high": percent(interval.high, lang)}
        said.append(message("score.interval", lang, similar=similar, **ends))
    if score.percentile is not None:
        said.append(message("score.percentile", lang, percentile=percent(score.percentile, lang)))
    return Text(" · ".join(said))


def _band(score: LeadScore, schema: Schema, agreement: Agreement | None, lang: Lang) -> RenderableType:
    because = [_bullet("·", each, "") for each in why_band(score, schema, lang, agreement=agreement)]
    if score.band is None:
        return Group(*because)
    head = Text.assemble((f" {message(f'band.{score.band}', lang)} ", _BAND_STYLE[score.band]))
    head.append("  " + message(f"band.{score.band}_help", lang))
    return Group(head, *because)


def _reasons(score: LeadScore, lang: Lang) -> RenderableType:
    assert score.reasons is not None
    sides = {"for": score.reasons.speak_for, "against": score.reasons.speak_against}
    longest = max((abs(each.score_points) for side in sides.values() for each in side), default=0.0)
    table = Table.grid(padding=(0, 1))
    table.add_column(justify="right", no_wrap=True, min_width=6)
    table.add_column(width=_BAR, no_wrap=True)
    table.add_column(ratio=1, overflow="fold")  # Japanese has no blanks to break at
    table.add_column(justify="right", no_wrap=True)
    compared = any(each.similar is not None for side in sides.values() for each in side)
    for side, found in sides.items():
        heading = Text(message(f"reasons.{side}" if found else f"reasons.none_{side}", lang), style="bold")
        note = message("cli.explain.similar_heading", lang) if compared and side == "for" and found else ""
        table.add_row("", "", heading, Text(note, style="dim"))
        for each in found:
            table.add_row(*_reason(each, side, longest, lang))
    if score.probability is None:
        return table
    return Group(table, Text(message("reasons.help", lang), style="dim"))


def _reason(reason: Reason, side: str, longest: float, lang: Lang) -> Sequence[RenderableType]:
    colour = "green" if side == "for" else "red"
    length = abs(reason.score_points) / longest if longest else 0.0
    similar = ""
    if reason.similar is not None:
        counts = {"leads": number(reason.similar.leads, lang), "converted": number(reason.similar.converted, lang)}
        similar = message("cli.explain.similar", lang, **counts)
    return (
        Text(_signed(reason.score_points), style=colour),
        Bar(1.0, 0.0, length, width=_BAR, color=colour),
        Text(_plain(reason.text)),
        Text(similar, style="dim"),
    )


def _signed(points: float) -> str:
    """Points of the score with their sign, as short as they are still told from nothing."""
    if 0 < abs(points) < 0.05:
        return "+<0.1" if points > 0 else "−<0.1"
    return f"{points:+.1f}".replace("-", "−")


def _grades(score: LeadScore, lang: Lang) -> RenderableType:
    told = " · ".join(
        message(f"score.{group}", lang, grade=str(share.grade))
        for group, share in (("fit", score.fit), ("engagement", score.engagement))
    )
    return Group(Text(told), Text(message("score.grade_help", lang), style="dim"))


def _source(score: LeadScore, lang: Lang) -> Text:
    said = []
    if score.model is not None:
        said.append(message("score.model", lang, name=_plain(score.model.name), version=score.model.version))
    if score.agreement is None:
        said.append(message("cli.explain.no_agreement", lang))
    else:
        signed = "signed" if score.agreement.signed else "unsigned"
        agreement = message("score.agreement", lang, version=str(score.agreement.version))
        said.append(message(f"cli.explain.{signed}", lang, agreement=agreement))
    return Text(" · ".join(said), style="dim")


def _bullet(mark: str, said: str, style: str) -> RenderableType:
    line = Table.grid(padding=(0, 1))
    line.add_column(no_wrap=True)
    line.add_column(ratio=1, overflow="fold")
    line.add_row(Text(mark, style=style), Text(_plain(said), style=style))
    return Padding(line, (0, 0, 0, 1))
