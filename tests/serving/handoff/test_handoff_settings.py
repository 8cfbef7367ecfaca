"""handoff.toml: all its faults at once, and no secret in it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from features.errors import UsageError
from features.workspace import Workspace, load_workspace
from oracles.made_handoffs import SECRET
from serving.handoff_settings import HandoffSettings, MailSettings, WebhookSettings, load_handoff_settings
from serving.handoffs_page import channel_words

TOML = """
[workspace]
name = "small"
timezone = "Asia/Tokyo"
[tables]
leads = "leads.csv"
outcomes = "outcomes.csv"
[target]
converted = "won"
horizon = "30d"
"""
Read = Callable[..., HandoffSettings]


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    (tmp_path / "propensity.toml").write_text(TOML)
    return load_workspace(tmp_path)


@pytest.fixture
def read(workspace: Workspace) -> Read:
    def read(text: str, **environ: str) -> HandoffSettings:
        (workspace.folder / "handoff.toml").write_text(text, encoding="utf-8")
        return load_handoff_settings(workspace, environ)

    return read


def faults(read: Read, text: str, **environ: str) -> list[str]:
    with pytest.raises(UsageError) as caught:
        read(text, **environ)
    return [f"{each.where}: {each.found}" for each in caught.value.problems]


def test_without_the_file_there_is_no_channel_and_serve_says_so(workspace: Workspace) -> None:
    settings = load_handoff_settings(workspace, {})
    assert settings == HandoffSettings(name="small", zone="Asia/Tokyo")
    assert settings.channels == ()
    assert channel_words(settings) == ["Hand-offs appear in the queue only: there is no handoff.toml."]


def test_both_channels_with_their_secrets_from_the_environment(read: Read) -> None:
    text = """
public_url = "https://leads.example.com/"
[webhook]
url = "https://hooks.example.com/x?sig=1"
[mail]
host = "mail.example.com"
user = "leads"
from = "Propensity <leads@example.com>"
to = ["sales@example.com", "営業 <eigyo@example.jp>"]
lang = ["ja"]
"""
    settings = read(text, PROPENSITY_WEBHOOK_SECRET=SECRET, PROPENSITY_SMTP_PASSWORD="geheim")
    assert settings.webhook == WebhookSettings("https://hooks.example.com/x?sig=1", (SECRET,))
    assert settings.mail == MailSettings(
        "mail.example.com", 587, "starttls", "Propensity <leads@example.com>",
        ("sales@example.com", "営業 <eigyo@example.jp>"), ("ja",), "leads", "geheim",
    )  # fmt: skip
    assert settings.public_url == "https://leads.example.com"
    assert settings.channels == ("webhook", "mail")
    assert channel_words(settings) == ["Hand-offs go to: webhook, mail."]
    assert "geheim" not in repr(settings)
    assert SECRET not in repr(settings)


def test_all_faults_are_told_at_once_with_their_lines(read: Read) -> None:
    text = """public_url = "leads.example.com"
[webhook]
url = "http://hooks.example.com"
secret = "whsec_abc"
[mail]
host = "mail.example.com"
tls = "ssl"
from = "nobody"
to = ["a@example.com", "x\\nBcc: y@example.com"]
lang = ["de"]
password_env = "P"
port = 99999
[fields]
leadid = "Id"
"""
    found = faults(read, text, PROPENSITY_WEBHOOK_SECRET="secret")
    assert found == [
        'handoff.toml line 1: "public_url" is no web address',
        "handoff.toml line 2: PROPENSITY_WEBHOOK_SECRET holds no secret of Standard Webhooks",
        'handoff.toml line 3: "webhook.url" is not encrypted',
        'handoff.toml line 4: unknown key "webhook.secret"',
        'handoff.toml line 7: tls "ssl"',
        'handoff.toml line 8: "mail.from" is no address',
        'handoff.toml line 9: entry 2 of "mail.to" is no address',
        'handoff.toml line 10: language "de"',
        "handoff.toml line 11: a password without a user",
        'handoff.toml line 12: "mail.port" is 99999',
        'handoff.toml line 14: "leadid" is nothing that a hand-off tells',
    ]


@pytest.mark.parametrize(
    ("url", "ok"),
    [
        ("http://127.0.0.1:8080/hook", True),
        ("http://localhost/hook", True),
        ("https://10.0.0.5/hook", True),
        ("http://10.0.0.5/hook", False),
        ("https://user:pw@hooks.example.com/", False),
        ("ftp://hooks.example.com/", False),
        ("https://", False),
        ("https://hooks.example.com:port/", False),
        ("https://hooks.example.com/#x", False),
    ],
)
def test_only_this_machine_is_reached_without_encryption(read: Read, url: str, ok: bool) -> None:
    text = f'[webhook]\nurl = "{url}"\n'
    if ok:
        assert read(text, PROPENSITY_WEBHOOK_SECRET=SECRET).channels == ("webhook",)
    else:
        assert len(faults(read, text, PROPENSITY_WEBHOOK_SECRET=SECRET)) == 1


def test_a_missing_secret_or_password_is_a_fault_of_its_own(read: Read) -> None:
    text = """[webhook]
url = "https://x.example"
secret_env = "OTHER"
[mail]
host = "h"
user = "u"
from = "a@b.example"
to = []
"""
    assert faults(read, text) == [
        "handoff.toml line 3: OTHER is not set in the environment",
        "handoff.toml line 6: PROPENSITY_SMTP_PASSWORD is not set in the environment",
        "handoff.toml line 8: nobody to send mails to",
    ]


def test_a_password_is_never_sent_in_the_clear_to_another_machine(read: Read) -> None:
    text = '[mail]\nhost = "mail.example.com"\ntls = "none"\nuser = "u"\nfrom = "a@b.example"\nto = ["c@b.example"]\n'
    assert faults(read, text, PROPENSITY_SMTP_PASSWORD="x") == [
        'handoff.toml line 3: a password over a connection with tls = "none"'
    ]


def test_two_values_cannot_have_one_place(read: Read) -> None:
    text = """[webhook]
url = "https://x.example"
[fields]
score = "a.b"
percent = "a.b"
lead_id = "a"
band = ["x", "y"]
reasons.en = 7
[fields.constant]
x = "SQL"
z = ["no"]
"""
    found = faults(read, text, PROPENSITY_WEBHOOK_SECRET=SECRET)
    assert found == [
        'handoff.toml line 5: "a.b" and "a.b" can\'t both be sent',
        'handoff.toml line 6: "a" and "a.b" can\'t both be sent',
        'handoff.toml line 7: "x" and "x" can\'t both be sent',
        'handoff.toml line 8: "fields.reasons.en" names no field',
        'handoff.toml line 11: "fields.constant.z" is no plain value',
    ]


def test_a_map_without_a_receiver_is_a_fault(read: Read) -> None:
    assert faults(read, '[fields]\nscore = "Score"\n') == ["handoff.toml line 1: [fields] without [webhook]"]
