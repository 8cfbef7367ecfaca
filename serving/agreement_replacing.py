"""The agreement's file, replaced at once and only where it is still the one that somebody looked at."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from features.errors import UsageError
from serving.agreement import AGREEMENT_FILE
from serving.signatures import locked


class ChangedMeanwhile(UsageError):
    """The agreement's file is no longer the one that somebody looked at when they decided."""


def agreement_text(folder: Path) -> str:
    """The text of the agreement's file; "" where there is none."""
    try:
        return (folder / AGREEMENT_FILE).read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError):
        return ""  # what is wrong with it `load_agreement` says


def text_digest(text: str) -> str:
    """What tells one text of the file from another, whatever its line ends."""
    return hashlib.sha256("\n".join(text.strip().splitlines()).encode("utf-8", "surrogatepass")).hexdigest()


@contextmanager
def replacing(folder: Path, looked_at: str) -> Iterator[Callable[[str], None]]:
    """Hold the agreement's lock, and give what replaces its file at once; the draft goes away when that never happens."""
    path = folder / AGREEMENT_FILE
    draft = path.with_name(f".{path.name}.{os.getpid()}")

    def put(text: str) -> None:
        with draft.open("w", encoding="utf-8", newline="\n") as file:
            file.write(text if text.endswith("\n") else text + "\n")
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            shutil.copymode(path, draft)
        os.replace(draft, path)

    try:
        with locked(folder):
            if text_digest(agreement_text(folder)) != looked_at:
                raise changed_meanwhile()
            yield put
    except OSError as error:
        raise UsageError(
            f"{AGREEMENT_FILE} cannot be written ({error.strerror or type(error).__name__})",
            expected="a workspace folder that can be written, on a disk with room",
            next_step="nothing was saved; save again when the folder can be written",
        ) from None
    finally:
        with suppress(OSError):
            draft.unlink()


def changed_meanwhile() -> ChangedMeanwhile:
    return ChangedMeanwhile(
        f"{AGREEMENT_FILE} was changed by somebody else meanwhile",
        expected="the agreement as this page showed it",
        next_step="open the page again, look at what changed, and decide anew",
    )
