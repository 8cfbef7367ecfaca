"""What a search tried, as MLflow shows it: one run for the search, and below it one for each recipe."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from training.registry import Registry


@dataclass(frozen=True)
class TrialRuns:
    """Writes a search (`training.tuning`) into a registry."""

    registry: Registry

    def open(self, run: str | None, about: Mapping[str, Any]) -> str:
        """Begin the search's run, or take it up again where one of before is known."""
        if run is not None and self.registry.has_run(run):
            self.registry.close_run(run, status="RUNNING")
            return run
        run = self.registry.open_run("tuning", tags={"propensity.kind": "tuning"})
        # names of columns are many, and stand in the manifest where they count
        told = {name: value for name, value in about.items() if name not in ("recipe", "columns")}
        self.registry.log_run(run, params={**told, "columns": list(about["columns"])})
        return run

    def trial(
        self, run: str, number: int, params: Mapping[str, Any], metrics: Mapping[str, float], *, pruned: bool
    ) -> None:
        """One recipe; one that was given up is shown as killed."""
        made = self.registry.open_run(f"recipe {number + 1}", under=run, tags={"propensity.kind": "recipe"})
        self.registry.log_run(made, params=params, metrics=metrics)
        self.registry.close_run(made, status="KILLED" if pruned else "FINISHED")

    def close(self, run: str, metrics: Mapping[str, float], *, killed: bool) -> None:
        """The search is over, or was interrupted and may be taken up again."""
        self.registry.log_run(run, metrics=metrics)
        self.registry.close_run(run, status="KILLED" if killed else "FINISHED")
