"""Who the simulated leads are: companies, people, what is known of them and when, and where their chain starts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from features.worlds.b2b_chain import DAY, HOUR, Bools, Floats, Ints
from features.worlds.b2b_names import draw_names
from features.worlds.b2b_seller import (
    BEGINS,
    COMPANY_SIZE,
    COUNTRY,
    DATA_END,
    INDUSTRY,
    JOB_LEVEL,
    OTHER_OUTSIDER_SHARE,
    OUTSIDER_SHARES,
    SOURCE,
    WARM_LOG_ODDS,
    Attribute,
    starts,
)

UNKNOWN = -1
_SECOND = 1_000_000
# Company size and industry are unknown at sign-up for some; of these, a data provider answers for some, later.
_UNKNOWN_AT_SIGN_UP, _ANSWERED = 0.3, 0.7


@dataclass(frozen=True, eq=False)
class Leads:
    """The simulated leads; attributes as positions in their choices.

    Attributes
    ----------
    created_at : [n], UTC microseconds, whole seconds.
    size, industry : [n], the truth, whether or not anyone knows it.
    known_from : [n], when size and industry become known: at creation, later, or never (a time after the data end).
    known_recorded_at : [n], when our systems learned of it.
    level, source, country : [n], known from creation.
    japanese : [n], writes and reads Japanese.
    """

    created_at: Ints
    size: Ints
    industry: Ints
    known_from: Ints
    known_recorded_at: Ints
    level: Ints
    source: Ints
    country: Ints
    japanese: Bools

    @property
    def at_sign_up(self) -> Bools:
        """[n], whether size and industry stand in the leads table."""
        return self.known_from <= self.created_at

    def start(self, lead: Ints, as_of: Ints) -> Floats:
        """[m, S], where the chain of the leads started, given what was known of their attributes at `as_of`."""
        known = np.maximum(self.known_from, self.known_recorded_at)[lead] < as_of
        size, industry = np.where(known, self.size[lead], UNKNOWN), np.where(known, self.industry[lead], UNKNOWN)
        return start_given(size, industry, self.level[lead], self.source[lead], self.country[lead])


def draw_leads(size: int, rng: np.random.Generator) -> Leads:
    """Draw the leads of the world: attributes independent of each other, creation uniform over the span."""
    created_at = BEGINS + rng.integers(0, (DATA_END - BEGINS) // _SECOND, size) * _SECOND
    unknown = rng.random(size) < _UNKNOWN_AT_SIGN_UP
    answered = rng.random(size) < _ANSWERED
    known_from = created_at + np.where(unknown, rng.integers(12, 25 * 24, size) * HOUR, 0)
    known_from = np.where(unknown & ~answered, DATA_END + DAY, known_from)
    country = _draw(COUNTRY, size, rng)
    return Leads(
        created_at=created_at,
        size=_draw(COMPANY_SIZE, size, rng),
        industry=_draw(INDUSTRY, size, rng),
        known_from=known_from,
        known_recorded_at=known_from + np.where(unknown, rng.integers(0, 24, size) * HOUR, 0),
        level=_draw(JOB_LEVEL, size, rng),
        source=_draw(SOURCE, size, rng),
        country=country,
        japanese=(np.array(_values(COUNTRY))[country] == "JP") & (rng.random(size) < 0.93),
    )


def start_given(size: Ints, industry: Ints, level: Ints, source: Ints, country: Ints) -> Floats:
    """[m, S], distribution of the first state given attributes; `UNKNOWN` size or industry is averaged over.

    A mixture of three starts: outsiders by job level, and among the others warm ones with log-odds that add up
    over the attributes.
    """
    others = WARM_LOG_ODDS + JOB_LEVEL.fits[level] + SOURCE.fits[source] + COUNTRY.fits[country]
    warm = np.zeros(len(level))
    for a, size_share in enumerate(COMPANY_SIZE.shares):
        size_weight = np.where(size == UNKNOWN, size_share, size == a)
        for b, industry_share in enumerate(INDUSTRY.shares):
            weight = size_weight * np.where(industry == UNKNOWN, industry_share, industry == b)
            warm += weight / (1 + np.exp(-(others + COMPANY_SIZE.fits[a] + INDUSTRY.fits[b])))
    shares = [OUTSIDER_SHARES.get(str(value), OTHER_OUTSIDER_SHARE) for value in _values(JOB_LEVEL)]
    outsider = np.array(shares)[level]
    return np.stack([outsider, (1 - outsider) * (1 - warm), (1 - outsider) * warm], axis=1) @ starts()


def leads_table(leads: Leads, ids: pd.Series, rng: np.random.Generator) -> pd.DataFrame:
    """One row a lead, with the names that a page shows and no feature reads."""
    names = draw_names(leads.japanese, rng)
    return pd.DataFrame(
        {
            "lead_id": ids,
            "created_at": _utc(leads.created_at),
            "contact_name": names["contact_name"],
            "company_name": names["company_name"],
            "owner": names["owner"],
            "language": np.where(leads.japanese, "ja", "en"),
            "country": _labels(COUNTRY, leads.country),
            "company_size": _labels(COMPANY_SIZE, np.where(leads.at_sign_up, leads.size, UNKNOWN)),
            "industry": _labels(INDUSTRY, np.where(leads.at_sign_up, leads.industry, UNKNOWN)),
            "job_level": _labels(JOB_LEVEL, leads.level),
            "source": _labels(SOURCE, leads.source),
        }
    )


def attributes_table(leads: Leads, ids: pd.Series) -> pd.DataFrame:
    """What a data provider answered after sign-up, as far as our systems know of it by the data end."""
    later = np.flatnonzero(~leads.at_sign_up & (leads.known_recorded_at < DATA_END))
    return pd.DataFrame(
        {
            "lead_id": ids.iloc[later].reset_index(drop=True),
            "valid_from": _utc(leads.known_from[later]),
            "recorded_at": _utc(leads.known_recorded_at[later]),
            "company_size": _labels(COMPANY_SIZE, leads.size[later]),
            "industry": _labels(INDUSTRY, leads.industry[later]),
        }
    )


def _draw(attribute: Attribute, size: int, rng: np.random.Generator) -> Ints:
    return rng.choice(len(attribute.choices), size, p=attribute.shares)


def _values(attribute: Attribute) -> list[str | None]:
    return [choice.value for choice in attribute.choices]


def _labels(attribute: Attribute, positions: Ints) -> pd.Series:
    labels = np.array([*_values(attribute), None], dtype=object)
    return pd.Series(labels[positions], dtype="str")


def _utc(time: Ints) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(pd.to_datetime(time, unit="us", utc=True)).as_unit("us")
