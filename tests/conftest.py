"""What all tests share: how Hypothesis runs, and no word to the outside."""

import os

from hypothesis import settings

# No deadlines: these machines are shared, and a slow example is no wrong one. The same examples in every run of
# continuous integration, so that a red run can be made again.
settings.register_profile("propensity", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("propensity")

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("BENTOML_DO_NOT_TRACK", "true")
