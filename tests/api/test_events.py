"""Documents that are published over HTTP stand in the log, each with its version."""

from __future__ import annotations

import gzip
import json
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import httpx
import pytest

from api.descriptions import CLOUD_EVENT, EXAMPLES
from tests.api.doors import Door

pytestmark = pytest.mark.stack

INVOICES = "finance.invoice.v1"
PROBLEM = "application/problem+json"


def publish(client: httpx.Client, body: Any, **headers: str) -> httpx.Response:
    given = {"content-type": "application/json", **headers}
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return client.post("/v1/events/invoice", content=content, headers=given)


def stored(door: Door, number: str) -> list[dict[str, Any]]:
    return [one for one in door.published(INVOICES) if one["id"] == number]


def test_an_event_is_answered_once_it_is_in_the_log(door: Door, client: httpx.Client) -> None:
    answer = publish(client, door.invoice("A1", gross=1190, net="1000.1", version=7))
    assert answer.status_code == 202
    assert answer.json() == {
        "status": "accepted",
        "type": "invoice",
        "source": door.shop,
        "id": "A1",
        "version": 7,
    }
    (one,) = stored(door, "A1")
    assert (one["version"], one["net"]) == (7, Decimal("1000.1"))


def test_numbers_are_read_exactly(door: Door, client: httpx.Client) -> None:
    body = json.dumps(door.invoice("A2", instalments=[])).replace(
        '"1190.00"', "12345678901234567890.12"
    )
    assert publish(client, body.encode()).status_code == 202
    (one,) = stored(door, "A2")
    assert one["gross"] == Decimal("12345678901234567890.12")


def test_contents_without_a_version_follow_each_other_as_they_arrive(
    door: Door, client: httpx.Client
) -> None:
    sent = [door.invoice("A3", company=company) for company in "1121"]
    answers = [publish(client, one).json() for one in sent]
    assert [one["status"] for one in answers] == ["accepted", "repeated", "accepted", "accepted"]
    versions = [one["version"] for one in answers]
    assert versions[0] == versions[1] < versions[2] < versions[3]
    assert [one["company"] for one in stored(door, "A3")] == ["1", "2", "1"]


def test_contents_with_a_change_date_count_up_from_it(door: Door, client: httpx.Client) -> None:
    at = "2026-03-02T09:15:00Z"
    first = door.invoice("A4", recorded_at=at)
    other = door.invoice("A4", recorded_at=at, company="2")
    answers = [publish(client, one).json() for one in (first, other, first)]
    assert [one["status"] for one in answers] == ["accepted", "accepted", "repeated"]
    assert answers[0]["version"] == 1_772_442_900_000_000 == answers[1]["version"] - 1
    assert answers[2]["version"] == answers[0]["version"]


def test_a_source_that_the_hub_reads_itself_has_to_state_its_versions(
    door: Door, client: httpx.Client
) -> None:
    refused = publish(client, door.invoice("A5", source=door.erp))
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["pointer"] == "/version"
    taken = publish(client, door.invoice("A5", source=door.erp, version=4))
    assert taken.json()["version"] == 4


@pytest.mark.parametrize("lines", [False, True])
def test_a_batch_says_of_each_event_what_became_of_it(
    door: Door, client: httpx.Client, lines: bool
) -> None:
    number = "L" if lines else "B"
    sent = [
        door.invoice(f"{number}1"),
        door.invoice(f"{number}2", currency="XXQ"),
        door.invoice(f"{number}1"),
        {"id": f"{number}4"},
    ]
    if lines:
        body = "\n".join(map(json.dumps, sent)) + "\n{\n"
        answer = publish(client, body.encode(), **{"content-type": "application/x-ndjson"})
    else:
        answer = publish(client, sent)
    assert answer.status_code == 207
    told = answer.json()
    items = told["items"]
    assert [one["index"] for one in items] == list(range(4 + lines))
    statuses = ["accepted", "rejected", "repeated", "rejected"] + ["rejected"] * lines
    assert [one["status"] for one in items] == statuses
    assert (told["accepted"], told["repeated"], told["rejected"]) == (1, 1, 2 + lines)
    assert items[1]["errors"][0]["pointer"] == ("/currency" if lines else "/1/currency")
    assert {one["code"] for one in items[3]["errors"]} == {"missing"}
    assert len(stored(door, f"{number}1")) == 1


def test_a_batch_of_which_nothing_is_taken_is_a_problem(door: Door, client: httpx.Client) -> None:
    answer = publish(client, [door.invoice("B9", kind="gift")] * 2)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == PROBLEM
    assert answer.json()["rejected"] == 2
    assert publish(client, []).json()["items"] == []


def test_a_large_batch_goes_through_whole_and_in_order(door: Door, client: httpx.Client) -> None:
    sent = [door.invoice(f"M{index}") for index in range(1_700)]
    told = publish(client, sent).json()
    assert told["accepted"] == len(sent)
    assert [one["id"] for one in told["items"]] == [one["id"] for one in sent]
    found = {one["id"] for one in door.published(INVOICES) if one["id"].startswith("M")}
    assert found == {one["id"] for one in sent}


def test_all_examples_of_the_description_can_be_sent(client: httpx.Client) -> None:
    described = client.get("/openapi.json").json()
    assert {"Invoice", "Order", "Customer", "Problem"} <= set(described["components"]["schemas"])
    body = described["paths"]["/v1/events/{type}"]["post"]["requestBody"]["content"]
    assert set(body["application/json"]["examples"]) == set(EXAMPLES)
    for one in body["application/json"]["examples"].values():
        assert publish(client, one["value"]).status_code == 202
    event = client.post(
        "/v1/events",
        content=json.dumps(CLOUD_EVENT).encode(),
        headers={"content-type": "application/cloudevents+json"},
    )
    assert event.status_code == 202, event.text


def test_a_trace_that_the_caller_gives_is_gone_on_with(door: Door, client: httpx.Client) -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    publish(client, door.invoice("A7"), traceparent=f"00-{trace}-00f067aa0ba902b7-01")
    (headers,) = [headers for headers, one in door.records(INVOICES) if one["id"] == "A7"]
    span = headers["traceparent"].decode()
    assert span.startswith(f"00-{trace}-") and "00f067aa0ba902b7" not in span
    assert headers["place"].startswith(b"http:")


def test_a_compressed_body_is_read(door: Door, client: httpx.Client) -> None:
    packed = gzip.compress(json.dumps(door.invoice("A8")).encode())
    assert publish(client, packed, **{"content-encoding": "gzip"}).status_code == 202
    cut = publish(client, packed[:-4], **{"content-encoding": "gzip"})
    assert (cut.status_code, cut.json()["type"]) == (400, "urn:headrace:problem:broken_gzip")


def test_the_same_key_and_body_get_the_same_answer(door: Door, client: httpx.Client) -> None:
    key = {"idempotency-key": '"one-order"'}
    sent = [door.invoice("K1"), door.invoice("K2", currency="XXQ")]
    first = publish(client, sent, **key)
    again = publish(client, sent, **key)
    assert (first.status_code, first.content) == (again.status_code, again.content)
    assert again.headers["idempotent-replayed"] == "true"
    assert len(stored(door, "K1")) == 1
    other = publish(client, [door.invoice("K3")], **key)
    assert other.status_code == 409
    assert other.json()["type"] == "urn:headrace:problem:key_reused"
    assert not stored(door, "K3")


def test_a_key_that_is_none_is_refused(door: Door, client: httpx.Client) -> None:
    for key in ("", "x" * 256, '""'):
        assert publish(client, door.invoice("K4"), **{"idempotency-key": key}).status_code == 400


def test_equal_requests_at_one_time_are_worked_on_once(door: Door, client: httpx.Client) -> None:
    def send(_: int) -> tuple[int, str]:
        answer = publish(client, door.invoice("K5"), **{"idempotency-key": "at-once"})
        return answer.status_code, answer.json()["type"]

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(send, range(24)))
    assert {status for status, _ in answers} <= {202, 409}
    assert {told for status, told in answers if status == 409} <= {
        "urn:headrace:problem:still_running"
    }
    assert len(stored(door, "K5")) == 1
