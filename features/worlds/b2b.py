"""A simulated seller of software, with the true probability of every lead at every moment beside its tables.

English and Japanese companies visit, download, answer mails, try and call; students and job seekers are among them;
some channels are recorded late. `truth/` holds what no product may read: the probability that an ideal observer of
the same tables would give, for evaluation only.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from features.worlds.b2b_chain import DAY, Bools, Chain, Floats, Ints
from features.worlds.b2b_filter import ChainEvents, ChainMoments, exact_probability
from features.worlds.b2b_leads import Leads, attributes_table, draw_leads, leads_table
from features.worlds.b2b_seller import DATA_END, HORIZON_DAYS, KINDS, MOMENT_DAYS, seller_chain, seller_toml
from features.worlds.workspace_files import ExampleFiles, Progress, table_of

DEFAULT_SIZE = 20_000
FILES = (
    "leads.parquet",
    "events.parquet",
    "attributes.parquet",
    "outcomes.parquet",
    "truth/truth.parquet",
    "truth/now.parquet",
)
_CHUNK = 2_000
_NEVER = np.iinfo(np.int64).max


@dataclass(frozen=True, eq=False)
class Histories:
    """What happened to the leads until the data end.

    Attributes
    ----------
    events : sorted by lead and time, those alone that were recorded before the data end.
    outcome_at : [n], UTC microseconds; the largest integer where no outcome came.
    converted : [n], whether that outcome was a conversion.
    """

    events: ChainEvents
    outcome_at: Ints
    converted: Bools


def example_files(size: int, seed: int, progress: Progress) -> ExampleFiles:
    """Simulate `size` leads and compute the truth for the schedule's moments and for the open leads of the data end."""
    chain = seller_chain()
    people, lives, details = (np.random.default_rng(child) for child in np.random.SeedSequence(seed).spawn(3))
    leads = draw_leads(size, people)
    histories = simulate(chain, leads, lives, progress)
    progress(f"b2b: {len(histories.events.lead):,} events; computing the true probabilities")
    ids = pd.Series([f"L-{number:06d}" for number in range(1, size + 1)], dtype="str")
    tables = {
        "leads.parquet": leads_table(leads, ids, details),
        "events.parquet": _events_table(histories.events, ids, details),
        "attributes.parquet": attributes_table(leads, ids),
        "outcomes.parquet": _outcomes_table(histories, ids),
        "truth/truth.parquet": _truth(chain, leads, histories, ids, *_schedule(leads, histories)),
        "truth/now.parquet": _truth(chain, leads, histories, ids, *_open_leads(leads, histories)),
    }
    return ExampleFiles(seller_toml(), {name: table_of(frame) for name, frame in tables.items()})


def simulate(chain: Chain, leads: Leads, rng: np.random.Generator, progress: Progress) -> Histories:
    """Draw every lead's states, outcome and events; in chunks of leads, to bound memory."""
    size = len(leads.created_at)
    parts = []
    for first in range(0, size, _CHUNK):
        parts.append(_simulate_some(chain, leads, np.arange(first, min(first + _CHUNK, size)), rng))
        progress(f"b2b: simulated {min(first + _CHUNK, size):,} of {size:,} leads")
    columns = {name: np.concatenate([getattr(part.events, name) for part in parts]) for name in _EVENT_COLUMNS}
    return Histories(
        events=ChainEvents(**columns),
        outcome_at=np.concatenate([part.outcome_at for part in parts]),
        converted=np.concatenate([part.converted for part in parts]),
    )


_EVENT_COLUMNS = ("lead", "kind", "occurred_at", "recorded_at")


def _simulate_some(chain: Chain, leads: Leads, lead: Ints, rng: np.random.Generator) -> Histories:
    created_at, country = leads.created_at[lead], leads.country[lead]
    begins = created_at - chain.lead_in
    steps = int(-((begins.min() - DATA_END) // chain.step))
    states = _draw_states(chain.moves, leads.start(lead, np.full(len(lead), _NEVER)), steps, rng)
    edges = begins[:, None] + np.arange(steps + 1) * chain.step
    busy = chain.curves.busy_days(country[:, None], edges)
    spent = np.diff(busy, axis=1)

    hazard = chain.outcome_rates[states] * spent
    hazard[:, : chain.lead_in // chain.step] = 0
    happens = rng.random(hazard.shape) < -np.expm1(-hazard)
    last = np.argmax(happens, axis=1)
    row = np.arange(len(lead))
    rate = chain.outcome_rates[states[row, last]]
    # An exponential wait in busy time, given that it ends within the step.
    wait = -np.log1p(rng.random(len(lead)) * np.expm1(-hazard[row, last])) / np.where(rate > 0, rate, 1)
    outcome_at = _within(chain.curves.time_at(country, busy[row, last] + wait), edges[row, last], chain.step)
    outcome_at[~happens.any(axis=1) | (outcome_at >= DATA_END)] = _NEVER
    converted = (rng.random(len(lead)) < chain.converted_share[states[row, last]]) & (outcome_at < _NEVER)

    counts = rng.poisson(chain.event_rates.sum(axis=0)[states] * spent)
    who, step = (np.repeat(index, counts[counts > 0]) for index in np.nonzero(counts))
    kind = _pick((chain.event_rates / chain.event_rates.sum(axis=0)).T, states[who, step], rng)
    moment = busy[who, step] + rng.random(len(who)) * spent[who, step]
    occurred_at = _within(chain.curves.time_at(country[who], moment), edges[who, step], chain.step)
    recorded_at = occurred_at + chain.delays[_pick(chain.delay_shares, kind, rng)]
    kept = np.flatnonzero((occurred_at < outcome_at[who]) & (recorded_at < DATA_END))
    kept = kept[np.lexsort((occurred_at[kept], who[kept]))]
    events = ChainEvents(lead[who[kept]], kind[kept], occurred_at[kept], recorded_at[kept])
    return Histories(events, outcome_at, converted)


def _draw_states(moves: Floats, start: Floats, steps: int, rng: np.random.Generator) -> Ints:
    states = np.empty((len(start), steps), dtype=np.int64)
    states[:, 0] = _pick(start, np.arange(len(start)), rng)
    for step in range(1, steps):
        states[:, step] = _pick(moves, states[:, step - 1], rng)
    return states


def _pick(shares: Floats, row: Ints, rng: np.random.Generator) -> Ints:
    """For each entry of `row`, a column drawn with the shares of that row."""
    upto = np.cumsum(shares, axis=1)[:, :-1]
    drawn: Ints = (rng.random(len(row))[:, None] >= upto[row]).sum(axis=1)
    return drawn


def _within(time: Ints, begins: Ints, step: int) -> Ints:
    """Keep a time in its step, which rounding to microseconds could leave by one."""
    return np.clip(time, begins, begins + step - 1)


def _schedule(leads: Leads, histories: Histories) -> tuple[Ints, Ints]:
    lead = np.tile(np.arange(len(leads.created_at)), len(MOMENT_DAYS))
    as_of = leads.created_at[lead] + np.repeat(MOMENT_DAYS, len(leads.created_at)) * DAY
    kept = (as_of < histories.outcome_at[lead]) & (as_of <= DATA_END)
    return lead[kept], as_of[kept]


def _open_leads(leads: Leads, histories: Histories) -> tuple[Ints, Ints]:
    lead = np.flatnonzero(histories.outcome_at == _NEVER)
    return lead, np.full(len(lead), DATA_END)


def _truth(chain: Chain, leads: Leads, histories: Histories, ids: pd.Series, lead: Ints, as_of: Ints) -> pd.DataFrame:
    moments = ChainMoments(lead, as_of, leads.created_at[lead], leads.country[lead], leads.start(lead, as_of))
    probability = exact_probability(chain, histories.events, moments, HORIZON_DAYS * DAY)
    truth = pd.DataFrame({"lead_id": ids.to_numpy()[lead], "as_of": _utc(as_of), "probability": probability})
    return truth.sort_values(["as_of", "lead_id"], kind="stable")


def _events_table(events: ChainEvents, ids: pd.Series, rng: np.random.Generator) -> pd.DataFrame:
    size = len(events.lead)
    channel = np.array([kind.channel for kind in KINDS], dtype=object)[events.kind]
    name = np.array([kind.name for kind in KINDS], dtype=object)[events.kind]
    # These depend on no state, so that the filter need not read them.
    amount = np.round(np.exp(rng.normal(7.0, 0.8, size)), 2)
    device = np.where(rng.random(size) < 0.3, "mobile", "desktop").astype(object)
    device[channel != "web"] = None
    in_cart = np.isin(name, ["cart_created", "cart_abandoned"])
    return pd.DataFrame(
        {
            "lead_id": ids.to_numpy()[events.lead],
            "occurred_at": _utc(events.occurred_at),
            "recorded_at": _utc(events.recorded_at),
            "event_type": pd.Series(name, dtype="str"),
            "channel": pd.Series(channel, dtype="str"),
            "value": np.where(in_cart, amount, np.nan),
            "device": pd.Series(device, dtype="str"),
        }
    )


def _outcomes_table(histories: Histories, ids: pd.Series) -> pd.DataFrame:
    ended = np.flatnonzero(histories.outcome_at < _NEVER)
    outcomes = pd.DataFrame(
        {
            "lead_id": ids.to_numpy()[ended],
            "occurred_at": _utc(histories.outcome_at[ended]),
            "outcome": np.where(histories.converted[ended], "won", "lost"),
        }
    )
    return outcomes.sort_values(["occurred_at", "lead_id"], kind="stable")


def _utc(time: Ints) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(pd.to_datetime(time, unit="us", utc=True)).as_unit("us")
