"""Promotions: who serves from now on, and back to the one before."""

from __future__ import annotations

import time

from features.errors import UsageError
from training.registry.lookup import CHAMPION, HISTORY_TAG, Lookup
from training.registry.version import FORCED_TAG, PROMOTED_TAG, Version, version_of

REMEMBERED = 100


class NothingToRollBack(UsageError):
    """No champion came before the one that serves."""


class Promotions(Lookup):
    """The champion's alias, moved."""

    def set_champion(self, number: str, *, forced: str | None = None) -> Version:
        """Let a version serve, and remember the one that served before.

        Parameters
        ----------
        forced : why it serves although gates refused it, see `Registered.forced`.
        """
        with self._alone():
            held = self._client.get_model_version(self.name, number)
            chosen, was_forced = version_of(held), FORCED_TAG in held.tags
            before = self.champion()
            served = self._served()
            if before is not None and served[-1:] != [before.number]:
                served.append(before.number)  # the alias was moved by hand since
            if before is None or before.number != number:
                served.append(number)
            if forced is not None:  # before the alias: who serves by force is never without the reason
                self._client.set_model_version_tag(self.name, number, FORCED_TAG, forced)
            self._client.set_registered_model_alias(self.name, CHAMPION, number)
            self._client.set_model_version_tag(self.name, number, PROMOTED_TAG, str(time.time_ns() // 1000))
            if forced is None and was_forced:
                self._client.delete_model_version_tag(self.name, number, FORCED_TAG)
            self._remember(served)
        return chosen

    def rollback(self) -> Version:
        """Undo the last promotion: the champion of before serves again.

        Raises
        ------
        NothingToRollBack
        """
        with self._alone():
            now = self.champion()
            served = self._served() if now is not None else []  # without a champion there may be no model to ask about
            if now is not None and served[-1:] == [now.number]:
                served.pop()
            if now is None or not served:
                raise NothingToRollBack(
                    found="no champion before the one that serves" if now else "no champion",
                    expected="a promotion to undo",
                    next_step="propensity promote makes a challenger champion",
                )
            chosen = version_of(self._client.get_model_version(self.name, served[-1]))
            self._client.set_registered_model_alias(self.name, CHAMPION, served[-1])
            self._client.set_model_version_tag(self.name, served[-1], PROMOTED_TAG, str(time.time_ns() // 1000))
            self._remember(served)
        return chosen

    def _remember(self, served: list[str]) -> None:
        self._client.set_registered_model_tag(self.name, HISTORY_TAG, ",".join(served[-REMEMBERED:]))
