"""Scores, settings and receivers for tests of hand-offs: a real HTTP server and a real mail server on loopback."""

from __future__ import annotations

import base64
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import sqlalchemy as sa
from aiosmtpd.controller import Controller

from features.calendar_days import DAY, HOUR
from serving.agreement import Agreement, FastLane
from serving.decision import Band, DecidedBy
from serving.handoff import HandedOver, People, hand_over
from serving.handoff_settings import HandoffSettings, MailSettings, WebhookSettings
from serving.lead_score import AgreementName, FastLaneHit, GroupShare, LeadScore, ModelName
from training.reference import Similar

NOW = 1_800_000_000_000_000
SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
AGREEMENT = Agreement(
    version=3, mql=0.1, sql=0.3, fast_lane={"call_booked": FastLane("call_booked", 4 * HOUR, 14 * DAY)}
)
REASONS_EN = ("viewed the pricing page 3 times in the last 7 days", "is a director")
REASONS_JA = ("過去7日間に価格ページを3回閲覧", "役職：部長")


def made_score(
    lead_id: str = "L-1042",
    *,
    band: Band | None = Band.SQL,
    decided_by: DecidedBy = DecidedBy.MODEL,
    as_of: int = NOW,
    asked_at: int | None = None,
    **changed: Any,
) -> LeadScore:
    """A score as the model gives it; `asked_at` puts the lead on the fast lane by an event then."""
    told: dict[str, Any] = {
        "lead_id": lead_id,
        "as_of": as_of,
        "scored_at": as_of,
        "horizon": 90 * DAY,
        "probability": 0.312,
        "score": 31,
        "percentile": 0.97,
        "average": 0.0612,
        "similar": Similar(converted=58, leads=200),
        "band": band,
        "decided_by": decided_by,
        "cutoffs": None,
        "reasons": None,
        "fit": GroupShare(0.35, "B"),
        "engagement": GroupShare(1.6, 1),
        "model": ModelName("b2b", "3"),
        "agreement": AgreementName(3, True),
        "stage": "decision",
    }
    if asked_at is not None:
        told |= {
            "decided_by": DecidedBy.FAST_LANE,
            "rule": "call_booked",
            "fast_lane": FastLaneHit("call_booked", asked_at, 4 * HOUR, asked_at),
        }
    return LeadScore(**(told | changed))


def handed(
    c: sa.Connection,
    score: LeadScore,
    *,
    settings: HandoffSettings,
    now: int = NOW,
    agreement: Agreement | None = AGREEMENT,
    people: People = People("Keiko Sato", "Northwind Traders", "Jonas Weber"),  # noqa: B008 (frozen)
    **how: Any,
) -> HandedOver | None:
    return hand_over(
        c, score=score, reasons_en=REASONS_EN, reasons_ja=REASONS_JA, people=people, agreement=agreement,
        settings=settings, now=now, **how,
    )  # fmt: skip


def webhook_to(port: int, path: str = "/hooks", **changed: Any) -> HandoffSettings:
    settings = WebhookSettings(f"http://127.0.0.1:{port}{path}", (SECRET,))
    return HandoffSettings(webhook=settings, public_url="https://leads.example.com", name="b2b", **changed)


def mail_settings(port: int, **changed: Any) -> MailSettings:
    told = {
        "host": "127.0.0.1",
        "port": port,
        "tls": "none",
        "sender": "Propensity <leads@example.com>",
        "to": ("sales@example.com",),
    }
    return MailSettings(**(told | changed))


@dataclass
class Received:
    """Requests that a receiver got; `answer` gives status and headers of the next one."""

    port: int = 0
    requests: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    answer: Callable[[int], tuple[int, Mapping[str, str]]] = lambda _: (204, {})

    @property
    def ids(self) -> list[str]:
        return [headers["webhook-id"] for _, headers, _ in self.requests]


@contextmanager
def http_receiver() -> Iterator[Received]:
    """A webhook's receiver on loopback."""
    received, lock = Received(), threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            with lock:
                number = len(received.requests)
                headers = {name.lower(): value for name, value in self.headers.items()}
                received.requests.append((self.path, headers, body))
                status, told = received.answer(number)
            try:
                self.send_response(status)
                for name, value in {"Content-Length": "0", **told}.items():
                    self.send_header(name, value)
                self.end_headers()
            except OSError:
                pass  # whoever asked was killed meanwhile

        do_GET = do_POST

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            pass  # connections of killed senders

    with Server(("127.0.0.1", 0), Handler) as server:
        received.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield received
        finally:
            server.shutdown()
            thread.join()


@dataclass
class Mailbox:
    """Mails that a server took; `answers` maps an address, or "DATA", to what is said instead of yes."""

    port: int = 0
    raw: list[bytes] = field(default_factory=list)
    recipients: list[list[str]] = field(default_factory=list)
    answers: dict[str, str] = field(default_factory=dict)

    @property
    def mails(self) -> list[EmailMessage]:
        return [message_from_bytes(each, policy=policy.default) for each in self.raw]  # type: ignore[misc]

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if address in self.answers:
            return self.answers[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if "DATA" in self.answers:
            return self.answers["DATA"]
        self.raw.append(envelope.content)
        self.recipients.append(list(envelope.rcpt_tos))
        return "250 OK"


@contextmanager
def mail_server(**how: Any) -> Iterator[Mailbox]:
    """A mail server on loopback."""
    mailbox = Mailbox()
    controller = Controller(mailbox, hostname="127.0.0.1", port=free_port(), **how)
    controller.start()
    mailbox.port = controller.port
    try:
        yield mailbox
    finally:
        controller.stop()


def free_port() -> int:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        port: int = trial.getsockname()[1]
        return port
