"""What a real mail server on loopback gets: one mail a hand-off, in both languages, that nothing in a lead's name can bend."""

from __future__ import annotations

import datetime as dt
import socket
import ssl
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from aiosmtpd.smtp import AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from features.calendar_days import DAY, HOUR
from oracles.made_handoffs import (
    AGREEMENT,
    NOW,
    Mailbox,
    free_port,
    handed,
    made_score,
    mail_server,
    mail_settings,
    webhook_to,
)
from serving.agreement_terms import Sla
from serving.handoff import People
from serving.handoff_settings import HandoffSettings
from serving.mail import MailSender, handoff_mail
from serving.sending import Attempt, Ending, Handoff
from serving.store import Store
from serving.store.tables import handoffs


@pytest.fixture
def store(sqlite_store: Store) -> Store:
    return sqlite_store


def settings_to(mailbox: Mailbox | int, **changed: Any) -> HandoffSettings:
    port = mailbox if isinstance(mailbox, int) else mailbox.port
    return replace(webhook_to(1, zone="Asia/Tokyo"), mail=mail_settings(port, **changed))


def made(store: Store, settings: HandoffSettings, **how: Any) -> Handoff:
    """A hand-off as it comes out of the store."""
    score = how.pop("score", made_score())
    agreement = replace(AGREEMENT, sla=Sla(sql=8 * HOUR))
    with store.writing() as c:
        done = handed(c, score, settings=settings, agreement=agreement, **how)
        assert done is not None
        row = c.execute(sa.select(handoffs).where(handoffs.c.handoff_id == done.handoff_id)).one()
        return Handoff(row.handoff_id, row.created_at, row.payload)


def body(mail: EmailMessage, kind: str) -> str:
    part = mail.get_body((kind,))
    assert isinstance(part, EmailMessage)
    return str(part.get_content())


def test_a_hand_off_arrives_as_html_and_text_in_both_languages(store: Store) -> None:
    with mail_server() as mailbox:
        settings = settings_to(mailbox)
        handoff = made(store, settings)
        assert MailSender(settings).send(handoff, now=NOW) == Attempt(Ending.DELIVERED)
    (mail,) = mailbox.mails
    assert mail["Subject"] == "SQL: Keiko Sato, 31% likely to convert"
    assert (mail["From"], mail["To"]) == ("Propensity <leads@example.com>", "sales@example.com")
    assert mail["Message-ID"] == f"<{handoff.handoff_id}@example.com>"
    assert mail["Date"].datetime == dt.datetime(2027, 1, 15, 8, tzinfo=dt.UTC)
    assert mailbox.recipients == [["sales@example.com"]]
    for kind in ("plain", "html"):
        told = body(mail, kind)
        for text in (
            "Keiko Sato", "31%", "likely to convert within 90 days", "Of 200 leads like this one 58 converted.",
            "Judged by these, between 23% and 36% of such leads convert.", "成約率は23%〜36%と見込まれます。",
            "Jan 16, 2027, 01:00 JST", "Viewed the pricing page 3 times in the last 7 days", "Jonas Weber",
            "90日以内の成約確率", "よく似たリード200件のうち58件が成約しました。", "2027年1月16日 01:00 JST",
            "過去7日間に価格ページを3回閲覧", "役職：部長", "https://leads.example.com/leads/L-1042", handoff.handoff_id,
        ):  # fmt: skip
            assert text in told, text


def test_a_mail_in_one_language_has_no_word_of_the_other(store: Store) -> None:
    settings = settings_to(1, langs=("ja",))
    mail = handoff_mail(made(store, settings), settings)
    assert mail["Subject"] == "【SQL】Keiko Sato（成約確率 31%）"
    assert "likely" not in body(mail, "plain") + body(mail, "html")


def test_sent_again_it_is_the_same_mail_to_the_letter(store: Store) -> None:
    with mail_server() as mailbox:
        settings = settings_to(mailbox)
        handoff = made(store, settings)
        for _ in range(2):
            MailSender(settings).send(handoff, now=NOW)
    first, second = mailbox.mails
    assert first["Message-ID"] == second["Message-ID"]
    assert body(first, "html") == body(second, "html")
    assert {name: str(first[name]) for name in ("Subject", "From", "To", "Date")} == {
        name: str(second[name]) for name in ("Subject", "From", "To", "Date")
    }


def test_the_fast_lane_is_told_with_its_event_and_its_deadline(store: Store) -> None:
    settings = settings_to(1)
    mail = handoff_mail(made(store, settings, score=made_score(asked_at=NOW - HOUR)), settings)
    assert mail["Subject"] == "Fast lane: Keiko Sato, answer by Jan 15, 2027, 21:00 JST"
    assert "booked a call" in body(mail, "plain")
    assert "電話面談を予約" in body(mail, "plain")
    told = {"en": "booked a discovery call an hour ago", "ja": "1時間前に商談を予約"}
    again = handoff_mail(made(store, settings, score=made_score("L2", asked_at=NOW - HOUR), because=told), settings)
    assert "Booked a discovery call an hour ago" in body(again, "html")


def test_a_lead_without_model_reasons_link_or_deadline_makes_a_whole_mail(store: Store) -> None:
    settings = replace(settings_to(1), public_url=None)
    score = made_score(
        "L7", asked_at=NOW - DAY, probability=None, average=None, similar=None, model=None, score=42, stage=None
    )
    handoff = made(store, settings, score=score, people=People("L7"))
    bare = replace(handoff, payload={**handoff.payload, "reasons": {"en": [], "ja": []}, "deadline": None})
    mail = handoff_mail(bare, settings)
    assert mail["Subject"] == "Fast lane: L7"
    for kind in ("plain", "html"):
        told = body(mail, kind)
        assert "42 points" in told
        assert "No deadline was agreed." in told
        assert "None" not in told
        assert "http" not in told


def test_a_hand_off_that_has_waited_since_before_there_were_intervals_is_still_mailed(store: Store) -> None:
    settings = settings_to(1)
    handoff = made(store, settings)
    old = replace(handoff, payload={name: each for name, each in handoff.payload.items() if name != "interval"})
    for kind in ("plain", "html"):
        told = body(handoff_mail(old, settings), kind)
        assert "Of 200 leads like this one 58 converted." in told
        assert "Judged by" not in told


def test_a_name_can_add_no_header_no_recipient_and_no_markup(store: Store) -> None:
    evil = "Mallory\r\nBcc: victim@example.com\r\n\r\n<script>alert(1)</script> " + "ü" * 500
    with mail_server() as mailbox:
        settings = settings_to(mailbox)
        handoff = made(store, settings, people=People(evil, company=evil, owner=evil))
        assert MailSender(settings).send(handoff, now=NOW).ending is Ending.DELIVERED
    (mail,) = mailbox.mails
    assert mailbox.recipients == [["sales@example.com"]]
    assert mail["Bcc"] is None
    assert len(mail["Subject"]) < 200
    subject = " ".join(mail["Subject"].split())  # where it was folded a parser may read two spaces
    assert subject.startswith("SQL: Mallory Bcc: victim@example.com <script>alert(1)</script> ü")
    assert "<script" not in body(mail, "html")
    assert mail["Message-ID"] == f"<{handoff.handoff_id}@example.com>"


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ({"DATA": "451 later"}, Attempt(Ending.AGAIN, "SMTP 451")),
        ({"DATA": "554 no"}, Attempt(Ending.HARDLY, "SMTP 554")),
        ({"a@example.com": "450 later"}, Attempt(Ending.AGAIN, "SMTP 450 for 1 of 2 addresses")),
        ({"a@example.com": "550 who"}, Attempt(Ending.DELIVERED, "SMTP 550 for 1 of 2 addresses")),
        (
            {"a@example.com": "550 who", "b@example.com": "550 who"},
            Attempt(Ending.HARDLY, "SMTP 550 for 2 of 2 addresses"),
        ),
    ],
)
def test_what_a_server_s_answer_means(store: Store, answers: dict[str, str], expected: Attempt) -> None:
    with mail_server() as mailbox:
        mailbox.answers = answers
        settings = settings_to(mailbox, to=("A <a@example.com>", "b@example.com"))
        assert MailSender(settings).send(made(store, settings), now=NOW) == expected


def test_nobody_there_is_a_reason_to_try_again(store: Store) -> None:
    settings = settings_to(free_port())
    assert MailSender(settings).send(made(store, settings), now=NOW) == Attempt(Ending.AGAIN, "ConnectionRefusedError")


def test_who_hangs_up_is_tried_again(store: Store) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        settings = settings_to(server.getsockname()[1])
        handoff = made(store, settings)
        server.close()
        assert MailSender(settings).send(handoff, now=NOW).ending is Ending.AGAIN


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate of 127.0.0.1 with its key, that no authority signed."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1)).not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    path = tmp_path / "server.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


def test_an_encrypted_connection_trusts_no_stranger_and_carries_the_password(
    store: Store, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    asked: list[tuple[bytes, bytes]] = []

    def login(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        asked.append((data.login, data.password))
        return AuthResult(success=data.password == b"right", handled=False)

    with mail_server(tls_context=context, require_starttls=True, authenticator=login, auth_required=True) as mailbox:
        settings = settings_to(mailbox, host="localhost", tls="starttls", user="leads", password="right")
        handoff = made(store, settings)
        stranger = MailSender(settings).send(handoff, now=NOW)
        assert stranger == Attempt(Ending.AGAIN, "SSLCertVerificationError")
        assert asked == []
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert MailSender(settings).send(handoff, now=NOW) == Attempt(Ending.DELIVERED)
        assert asked == [(b"leads", b"right")]
        wrong = settings_to(mailbox, host="localhost", tls="starttls", user="leads", password="wrong")
        assert MailSender(wrong).send(handoff, now=NOW) == Attempt(Ending.HARDLY, "SMTP 535")
    assert len(mailbox.raw) == 1


def test_a_server_without_encryption_gets_nothing_where_encryption_is_asked_for(store: Store) -> None:
    with mail_server() as mailbox:
        settings = settings_to(mailbox, tls="starttls")
        attempt = MailSender(settings).send(made(store, settings), now=NOW)
        assert attempt == Attempt(Ending.AGAIN, "SMTPNotSupportedError")
        assert mailbox.raw == []
