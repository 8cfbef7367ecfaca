"""handoff.toml -> where hand-offs are sent: a signed webhook, mail, the receiver's names, and the address of the pages."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parseaddr
from urllib.parse import SplitResult, urlsplit

from features.toml_reader import TomlReader
from features.wording import LANGS, Lang
from features.workspace import Workspace
from serving.access import is_loopback
from serving.field_map import FieldMap, read_field_map

HANDOFF_FILE = "handoff.toml"
WEBHOOK, MAIL = "webhook", "mail"
SECRET_VARIABLE = "PROPENSITY_WEBHOOK_SECRET"
PASSWORD_VARIABLE = "PROPENSITY_SMTP_PASSWORD"
SECRET_HINT = (
    "make one with: python -c 'import base64, secrets;"
    ' print("whsec_" + base64.b64encode(secrets.token_bytes(32)).decode())\''
)
_PORTS = {"starttls": 587, "tls": 465, "none": 25}
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?")


@dataclass(frozen=True)
class WebhookSettings:
    """Where hand-offs are posted, and the secrets that sign them: while one is replaced both sign."""

    url: str
    secrets: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True)
class MailSettings:
    """The mail server and who gets the mails.

    Attributes
    ----------
    tls : "starttls", "tls" or "none".
    sender : with or without a name: "Propensity <leads@example.com>".
    langs : each mail says all in each of these languages, in this order.
    """

    host: str
    port: int
    tls: str
    sender: str
    to: tuple[str, ...]
    langs: tuple[Lang, ...] = ("en", "ja")
    user: str | None = None
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class HandoffSettings:
    """The channels that hand-offs leave by; without any they stand in the queue alone.

    Attributes
    ----------
    public_url : of the pages, as receivers reach them, without a slash at its end; None: no links.
    name, zone : of the workspace.
    """

    webhook: WebhookSettings | None = None
    mail: MailSettings | None = None
    fields: FieldMap = field(default_factory=FieldMap)
    public_url: str | None = None
    name: str = "propensity"
    zone: str = "UTC"

    @property
    def channels(self) -> tuple[str, ...]:
        told = ((WEBHOOK, self.webhook), (MAIL, self.mail))
        return tuple(name for name, each in told if each is not None)


def load_handoff_settings(workspace: Workspace, environ: Mapping[str, str]) -> HandoffSettings:
    """Read ``folder/handoff.toml``; no such file, no channel.

    Parameters
    ----------
    environ : holds the secrets that the file names; none stands in the file itself.

    Raises
    ------
    UsageError
        Every fault of the file at once, secrets that are missing or too weak among them.
    """
    if not (workspace.folder / HANDOFF_FILE).exists():
        return HandoffSettings(name=workspace.name, zone=workspace.zone)
    toml = TomlReader(workspace.folder / HANDOFF_FILE)
    toml.known_keys((), ("public_url", "webhook", "mail", "fields"))
    public = _address(toml, ("public_url",), secure=False)
    webhook = _webhook(toml, environ) if "webhook" in toml.data else None
    mail = _mail(toml, environ) if "mail" in toml.data else None
    fields = read_field_map(toml, workspace.zone)
    if fields and "webhook" not in toml.data:
        toml.problem(("fields",), "[fields] without [webhook]", expected="a webhook whose receiver has these names")
    toml.finish()
    return HandoffSettings(
        webhook=webhook, mail=mail, fields=fields, public_url=public, name=workspace.name, zone=workspace.zone
    )


def _webhook(toml: TomlReader, environ: Mapping[str, str]) -> WebhookSettings | None:
    toml.known_keys((WEBHOOK,), ("url", "secret_env"))
    url = _address(toml, (WEBHOOK, "url"), secure=True, required=True)
    variable = toml.text((WEBHOOK, "secret_env")) or SECRET_VARIABLE
    secrets = tuple(environ.get(variable, "").split())
    where = (WEBHOOK, "secret_env") if "secret_env" in toml.table((WEBHOOK,)) else (WEBHOOK,)
    if not secrets:
        toml.problem(
            where, f"{variable} is not set in the environment", expected="the secret that signs webhooks",
            next_step=SECRET_HINT,
        )  # fmt: skip
    elif not all(is_secret(each) for each in secrets):
        toml.problem(
            where, f"{variable} holds no secret of Standard Webhooks",
            expected='"whsec_" and 24 to 64 bytes in base64; two of them, with a space between, while one is replaced',
            next_step=SECRET_HINT,
        )  # fmt: skip
    return None if url is None or not secrets else WebhookSettings(url, secrets)


def is_secret(text: str) -> bool:
    """Whether a text is a secret of the Standard Webhooks specification.

    >>> is_secret("whsec_" + "A" * 43 + "="), is_secret("whsec_c2hvcnQ="), is_secret("secret")
    (True, False, False)
    """
    if not text.startswith("whsec_"):
        return False
    try:
        return 24 <= len(base64.b64decode(text.removeprefix("whsec_"), validate=True)) <= 64
    except (binascii.Error, ValueError):
        return False


def _mail(toml: TomlReader, environ: Mapping[str, str]) -> MailSettings | None:
    toml.known_keys((MAIL,), ("host", "port", "tls", "user", "password_env", "from", "to", "lang"))
    host = toml.text((MAIL, "host"), required=True)
    tls = toml.choice((MAIL, "tls"), tuple(_PORTS)) or "starttls"
    sender = toml.text((MAIL, "from"), required=True)
    if sender is not None and not is_mailbox(sender):
        toml.problem((MAIL, "from"), '"mail.from" is no address', expected='"Propensity <leads@example.com>"')
    to = toml.texts((MAIL, "to"))
    if "to" not in toml.table((MAIL,)) or toml.table((MAIL,)).get("to") == []:
        toml.problem((MAIL, "to"), "nobody to send mails to", expected='to = ["sales@example.com"]', next_step="add it")
    for number, each in enumerate(to, 1):
        if not is_mailbox(each):
            toml.problem((MAIL, "to"), f'entry {number} of "mail.to" is no address', expected='"sales@example.com"')
    user = toml.text((MAIL, "user"))
    password = _password(toml, environ, user)
    if user is not None and tls == "none" and host is not None and not is_loopback(host):
        toml.problem(
            (MAIL, "tls"), 'a password over a connection with tls = "none"', expected='tls = "starttls" or "tls"'
        )
    port, langs = _port(toml, tls), _langs(toml)
    if host is None or sender is None:
        return None
    return MailSettings(host, port, tls, sender, to, langs, user, password)


def _password(toml: TomlReader, environ: Mapping[str, str], user: str | None) -> str | None:
    told = toml.text((MAIL, "password_env"))
    if user is None:
        if told is not None:
            toml.problem((MAIL, "password_env"), "a password without a user", expected='user = "..." beside it')
        return None
    password = environ.get(told or PASSWORD_VARIABLE, "")
    if not password:
        toml.problem(
            (MAIL, "user"), f"{told or PASSWORD_VARIABLE} is not set in the environment",
            expected="the password of mail.user", next_step="set it, or leave user out where none is asked for",
        )  # fmt: skip
    return password


def _port(toml: TomlReader, tls: str) -> int:
    port = toml.number((MAIL, "port"))
    if port is None:
        return _PORTS[tls]
    if port != int(port) or not 1 <= port <= 65535:
        toml.problem((MAIL, "port"), f'"mail.port" is {port:g}', expected="a whole number from 1 to 65535")
    return int(port)


def _langs(toml: TomlReader) -> tuple[Lang, ...]:
    told = toml.texts((MAIL, "lang"))
    langs: list[Lang] = []
    for each in told:
        if each == "en":
            langs.append("en")
        elif each == "ja":
            langs.append("ja")
        else:
            toml.problem((MAIL, "lang"), f'language "{each}"', expected=f"some of {', '.join(LANGS)}")
    return tuple(dict.fromkeys(langs)) or ("en", "ja")


def is_mailbox(text: str) -> bool:
    """Whether a text is one mail address, with or without a name, that can stand in a header.

    >>> is_mailbox("Sales <sales@example.com>"), is_mailbox("sales"), is_mailbox("a@b.c\\nBcc: x@y.z")
    (True, False, False)
    """
    _, address = parseaddr(text)
    return text.isprintable() and _ADDRESS.fullmatch(address) is not None and text.count("@") == 1


def _address(toml: TomlReader, path: tuple[str, ...], *, secure: bool, required: bool = False) -> str | None:
    """A web address; `secure` ones start with https unless they stay on this machine."""
    told = toml.text(path, required=required)
    if told is None:
        return None
    expected = "an address such as https://crm.example.com/hooks" if secure else "such as https://leads.example.com"
    parts = _split(told)
    name = ".".join(path)
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname:
        toml.problem(path, f'"{name}" is no web address', expected=expected)
    elif parts.username is not None or parts.password is not None:
        toml.problem(path, f'"{name}" holds a user or password', expected=expected, next_step="take it out")
    elif parts.fragment or (not secure and parts.query):
        toml.problem(path, f'"{name}" has more than a path', expected=expected)
    elif secure and parts.scheme == "http" and not is_loopback(parts.hostname):
        toml.problem(path, f'"{name}" is not encrypted', expected="https://, or an address of this machine")
    else:
        return told if secure else told.rstrip("/")
    return None


def _split(text: str) -> SplitResult | None:
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        return None
    return parts if text.isprintable() and " " not in text else None
