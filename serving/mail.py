"""Hand-offs as mails: HTML and text in both languages, with an id by which mail systems drop repetitions."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Mapping
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, PackageLoader, StrictUndefined

from features.calendar_days import as_datetime, microseconds
from features.durations import read_duration
from features.wording import Lang
from features.wording.texts import humanised, known_words
from serving import locales
from serving.access import is_loopback
from serving.decision import DecidedBy
from serving.handoff_settings import HandoffSettings, MailSettings
from serving.page_words import words
from serving.sending import Attempt, Ending, Handoff

ANSWER_SECONDS = 20.0
MOST_REASONS = 5
LONGEST_TITLE = 80


class MailSender:
    """Sends hand-offs through one mail server, one connection a mail."""

    def __init__(self, settings: HandoffSettings) -> None:
        if settings.mail is None:
            raise ValueError("no mail server is set")
        self._settings = settings
        self._mail = settings.mail

    def send(self, handoff: Handoff, *, now: int) -> Attempt:
        mail = handoff_mail(handoff, self._settings)
        try:
            with _connected(self._mail) as server:
                if self._mail.user is not None:
                    server.login(self._mail.user, self._mail.password or "")
                _, sender = parseaddr(self._mail.sender)
                refused = server.send_message(
                    mail, from_addr=sender, to_addrs=[parseaddr(to)[1] for to in self._mail.to]
                )
        except smtplib.SMTPRecipientsRefused as error:
            return _refused(error.recipients, len(self._mail.to))
        except smtplib.SMTPResponseException as error:
            return _answered(error.smtp_code)
        except (OSError, smtplib.SMTPException) as error:
            return Attempt(Ending.AGAIN, type(error).__name__)
        return _refused(refused, len(self._mail.to)) if refused else Attempt(Ending.DELIVERED)


def _connected(mail: MailSettings) -> smtplib.SMTP:
    own_name = "localhost" if is_loopback(mail.host) else None
    if mail.tls == "tls":
        context = ssl.create_default_context()
        return smtplib.SMTP_SSL(mail.host, mail.port, own_name, timeout=ANSWER_SECONDS, context=context)
    server = smtplib.SMTP(mail.host, mail.port, own_name, timeout=ANSWER_SECONDS)
    if mail.tls == "starttls":
        try:
            server.starttls(context=ssl.create_default_context())
        except BaseException:
            server.close()
            raise
    return server


def _answered(code: int) -> Attempt:
    """By the first digit: 4 speaks of the moment, 5 of the mail. A refused password may be mended soon."""
    return Attempt(Ending.HARDLY if code >= 500 else Ending.AGAIN, f"SMTP {code}")


def _refused(recipients: Mapping[str, tuple[int, bytes]], of: int) -> Attempt:
    """Some or all addresses were refused. Who got the mail does not get it again for the sake of a wrong address."""
    codes = sorted({code for code, _ in recipients.values()})
    told = f"SMTP {', '.join(map(str, codes))} for {len(recipients)} of {of} addresses"
    if any(code < 500 for code in codes):
        return Attempt(Ending.AGAIN, told)
    return Attempt(Ending.HARDLY if len(recipients) == of else Ending.DELIVERED, told)


def handoff_mail(handoff: Handoff, settings: HandoffSettings) -> EmailMessage:
    """The mail of a hand-off, the same to the letter each time it is made."""
    mail = settings.mail
    assert mail is not None
    message = EmailMessage(policy=SMTP)
    parts = [mail_content(handoff, settings, lang) for lang in mail.langs]
    name, address = parseaddr(mail.sender)
    message["Subject"] = parts[0]["subject"]
    message["From"] = Address(display_name=name, addr_spec=address)
    message["To"] = tuple(Address(display_name=one, addr_spec=two) for one, two in map(parseaddr, mail.to))
    message["Date"] = format_datetime(as_datetime(handoff.created_at))
    message["Message-ID"] = f"<{handoff.handoff_id}@{address.rpartition('@')[2]}>"
    message["Content-Language"] = ", ".join(mail.langs)
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(render_mail("mail.txt", parts), charset="utf-8")
    message.add_alternative(render_mail("mail.html", parts), subtype="html", charset="utf-8")
    return message


def render_mail(template: str, parts: list[dict[str, Any]]) -> str:
    return _templates().get_template(template).render(parts=parts)


@cache
def _templates() -> Environment:
    return Environment(
        loader=PackageLoader("serving"),
        autoescape=lambda name: name is not None and name.endswith(".html"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def mail_content(handoff: Handoff, settings: HandoffSettings, lang: Lang) -> dict[str, Any]:
    """What a mail says, in one language."""
    told, fast = handoff.payload, handoff.payload["decided_by"] == DecidedBy.FAST_LANE.value
    title = one_line(str(told["display_name"]))
    until = None if told["deadline"] is None else _moment(told["deadline"], settings.zone, lang)
    figure = None if told["probability"] is None else locales.percentage(told["probability"], lang)
    beside = (("company", told["company"]), ("owner", told["owner"]), ("lead_id", told["lead_id"]))
    return {
        "lang": lang,
        "subject": _subject(title, figure, until, fast, lang),
        "kicker": words(f"handoff.mail.kicker_{'fast_lane' if fast else 'model'}", lang),
        "fast": fast,
        "title": title,
        "figure": figure,
        "likely": _likely(told, figure, lang),
        "beside_figure": _beside_figure(told, lang),
        "then": _then(told, lang),
        "because": _because(told, lang) if fast else "",
        "active_again": words("handoff.mail.active_again", lang) if told["active_again"] else "",
        "deadline": until or "",
        "beside": [
            (words(f"handoff.mail.{key}", lang), one_line(str(value)))
            for key, value in beside
            if value and one_line(str(value)) != title
        ],
        "reasons": [_sentence(each) for each in told["reasons"].get(lang, ())][:MOST_REASONS],
        "link": told["link"],
        "made_by": " · ".join(_made_by(handoff, settings, lang)),
        "words": {
            key: words(f"handoff.mail.{key}", lang)
            for key in ("deadline", "deadline_none", "why", "why_none", "open", "foot")
        },
    }


def one_line(text: str) -> str:
    """A name as it can stand in a subject: no line ends or other control characters, and not endless."""
    plain = " ".join("".join(each if each.isprintable() else " " for each in text).split())
    return plain if len(plain) <= LONGEST_TITLE else f"{plain[: LONGEST_TITLE - 1]}…"


def _subject(title: str, figure: str | None, until: str | None, fast: bool, lang: Lang) -> str:
    if not fast and figure is not None:
        return words("handoff.subject.model", lang, title=title, probability=figure)
    if until is None:
        return words("handoff.subject.fast_lane", lang, title=title)
    return words("handoff.subject.fast_lane_by", lang, title=title, deadline=until)


def _likely(told: Mapping[str, Any], figure: str | None, lang: Lang) -> str:
    if figure is None:
        return words("handoff.mail.points", lang, n=told["score"])
    horizon = locales.length(read_duration(told["horizon"]), lang)
    return words("handoff.mail.likely", lang, probability=figure, horizon=horizon)


def _beside_figure(told: Mapping[str, Any], lang: Lang) -> str:
    """What stands below a figure that is written large."""
    return words("handoff.mail.likely_beside", lang, horizon=locales.length(read_duration(told["horizon"]), lang))


def _then(told: Mapping[str, Any], lang: Lang) -> str:
    said = []
    if told["average"] is not None and told["probability"] is not None:
        said.append(words("handoff.mail.average", lang, average=locales.percentage(told["average"], lang)))
    if told["similar"] is not None:
        said.append(words("handoff.mail.similar", lang, **told["similar"]))
    if told.get("interval") is not None:  # what waits in the outbox since before there were intervals has none
        ends = {name: locales.percentage(share, lang) for name, share in told["interval"].items()}
        said.append(words("handoff.mail.interval", lang, **ends))
    return ("" if lang == "ja" else " ").join(said)


def _because(told: Mapping[str, Any], lang: Lang) -> str:
    because = told["because"] or {}
    if because.get(lang):
        return _sentence(str(because[lang]))
    if not told["rule"]:
        return ""
    event = known_words("events", told["rule"], lang) or humanised(one_line(told["rule"]))
    return words("handoff.mail.because_lane", lang, event=event)


def _sentence(text: str) -> str:
    """Reasons are written to stand anywhere; here each begins a line."""
    return text[:1].upper() + text[1:]


def _made_by(handoff: Handoff, settings: HandoffSettings, lang: Lang) -> list[str]:
    told = handoff.payload
    parts = [settings.name]
    if told["model"] is not None:
        parts.append(words("handoff.mail.model", lang, **told["model"]))
    if told["agreement"] is not None:
        parts.append(words("handoff.mail.agreement", lang, version=str(told["agreement"]["version"])))
    return [*parts, handoff.handoff_id]


def _moment(iso: str, zone: str, lang: Lang) -> str:
    """A deadline with its zone: receivers sit anywhere."""
    instant = microseconds(datetime.fromisoformat(iso))
    return f"{locales.moment(instant, zone, lang)} {zone_name(instant, zone)}"


def zone_name(instant: int, zone: str) -> str:
    """The short name of a zone at an instant.

    >>> zone_name(0, "Asia/Tokyo"), zone_name(0, "UTC")
    ('JST', 'UTC')
    """
    return as_datetime(instant).astimezone(ZoneInfo(zone)).strftime("%Z")
