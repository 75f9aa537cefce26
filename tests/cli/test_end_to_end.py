"""The command on a small shop, with the real broker and database that it starts itself."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from hub.kafka import Cluster, delete_topics, ensure_topics
from hub.settings import load_settings
from ops.stack import Stack
from schemas.catalogue import TOPICS
from tests.cli.shop import BROKEN_LINE, MENDED_LINE, Ran, Shop, opened_shop, until

pytestmark = [pytest.mark.stack, pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
def shop() -> Iterator[Shop]:
    with opened_shop() as shop:
        yield shop


@pytest.fixture(scope="module")
def first(shop: Shop) -> Ran:
    """The first bounded run; every test here stands on it."""
    ran = shop.run("up", "--until-idle")
    assert ran.status == 0, ran.err
    return ran


def counts(shop: Shop) -> dict[str, tuple[int, int]]:
    documents = shop.ask("status")["documents"]
    return {name: (one["count"], one["cancelled"]) for name, one in documents.items()}


def test_a_bounded_run_says_where_it_was_and_what_it_did(first: Ran, shop: Shop) -> None:
    assert "127.0.0.1:" in first.out
    assert "postgresql://headrace@127.0.0.1:" in first.out
    assert "postgres.password" in first.out
    password = (shop.folder / "var" / "postgres.password").read_text()
    assert password not in first.out + first.err
    assert "not_a_number" in first.out
    assert "Traceback" not in first.err


def test_status_counts_documents_dead_letters_and_sources(first: Ran, shop: Shop) -> None:
    status = shop.ask("status")
    found = {name: one["count"] for name, one in status["documents"].items() if one["count"]}
    assert found == {"customer": 2, "order": 2, "invoice": 4}
    assert status["documents"]["invoice"]["cancelled"] == 1
    assert status["dead_letters"] == 1
    (source,) = status["sources"]
    assert source["name"] == "till"
    assert source["newest"].startswith("2026-03-1")
    assert {one["name"] for one in status["streams"]} == {"customers", "demand", "receivables"}


def test_receivables_are_those_of_the_open_invoices(first: Ran, shop: Shop) -> None:
    answer = shop.ask("show", "receivables")
    assert (answer["as_of"], answer["currency"]) == ("2026-03-31", "EUR")
    assert answer["total"]["outstanding"] == "273.11"
    assert {row["name"]: row["outstanding"] for row in answer["rows"]} == {
        "Adler Bau": "154.11",
        "Bruno & Co": "119.00",
    }
    earlier = shop.ask("show", "receivables", "--as-of", "2026-02-12")
    assert earlier["total"]["outstanding"] == "177.91", "the cancellation came a day later"


def test_customers_and_demand_are_shown(first: Ran, shop: Shop) -> None:
    customers = shop.ask("show", "customers")["rows"]
    assert {row["name"]: row["orders"] for row in customers} == {"Adler Bau": 1, "Bruno & Co": 1}
    assert customers[0]["members"][0]["source"] == "till"
    demand = shop.ask("show", "demand")["rows"]
    assert {(row["product"], row["month"]): row["total"] for row in demand} == {
        ("till|SPADE", "2026-04"): "3",
        ("till|BARROW", "2026-04"): "1",
        ("till|SPADE", "2026-05"): "2",
    }
    table = shop.run("show", "customers")
    assert "Adler Bau" in table.out


def test_documents_are_shown_whole(first: Ran, shop: Shop) -> None:
    rows = shop.ask("show", "documents", "order")["rows"]
    assert [row["id"] for row in rows] == ["10", "11"]
    assert rows[0]["lines"][1]["net_amount"] == "99.5"
    assert len(shop.ask("show", "documents", "order", "--limit", "1")["rows"]) == 1


def test_everything_is_processed_and_published(first: Ran, shop: Shop) -> None:
    answer = shop.ask("lag")
    assert (answer["running"], answer["outbox"]) == (False, 0)


def test_a_dead_letter_is_shown_with_its_record(first: Ran, shop: Shop) -> None:
    (row,) = shop.ask("dead-letters", "list")["rows"]
    assert (row["stage"], row["code"]) == ("connector:till", "not_a_number")
    assert row["place"] == "invoices.csv:6"
    letter = shop.ask("dead-letters", "show", str(row["id"]))
    assert "abc" in letter["value"]
    again = shop.run("dead-letters", "replay", str(row["id"]), "--json")
    assert again.status == 1
    assert again.answer["failed"] == 1
    assert again.answer["rows"][0]["reason"] == letter["reason"], "no newer letter tells it"
    assert BROKEN_LINE.startswith("24,")


def test_a_dead_letter_that_is_not_there_is_no_refusal(first: Ran, shop: Shop) -> None:
    ran = shop.run("dead-letters", "replay", "99")
    assert (ran.status, ran.out) == (1, "")
    assert "there is no dead letter 99" in ran.err


def test_sources_are_listed(first: Ran, shop: Shop) -> None:
    (source,) = shop.ask("sources", "list")["sources"]
    assert (source["name"], source["files"], source["waiting"]) == ("till", 4, 0)


def test_what_was_read_by_hand_is_processed_by_the_next_run_and_nothing_twice(
    first: Ran, shop: Shop
) -> None:
    before, owed = counts(shop), shop.ask("show", "receivables")
    shop.append("lines.csv", "12,1,SPADE,1,10.00,2026-05-02\n")
    shop.append("orders.csv", "12,1,2026-03-01\n")
    (read,) = shop.ask("sources", "run", "till")["sources"]
    assert (read["state"], read["published"]) == ("done", 1)
    again = shop.run("up", "--until-idle")
    assert again.status == 0, again.err
    assert counts(shop) == {**before, "order": (before["order"][0] + 1, 0)}
    assert shop.ask("show", "receivables") == owed
    assert shop.ask("status")["dead_letters"] == 1


def test_a_rebuild_from_facts_or_from_topics_gives_the_same(first: Ran, shop: Shop) -> None:
    def answers() -> list[object]:
        return [shop.ask("show", one) for one in ("customers", "demand", "receivables")]

    before = answers()
    rebuilt = shop.run("rebuild")
    assert rebuilt.status == 0, rebuilt.err
    assert "receivables: rebuilt from 4 documents" in rebuilt.out
    assert answers() == before
    from_topics = shop.run("rebuild", "--from-topics")
    assert from_topics.status == 0, from_topics.err
    assert answers() == before


def test_a_hub_that_is_up_follows_its_files_and_stops_cleanly(first: Ran, shop: Shop) -> None:
    invoices = counts(shop)["invoice"][0]
    with shop.up() as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(4)]
        assert lines[0].startswith("Kafka")
        assert "up. Ctrl-C" in lines[3]
        shop.append("invoices.csv", MENDED_LINE)
        until(lambda: counts(shop)["invoice"][0] == invoices + 1)
        until(lambda: (lag := shop.ask("lag"))["total"] == 0 and lag["outbox"] == 0)
        assert shop.ask("lag")["running"] is True
        second = shop.run("up", "--until-idle")
        assert second.status == 1
        assert "in use by process" in second.err
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    settings = load_settings(shop.folder / "headrace.yaml", {})
    assert Stack.running_cluster(settings) is None


def test_a_recreated_topic_stops_the_hub_until_it_is_accepted(first: Ran, shop: Shop) -> None:
    settings = load_settings(shop.folder / "headrace.yaml", {})
    with Stack(settings) as stack:
        _recreate(stack.addresses.cluster, "sales.order.v1")
    ran = shop.run("up", "--until-idle")
    assert ran.status == 1
    assert "sales.order.v1 was deleted and created again" in ran.err.splitlines()[-1]
    accepted = shop.run("rebuild", "--from-topics", "--accept-recreated", "sales.order.v1")
    assert accepted.status == 0, accepted.err
    assert counts(shop)["order"][0] == 0


def _recreate(cluster: Cluster, topic: str) -> None:
    delete_topics(cluster, [topic])
    ensure_topics(cluster, [TOPICS[topic]], 2)


def test_a_dead_letter_is_closed_by_a_person(first: Ran, shop: Shop) -> None:
    (row,) = shop.ask("dead-letters", "list")["rows"]
    assert shop.ask("dead-letters", "close", str(row["id"])) == {"closed": [row["id"]]}
    assert shop.ask("status")["dead_letters"] == 0
    assert shop.ask("dead-letters", "list")["rows"] == []
    (kept,) = shop.ask("dead-letters", "list", "--replayed")["rows"]
    assert kept["closed_at"] is not None
    again = shop.run("dead-letters", "close", str(row["id"]), "--json")
    assert (again.status, again.answer) == (1, {"closed": []})
    refused = shop.run("dead-letters", "replay", str(row["id"]))
    assert (refused.status, refused.out) == (1, "")
    assert f"dead letter {row['id']} was closed already" in refused.err
