"""MLflow, seen from here: runs with all that belongs to them, a registered model, its champion and challenger.

MLflow is imported when a registry is opened, not before (it takes seconds), with its telemetry, progress bars and chatter
off. `Registry` keeps one client, so that asking for the champion costs milliseconds. `opening` puts it together; `store` is
what all its parts stand on, and the others hold one idea each.
"""

from training.registry.calibrations import NothingToUndo, remembered_calibration
from training.registry.opening import Registry, model_name, open_registry, tracking_uri
from training.registry.promotions import NothingToRollBack
from training.registry.registering import synthetic_rows
from training.registry.runs import PARENT_TAG
from training.registry.store import RegistryAway, shown
from training.registry.version import Registered, Version

__all__ = [
    "PARENT_TAG",
    "NothingToRollBack",
    "NothingToUndo",
    "Registered",
    "Registry",
    "RegistryAway",
    "Version",
    "model_name",
    "open_registry",
    "remembered_calibration",
    "shown",
    "synthetic_rows",
    "tracking_uri",
]
