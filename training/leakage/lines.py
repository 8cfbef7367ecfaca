"""What the guard found, as `check` and `train` say it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from training.leakage.finding import Finding


def guard_lines(findings: Sequence[Finding]) -> Iterator[str]:
    """One line a suspicion: what was left out and the setting that brings it back, what is trusted, and what to look at."""
    gone = [each for each in findings if each.left_out]
    if gone:
        yield "Left out of the features, since they know more than could be known at the moment:"
        for subject in dict.fromkeys((each.about, each.subject) for each in gone):
            own = [each for each in gone if (each.about, each.subject) == subject]
            yield f"  {own[0].named} ({own[0].severity}): {'; '.join(each.sentence for each in own)}"
        yield f"If one of them is known before the moment, say why and train again: {gone[0].setting}"
    for each in findings:
        if each.trusted is not None:
            yield f"Trusted: {each.named} ({each.sentence}), because: {each.trusted}"
    left = {(each.about, each.subject) for each in gone}
    for each in findings:
        if each.severity == "possible" and each.trusted is None and (each.about, each.subject) not in left:
            setting = f". If it is not: {each.setting}" if each.setting and each.code != "drift" else ""
            yield f"Warning: {each.named}: {each.sentence}{setting}"
