"""A rebuild mends what follows from the facts, down to the views that are published."""

from __future__ import annotations

from decimal import Decimal
from functools import partial
from typing import Any

import psycopg

from hub.policy import Policy
from sinks.database import connect
from sinks.tables import FACT_DOCUMENTS, metadata
from streams.catalogue import streams
from streams.rebuild import forget_everything, rebuild
from streams.views import CUSTOMER_VIEW, DEMAND_VIEW, RECEIVABLE_VIEW
from tests.oracle.generate import Event
from tests.oracle.handwritten import (
    allocation,
    customer,
    invoice,
    opportunity,
    order,
    payment,
)
from tests.streams.ledger import POLICY, Ledger
from tests.streams.publishing import ViewTopics

VIEWS = (CUSTOMER_VIEW, RECEIVABLE_VIEW, DEMAND_VIEW)


def shop(source: str) -> tuple[Event, ...]:
    """What one system knows of a customer."""
    return (
        customer(f"{source}|C", f"Customer of {source}"),
        invoice(f"{source}|1", f"{source}|C", "2026-07-01", "100"),
        order(f"{source}|1", f"{source}|C", "2026-06-01", [(f"{source}|P", 3, "2026-10-01")]),
        opportunity(f"{source}|O", f"{source}|C", "won", [(f"{source}|P", 5, "2026-11-20")]),
    )


def held(topics: ViewTopics) -> dict[str, dict[str, Any]]:
    return {name: topics.of(name) for name in VIEWS}


def test_what_the_topics_no_longer_bring_goes_from_the_views_after_a_rebuild_from_them(
    ledger: Ledger, database_url: str
) -> None:
    ledger.apply(*shop("erp"))
    topics = ViewTopics()
    topics.publish(ledger)
    expected = held(topics)
    assert [len(expected[name]) for name in VIEWS] == [1, 1, 2]
    ledger.apply(*shop("crm"), customer("crm|D", "Absorbed", same_as=["crm|C"]))
    topics.publish(ledger)
    assert [len(views) for views in held(topics).values()] == [2, 2, 4]
    forget_everything(database_url, POLICY)
    ledger.apply(*shop("erp"))
    topics.publish(ledger)
    assert held(topics) == expected


def test_views_are_taken_back_also_where_the_relay_is_faster_than_the_workers(
    ledger: Ledger, database_url: str
) -> None:
    ledger.apply(*shop("erp"))
    topics = ViewTopics()
    topics.publish(ledger)
    expected = held(topics)
    forget_everything(database_url, POLICY)
    topics.publish(ledger)
    assert held(topics) == {name: {} for name in VIEWS}
    ledger.apply(*shop("erp"))
    topics.publish(ledger)
    assert held(topics) == expected


def test_months_that_another_policy_leaves_empty_go_from_the_view_after_a_rebuild(
    ledger: Ledger, database_url: str
) -> None:
    ledger.apply(order("erp|1", "erp|C", "2026-06-01", [("erp|P", 3, None)]))
    topics = ViewTopics()
    topics.publish(ledger)
    assert list(topics.of(DEMAND_VIEW)) == ["erp|P|2026-07"]
    rebuild(database_url, Policy(order_to_delivery_days=90), ["demand"])
    topics.publish(ledger)
    ((key, view),) = topics.of(DEMAND_VIEW).items()
    assert (key, view["orders"]) == ("erp|P|2026-08", Decimal(3))


def test_a_customer_whose_record_is_no_fact_any_more_goes_from_its_views_after_a_rebuild(
    ledger: Ledger, database_url: str
) -> None:
    ledger.apply(*shop("erp"))
    topics = ViewTopics()
    topics.publish(ledger)
    expected = held(topics)
    ledger.apply(*shop("crm"))
    topics.publish(ledger)
    for document in ("customer", "invoice", "order", "opportunity"):
        delete = f"DELETE FROM fact_{document} WHERE key LIKE 'crm|%'"
        ledger.run(partial(psycopg.Connection.execute, query=delete))
    rebuild(database_url, POLICY)
    topics.publish(ledger)
    assert held(topics) == expected


def test_every_table_that_a_stream_keeps_is_there_and_is_of_no_other() -> None:
    tables = [table for stream in streams(POLICY) for table in stream.tables]
    assert len(tables) == len(set(tables))
    assert set(tables) <= set(metadata.tables)
    assert not set(tables) & {f"fact_{document}" for document in FACT_DOCUMENTS}


def test_a_rebuild_works_out_anew_what_stands_beside_the_facts(
    ledger: Ledger, database_url: str
) -> None:
    ledger.apply(*shop("erp"))
    query = "SELECT * FROM customer_documents ORDER BY document, key"
    expected = ledger.rows(query)
    assert expected
    with connect(database_url) as connection:
        connection.execute("UPDATE fact_order SET customer_key = 'erp|X', on_date = NULL")
        connection.execute("UPDATE fact_invoice SET net = net + 1, cancels = 'erp|X'")
    assert ledger.rows(query) != expected
    rebuild(database_url, POLICY, ["receivables"])
    assert ledger.rows(query) == expected


def test_a_rebuild_writes_only_the_facts_whose_columns_are_wrong(
    ledger: Ledger, database_url: str
) -> None:
    ledger.apply(*shop("erp"), *shop("crm"))

    def written_by(table: str) -> dict[str, str]:
        return dict(ledger.rows(f"SELECT key, xmin::text FROM {table}"))

    with connect(database_url) as connection:
        connection.execute("UPDATE fact_invoice SET net = net + 1 WHERE key = 'erp|1'")
    invoices, orders = written_by("fact_invoice"), written_by("fact_order")
    rebuild(database_url, POLICY)
    assert written_by("fact_order") == orders
    after = written_by("fact_invoice")
    assert {key for key in invoices if after[key] != invoices[key]} == {"erp|1"}


def test_customers_that_documents_only_name_stand_after_a_rebuild_of_the_customers_alone(
    ledger: Ledger, database_url: str
) -> None:
    ledger.apply(*shop("erp"), order("erp|2", "erp|N", "2026-06-01", [("erp|P", 3, None)]))
    query = "SELECT key, hub_id FROM customer_members ORDER BY key"
    expected = ledger.rows(query)
    assert [key for key, _ in expected] == ["erp|C", "erp|N"]
    with connect(database_url) as connection:
        connection.execute("UPDATE fact_order SET customer_key = 'erp|X'")
    rebuild(database_url, POLICY, ["customers"])
    assert ledger.rows(query) == expected


def test_a_key_that_documents_of_several_types_change_is_marked_once_by_a_rebuild(
    ledger: Ledger, database_url: str
) -> None:
    ledger.apply(
        *shop("erp"), payment("erp|Z", "erp|C", "2026-07-20", "40", allocation("erp|1", "40"))
    )
    with connect(database_url) as connection:
        connection.execute("TRUNCATE outbox")
    rebuild(database_url, POLICY, ["receivables"])
    assert ledger.rows("SELECT subject, key FROM outbox") == [("customer", "erp|C")]


def test_a_customer_who_has_paid_everything_has_the_same_balance_after_a_rebuild(
    ledger: Ledger, database_url: str
) -> None:
    ledger.apply(
        invoice("erp|1", "erp|C", "2026-07-01", "100"),
        payment("erp|Z", "erp|C", "2026-07-20", "100", allocation("erp|1", "100")),
        invoice("erp|2", "erp|D", "2026-07-01", "100"),
        payment("erp|Y", "erp|D", "2026-07-20", "40", allocation("erp|2", "40")),
    )
    query = "SELECT * FROM receivable_balances ORDER BY customer_key"
    expected = ledger.rows(query)
    assert [row[2:] for row in expected] == [(0, 0, 0), (60, 0, 1)]
    rebuild(database_url, POLICY)
    assert ledger.rows(query) == expected
