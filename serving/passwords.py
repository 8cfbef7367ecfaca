"""Passwords are kept as Argon2id hashes and never as they are."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from features.errors import UsageError

SHORTEST, LONGEST = 12, 1024
_HASHER = PasswordHasher()  # the library's parameters, RFC 9106 for machines without much memory: 64 MiB


def hash_password(password: str, *, name: str) -> str:
    """The hash of a new password, with its own salt and parameters in it.

    Raises
    ------
    UsageError
        Too short, too long, one sign over and over, or with the user's name in it.
    """
    text = _same(password)
    if not SHORTEST <= len(text) <= LONGEST or len(set(text)) < 4 or _same(name).casefold() in text.casefold():
        raise UsageError(
            "the password is too easy to guess, or too long",
            expected=f"{SHORTEST} to {LONGEST:,} signs of four kinds or more, without the user's name",
            next_step="four or five words that don't belong together make a good one",
        )
    return _HASHER.hash(text)


def is_password(password_hash: str | None, password: str) -> bool:
    """Whether a password is the one behind a hash. Where there is no such user (None) it takes just as long."""
    try:
        held = _HASHER.verify(password_hash or _nobodys_hash(), _same(password[:LONGEST]))
    except (VerificationError, InvalidHashError):
        return False
    return held and password_hash is not None


def is_outdated(password_hash: str) -> bool:
    """Whether a hash was made with other parameters than those of today."""
    return _HASHER.check_needs_rehash(password_hash)


def rehash(password: str) -> str:
    """The hash of a password that was accepted before."""
    return _HASHER.hash(_same(password))


@lru_cache(maxsize=1)
def _nobodys_hash() -> str:
    return _HASHER.hash("nobody has this password")


def _same(text: str) -> str:
    """One form of a text, however a keyboard wrote it: full-width letters are letters, blanks around it don't count."""
    return unicodedata.normalize("NFKC", text).strip()
