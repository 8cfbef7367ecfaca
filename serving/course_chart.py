"""The drawing of a score over time: a line, dashed where it looks ahead, with cutoffs, events and dates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from features.wording import Lang, message
from serving.decision import Band
from serving.lead_score import Cutoff
from serving.locales import date, percentage
from serving.score_course import Course

WIDTH, HEIGHT = 640, 220
LEFT, RIGHT, TOP, BOTTOM = 8, 56, 14, 30
"""Room around the plot: dates stand below, percentages at its right."""
_TOPS = (0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0)


def course_chart(course: Course, cutoffs: Mapping[Band, Cutoff] | None, *, zone: str, lang: Lang) -> dict[str, Any]:
    """Coordinates of everything that is drawn, rounded to a tenth."""
    shown = [share for _, share in (*course.past, *course.ahead)]
    lines = {band: each.probability for band, each in (cutoffs or {}).items()}
    reached = max([*shown, *(each for each in lines.values() if each <= 2.5 * max(shown))])
    top = next(each for each in _TOPS if each >= min(reached * 1.02, 1.0))
    begins, ends = course.past[0][0], course.ahead[-1][0]

    def x(at: int) -> float:
        return round(LEFT + (at - begins) / max(ends - begins, 1) * (WIDTH - LEFT - RIGHT), 1)

    def y(share: float) -> float:
        return round(HEIGHT - BOTTOM - share / top * (HEIGHT - TOP - BOTTOM), 1)

    def path(points: tuple[tuple[int, float], ...]) -> str:
        return "M" + "L".join(f"{x(at)} {y(share)}" for at, share in points)

    now, share = course.past[-1]
    return {
        "width": WIDTH,
        "height": HEIGHT,
        "left": LEFT,
        "right": WIDTH - RIGHT,
        "floor": HEIGHT - BOTTOM,
        "past": path(course.past),
        "area": f"{path(course.past)}L{x(now)} {HEIGHT - BOTTOM}L{x(begins)} {HEIGHT - BOTTOM}Z",
        "ahead": path(course.ahead),
        "now": {"x": x(now), "y": y(share)},
        "events": [x(at) for at in course.events],
        "cutoffs": [
            {"y": y(each), "name": message(f"band.{band}", lang)} for band, each in lines.items() if each <= top
        ],
        "levels": [{"y": y(each), "text": percentage(each, lang)} for each in (top / 2, top)],
        "dates": [
            {"x": LEFT, "text": date(begins, zone, lang, now=now), "anchor": "start"},
            {"x": x(now), "text": date(now, zone, lang, now=now), "anchor": "end"},
        ],
    }
