"""Columns whose name says that they are filled in while or after a lead is worked on, and whose behaviour agrees."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from training.leakage.finding import Finding, ignore_setting, trust_setting
from training.leakage.jump import Jump
from training.leakage.names import a_length, kept_by_sales
from training.leakage.sight import Sight
from training.leakage.subjects import Subject, made_of

STRONG, SOME = 0.75, 0.70
"""ROC-AUC of one column alone: with such a name the first is left out, the second warned of."""
RISE = 0.04
"""Or so much that the ROC-AUC of a quick model falls without it."""


def by_name(sight: Sight, jumps: Mapping[Subject, Jump]) -> Iterator[Finding]:
    """Attributes and numbers of events named like a field of sales, or like the length of something that was over.

    A field of sales is warned of for its name alone, unless all its values come with times. A length is not: that of a
    campaign or a contract is known before.
    """
    for subject, timed in _columns(sight):
        sales, length = kept_by_sales(subject.name), a_length(subject.name)
        if not sales and not length:
            continue
        places = made_of(sight.fit.definitions, subject)
        known = sight.strengths[places]
        alone = float(np.nanmax(known)) if np.isfinite(known).any() else 0.5
        rise = jumps[subject].rise if subject in jumps else 0.0
        likely = not timed and (alone >= STRONG or rise >= RISE)
        if not likely and (timed or not sales) and alone < SOME:
            continue
        what = "a field that sales people fill in" if sales else "the length of something, known only when it is over"
        seen = f"alone it ranks with ROC-AUC {alone:.2f}" + (
            f", and a quick model falls from {jumps[subject].whole:.3f} to {jumps[subject].without:.3f} without it"
            if rise >= RISE
            else ""
        )
        yield Finding(
            code="field_of_sales" if sales else "length_of_contact",
            severity="likely" if likely else "possible",
            about=subject.about,
            subject=subject.name,
            sentence=f"its name is that of {what}; {seen}",
            figures={"roc_auc": alone, "rise": rise},
            setting=trust_setting(subject.name) if likely else ignore_setting(subject.name),
        )


def _columns(sight: Sight) -> Iterator[tuple[Subject, bool]]:
    """Attributes and columns of events; and whether nearly all that is known of it has a time of its own."""
    rows, lead = sight.rows_of(sight.history.attributes.offsets)
    later = sight.history.attributes.valid_from[rows] > sight.created_at[lead]
    for column in sight.history.schema.attributes:
        says = ~np.isnan(sight.attribute_cells(column)[rows]) if len(rows) else np.zeros(0, np.bool_)
        untimed = len(np.unique(lead[says & ~later]))
        yield Subject("attribute", column), untimed < 0.05 * max(len(np.unique(lead[says])), 1)
    schema = sight.history.schema
    for column in (*schema.event_numbers[1:], *schema.event_categories):
        yield Subject("column of events", column), False
