"""What is published follows every change: no view is left as it was before."""

from __future__ import annotations

import random
from collections import defaultdict
from typing import Any

import psycopg
import pytest

from streams.replay import Replay
from streams.views import CUSTOMER_VIEW, DEMAND_VIEW, RECEIVABLE_VIEW, view_readers
from tests.oracle.generate import Event, event_of, generate
from tests.oracle.handwritten import (
    customer,
    header,
    invoice,
    log_of,
    opportunity,
    order,
    reference,
)
from tests.streams.ledger import POLICY, Ledger, batches
from tests.streams.publishing import ViewTopics

READERS = view_readers(POLICY, ["erp", "crm"])
View = dict[str, Any]


def product(key: str, *same_as: str, version: int = 1) -> Event:
    body = {**header(key, version, False), "same_as": [reference(other) for other in same_as]}
    return event_of("product", body)


class Follower:
    """Holds the view topics as a compacted log would: the newest view of each key."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self.topics: dict[str, dict[str, Any]] = defaultdict(dict)

    def follow(self) -> None:
        """Publish what is marked, as the relay does."""

        def work(connection: psycopg.Connection[Any]) -> None:
            marks: dict[str, set[str]] = defaultdict(set)
            for subject, key in connection.execute("DELETE FROM outbox RETURNING subject, key"):
                marks[subject].add(key)
            for subject, keys in marks.items():
                for topic, read in READERS[subject].items():
                    for key, view in read(connection, sorted(keys)).items():
                        self.topics[topic].pop(key, None)
                        if view is not None:
                            self.topics[topic][key] = view
                        connection.execute(
                            "INSERT INTO published_views (topic, key, digest) VALUES (%s, %s, '')"
                            " ON CONFLICT DO NOTHING",
                            (topic, key),
                        )

        self._ledger.run(work)


def everything(ledger: Ledger) -> dict[str, dict[str, Any]]:
    """Read the views of every key that there is."""
    keys = {
        "customer": [
            key
            for (key,) in ledger.rows(
                "SELECT key FROM customer_members UNION"
                " SELECT customer_key FROM receivable_balances"
            )
        ],
        "demand": [
            key
            for (key,) in ledger.rows(
                "SELECT DISTINCT product_key || '|' || to_char(demand_on, 'YYYY-MM')"
                " FROM demand_lines WHERE product_key IS NOT NULL AND demand_on IS NOT NULL"
            )
        ],
    }
    found: dict[str, dict[str, Any]] = {}
    with ledger.reading() as connection:
        for subject, named in keys.items():
            for topic, read in READERS[subject].items():
                views = read(connection, sorted(named))
                found[topic] = {key: view for key, view in views.items() if view is not None}
    return found


@pytest.mark.parametrize("seed", [11, 12, 13])
def test_following_the_marks_gives_what_reading_everything_gives(ledger: Ledger, seed: int) -> None:
    rng = random.Random(seed)
    follower = Follower(ledger)
    for batch in batches(log_of(generate(seed, customers=7, events=450)), rng, most=25):
        ledger.commit(batch)
        if rng.random() < 0.3:
            follower.follow()
    follower.follow()
    expected = everything(ledger)
    for topic in (CUSTOMER_VIEW, DEMAND_VIEW):
        assert follower.topics[topic] == expected[topic]
    with_balances = [
        {key: view for key, view in found[RECEIVABLE_VIEW].items() if view["balances"]}
        for found in (follower.topics, expected)
    ]
    assert with_balances[0] == with_balances[1]


def test_an_absorbed_customer_is_no_view_of_its_own_and_comes_back_when_it_is_split_off(
    ledger: Ledger,
) -> None:
    follower = Follower(ledger)
    ledger.apply(customer("erp|C", "Yongding"), invoice("erp|1", "erp|C", "2026-07-01", "100"))
    ledger.apply(customer("crm|A", "Yongding Ltd"))
    follower.follow()
    apart = dict(follower.topics[CUSTOMER_VIEW])
    assert len(apart) == 2
    ledger.apply(customer("crm|A", "Yongding Ltd", same_as=["erp|C"], version=2))
    follower.follow()
    ((_, view),) = follower.topics[CUSTOMER_VIEW].items()
    assert [member["id"] for member in view["members"]] == ["A", "C"]
    (owed,) = follower.topics[RECEIVABLE_VIEW].values()
    assert owed["balances"][0]["outstanding"] == 100
    ledger.apply(customer("crm|A", "Yongding Ltd", version=3))
    follower.follow()
    assert follower.topics[CUSTOMER_VIEW] == apart


def months(follower: Follower) -> dict[str, tuple[Any, Any]]:
    return {
        key: (view["orders"], view["pipeline"])
        for key, view in follower.topics[DEMAND_VIEW].items()
    }


def test_an_order_that_commits_after_its_opportunity_was_published_lowers_the_pipeline(
    ledger: Ledger, database_url: str
) -> None:
    other = Ledger(database_url)
    follower = Follower(other)

    def win_meanwhile() -> None:
        other.apply(opportunity("crm|O", "crm|A", "won", [("erp|EX", 5, "2026-11-20")]))
        follower.follow()

    ledger.apply(
        order("erp|1", "erp|C", "2026-06-01", [("erp|EX", 3, "2026-10-01")], opportunity="crm|O"),
        before_commit=win_meanwhile,
    )
    follower.follow()
    other.close()
    assert months(follower) == {"erp|EX|2026-10": (3, 0), "erp|EX|2026-11": (0, 2)}


def test_demand_of_products_that_are_told_apart_again_is_told_apart(ledger: Ledger) -> None:
    follower = Follower(ledger)
    ledger.apply(
        product("crm|P"),
        order("erp|1", "erp|C", "2026-06-01", [("erp|EX", 3, "2026-10-01")]),
        opportunity("crm|O", "crm|A", "won", [("crm|P", 5, "2026-11-20")]),
    )
    follower.follow()
    apart = months(follower)
    assert apart == {"erp|EX|2026-10": (3, 0), "crm|P|2026-11": (0, 5)}
    ledger.apply(product("crm|P", "erp|EX", version=2))
    follower.follow()
    assert months(follower) == {"crm|P|2026-10": (3, 0), "crm|P|2026-11": (0, 5)}
    ledger.apply(product("crm|P", version=3))
    follower.follow()
    assert months(follower) == apart


def test_demand_of_a_chain_of_products_follows_a_link_in_its_middle(ledger: Ledger) -> None:
    follower = Follower(ledger)
    ledger.apply(
        product("b|B", "a|A"),
        product("c|C", "b|B"),
        product("d|D", "c|C"),
        order("erp|1", "erp|C", "2026-06-01", [("d|D", 3, "2026-10-01")]),
    )
    follower.follow()
    assert months(follower) == {"a|A|2026-10": (3, 0)}
    ledger.apply(product("c|C", version=2))
    follower.follow()
    assert months(follower) == {"c|C|2026-10": (3, 0)}


def test_a_month_that_empties_is_taken_back_under_the_key_that_it_was_published_under(
    ledger: Ledger,
) -> None:
    follower = Follower(ledger)
    won = opportunity("crm|O", "crm|A", "won", [("erp|P", 5, "2026-11-20")])
    ledger.apply(product("crm|P"), product("erp|P", "crm|P"), won)
    follower.follow()
    assert months(follower) == {"crm|P|2026-11": (0, 5)}
    ledger.apply(
        order("erp|1", "erp|C", "2026-06-01", [("erp|P", 5, "2026-10-01")], opportunity="crm|O")
    )
    follower.follow()
    assert months(follower) == {"crm|P|2026-10": (5, 0)}


def test_a_sum_that_no_contract_holds_is_a_dead_letter_and_is_published_when_it_was_mended(
    ledger: Ledger,
) -> None:
    # No document may state as much, but nobody bounds how many documents there are.
    most = 6 * 10**28
    ledger.apply(
        order("erp|1", "erp|C", "2026-06-01", [("erp|BIG", 1, "2026-10-01")] * 2),
        order("erp|2", "erp|C", "2026-06-01", [("erp|EX", 3, "2026-10-01")]),
    )
    ledger.run(
        lambda connection: connection.execute(
            "UPDATE demand_lines SET quantity = %s WHERE key = 'erp|1'", (most,)
        )
    )
    topics = ViewTopics()
    topics.publish(ledger)
    assert list(topics.of(DEMAND_VIEW)) == ["erp|EX|2026-10"]
    assert len(topics.of(CUSTOMER_VIEW)) == 1
    open_letters = "SELECT id, stage, place FROM dead_letters WHERE replayed_at IS NULL"
    ((letter, stage, place),) = ledger.rows(open_letters)
    assert (stage, place) == ("relay", f"{DEMAND_VIEW} erp|BIG|2026-10")

    (outcome,) = Replay(ledger.url, POLICY).run([letter])
    assert outcome.replayed
    topics.publish(ledger)
    assert ledger.rows(open_letters) == [(letter, stage, place)]

    ledger.run(
        lambda connection: connection.execute("DELETE FROM demand_lines WHERE number = '20'")
    )
    (outcome,) = Replay(ledger.url, POLICY).run([letter])
    assert outcome.replayed
    topics.publish(ledger)
    assert topics.of(DEMAND_VIEW)["erp|BIG|2026-10"]["orders"] == most
    assert not ledger.rows(open_letters)
