"""Who answers: a registered model made ready, or points by rule for as long as there is none."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from features.schema import Schema
from serving.lead_score import ModelName
from serving.notices import Notice
from training.bundle import Bundle
from training.calibration_record import LivingCalibration
from training.explanation import Explainer
from training.points import PointsRules


@dataclass(frozen=True, eq=False)
class ServingModel:
    """A registered model made ready to answer: prepared once, used for every batch and request.

    Attributes
    ----------
    name, version : in the registry.
    bundle : as training left it, but for its living calibration, which is in its scorer and reference.
    calibration : that; None where it serves as training left it.
    without : the bundle without it; None where it serves as training left it.
    """

    name: str
    version: str
    bundle: Bundle
    calibration: LivingCalibration | None = None
    without: Bundle | None = None

    @classmethod
    def of(cls, name: str, version: str, bundle: Bundle, living: LivingCalibration | None) -> ServingModel:
        """A bundle as training left it, made to serve with a living calibration."""
        return (
            cls(name, version, bundle)
            if living is None
            else cls(name, version, living.applied_to(bundle), living, bundle)
        )

    @property
    def as_trained(self) -> Bundle:
        """The bundle as training left it, by which models are compared: a living calibration has seen what came later."""
        return self.without or self.bundle

    @property
    def served(self) -> str:
        """The version with its living calibration, as "3+2": what the scores depend on."""
        return self.version if self.calibration is None else f"{self.version}+{self.calibration.number}"

    @property
    def schema(self) -> Schema:
        """What the columns mean to this model; tables and requests are read by it."""
        return self.bundle.scorer.definitions.schema

    @property
    def horizon(self) -> int:
        return self.bundle.scorer.horizon

    @property
    def converted(self) -> str:
        """The outcome that counts as converted."""
        return str(self.bundle.manifest["converted"])

    @property
    def converted_leads(self) -> int:
        """How many converted leads the model learned from."""
        return int(self.bundle.manifest["converted_leads"])

    @property
    def oldest_age(self) -> int | None:
        """The longest time since a lead's creation among the training moments (microseconds), where it was kept."""
        longest = self.bundle.manifest.get("oldest_age")
        return None if longest is None else int(longest)

    @cached_property
    def explainer(self) -> Explainer:
        return Explainer.of(self.bundle.scorer, self.bundle.reference)

    @cached_property
    def named(self) -> ModelName:
        number = None if self.calibration is None else self.calibration.number
        return ModelName(self.name, self.version, self.bundle.scorer.provisional, number)


@dataclass(frozen=True, eq=False)
class ColdStart:
    """Points by rule, for as long as there is no champion.

    Attributes
    ----------
    rules : how many points for what.
    horizon : microseconds, of the workspace.
    missing : what is missing until a model can be trained.
    """

    rules: PointsRules
    horizon: int
    missing: tuple[Notice, ...] = ()
