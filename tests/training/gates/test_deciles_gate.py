"""Those told more must convert more, part by part of the test block, as far as chance lets one say."""

import numpy as np

from training.cutoffs_table import Backtest
from training.gates.deciles import deciles_gate


def block(rates: list[float], leads: int, *, a_lead: int = 1, seed: int = 0) -> Backtest:
    """Leads whose conversion rate is given by the part that their probability lies in."""
    random = np.random.default_rng(seed)
    told = np.sort(random.random(leads * a_lead))
    lead = np.arange(leads * a_lead) // a_lead
    true = np.array(rates)[np.minimum((told * len(rates)).astype(int), len(rates) - 1)]
    label = (random.random(leads)[lead] < true).astype(np.int8)
    return Backtest.of(told, label, lead, np.arange(leads * a_lead))


def test_rising_rates_pass_and_are_told() -> None:
    gate = deciles_gate(block([0.02 * k for k in range(1, 11)], 2000), few=False)
    assert gate.passed
    assert not gate.warning
    assert "Conversion rates of 10 parts" in gate.words
    assert gate.words.count("%") == 10


def test_a_top_that_converts_less_than_the_middle_is_refused_by_name() -> None:
    rates = [0.05] * 5 + [0.3] * 4 + [0.05]
    gate = deciles_gate(block(rates, 3000), few=False)
    assert not gate.passed
    assert "Part 10 converts less often than part" in gate.words
    warned = deciles_gate(block(rates, 3000), few=True)
    assert warned.passed
    assert warned.warning


def test_a_model_that_knows_nothing_is_not_refused_by_chance() -> None:
    assert sum(not deciles_gate(block([0.1], 600, seed=seed), few=False).passed for seed in range(15)) <= 1


def test_moments_of_one_lead_count_as_one_fate() -> None:
    rates = [0.12] * 9 + [0.05]
    assert not deciles_gate(block(rates, 8000), few=False).passed
    assert deciles_gate(block(rates, 400, a_lead=20), few=False).passed


def test_few_leads_are_divided_into_fewer_parts_or_not_judged() -> None:
    assert "of 3 parts" in deciles_gate(block([0.1, 0.4], 100), few=False).words
    gate = deciles_gate(block([0.4, 0.1], 40), few=False)
    assert gate.passed
    assert gate.warning
