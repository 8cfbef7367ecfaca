"""What a person sees of long work: a bar with the time left on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.progress import Progress, TaskID


class Steps:
    """Shows steps of known progress; call it as ``steps(what, fraction)``.

    A new `what` ends the step before it. Written to standard error, so that results can be piped. On a terminal each
    step is a line with a bar, how far it is and how long it still takes; elsewhere a line when it begins and one when
    it ends, and nothing between.
    """

    def __init__(self) -> None:
        self._what = ""
        self._began = 0.0
        self._bars: Progress | None = None
        self._task: TaskID | None = None
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import (
                BarColumn,
                Progress,
                SpinnerColumn,
                TextColumn,
                TimeElapsedColumn,
                TimeRemainingColumn,
            )

            self._bars = Progress(
                SpinnerColumn(finished_text="[green]✓"),
                TextColumn("{task.description}"),
                BarColumn(bar_width=24),
                TextColumn("{task.percentage:>3.0f}%"),
                TimeElapsedColumn(),
                TextColumn("·"),
                TimeRemainingColumn(compact=True),
                console=Console(stderr=True),
            )

    def __enter__(self) -> Self:
        if self._bars is not None:
            self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._finish()
        if self._bars is not None:
            self._bars.stop()

    def __call__(self, what: str, fraction: float = 0.0) -> None:
        if what and what != self._what:
            self._finish()
            self._what, self._began = what, time.monotonic()
            if self._bars is not None:
                self._task = self._bars.add_task(what, total=1.0)
            else:
                print(f"{what} ...", file=sys.stderr, flush=True)
        if self._bars is not None and self._task is not None:
            self._bars.update(self._task, completed=min(max(fraction, 0.0), 1.0))

    def note(self, text: str) -> None:
        """Say something about the step that is being done."""
        if self._bars is not None:
            self._bars.console.print(f"  {text}", markup=False, highlight=False)
        else:
            print(f"  {text}", file=sys.stderr, flush=True)

    def _finish(self) -> None:
        if not self._what:
            return
        if self._bars is not None and self._task is not None:
            self._bars.update(self._task, completed=1.0)
        elif self._bars is None:
            print(f"{self._what}: {time.monotonic() - self._began:.1f} s", file=sys.stderr, flush=True)
        self._what = ""


def plain(said: str) -> str:
    """A text from the tables that can do nothing to a terminal: what is no letter, mark, sign or blank becomes a mark."""
    return "".join(each if each.isprintable() or each == "\u3000" else "\ufffd" for each in said)


def printed(*parts: RenderableType) -> str:
    """Lines and tables as text: with colours and as wide as the window on a terminal, plain and 100 wide elsewhere."""
    from io import StringIO

    from rich.console import Console

    terminal = sys.stdout.isatty()
    width = None if terminal else 100
    console = Console(file=StringIO(), force_terminal=terminal, width=width, highlight=False, soft_wrap=False)
    if terminal:
        console.width = Console().width
    for part in parts:
        console.print(part, markup=False) if isinstance(part, str) else console.print(part)
    text = console.file.getvalue()  # type: ignore[attr-defined]
    return "\n".join(line.rstrip() for line in text.splitlines()) + "\n"
