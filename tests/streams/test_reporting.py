"""The SQL views for whoever reads the database say what `headrace show` says of all dates."""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import date
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from streams.customers.names import publish_ranks
from streams.customers.reading import read_customers
from streams.demand.reading import read_demand
from streams.demand.stream import publish_chances
from streams.receivables.reading import open_items_as_of
from tests.oracle.generate import BASE_CURRENCY, generate
from tests.oracle.handwritten import customer, invoice, log_of, opportunity, order, product
from tests.streams.ledger import POLICY, Ledger, batches

ALL = date.max


@pytest.fixture(params=[3, 4])
def filled(ledger: Ledger, request: pytest.FixtureRequest) -> Ledger:
    """A ledger with a random history."""
    log = log_of(generate(request.param, customers=9, events=500))
    for batch in batches(log, random.Random(request.param)):
        ledger.commit(batch)
    ledger.run(lambda connection: publish_chances(connection, POLICY))
    return ledger


def test_reporting_demand_is_the_demand_that_is_shown(filled: Ledger) -> None:
    with filled.reading() as connection:
        shown = read_demand(connection, as_of=ALL, policy=POLICY)
    assert len(shown) > 20
    assert {
        (product, month): (orders, pipeline, total)
        for product, month, orders, pipeline, total in filled.rows(
            "SELECT product, month, orders, pipeline, total FROM reporting.demand"
            " WHERE orders <> 0 OR pipeline <> 0"
        )
    } == {(row.product, row.month): (row.orders, row.pipeline, row.total) for row in shown}


def test_reporting_customers_are_the_customers_that_are_shown(filled: Ledger) -> None:
    with filled.reading() as connection:
        shown = read_customers(connection, as_of=ALL, policy=POLICY, base_currency=BASE_CURRENCY)
    assert {
        customer: (name, sorted(members))
        for customer, name, members in filled.rows(
            "SELECT customer_id, name, members FROM reporting.customers"
        )
    } == {
        row.id: (row.name, sorted(f"{source}|{id}" for source, id in row.members)) for row in shown
    }
    counts = {
        (customer, document): number
        for customer, document, number in filled.rows(
            "SELECT customer_id, document, count(*) FROM reporting.customer_documents"
            " GROUP BY customer_id, document"
        )
    }
    for row in shown:
        assert (row.orders, row.shipments, row.invoices, row.payments, row.opportunities) == tuple(
            counts.get((row.id, document), 0)
            for document in ("order", "shipment", "invoice", "payment", "opportunity")
        )


def test_reporting_receivables_and_open_items_are_what_is_owed_in_each_currency(
    filled: Ledger,
) -> None:
    with filled.reading() as connection:
        items, left = open_items_as_of(connection, ALL)
        hubs = dict(connection.execute("SELECT key, hub_id FROM customer_members").fetchall())
    expected: dict[tuple[Any, str], list[Decimal]] = defaultdict(lambda: [Decimal(0)] * 3)
    for item in items:
        sums = expected[hubs[item.customer_key], item.currency]
        sums[0] += item.amount
        sums[2] += 1
    for one in left:
        expected[hubs[one.customer_key], one.currency][1] += one.amount
    shown = filled.rows(
        "SELECT customer_id, currency, open_amount, unallocated, items, outstanding"
        " FROM reporting.receivables WHERE open_amount <> 0 OR unallocated <> 0 OR items <> 0"
    )
    assert {(row[0], row[1]): list(row[2:5]) for row in shown} == expected
    assert all(row[5] == row[2] + row[3] for row in shown)
    listed = filled.rows(
        "SELECT source || '|' || invoice_id, instalment, due_on, open_amount"
        " FROM reporting.open_items ORDER BY 1, 2"
    )
    assert listed == sorted(
        (item.invoice_key, item.number, item.due_on, item.amount) for item in items
    )


def test_reporting_dead_letters_are_all_of_them(filled: Ledger) -> None:
    assert filled.rows("SELECT count(*) FROM reporting.dead_letters") == filled.rows(
        "SELECT count(*) FROM dead_letters"
    )


def test_a_customer_that_no_document_names_any_more_is_in_no_report(ledger: Ledger) -> None:
    ledger.apply(invoice("erp|1", "erp|X", "2026-07-01", "100"))
    ledger.apply(invoice("erp|1", "erp|C", "2026-07-01", "100", version=2))
    assert ledger.rows("SELECT members FROM reporting.customers") == [(["erp|C"],)]
    with ledger.reading() as connection:
        shown = read_customers(connection, as_of=ALL, policy=POLICY, base_currency=BASE_CURRENCY)
    assert [row.members for row in shown] == [(("erp", "C"),)]


def test_orders_of_one_system_take_from_what_was_won_in_another_in_the_report(
    ledger: Ledger,
) -> None:
    ledger.run(lambda connection: publish_chances(connection, POLICY))
    ledger.apply(
        product("crm|P", same_as=["erp|EX"]),
        opportunity("crm|O", "crm|A", "won", [("crm|P", 5, "2026-10-20")]),
        order("erp|1", "erp|C", "2026-06-01", [("erp|EX", 3, "2026-10-01")], opportunity="crm|O"),
    )
    assert ledger.rows("SELECT product, month, orders, pipeline FROM reporting.demand") == [
        ("crm|P", date(2026, 10, 1), 3, 2)
    ]


@pytest.mark.parametrize(
    ("source_order", "name"),
    [
        (["erp", "crm"], "Older, of the ERP"),
        (["crm", "erp"], "Newer, of the CRM"),
        (["erp"], "Older, of the ERP"),
        ([], "Newest, of a file"),
    ],
)
def test_the_name_of_a_customer_is_the_one_that_is_shown_however_the_sources_rank(
    ledger: Ledger, source_order: list[str], name: str
) -> None:
    ledger.apply(
        customer("erp|C", "Older, of the ERP"),
        customer("crm|A", "Newer, of the CRM", same_as=["erp|C"], version=5),
        customer("file|F", "Newest, of a file", same_as=["erp|C"], version=9),
    )
    ledger.run(lambda connection: publish_ranks(connection, ["file", "other"]))
    ledger.run(lambda connection: publish_ranks(connection, source_order))
    with ledger.reading() as connection:
        (shown,) = read_customers(
            connection,
            as_of=ALL,
            policy=POLICY,
            base_currency=BASE_CURRENCY,
            source_order=source_order,
        )
    assert shown.name == name
    assert ledger.rows("SELECT name FROM reporting.customers") == [(name,)]


def test_no_view_of_the_schema_lets_anything_be_written(ledger: Ledger) -> None:
    views = ledger.rows(
        "SELECT table_name::text, is_updatable, is_insertable_into FROM information_schema.views"
        " WHERE table_schema = 'reporting'"
    )
    assert len(views) == 9
    assert {(updatable, insertable) for _, updatable, insertable in views} == {("NO", "NO")}
    for view, *_ in views:
        with (
            ledger.reading() as connection,
            pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="cannot delete"),
        ):
            connection.execute(f"DELETE FROM reporting.{view}")


def test_lines_of_a_product_are_found_by_their_index_behind_the_view(ledger: Ledger) -> None:
    with ledger.reading() as connection:
        connection.execute("SET enable_seqscan = off")
        plan = connection.execute(
            "EXPLAIN SELECT * FROM reporting.demand_lines WHERE product = 'erp|EX'"
        ).fetchall()
    assert "demand_lines_by_product" in str(plan)
