"""When to retrain, and why, in a sentence."""

from __future__ import annotations

from collections.abc import Sequence

from features.calendar_days import DAY
from features.instants import instant_text
from serving.watch_figures import CameTrue, Inflow, Sign

MUCH_MORE = 0.5
"""With so many more converted leads than the model learned from, another training is worth its while."""
LATER = 3650 * DAY
DATA = ("stale_table", "silent_source", "new_event_type")
MODEL = ("ranking", "band", "segment")


def advice(
    signs: Sequence[Sign],
    came: CameTrue,
    inflow: Inflow,
    *,
    learned: int,
    trained_until: int,
    now: int,
    zone: str,
    follows: bool = False,
) -> str:
    """The weightiest reason first: broken data before a worse model, a worse model before more to learn from.

    Parameters
    ----------
    learned : converted leads that the model learned from.
    trained_until, now : until when its tables went, and what they live in today.
    follows : a living calibration follows the level of the conversions.
    """
    alarms = [each for each in signs if each.alarm]
    of_data = _subjects(alarms, DATA)
    if of_data:
        return (
            f"Mend the data first ({of_data}): a model that is trained now would learn from the hole. Retrain once they are "
            "whole again, or when the change is there to stay."
        )
    of_model = _subjects(alarms, MODEL)
    if of_model:
        return f"Retrain now: what the model says no longer comes true ({of_model})."
    of_inputs = _subjects(alarms, ("input", "score"))
    if of_inputs:
        when = "" if came.next_settled is None else f" The first of them settle on {_day(came.next_settled, zone)}."
        return f"Look at what changed ({of_inputs}); if it is there to stay, retrain as soon as such leads have settled.{when}"
    if _subjects(alarms, ("level",)):
        follow = (
            "the living calibration follows it"
            if follows
            else "`propensity recalibrate FOLDER` lets the probabilities follow it, if the newest outcomes say that it lasts"
        )
        return f"The level of conversions moved and the ranking holds: {follow}; retrain when convenient."
    more = came.converted_leads / max(learned, 1)
    if more >= MUCH_MORE:
        return (
            f"Retrain when convenient: {came.converted_leads:,} more leads have converted and settled since, beside the "
            f"{learned:,} that the model learned from."
        )
    return f"No need to retrain: {_why_not(came, inflow)}.{_until(came, learned, trained_until, now, zone)}"


def _why_not(came: CameTrue, inflow: Inflow) -> str:
    outcomes = (
        "what settled since came true as the model said" if came.groups else "too little has settled since to judge by"
    )
    inputs = ", and leads look as they did when it learned" if inflow.known else ""
    return outcomes + inputs


def _until(came: CameTrue, learned: int, trained_until: int, now: int, zone: str) -> str:
    """When there will be enough more to learn from, at the pace so far."""
    if came.converted_leads < 5 or now <= trained_until:
        return ""
    left = (MUCH_MORE * learned / came.converted_leads - 1) * (now - trained_until)
    if left > LATER:
        return ""
    return f" At this pace there is half as much again to learn from about {_day(now + int(left), zone)}."


def _subjects(alarms: Sequence[Sign], codes: Sequence[str]) -> str:
    found = list(dict.fromkeys(each.subject for each in alarms if each.code in codes))
    more = f" and {len(found) - 4} more" if len(found) > 4 else ""
    return ", ".join(found[:4]) + more


def _day(instant: int, zone: str) -> str:
    return instant_text(instant, zone)[:10]
