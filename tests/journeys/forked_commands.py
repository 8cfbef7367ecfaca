"""Run by `running.py`: commands in processes of their own that need not load their parts anew.

To load MLflow, LightGBM and all that they load takes a command seconds, several times what it then does with small
tables. This process loads them once and does nothing with them. For each line of JSON that it reads it runs the
product's `main` in a fork of itself, and answers with the exit code. So what a command does, keeps in its modules or
breaks stays its own process's, as it does where the installed script is run.
"""

from __future__ import annotations

import gc
import importlib
import io
import json
import os
import sys
from typing import Any

PARTS = (
    "IPython.display",  # what MLflow loads when a run is logged
    "git",
    "jinja2",
    "lightgbm",
    "matplotlib.backends.backend_agg",
    "mlflow.pyfunc",
    "mlflow.store.model_registry.sqlalchemy_store",
    "mlflow.store.tracking.sqlalchemy_store",
    "opentelemetry.sdk.trace",
    "scipy.optimize",
    "scipy.signal",
    "scipy.stats",
    "serving.scoring_run",
    "sqlalchemy.dialects.sqlite",
    "training.publish",
    "training.retrain",
)


def fork_for_each_line() -> None:
    """Answer until there are no more lines; a fork ends as the command does."""
    for part in PARTS:
        importlib.import_module(part)
    from mlflow.utils.requirements_utils import warn_dependency_requirement_mismatches
    from numba.core.registry import cpu_target

    from serving.cli import main

    # read once what each process reads at its first compiled function, and MLflow at its first model: which functions
    # and which packages there are
    cpu_target.typing_context.refresh()
    cpu_target.target_context.refresh()
    warn_dependency_requirement_mismatches(["numpy"])
    gc.freeze()  # a fork that looks for garbage among all that is loaded here would copy every page of it
    for line in sys.stdin:
        asked = json.loads(line)
        child = os.fork()
        if child == 0:
            _become(asked)
            main()
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def _become(asked: dict[str, Any]) -> None:
    """Take the arguments, environment, folder and files that a shell would have given to the command."""
    os.environ.clear()
    os.environ.update(asked["environment"])
    os.chdir(asked["cwd"])
    sys.argv = ["propensity", *asked["arguments"]]
    sys.stdin = io.StringIO()
    for descriptor, path in enumerate((os.devnull, asked["out"], asked["err"])):
        opened = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        os.dup2(opened, descriptor)
        os.close(opened)


if __name__ == "__main__":
    fork_for_each_line()
