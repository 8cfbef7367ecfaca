"""What to compute about a lead at a moment, as data.

A definition says *what*; `features.compute` is the only place that knows *how*, and `features.wording` how it is said.
Windows and half-lives are microseconds; a window of length W is ``[as_of - W, as_of)``, None means ever.
Only rows that are visible count: own time and recorded time strictly before the moment.
"""

from features.definitions.columns import KINDS, Definitions, definition_from_json
from features.definitions.constants import LAST_EVENTS, SESSION_GAP
from features.definitions.definition import Called, Definition
from features.definitions.ever import DaysSinceFirst, DaysSinceLast, DecayedCount, LastGap, LastNumber, MeanGap, Trend
from features.definitions.of_the_lead import AttributeAge, AttributeCategory, AttributeNumber, DaysSinceCreation
from features.definitions.selector import ALL, OTHER, Selector
from features.definitions.values import DistinctValues, LastCategory
from features.definitions.within import CountWithin, DistinctDays, MaxWithin, MeanWithin, Sessions, Share, SumWithin

__all__ = [
    "ALL",
    "KINDS",
    "LAST_EVENTS",
    "OTHER",
    "SESSION_GAP",
    "AttributeAge",
    "AttributeCategory",
    "AttributeNumber",
    "Called",
    "CountWithin",
    "DaysSinceCreation",
    "DaysSinceFirst",
    "DaysSinceLast",
    "DecayedCount",
    "Definition",
    "Definitions",
    "DistinctDays",
    "DistinctValues",
    "LastCategory",
    "LastGap",
    "LastNumber",
    "MaxWithin",
    "MeanGap",
    "MeanWithin",
    "Selector",
    "Sessions",
    "Share",
    "SumWithin",
    "Trend",
    "definition_from_json",
]
