"""One condition of a promotion, and how its figures are said."""

from __future__ import annotations

from dataclasses import dataclass

from training.bootstrap import Estimate


@dataclass(frozen=True)
class Gate:
    """One condition of a promotion.

    Attributes
    ----------
    name : short, for people.
    passed : False refuses.
    words : the figures, as a sentence.
    warning : passed, but not without a doubt that people should read.
    next_step : what helps where it refuses; "" where only another training does.
    """

    name: str
    passed: bool
    words: str
    warning: bool = False
    next_step: str = ""


def judged(name: str, words: str, *, bad: bool, few: bool = False, excuse: str = "") -> Gate:
    """A gate that refuses what is bad, unless there is too little to refuse on, or something excuses it: then it warns.

    Parameters
    ----------
    bad : the whole interval lies on the bad side.
    few : of conversions.
    excuse : a sentence; "" for none.
    """
    said = f"{words} {excuse}" if bad and excuse else words
    return Gate(name, few or not bad or bool(excuse), said, warning=bad and (few or bool(excuse)))


def said(estimate: Estimate) -> str:
    """A figure with its interval.

    >>> said(Estimate(0.5, 0.25, 0.75)), said(Estimate(None, None, None))
    ('0.5000 [0.2500, 0.7500]', 'has no value on this test block')
    """
    if estimate.point is None:
        return "has no value on this test block"
    if estimate.low is None or estimate.high is None:
        return f"{estimate.point:.4f}"
    return f"{estimate.point:.4f} [{estimate.low:.4f}, {estimate.high:.4f}]"
