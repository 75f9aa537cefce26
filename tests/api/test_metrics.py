"""What the door has counted is read over HTTP as Prometheus reads it."""

from __future__ import annotations

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.api.doors import Door

pytestmark = pytest.mark.stack

PATH = "/v1/events/invoice"
JSON = {"content-type": "application/json"}


def counts(client: httpx.Client) -> dict[tuple[str, frozenset[str]], float]:
    """The value of each sample by its name and the values of its labels."""
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    return {
        (sample.name, frozenset(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_requests_and_events_are_counted_by_how_they_ended(
    door: Door, client: httpx.Client
) -> None:
    before = counts(client)
    batch = [door.invoice("M1"), door.invoice("M2"), door.invoice("M3", gross="much")]
    mixed = client.post(PATH, json=batch)
    assert client.post(PATH, content=b"{", headers=JSON).status_code == 400
    after = counts(client)
    moved = {key: value - before.get(key, 0) for key, value in after.items()}

    events = {
        labels: value
        for (name, labels), value in moved.items()
        if name == "headrace_http_events_total" and value
    }
    # What cannot be read has no type.
    assert events == {
        frozenset({"invoice", "accepted"}): 2,
        frozenset({"unread", "rejected"}): 1,
    }
    requests = {
        labels: value
        for (name, labels), value in moved.items()
        if name == "headrace_http_requests_total" and value and "/metrics" not in labels
    }
    assert sum(requests.values()) == 2
    statuses = {next(iter(labels & {str(mixed.status_code), "400"})) for labels in requests}
    assert statuses == {str(mixed.status_code), "400"}
    seconds = [
        value
        for (name, _), value in moved.items()
        if name == "headrace_http_request_seconds_count" and value
    ]
    # The two, and the first look at the counts.
    assert sum(seconds) == 3
