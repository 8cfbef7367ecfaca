"""What moves scores: each reason's mean size and its swarm, fit and engagement as wholes, and what moves each segment."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from features.schema import Schema
from training.report.written import count, log_odds
from training.segment_names import segment_name
from training.what_moves import BINS, Moves, Swarm, WhatMoves

WIDTH, HEIGHT = 240, 28
_SHADES = 5
_GROUPS = {"fit": "fit: who a lead is", "engagement": "engagement: what a lead does"}


def moves_part(about: Mapping[str, Any], schema: Schema) -> dict[str, Any]:
    """The rows of the section; `counted` is False for models of before it was."""
    if "moves" not in about:
        return {"counted": False}
    found = WhatMoves.from_json(about["moves"])
    largest = max((each.mean for each in found.reasons), default=1.0) or 1.0
    of_groups = max((each.mean for each in found.groups), default=1.0) or 1.0
    reach = found.reasons[0].swarm.reach if found.reasons else 0.0
    return {
        "counted": True,
        "moments": count(found.moments),
        "reach": log_odds(reach),
        "reach_low": log_odds(-reach),
        "times": f"{math.exp(reach):.1f}",
        "reasons": [_reason(each, largest) for each in found.reasons],
        "groups": [{**_reason(each, of_groups), "name": _GROUPS[each.name]} for each in found.groups],
        "groups_reach": log_odds(found.groups[0].swarm.reach) if found.groups else "",
        "groups_reach_low": log_odds(-found.groups[0].swarm.reach) if found.groups else "",
        "segments": [
            {
                "name": segment_name(each.by, each.column, each.value, schema, "en"),
                "moments": count(each.moments),
                "most": [f"{name} ({mean:.2f})" for name, mean in each.most],
            }
            for each in found.segments
        ],
    }


def swarm_svg(swarm: Swarm, described: str) -> Markup:
    """How far something moves scores, as a swarm of counts: thick where many moments lie, shaded by the feature's value."""
    most = max(swarm.counts) or 1
    step, middle = WIDTH / BINS, HEIGHT / 2
    paths: dict[str, list[str]] = {}
    for place, (n, height) in enumerate(zip(swarm.counts, swarm.height, strict=True)):
        if n:
            # square roots: else the many moments that a reason hardly moves hide all others
            half = max((middle - 1) * math.sqrt(n / most), 0.6)
            shade = "plain" if height is None else f"v{min(int(height * _SHADES), _SHADES - 1)}"
            paths.setdefault(shade, []).append(f"M{(place + 0.5) * step:.1f} {middle - half:.1f}v{2 * half:.1f}")
    lines = Markup("").join(
        Markup('<path class="{}" d="{}" stroke-width="{}"/>').format(shade, "".join(marks), round(step - 0.6, 1))
        for shade, marks in sorted(paths.items())
    )
    zero = Markup('<path class="axis" d="M{} 0v{}"/>').format(WIDTH // 2, HEIGHT)
    return Markup(
        '<svg class="swarm" viewBox="0 0 {} {}" preserveAspectRatio="none" role="img" aria-label="{}">{}{}</svg>'
    ).format(WIDTH, HEIGHT, described, zero, lines)


def _reason(each: Moves, largest: float) -> dict[str, Any]:
    counts = each.swarm.counts
    half, total = BINS // 2, sum(counts) or 1
    raised = sum(counts[half:]) / total
    return {
        "name": each.name,
        "group": each.group,
        "mean": f"{each.mean:.3f}",
        "bar": round(100 * each.mean / largest, 1),
        "by_value": _values(each),
        "svg": swarm_svg(
            each.swarm, f"{each.name}: mean size {each.mean:.3f} log-odds; not below 0 in {raised:.0%} of moments"
        ),
    }


def _values(each: Moves) -> str:
    """Of a category: the values that speak most for a conversion, and most against it."""
    told = [(name, mean) for name, mean in each.values if abs(mean) >= 0.005]
    shown = told if len(told) <= 4 else [*told[:2], *told[-2:]]
    return ", ".join(f"{name} {log_odds(mean)}" for name, mean in shown)
