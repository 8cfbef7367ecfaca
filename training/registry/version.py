"""A registered model version: what names it, what serves with it, and what became of it; and the tags that say so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion

DIGEST_TAG = "propensity.digest"
PROMOTED_TAG = "propensity.promoted_at"
"""Tag of a model version: when it last became champion, UTC microseconds."""
FORCED_TAG = "propensity.forced"
"""Tag of a model version: why it was promoted although gates refused it, and which (JSON); gone once it passes them."""
CALIBRATION_TAG = "propensity.calibration"
"""Tag of a model version: number and digest of the living calibration that it serves with, as "2:0f3a..."; "" for none."""


@dataclass(frozen=True)
class Version:
    """A registered model version.

    Attributes
    ----------
    digest : of its bundle.
    calibration : number of the living calibration that it serves with; None as it left training.
    calibration_digest : of that; "" without one.
    """

    model: str
    number: str
    digest: str
    run_id: str
    calibration: int | None = None
    calibration_digest: str = ""


@dataclass(frozen=True)
class Registered:
    """A version as people look back on it.

    Attributes
    ----------
    trained_at, promoted_at : UTC microseconds; `promoted_at` is when it last became champion, None where it never was
        (or was before this was written down).
    was_champion : whether it ever served; the one that serves now included.
    metrics : of its own test block, as "roc_auc"; each model was tested on other leads.
    forced : why it was promoted although gates refused it, as JSON with "reason", "refused" and "by"; None where it was
        not.
    """

    number: str
    trained_at: int
    promoted_at: int | None
    champion: bool
    challenger: bool
    was_champion: bool
    metrics: Mapping[str, float]
    forced: str | None = None


def version_of(found: ModelVersion) -> Version:
    """MLflow's version in our words."""
    number, _, digest = str(found.tags.get(CALIBRATION_TAG, "")).partition(":")
    return Version(
        model=str(found.name),
        number=str(found.version),
        digest=str(found.tags.get(DIGEST_TAG, "")),
        run_id=str(found.run_id),
        calibration=int(number) if number else None,
        calibration_digest=digest,
    )
