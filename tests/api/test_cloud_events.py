"""CloudEvents over HTTP in all three modes, as the CloudEvents package writes them."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from cloudevents.core.bindings.http import HTTPMessage, to_binary_event, to_structured_event
from cloudevents.core.v1.event import CloudEvent

from tests.api.doors import Door

pytestmark = pytest.mark.stack

INVOICES = "finance.invoice.v1"
BATCH = "application/cloudevents-batch+json"


def event(door: Door, number: str, **attributes: Any) -> CloudEvent:
    """An event whose document leaves to its attributes what they say."""
    data = door.invoice(number)
    for told in ("source", "id", "occurred_at"):
        del data[told]
    return CloudEvent(
        {
            "id": f"event-{number}",
            "type": INVOICES,
            "source": f"/sources/{door.shop}",
            "subject": number,
            "time": datetime(2026, 3, 2, 9, 15, tzinfo=UTC),
            "datacontenttype": "application/json",
            **attributes,
        },
        data,
    )


def post(client: httpx.Client, message: HTTPMessage, path: str = "/v1/events") -> httpx.Response:
    return client.post(path, content=message.body, headers=message.headers)


def structured(one: CloudEvent) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(to_structured_event(one).body)
    return found


def batch(client: httpx.Client, events: list[Any]) -> httpx.Response:
    content = json.dumps(events).encode()
    return client.post("/v1/events", content=content, headers={"content-type": BATCH})


@pytest.mark.parametrize("path", ["/v1/events", "/v1/events/invoice"])
@pytest.mark.parametrize("write", [to_binary_event, to_structured_event])
def test_an_event_is_taken_in_binary_and_structured_mode(
    door: Door, client: httpx.Client, write: Any, path: str
) -> None:
    number = f"{write.__name__}{path.count('/')}"
    answer = post(client, write(event(door, number)), path)
    assert answer.status_code == 202, answer.text
    (one,) = [one for one in door.published(INVOICES) if one["id"] == number]
    assert one["source"] == door.shop
    assert one["occurred_at"] == datetime(2026, 3, 2, 9, 15, tzinfo=UTC)


def test_a_batch_says_of_each_event_what_became_of_it(door: Door, client: httpx.Client) -> None:
    good, in_bytes, strange = (structured(event(door, f"batch{index}")) for index in range(3))
    in_bytes["data_base64"] = base64.b64encode(json.dumps(in_bytes.pop("data")).encode()).decode()
    strange["type"] = "com.example.invoice"
    nameless = {name: value for name, value in good.items() if name != "id"}
    told = batch(client, [good, in_bytes, strange, nameless, 7]).json()["items"]
    assert [one["status"] for one in told] == ["accepted"] * 2 + ["rejected"] * 3
    assert [one.get("code") for one in told[2:]] == ["type"] + ["not_a_cloudevent"] * 2
    assert told[3]["errors"][0]["pointer"] == "/3/id"


def test_an_upstreams_own_type_is_taken_where_the_address_names_ours(
    door: Door, client: httpx.Client
) -> None:
    message = to_binary_event(event(door, "own", type="com.example.invoice"))
    assert post(client, message, "/v1/events/invoice").status_code == 202
    other = to_binary_event(event(door, "own", type="sales.order.v1"))
    assert post(client, other, "/v1/events/invoice").status_code == 422


@pytest.mark.parametrize(
    ("header", "value"),
    [("ce-specversion", "0.1"), ("ce-id", ""), ("ce-source", ""), ("ce-time", "noon")],
)
def test_an_event_that_breaks_the_specification_is_refused(
    door: Door, client: httpx.Client, header: str, value: str
) -> None:
    message = to_binary_event(event(door, "broken"))
    answer = post(client, HTTPMessage({**message.headers, header: value}, message.body))
    assert answer.status_code == 422
    assert answer.json()["type"] == "urn:headrace:problem:not_a_cloudevent"


def test_the_field_of_a_wrong_document_is_pointed_at_within_the_event(
    door: Door, client: httpx.Client
) -> None:
    one = structured(event(door, "pointed"))
    one["data"]["invoiced_on"] = "2026-02-30"
    headers = {"content-type": "application/cloudevents+json"}
    answer = client.post("/v1/events", content=json.dumps(one).encode(), headers=headers)
    assert answer.json()["errors"][0]["pointer"] == "/data/invoiced_on"
