"""Facts that were laid under an earlier version of their contract stand beside the later ones."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from schemas.catalogue import DOCUMENTS, Topic
from schemas.codec import Decoded, decode_batch, encode
from sinks import facts
from sinks.changes import Change
from sinks.dead_letters import DeadLetter
from sinks.facts import Arrival
from tests.oracle.handwritten import invoice
from tests.schemas.evolutions import grown, with_versions

Connection = psycopg.Connection[Any]

INVOICE = DOCUMENTS["invoice"]
FIRST = with_versions(INVOICE, INVOICE.schema)
MOOD = {"name": "mood", "type": "string", "default": "calm"}
SECOND = with_versions(INVOICE, INVOICE.schema, grown(INVOICE.schema, MOOD, without="company"))
GROSSES = ("10", "20", "30", "40", "50", "60")


class Hub:
    """A hub whose release knows one version of the contract, or two."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch

    def release(self, topic: Topic) -> None:
        self._monkeypatch.setattr(facts, "DOCUMENTS", {**DOCUMENTS, "invoice": topic})


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Hub:
    """A hub that knows the first version."""
    hub = Hub(monkeypatch)
    hub.release(FIRST)
    return hub


def bill(gross: str, version: int = 1, key: str = "erp|1") -> bytes:
    """Return the message of an invoice that the first version wrote."""
    value = invoice(key, "erp|C", "2026-07-01", gross, version=version).value
    assert value is not None
    return value


def grown_bill(gross: str, version: int = 1, key: str = "erp|1", mood: str = "calm") -> bytes:
    """Return the message of the same invoice that the second version wrote."""
    return encode(SECOND, arrival(bill(gross, version, key)).content.document | {"mood": mood})


def arrival(value: bytes) -> Arrival:
    topic: Topic = getattr(facts, "DOCUMENTS")["invoice"]  # noqa: B009 - it is no part of the interface
    (content,) = decode_batch(topic, [value])
    assert isinstance(content, Decoded), content
    return Arrival(f"erp|{content.document['id']}", content, None)


def lay(connection: Connection, *messages: bytes) -> tuple[list[Change], list[DeadLetter]]:
    with connection.transaction():
        return facts.lay(connection, "invoice", [arrival(value) for value in messages])


def read(connection: Connection) -> dict[str, dict[str, Any]]:
    with connection.transaction():
        return {one.key: dict(one.document) for one in facts.read(connection, "invoice")}


def rows(connection: Connection) -> list[tuple[Any, ...]]:
    return connection.execute(
        "SELECT key, schema_id, version, digest, body FROM fact_invoice ORDER BY key"
    ).fetchall()


def test_facts_of_both_versions_are_read_as_the_present_contract_has_them(
    connection: Connection, hub: Hub
) -> None:
    lay(connection, bill("10"), bill("20", key="erp|2"))
    hub.release(SECOND)
    lay(connection, bill("30", key="erp|3"), grown_bill("40", key="erp|4", mood="glad"))
    assert [row[1] for row in rows(connection)] == [107, 107, 1107, 1107]
    found = read(connection)
    assert [str(one["gross"].normalize()) for one in found.values()] == [
        "1E+1",
        "2E+1",
        "3E+1",
        "4E+1",
    ]
    assert [one["mood"] for one in found.values()] == ["calm", "calm", "calm", "glad"]
    assert all("company" not in one for one in found.values())


def test_the_same_content_under_another_version_is_a_repeat(
    connection: Connection, hub: Hub
) -> None:
    lay(connection, bill("10"))
    hub.release(SECOND)
    assert lay(connection, grown_bill("10")) == ([], [])
    assert lay(connection, bill("10")) == ([], [])
    [(_, schema_id, version, digest, body)] = rows(connection)
    content = arrival(grown_bill("10")).content
    assert (schema_id, version, digest, body) == (1107, 1, content.digest, content.body)
    assert lay(connection, grown_bill("10"), bill("10")) == ([], [])


@pytest.mark.parametrize("standing", GROSSES)
def test_of_two_contents_of_one_version_the_one_with_the_larger_present_digest_stays(
    connection: Connection, hub: Hub, standing: str
) -> None:
    lay(connection, bill(standing), bill("1", key="erp|2"))
    hub.release(SECOND)
    others = [gross for gross in GROSSES if gross != standing]
    ranks = {gross: arrival(grown_bill(gross)).rank for gross in GROSSES}
    best = standing
    for gross in others:
        changes, letters = lay(connection, grown_bill(gross), grown_bill("2", 2, "erp|2"))
        stays = max(best, gross, key=ranks.__getitem__)
        lost = min(best, gross, key=ranks.__getitem__)
        assert [one.key for one in changes if one.key == "erp|1"] == ["erp|1"] * (stays == gross)
        [letter] = letters
        assert (letter.code, letter.value) == ("version_conflict", grown_bill(lost))
        best = stays
    assert rows(connection)[0][3] == ranks[best][1]
    assert read(connection)["erp|2"]["version"] == 2


def test_a_newer_version_of_a_document_replaces_a_fact_of_an_earlier_contract(
    connection: Connection, hub: Hub
) -> None:
    lay(connection, bill("10", 1), bill("20", 7, "erp|2"))
    hub.release(SECOND)
    changes, letters = lay(connection, grown_bill("30", 2), bill("30", 6, "erp|2"))
    assert ([one.key for one in changes], letters) == (["erp|1"], [])
    assert not changes[0].first
    assert [row[1:3] for row in rows(connection)] == [(1107, 2), (107, 7)]
