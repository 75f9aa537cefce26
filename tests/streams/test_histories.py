"""Random histories in any order and any batches: the answers are the oracle's, live and rebuilt."""

from __future__ import annotations

import random
from datetime import date

import pytest

from streams.rebuild import rebuild
from tests.oracle.check import check_hub
from tests.oracle.generate import AS_OF, BASE_CURRENCY, generate
from tests.oracle.handwritten import log_of
from tests.oracle.log import Record
from tests.streams.keeping import assert_balances_are_the_sums, kept
from tests.streams.ledger import POLICY, Ledger, batches

DATES = (date(2025, 2, 1), date(2025, 9, 14), date(2026, 2, 28), date(2030, 1, 1))


def differences(ledger: Ledger, log: list[Record]) -> list[str]:
    return check_hub(ledger.answers(AS_OF, *DATES), log, as_of=AS_OF, base_currency=BASE_CURRENCY)


@pytest.mark.parametrize("seed", range(8))
def test_a_history_in_any_order_and_any_batches_gives_the_figures_of_the_oracle(
    ledger: Ledger, seed: int
) -> None:
    rng = random.Random(seed)
    events = generate(seed, customers=rng.choice([4, 12, 25]), events=450)
    rng.shuffle(events)
    log = log_of(events, partitions=rng.choice([1, 4]))
    for batch in batches(log, rng, most=rng.choice([2, 25, 400])):
        ledger.commit(batch)
    assert differences(ledger, log) == []
    assert_balances_are_the_sums(ledger)


def test_the_same_records_a_second_time_change_nothing(ledger: Ledger) -> None:
    rng = random.Random(77)
    # A tombstone that comes again would erase what came after it, as it does in the log.
    log = log_of(generate(77, customers=8, events=300, tombstones=0))
    for batch in batches(log, rng):
        ledger.commit(batch)
    before, letters = kept(ledger), ledger.rows("SELECT count(*) FROM dead_letters")
    for batch in batches(log, rng):
        ledger.commit(batch)
    assert kept(ledger) == before
    assert differences(ledger, log) == []
    assert ledger.rows("SELECT count(*) FROM dead_letters") >= letters


@pytest.mark.parametrize("seed", [101, 102])
def test_what_is_rebuilt_from_the_facts_is_what_was_kept_live(ledger: Ledger, seed: int) -> None:
    rng = random.Random(seed)
    log = log_of(generate(seed, customers=10, events=450))
    for batch in batches(log, rng, most=20):
        ledger.commit(batch)
    before = kept(ledger)
    rebuild(ledger.url, POLICY)
    after = kept(ledger)
    for name, rows in before.items():
        assert after[name] == rows, name
    assert differences(ledger, log) == []
    assert_balances_are_the_sums(ledger)
