"""A thread that looks at something again and again, and outlives whatever goes wrong there."""

from __future__ import annotations

import threading
from collections.abc import Callable

from serving.log_lines import note, note_fault


class Watching:
    """Calls `look` every `every` seconds in a thread of its own, until `stop`.

    What `look` raises is written down once, until it succeeds again: a registry that is away for an hour is one line.
    """

    def __init__(self, name: str, look: Callable[[], None], *, every: float) -> None:
        self._name = name
        self._look = look
        self._every = every
        self._ended = threading.Event()
        self._fault = ""
        self._thread = threading.Thread(target=self._run, name=f"watching-{name}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join(timeout=5)

    def look_once(self) -> None:
        """Look now, in the caller's thread; faults are written down, not raised."""
        try:
            self._look()
        except Exception as error:
            if self._fault != type(error).__name__:
                note_fault(f"watching {self._name} failed", error)
            self._fault = type(error).__name__
        else:
            if self._fault:
                note(f"watching {self._name} works again")
            self._fault = ""

    def _run(self) -> None:
        while not self._ended.is_set():
            self.look_once()
            self._ended.wait(self._every)
