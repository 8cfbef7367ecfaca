"""The errors that a user can cause and mend: what was found, what was expected, what to do next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong, and how to put it right.

    Never holds personal data: name a column, a line or a count, not the content of a cell of a lead.
    """

    found: str
    expected: str
    next_step: str = ""
    where: str = ""

    def __str__(self) -> str:
        lines = [f"{self.where}: {self.found}" if self.where else self.found, f"  expected: {self.expected}"]
        if self.next_step:
            lines.append(f"  next: {self.next_step}")
        return "\n".join(lines)


class UserError(Exception):
    """Base of all errors that are shown without a traceback. Each kind ends a command with its own exit code."""

    exit_code = 1

    def __init__(
        self,
        found: str = "",
        *,
        expected: str = "",
        next_step: str = "",
        where: str = "",
        problems: Sequence[Problem] = (),
    ) -> None:
        self.problems: tuple[Problem, ...] = tuple(problems) or (
            Problem(found=found, expected=expected, next_step=next_step, where=where),
        )
        super().__init__("\n".join(str(problem) for problem in self.problems))


class UsageError(UserError):
    """A wrong command line, or a fault in a toml."""

    exit_code = 2


class DataError(UserError):
    """The tables cannot be used as they are."""

    exit_code = 3


class TooLittleData(UserError):
    """Not enough leads, outcomes or time to train and test on."""

    exit_code = 4


class GateRefused(UserError):
    """A promotion was refused, with the figures that refused it."""

    exit_code = 5


class MomentOutsideHistory(DataError):
    """A moment at or before its lead's creation, of an unknown lead, or past the history's end."""
