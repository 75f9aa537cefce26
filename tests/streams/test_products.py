"""Products in the database: a batch costs what it touches, and misses no other one."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import psycopg

from sinks.changes import Change, Marks
from streams.demand.products import read_products
from streams.demand.stream import OF_PRODUCT, Demand
from streams.views import DEMAND_VIEW
from tests.oracle.handwritten import order, product
from tests.streams.documents import reference
from tests.streams.ledger import POLICY, Ledger
from tests.streams.publishing import ViewTopics
from tests.streams.test_at_once import wait_for_a_lock

CHAIN = [
    ("a|0", "Extruder", ["b|0"]),
    ("b|0", None, []),
    ("c|0", "Extruder EX", ["b|0"]),
    ("c|1", "Mixer", ["d|1"]),
]


def stated(key: str, *same_as: str, name: str | None = None) -> Change:
    body = {"deleted": False, "name": name, "same_as": [reference(other) for other in same_as]}
    return Change(key, body, False, None)


def keep(ledger: Ledger, records: Sequence[tuple[str, str | None, list[str]]]) -> None:
    def work(connection: psycopg.Connection[Any]) -> None:
        with connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO product_records (key, name, same_as) VALUES (%s, %s, %s)", records
            )
        connection.execute("ANALYZE product_records")

    ledger.run(work)


def test_products_are_read_around_the_keys_that_are_asked_for(ledger: Ledger) -> None:
    keep(ledger, CHAIN)
    with ledger.reading() as connection:
        around = read_products(connection, ["c|0", "z|9"])
        every = read_products(connection)
    assert around.smallest == {"a|0": "a|0", "b|0": "a|0", "c|0": "a|0"}
    assert around.names == {"a|0": "Extruder"}
    assert every.smallest == {**around.smallest, "c|1": "c|1", "d|1": "c|1"}
    assert every.names == {"a|0": "Extruder", "c|1": "Mixer"}
    assert around.of("z|9") == "z|9"


def test_a_batch_of_products_reads_what_refers_to_them_and_not_the_whole_table(
    ledger: Ledger,
) -> None:
    keep(ledger, [*CHAIN, *((f"erp|{n}", f"Part {n}", [f"crm|{n}"]) for n in range(5_000))])

    def read_by(work: Any) -> int:
        def counted(connection: psycopg.Connection[Any]) -> int:
            work(connection)
            ((read,),) = connection.execute(
                """
                SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables
                WHERE relname = 'product_records'
                """
            ).fetchall()
            return int(read)

        return ledger.run(counted)

    marks = Marks()
    changes = [stated("b|0"), stated("erp|77", "crm|77", "a|0")]
    assert read_by(lambda one: Demand(POLICY).apply(one, "product", changes, marks)) < 100
    assert marks.keys == {OF_PRODUCT: {"a|0", "b|0", "c|0", "erp|77", "crm|77"}}
    every = read_by(read_products)
    assert every > 5_000


def test_a_product_on_which_a_rule_fails_keeps_no_other_from_the_stream(ledger: Ledger) -> None:
    keep(ledger, [("erp|1", "Extruder", [])])
    changes = [Change("erp|1", {"deleted": False}, False, None), stated("erp|2", name="Mixer")]
    marks = Marks()
    (letter,) = ledger.run(
        lambda connection: Demand(POLICY).apply(connection, "product", changes, marks)
    )
    assert (letter.stage, letter.code, letter.place) == ("stream:demand", "rule_failed", "erp|1")
    assert ledger.rows("SELECT key, name FROM product_records ORDER BY key") == [
        ("erp|1", "Extruder"),
        ("erp|2", "Mixer"),
    ]
    assert marks.keys == {OF_PRODUCT: {"erp|2"}}


def test_two_batches_that_link_one_product_at_once_leave_one_view_of_it(
    ledger: Ledger, database_url: str
) -> None:
    other = Ledger(database_url)
    topics = ViewTopics()
    ledger.apply(order("erp|1", "erp|C", "2026-06-01", [("erp|P", 3, "2026-10-01")]))
    topics.publish(ledger)
    second = threading.Thread(target=other.apply, args=(product("bom|B", same_as=["erp|P"]),))

    def link_meanwhile() -> None:
        second.start()
        wait_for_a_lock(ledger, second)
        topics.publish(ledger)

    ledger.apply(product("apo|A", same_as=["erp|P"]), before_commit=link_meanwhile)
    second.join()
    other.close()
    topics.publish(ledger)
    assert list(topics.of(DEMAND_VIEW)) == ["apo|A|2026-10"]
