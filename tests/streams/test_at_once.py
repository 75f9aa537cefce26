"""Two workers on the same customers at once: nothing is counted twice, and nothing is lost."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest

from streams.replay import Replay
from tests.oracle.check import check_hub
from tests.oracle.generate import AS_OF, BASE_CURRENCY, Event, generate
from tests.oracle.handwritten import allocation, customer, invoice, log_of, order, payment
from tests.oracle.log import Record
from tests.streams.keeping import assert_balances_are_the_sums
from tests.streams.ledger import POLICY, Ledger, batches


@pytest.fixture
def other(database_url: str) -> Iterator[Ledger]:
    """A second writer of the same database."""
    writer = Ledger(database_url)
    yield writer
    writer.close()


def overlap(first: Ledger, earlier: Event, second: Ledger, later: Event) -> None:
    """Apply both so that the second transaction waits for the first, which commits then."""
    begun: list[threading.Thread] = []

    def begin_the_other() -> None:
        if not begun:
            begun.append(threading.Thread(target=second.apply, args=(later,)))
            begun[0].start()
        wait_for_a_lock(first, begun[0])

    first.apply(earlier, before_commit=begin_the_other)
    begun[0].join()


def wait_for_a_lock(ledger: Ledger, thread: threading.Thread) -> None:
    """Return when somebody waits for a row, or ``thread`` ended without having to."""
    deadline = time.monotonic() + 2
    while thread.is_alive() and time.monotonic() < deadline:
        if ledger.rows("SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"):
            return
        time.sleep(0.01)


BILL = invoice("erp|1", "erp|C", "2026-07-01", "100")
PAID = payment("erp|9", "erp|C", "2026-08-15", "40", allocation("erp|1", "40"))
SMALLER = invoice("erp|1", "erp|C", "2026-07-01", "10", version=2)
CANCELLED = invoice("erp|2", "erp|C", "2026-07-09", "0", kind="cancellation", cancels="erp|1")
MORE = payment("erp|9", "erp|C", "2026-08-15", "50", allocation("erp|1", "50"), version=2)
MOVED = payment("erp|9", "erp|D", "2026-08-15", "40", allocation("erp|1", "40"), version=2)
GONE = payment("erp|9", "erp|C", "2026-08-15", "40", version=2, deleted=True)
OTHERS = payment("erp|8", "erp|D", "2026-08-02", "90", allocation("erp|1", "90"))


@pytest.mark.parametrize(
    ("before", "earlier", "later"),
    [
        ([], BILL, PAID),
        ([], PAID, BILL),
        ([], CANCELLED, BILL),
        ([PAID], BILL, MORE),
        ([BILL], PAID, OTHERS),
        ([BILL, PAID], SMALLER, MORE),
        ([BILL, PAID], SMALLER, GONE),
        ([BILL, PAID], SMALLER, MOVED),
        ([BILL, PAID], CANCELLED, MORE),
        ([BILL, PAID], CANCELLED, OTHERS),
        ([BILL, PAID], OTHERS, MORE),
        ([BILL, PAID], MORE, SMALLER),
        ([BILL, PAID, OTHERS], GONE, MOVED),
    ],
)
def test_an_invoice_and_its_payments_that_arrive_at_once_see_each_other(
    ledger: Ledger, other: Ledger, before: list[Event], earlier: Event, later: Event
) -> None:
    ledger.apply(*before)
    overlap(ledger, earlier, other, later)
    assert_balances_are_the_sums(ledger)
    log = log_of([*before, earlier, later], partitions=1)
    answers = ledger.answers(AS_OF, date(2026, 8, 20), date(2030, 1, 1))
    answers = type(answers)(receivables=answers.receivables, dead_letters=None)
    assert check_hub(answers, log, as_of=AS_OF, base_currency=BASE_CURRENCY) == []


def test_two_records_of_one_customer_that_arrive_at_once_are_one_customer(
    ledger: Ledger, other: Ledger
) -> None:
    tax_id = "91350100M000100Y43"
    one, another = customer("erp|C", tax_id=tax_id), customer("crm|A", tax_id=tax_id)
    overlap(ledger, one, other, another)
    assert len(ledger.rows("SELECT DISTINCT hub_id FROM customer_members")) == 1


def test_a_customer_that_is_named_and_introduced_at_once_is_one_customer(
    ledger: Ledger, other: Ledger
) -> None:
    sold = order("erp|1", "erp|C", "2026-06-01", [("erp|EX", 3, "2026-10-01")])
    overlap(ledger, sold, other, customer("crm|A", same_as=["erp|C"]))
    assert len(ledger.rows("SELECT DISTINCT hub_id FROM customer_members")) == 1
    sold = order("erp|2", "erp|D", "2026-06-01", [("erp|EX", 3, "2026-10-01")])
    overlap(other, customer("crm|B", same_as=["erp|D"]), ledger, sold)
    assert len(ledger.rows("SELECT DISTINCT hub_id FROM customer_members")) == 2


def test_a_replay_beside_a_worker_does_not_bring_back_the_former_version(ledger: Ledger) -> None:
    ledger.apply(BILL)
    ledger.apply(
        invoice("erp|1", "erp|C", "2026-07-01", "70", terms=(12 * 9000, False, 0), version=2)
    )
    ((letter,),) = ledger.rows("SELECT id FROM dead_letters")
    ledger.apply(invoice("erp|1", "erp|C", "2026-07-01", "60", version=3))
    begun: list[threading.Thread] = []

    def begin_the_replay() -> None:
        begun.append(threading.Thread(target=Replay(ledger.url, POLICY).run, args=([letter],)))
        begun[0].start()
        wait_for_a_lock(ledger, begun[0])

    mended = invoice("erp|1", "erp|C", "2026-07-01", "50", version=4)
    ledger.apply(mended, before_commit=begin_the_replay)
    begun[0].join()
    assert ledger.rows("SELECT gross FROM receivable_invoices") == [(50,)]


@pytest.mark.parametrize("seed", range(3))
def test_two_workers_on_the_same_customers_agree_with_the_oracle(
    ledger: Ledger, other: Ledger, seed: int
) -> None:
    rng = random.Random(seed)
    log = log_of(generate(seed, customers=3, events=700), partitions=2)
    cut = batches(log, rng, most=25)
    # Customers and employees keep to one worker: of a compacted topic's key the order counts.
    compacted = {"party.customer.v1", "party.employee.v1"}
    shares: tuple[list[list[Record]], list[list[Record]]] = ([], [])
    for batch in cut:
        shares[0 if batch[0].topic in compacted else rng.randrange(2)].append(batch)

    # Within a partition the batches of a worker may be passed by those of the other: versions
    # decide, not the order.
    def work(writer: Ledger, share: list[list[Record]]) -> None:
        for batch in share:
            writer.commit(batch)

    with ThreadPoolExecutor(2) as threads:
        for done in [
            threads.submit(work, ledger, shares[0]),
            threads.submit(work, other, shares[1]),
        ]:
            done.result()
    assert_balances_are_the_sums(ledger)
    answers = ledger.answers(AS_OF, date(2025, 9, 14))
    assert check_hub(answers, log, as_of=AS_OF, base_currency=BASE_CURRENCY) == []
