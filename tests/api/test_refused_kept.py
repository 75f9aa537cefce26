"""What a caller publishes and the door refuses is kept once, as it was sent, to be replayed."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.authentication import ANYBODY, Caller
from api.originals import LONGEST, originals
from api.problems import Refused
from api.refused_events import KeptEvents, Sent, letter_of
from hub.kafka import Cluster, ensure_topics
from hub.settings import load_settings
from ops.embedded.database import EmbeddedDatabase
from ops.replaying import replay_letters
from schemas.catalogue import TOPICS
from sinks import tokens
from sinks.database import connect
from sinks.dead_letters import Kept
from streams.replay import Outcome
from tests.api.doors import Door, fresh_database, opened

pytestmark = pytest.mark.stack

INVOICES = "finance.invoice.v1"
STAGE = "connector:http:anybody"
JSON = {"content-type": "application/json"}


@pytest.fixture
def door(broker: Cluster, database_server: EmbeddedDatabase, tmp_path: Path) -> Iterator[Door]:
    """A door before a database of its own: the letters in it are those of one test."""
    ensure_topics(broker, TOPICS.values(), 2)
    with fresh_database(database_server) as url, opened(Door(tmp_path, broker, url)) as made:
        yield made


def letters(door: Door) -> list[tuple[Any, ...]]:
    return door.query(
        "SELECT id, stage, code, document, place, value, reason FROM dead_letters ORDER BY id"
    )


def name_the_export_otherwise(door: Door) -> None:
    """The hub does not read the source any more in whose name the events were published."""
    configuration = door.folder / "headrace.yaml"
    text = configuration.read_text()
    configuration.write_text(text.replace(f"name: {door.erp}", "name: another"))


def replayed(door: Door) -> list[Outcome]:
    return replay_letters(load_settings(door.folder / "headrace.yaml"), None).outcomes


def test_refused_events_of_a_list_are_kept_as_they_were_sent(
    door: Door, client: httpx.Client
) -> None:
    good, bad = door.invoice("R1"), door.invoice("R2", currency="EURO")
    broken = json.dumps(door.invoice("R3", gross="@"), indent=1).replace('"@"', "1e400")
    body = f"[{json.dumps(good)},\n {json.dumps(bad)} , {broken},[],7]"
    answer = client.post("/v1/events/invoice", content=body, headers=JSON)
    assert answer.status_code == 207, answer.text
    assert answer.json()["rejected"] == 4
    kept = letters(door)
    assert [bytes(one[5]).decode() for one in kept] == [json.dumps(bad), broken, "[]", "7"]
    assert {one[1] for one in kept} == {STAGE} and {one[3] for one in kept} == {"invoice"}
    codes = [item["code"] for item in answer.json()["items"] if item["status"] == "rejected"]
    assert [one[2] for one in kept] == codes
    places = [one[4] for one in kept]
    assert [place.rpartition(":")[2] for place in places] == ["1", "2", "3", "4"]
    assert len({place.rpartition(":")[0] for place in places}) == 1
    # Sent again, by whatever way, they are the same letters.
    client.post("/v1/events/invoice", content=body, headers=JSON)
    packed = {**JSON, "content-encoding": "gzip"}
    client.post("/v1/events/invoice", content=gzip.compress(body.encode()), headers=packed)
    assert len(letters(door)) == 4


def test_a_refused_event_that_came_alone_or_as_a_line_or_as_a_cloud_event_is_kept(
    door: Door, client: httpx.Client
) -> None:
    alone = json.dumps(door.invoice("A1", currency="EURO"))
    assert client.post("/v1/events/invoice", content=alone, headers=JSON).status_code == 422
    lines = f'{json.dumps(door.invoice("A2"))}\n\n{{"id": \n'
    ndjson = {"content-type": "application/x-ndjson"}
    answer = client.post("/v1/events/invoice", content=lines, headers=ndjson)
    assert answer.status_code == 207, answer.text
    event = {
        "specversion": "1.0", "id": "e1", "source": "/sources/shop", "type": "invoice",
        "data": door.invoice("A3", currency="EURO"),
    }  # fmt: skip
    batch = {"content-type": "application/cloudevents-batch+json"}
    client.post("/v1/events", content=json.dumps([event]), headers=batch)
    assert [(bytes(one[5]).decode(), one[2]) for one in letters(door)] == [
        (alone, "currency"),
        ('{"id": ', "broken_json"),
        (json.dumps(event), "currency"),
    ]


def test_events_of_a_large_body_are_kept_too(door: Door, client: httpx.Client) -> None:
    events = [door.invoice(f"L{number}") for number in range(700)]
    events[650]["currency"] = "EURO"
    answer = client.post("/v1/events/invoice", json=events, headers={"idempotency-key": "large"})
    assert answer.status_code == 207, answer.text
    ((_, _, code, _, place, value, _),) = letters(door)
    assert (code, json.loads(value)) == ("currency", events[650])
    assert place.endswith(":650")
    again = client.post("/v1/events/invoice", json=events, headers={"idempotency-key": "large"})
    assert again.content == answer.content


def test_what_is_no_event_or_comes_from_nobody_leaves_nothing(
    broker: Cluster, database_server: EmbeddedDatabase, tmp_path: Path
) -> None:
    with fresh_database(database_server) as url:
        with connect(url, name="test") as connection:
            token = tokens.create(connection, "shop", ["publish"])
        door = Door(tmp_path, broker, url, {"authentication": True})
        with opened(door), door.client() as client:
            bad = [door.invoice("N1", currency="EURO")]
            assert client.post("/v1/events/invoice", json=bad).status_code == 401
            headers = {"authorization": f"Bearer {token}"}
            broken = client.post("/v1/events/invoice", content=b"[{", headers={**JSON, **headers})
            assert broken.status_code == 400
            assert letters(door) == []
            assert client.post("/v1/events/invoice", json=bad, headers=headers).status_code == 422
            ((_, stage, *_),) = letters(door)
            assert stage == "connector:http:shop"


def test_a_replay_publishes_what_may_be_published_today(door: Door, client: httpx.Client) -> None:
    # The hub reads this source itself, and says so no more once the configuration has changed.
    refused = door.invoice("P1", source=door.erp)
    bad = door.invoice("P2", currency="EURO")
    assert client.post("/v1/events/invoice", json=[refused, bad]).status_code == 422
    first, second = replayed(door)
    assert not first.replayed and "reads the source" in first.reason
    assert not second.replayed and "EURO" in second.reason
    name_the_export_otherwise(door)
    first, second = replayed(door)
    assert (first.replayed, second.replayed) == (True, False)
    (published,) = [one for one in door.records(INVOICES) if one[1]["id"] == "P1"]
    assert published[1]["source"] == door.erp
    ((_, _, _, _, place, *_),) = letters(door)[:1]
    assert published[0]["place"].decode() == place
    # The one that was refused again is the same letter.
    assert [one[0] for one in letters(door)] == [first.id, second.id]


def test_a_replay_does_not_undo_what_has_come_since(
    door: Door, client: httpx.Client, broker: Cluster, tmp_path: Path
) -> None:
    old = door.invoice("S1", source=door.erp, company="old")
    dated = door.invoice("S2", source=door.erp, company="old", recorded_at="2026-03-02T10:00:00Z")
    assert client.post("/v1/events/invoice", json=[old, dated]).status_code == 422
    name_the_export_otherwise(door)
    (tmp_path / "other").mkdir()
    with opened(Door(tmp_path / "other", broker, door.database_url)) as other:
        with other.client() as its_client:
            newer = [{**event, "company": "new"} for event in (old, dated)]
            answer = its_client.post("/v1/events/invoice", json=newer)
            assert answer.status_code == 202, answer.text
    for outcome in replayed(door):
        assert not outcome.replayed
        assert "superseded" in outcome.reason and f"close {outcome.id}" in outcome.reason
    found = [one for one in door.published(INVOICES) if one["id"] in ("S1", "S2")]
    assert [one["company"] for one in found] == ["new", "new"]


def sent(caller: Caller = ANYBODY) -> Sent:
    return Sent(caller, "r-1", 17, "invoice", "application/json", (), b"")


def test_of_a_huge_event_the_beginning_is_kept_and_two_that_begin_alike_are_two_letters() -> None:
    bodies = [b'{"x": "' + b"y" * LONGEST + end for end in (b'1"}', b'2"}')]
    sent_alone = [originals("application/json", body, single=True)[0] for body in bodies]
    made = [letter_of(sent(), 0, Refused("missing", "no id"), one) for one in sent_alone]
    assert all(len(one.value or b"") == LONGEST for one in made)
    assert dict(made[0].headers)["size"] == str(len(bodies[0])).encode()
    assert made[0].fingerprint() != made[1].fingerprint()


def test_the_letter_of_a_limited_token_names_its_sources() -> None:
    caller = Caller("shop", frozenset({"publish"}), frozenset({"b", "a"}))
    (original,) = originals("application/json", b"{}", single=True)
    letter = letter_of(sent(caller), 0, Refused("missing", "no id"), original)
    assert dict(letter.headers)["sources"] == b'["a","b"]'


def test_a_caller_of_whom_too_much_is_kept_is_told_to_wait_until_somebody_has_looked() -> None:
    clock, standing = [0.0], [Kept(1, 10)]
    kept = KeptEvents(Kept(3, 1_000), lambda: clock[0])
    (original,) = originals("application/json", b"{}", single=True)

    def count(stage: str) -> Kept:
        assert stage == STAGE
        return standing[0]

    assert kept.problem(sent(), count) is None
    kept.note([letter_of(sent(), 0, Refused("missing", "no id"), original)] * 2)
    problem = kept.problem(sent(), count)
    assert problem is not None and (problem.status, problem.code) == (429, "too_many_refused")
    assert problem.retry_after is not None
    # Repeats make no letters: what is kept is counted again.
    clock[0] += problem.retry_after + 1
    assert kept.problem(sent(), count) is None
    standing[0] = Kept(1, 1_000)
    clock[0] += problem.retry_after + 1
    assert kept.problem(sent(), count) is not None
