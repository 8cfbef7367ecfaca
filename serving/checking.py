"""`propensity check`: what the tables hold, and what of the agreement finds nothing in them."""

from __future__ import annotations

from features.history import History
from features.workspace import Workspace
from serving.agreement import AGREEMENT_FILE
from serving.agreement_file import load_agreement
from serving.agreement_warnings import agreement_warnings
from training.cli import check_workspace


def check_with_agreement(workspace: Workspace) -> str:
    """Read a workspace's tables and its agreement, where it has one, and say what is in them.

    Raises
    ------
    UserError
        The tables, or the agreement, cannot be used.
    """
    agreement = load_agreement(workspace.folder)
    if agreement is None:
        return check_workspace(workspace)

    def warnings(history: History) -> list[str]:
        found = agreement_warnings(agreement, history, history.schema.stages)
        return [f"{AGREEMENT_FILE}: {each}" for each in found]

    return check_workspace(workspace, rule_columns=agreement.rule_columns(), warnings=warnings)
