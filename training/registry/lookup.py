"""Which versions there are: the champion, the challenger, one by number or run, and what became of each."""

from __future__ import annotations

import re

from training.registry.store import Store
from training.registry.version import FORCED_TAG, PROMOTED_TAG, Registered, Version, version_of

CHAMPION, CHALLENGER = "champion", "challenger"
HISTORY_TAG = "propensity.champions"
"""Tag of the registered model: the versions that were champion, the last one at the end."""


class Lookup(Store):
    """The registered versions, as they are asked for."""

    def champion(self) -> Version | None:
        """The version that serves; None before the first. Costs a few milliseconds."""
        return self.by_alias(CHAMPION)

    def challenger(self) -> Version | None:
        """The version that was trained last."""
        return self.by_alias(CHALLENGER)

    def by_alias(self, alias: str) -> Version | None:
        """The version with this alias, or None.

        Raises
        ------
        RegistryAway
            The registry does not answer.
        """
        from mlflow.exceptions import MlflowException

        with self._answers():
            try:
                return version_of(self._client.get_model_version_by_alias(self.name, alias))
            except MlflowException as problem:
                if problem.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
                    return None
                raise

    def find(self, told: str) -> Version | None:
        """The version of this number, or the one that the run of this id made; None where there is neither.

        Raises
        ------
        RegistryAway
            The registry does not answer.
        """
        if not re.fullmatch(r"[0-9a-zA-Z_-]{1,64}", told):
            return None
        with self._answers():
            of_model = f"name = '{self.name}'"
            if told.isdecimal() and len(told) < 10:
                found = [
                    each for each in self._client.search_model_versions(of_model) if int(each.version) == int(told)
                ]
            else:
                found = list(self._client.search_model_versions(f"{of_model} and run_id = '{told}'"))
        return version_of(max(found, key=lambda each: int(each.version))) if found else None

    def versions(self, *, newest: int = 20) -> list[Registered]:
        """The newest versions, the newest first, each with what became of it.

        Raises
        ------
        RegistryAway
            The registry does not answer.
        """
        with self._answers():
            if not self._client.search_registered_models(f"name = '{self.name}'"):
                return []
            champion, challenger, served = self.champion(), self.challenger(), self._served()
            found = sorted(
                self._client.search_model_versions(f"name = '{self.name}'"), key=lambda each: -int(each.version)
            )
            return [
                Registered(
                    number=str(each.version),
                    trained_at=int(each.creation_timestamp) * 1000,
                    promoted_at=int(each.tags[PROMOTED_TAG]) if PROMOTED_TAG in each.tags else None,
                    champion=champion is not None and champion.number == str(each.version),
                    challenger=challenger is not None and challenger.number == str(each.version),
                    was_champion=str(each.version) in served,
                    metrics=dict(self._client.get_run(each.run_id).data.metrics) if each.run_id else {},
                    forced=each.tags.get(FORCED_TAG),
                )
                for each in found[:newest]
            ]

    def _served(self) -> list[str]:
        text = self._client.get_registered_model(self.name).tags.get(HISTORY_TAG, "")
        return text.split(",") if text else []
