"""The simulator's drawing: leads a week and conversion rate by cutoff, with their intervals and the cutoffs in place.

Cutoffs stand on a logarithmic scale, on which the few percent where most leads lie are as wide as the rest.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from features.wording import Lang
from serving.locales import number, percentage
from serving.page_words import words
from serving.simulated import count, cutoff_text
from training.bootstrap import Estimate
from training.outlook import CurvePoint, Outlooks

WIDTH, HEIGHT = 640, 382
LEFT, RIGHT = 46, 20
VOLUME, PRECISION = (52, 180), (222, 330)
"""Top and bottom of the two panels."""
LEADS_TO_DRAW = 5
"""Cutoffs that fewer tested leads reach are not drawn: their rate is noise."""
_TICKS = (0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9)
_STEPS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 0.5)


@dataclass(frozen=True, eq=False)
class Chart:
    """The drawing's scales and its curve.

    Attributes
    ----------
    lowest, highest : cutoffs at its edges.
    curve : points within.
    most : volumes at the top and the bottom of the upper panel; None where there are no weekly counts.
    best : rate at the top of the lower panel.
    """

    outlooks: Outlooks
    curve: Sequence[CurvePoint]
    lowest: float
    highest: float
    most: tuple[float, float] | None
    best: float

    @classmethod
    def of(cls, outlooks: Outlooks, *shown: float) -> Chart | None:
        """Of cutoffs from where nearly all leads are to where hardly one is, widened to hold those that are `shown`."""
        curve = [each for each in outlooks.curve if each.leads >= LEADS_TO_DRAW]
        if not curve:
            return None
        nearly_all = [each for each in curve if each.leads >= 0.97 * curve[0].leads]
        lowest = min(nearly_all[-1].cutoff, *(0.9 * each for each in shown), 0.5)
        highest = max(curve[-1].cutoff, *(1.05 * each for each in shown), 2 * lowest)
        curve = [each for each in curve if each.cutoff >= lowest] or curve[-1:]
        volumes = [each.leads_a_week.point for each in curve if each.leads_a_week.point]
        most = (max(volumes), min(min(volumes), max(volumes) / 4)) if volumes else None
        rates = [each.precision.point or 0.0 for each in curve]
        step = next((step for step in _STEPS if max(rates) / step <= 4), _STEPS[-1])
        return cls(outlooks, curve, lowest, min(highest, 0.999), most, step * math.ceil(max(rates) / step + 1e-9))

    def x(self, cutoff: float) -> float:
        part = math.log(cutoff / self.lowest) / math.log(self.highest / self.lowest)
        return round(LEFT + min(max(part, 0.0), 1.0) * (WIDTH - LEFT - RIGHT), 1)

    def volume_y(self, leads: float) -> float:
        assert self.most is not None
        top, bottom = self.most
        part = math.log(max(leads, bottom) / bottom) / math.log(top / bottom)
        return _between(VOLUME, part)

    def precision_y(self, rate: float) -> float:
        return _between(PRECISION, rate / self.best)

    def marks(self, mql: float, sql: float, lang: Lang) -> dict[str, dict[str, Any]]:
        """Where the two cutoffs stand and what is read off there; what the page's script moves."""
        return {name: self._mark(name, cutoff, lang) for name, cutoff in (("mql", mql), ("sql", sql))}

    def drawn(self, mql: float, sql: float, today: tuple[float, float] | None, lang: Lang) -> dict[str, Any]:
        """All that the template draws."""
        marks = self.marks(mql, sql, lang)
        olds = [] if today is None else [("MQL", today[0]), ("SQL", today[1])]
        return {
            "width": WIDTH,
            "height": HEIGHT,
            "left": LEFT,
            "right": WIDTH - RIGHT,
            "volume": {"top": VOLUME[0], "bottom": VOLUME[1]},
            "precision": {"top": PRECISION[0], "bottom": PRECISION[1]},
            "lowest": self.lowest,
            "highest": self.highest,
            "ticks": [
                {"x": self.x(each), "text": cutoff_text(each, lang)}
                for each in _TICKS
                if self.lowest <= each <= self.highest
            ],
            "volume_ticks": self._volume_ticks(lang),
            "precision_ticks": self._precision_ticks(lang),
            "volume_line": self._line("leads_a_week"),
            "volume_area": self._area("leads_a_week"),
            "precision_line": self._line("precision"),
            "precision_area": self._area("precision"),
            "marks": marks,
            "today": [
                {"x": self.x(cutoff), "text": words("agreement.chart.today", lang, band=band)} for band, cutoff in olds
            ],
        }

    def _mark(self, name: str, cutoff: float, lang: Lang) -> dict[str, Any]:
        point = self.outlooks.at(cutoff)
        volume, rate = point.leads_a_week.point, point.precision.point
        return {
            "x": self.x(cutoff),
            "label": f"{name.upper()} {cutoff_text(cutoff, lang)}",
            "volume": "" if volume is None else count(volume, lang),
            "volume_y": VOLUME[1] if volume is None or self.most is None else self.volume_y(volume),
            "precision": "" if rate is None else percentage(rate, lang),
            "precision_y": PRECISION[1] if rate is None else self.precision_y(rate),
        }

    def _volume_ticks(self, lang: Lang) -> list[dict[str, Any]]:
        if self.most is None:
            return []
        top, bottom = self.most
        decades = range(math.floor(math.log10(bottom)), math.ceil(math.log10(top)) + 1)
        few = math.log10(top / bottom) < 2.2
        values = [digit * 10.0**decade for decade in decades for digit in ((1, 2, 5) if few else (1,))]
        return [
            {"y": self.volume_y(value), "text": number(value, lang)}
            for value in values
            if bottom <= value <= top * 1.001
        ]

    def _precision_ticks(self, lang: Lang) -> list[dict[str, Any]]:
        step = next((step for step in _STEPS if self.best / step <= 4.001), _STEPS[-1])
        values = [step * each for each in range(round(self.best / step) + 1)]
        return [{"y": self.precision_y(value), "text": cutoff_text(value, lang)} for value in values]

    def _line(self, what: str) -> str:
        return " ".join(
            f"{self.x(each.cutoff)},{self._y(what, estimate.point)}"
            for each in self.curve
            if (estimate := _estimate(each, what)).point is not None
        )

    def _area(self, what: str) -> str:
        known = [each for each in self.curve if _estimate(each, what).low is not None]
        highs = [f"{self.x(each.cutoff)},{self._y(what, _estimate(each, what).high)}" for each in known]
        lows = [f"{self.x(each.cutoff)},{self._y(what, _estimate(each, what).low)}" for each in reversed(known)]
        return " ".join((*highs, *lows))

    def _y(self, what: str, value: float | None) -> float:
        assert value is not None
        return self.volume_y(value) if what == "leads_a_week" else self.precision_y(value)


def _estimate(point: CurvePoint, what: str) -> Estimate:
    return point.leads_a_week if what == "leads_a_week" else point.precision


def _between(panel: tuple[int, int], part: float) -> float:
    """From 0 at a panel's bottom to 1 at its top; what lies beyond stays at the edge."""
    top, bottom = panel
    return round(bottom - min(max(part, 0.0), 1.0) * (bottom - top), 1)
