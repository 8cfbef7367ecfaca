"""The domain of a mail address or a web address, and the published list of domains where anybody can have an address."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Collection
from functools import cache
from importlib.resources import files

_DOMAIN = re.compile(r"[^\s@/:?#,;<>()\"']+(\.[^\s@/:?#,;<>()\"']+)+")


def domain_of(text: str) -> str | None:
    """The domain of a mail address, a web address or a bare domain, in lower case; None where there is none.

    >>> domain_of("Ada.L@Mail.Example.com"), domain_of("https://www.example.co.jp/contact?x"), domain_of("Example Inc.")
    ('mail.example.com', 'www.example.co.jp', None)
    """
    told = unicodedata.normalize("NFKC", text).strip().lower()
    told = told.rsplit("@", 1)[-1].split("://", 1)[-1].split("/", 1)[0].split("?", 1)[0].split(":", 1)[0]
    told = told.strip("<>()\"' ").rstrip(".")
    return told if _DOMAIN.fullmatch(told) else None


def lies_in(domain: str, domains: Collection[str]) -> bool:
    """Whether a domain is one of these or lies below one of them.

    >>> lies_in("mail.example.com", {"example.com"}), lies_in("badexample.com", {"example.com"})
    (True, False)
    """
    parts = domain.split(".")
    return any(".".join(parts[first:]) in domains for first in range(len(parts)))


@cache
def free_mail_domains() -> frozenset[str]:
    """Domains whose mail addresses anybody can have, as `word_lists/free_mail.txt` has them."""
    text = files("serving").joinpath("word_lists", "free_mail.txt").read_text(encoding="utf-8")
    return frozenset(line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#"))


@cache
def free_mail_digest() -> str:
    """SHA-256 (hex) of the list: who signs a rule that relies on it signs the list as it is."""
    return hashlib.sha256("\n".join(sorted(free_mail_domains())).encode()).hexdigest()
