"""Paged JSON APIs are read whole and once, whatever happens in them meanwhile."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.errors import SourceError
from connectors.mapping import MappingError
from connectors.mapping.rest_reads import Api, RestRead
from connectors.portions import Portion
from connectors.rest.reached import Reached
from connectors.rest.source import RestReader
from hub.source_settings import RestSource
from tests.connectors.rest_server import (
    Records,
    cuts,
    refuses,
    says,
    sleeps,
)
from tests.connectors.sources import mapping

FRAPPE = "{api: frappe, resource: Customer, page: 4, overlap: PT2S}"
ODOO = "{api: odoo, resource: res.partner, page: 4, overlap: PT2S}"
ODATA = (
    "{api: odata, resource: odata/Customers, key: id, changed: modified, page: 4, overlap: PT2S}"
)
TRACKED = "{api: odata, resource: odata/Customers, key: id, track_changes: true, page: 4}"
JSON = (
    "{{api: json, resource: {path}, key: id, records: /data/items, changed: updated_at, page: 4,"
    " overlap: PT2S, since: {{parameter: since}}, paging: {paging}}}"
)
LISTS = {
    "offset": JSON.format(path="list", paging="{by: offset, parameter: offset, size: size}"),
    "page": JSON.format(path="list", paging="{by: page, parameter: page, size: size}"),
    "cursor": JSON.format(path="list", paging="{by: cursor, parameter: cursor, next: /next}"),
    "next": JSON.format(path="list", paging="{by: next, next: /links/next}"),
    "link": JSON.format(path="list/link", paging="{by: link}"),
}
EVERY = {"frappe": FRAPPE, "odoo": ODOO, "odata": ODATA, **LISTS}
#: Those that no change can shift, and those that notice it.
STEADY = ("frappe", "odoo", "odata", "offset", "page")
KEYS = {"frappe": "name", "odoo": "id", "odata": "id"}


def reader(url: str, read: str, **settings: Any) -> RestReader:
    made = mapping(
        f"""
streams: {{customer: {{read: {read}, key: id}}}}
events:
- {{emit: customer, from: customer, key: id, fields: {{name: name}}}}
"""
    )
    headers = {"Authorization": "Bearer secret"}
    defaults = {"requests_per_second": 1000, "headers": headers, "timeout_seconds": 2}
    source = RestSource(
        name="sample", kind="rest", url=url, mapping="unused", **{**defaults, **settings}
    )
    return RestReader(source, made)


def taken(portions: Iterator[Portion], states: dict[str, Any]) -> list[tuple[str, str]]:
    """The records of a pass as (key, name); ``states`` moves on."""
    found = []
    for portion in portions:
        found += [(str(number), row["name"]) for number, row in portion.rows]
        if portion.state is not None:
            states[portion.origin.name] = portion.state
    return found


def fill(records: Records, api: str, count: int, second: int | None = None) -> None:
    """Records with equal and different times."""
    for number in range(count):
        at = f"2026-03-01 10:{(number // 3) % 60 if second is None else second:02}:00.{number:06}"
        put(records, api, number, at, f"n{number}")


def put(records: Records, api: str, number: int, at: str, name: str) -> None:
    key: Any = f"C-{number:04}" if api == "frappe" else number
    moment = at if api in ("frappe", "odoo") else f"{at[:10]}T{at[11:19]}Z"
    fields = {"label": name} if api == "frappe" else {}
    records.put(key, moment, name=name, **fields)


def names(found: list[tuple[str, str]]) -> list[str]:
    return sorted(name for _, name in found)


@pytest.mark.parametrize("api", EVERY)
def test_all_records_are_read_once_and_then_only_those_that_changed(
    records: Records, url: str, api: str
) -> None:
    fill(records, api, 21)
    reading, states = reader(url, EVERY[api]), dict[str, Any]()
    if api == "frappe":
        # A document names itself ``name``; what it is called stands elsewhere.
        for record in records.by_key.values():
            record.pop("name")
    first = [
        str(row.get("label", row["name"]))
        for portion in _moving(reading, states)
        for _, row in portion.rows
    ]
    assert sorted(first) == sorted(f"n{number}" for number in range(21))
    assert [row for portion in _moving(reading, states) for row in portion.rows] == []
    put(records, api, 3, "2026-03-01 10:50:00.5", "new")
    put(records, api, 40, "2026-03-01 10:50:00.4", "newer")
    later = [str(key) for portion in _moving(reading, states) for key, _ in portion.rows]
    assert len(later) == 2


def _moving(reading: RestReader, states: dict[str, Any]) -> Iterator[Portion]:
    for portion in reading.portions(states, final=True):
        yield portion
        if portion.state is not None:
            states[portion.origin.name] = portion.state


@pytest.mark.parametrize("api", ["odoo", "odata"])
def test_more_records_of_one_second_than_a_page_are_all_read(
    records: Records, url: str, api: str
) -> None:
    fill(records, api, 30, second=7)
    put(records, api, 99, "2026-03-01 10:08:00.1", "after")
    found = taken(reader(url, EVERY[api]).portions({}, final=True), {})
    assert names(found) == sorted([*(f"n{number}" for number in range(30)), "after"])


@pytest.mark.parametrize("api", STEADY)
def test_record_that_changes_while_pages_are_read_makes_no_other_slip_through(
    records: Records, url: str, api: str
) -> None:
    fill(records, api, 20)
    left = [1, 5, 9]

    def work() -> None:
        # One that was read already moves behind all others, and those behind it move up.
        if left and len(records.requests) > 1:
            put(records, api, left.pop(0), f"2026-03-01 11:0{len(left)}:00.0", "changed")

    records.meanwhile = work
    found = [
        str(key)
        for portion in reader(url, EVERY[api]).portions({}, final=True)
        for key, _ in portion.rows
    ]
    assert len(set(found)) == 20


@pytest.mark.parametrize("api", ["frappe", "odoo", "odata", "cursor"])
def test_record_committed_late_is_found_within_the_overlap(
    records: Records, url: str, api: str
) -> None:
    put(records, api, 1, "2026-03-01 10:00:05.0", "one")
    reading, states = reader(url, EVERY[api]), dict[str, Any]()
    assert len(taken(reading.portions(states, final=True), states)) == 1
    put(records, api, 2, "2026-03-01 10:00:04.0", "late")
    assert [key[-1] for key, _ in taken(reading.portions(states, final=True), states)] == ["2"]


def test_erpnext_document_has_its_child_tables_and_one_deleted_meanwhile_is_passed_over(
    records: Records, url: str
) -> None:
    records.put("INV-1", "2026-03-01 10:00:00.1", items=[{"qty": 2.50}])
    records.put("INV-2", "2026-03-01 10:00:01.1", items=[])
    records.faults = [lambda _: False, lambda _: bool(records.by_key.pop("INV-2")) and False]
    (portion,) = reader(url, FRAPPE).portions({}, final=True)
    assert [(number, row["items"]) for number, row in portion.rows] == [("INV-1", [{"qty": "2.5"}])]


def test_odoo_says_false_for_nothing_and_numbers_with_names_for_references(
    records: Records, url: str
) -> None:
    fields = {"name": "A", "ref": False, "active": False, "country_id": [49, "Germany"]}
    records.put(7, "2026-03-01 10:00:00.123456", **fields)
    (portion,) = reader(url, ODOO).portions({}, final=True)
    ((_, row),) = portion.rows
    assert row["ref"] is None and row["active"] is False
    assert row["country_id"] == {"id": 49, "name": "Germany"}


def test_tracked_entity_set_tells_of_deletions_and_is_read_anew_when_its_link_has_expired(
    records: Records, url: str
) -> None:
    fill(records, "odata", 3)
    reading, states = reader(url, TRACKED), dict[str, Any]()
    assert len(taken(reading.portions(states, final=True), states)) == 3
    records.remove(1)
    put(records, "odata", 2, "2026-03-02 10:00:00", "again")
    (portion,) = reading.portions(states, final=True)
    assert list(portion.gone) == ["1"]
    assert [number for number, _ in portion.rows] == ["2"]
    records.first_change = 100
    assert len(taken(reading.portions(states, final=True), states)) == 2


@pytest.mark.parametrize(
    "fault",
    [refuses(429, Retry_After="0"), refuses(503), refuses(500), cuts, sleeps(2.5)],
    ids=["429", "503", "500", "cut", "slow"],
)
def test_passing_fault_is_tried_again(records: Records, url: str, fault: Any) -> None:
    fill(records, "odoo", 6)
    records.faults = [fault, lambda _: False, fault]
    assert len(taken(reader(url, ODOO).portions({}, final=True), {})) == 6


def test_api_that_asks_for_a_long_pause_is_left_alone(records: Records, url: str) -> None:
    records.faults = [refuses(429, Retry_After="3600")]
    reading = reader(url, ODOO)
    with pytest.raises(SourceError, match="429"):
        list(reading.portions({}, final=True))
    with pytest.raises(SourceError, match="left alone for"):
        list(reading.portions({}, final=True))
    assert len(records.requests) == 1


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (refuses(401), "credentials in 'headers'"),
        (refuses(403), "may not read that"),
        (refuses(404), "'url' and the stream's 'resource'"),
        (refuses(417), "look at the stream's 'read'"),
        (says(b"<html>Log in</html>"), "is it the API's address"),
        (says(b"[" * 50_000), "no JSON"),
        (says(b'{"data": NaN}', "application/json"), "NaN is no number"),
        (says(b"{}", "application/json"), "no Odoo answers so"),
    ],
)
def test_lasting_fault_says_what_to_do(records: Records, url: str, fault: Any, said: str) -> None:
    records.faults = [fault]
    with pytest.raises(SourceError, match=said) as caught:
        list(reader(url, ODOO).portions({}, final=True))
    assert "secret" not in str(caught.value)
    assert len(records.requests) == 1


def test_answer_larger_than_the_limit_is_refused(
    records: Records, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.rest.client._LARGEST_REPLY", 1000)
    records.faults = [says(b'{"data": "' + b"x" * 5000 + b'"}', "application/json")]
    with pytest.raises(SourceError, match="ask for fewer records"):
        list(reader(url, FRAPPE).portions({}, final=True))


def test_requests_keep_the_rate(records: Records, url: str) -> None:
    fill(records, "odoo", 10)
    began = time.monotonic()
    taken(reader(url, ODOO, requests_per_second=10).portions({}, final=True), {})
    assert len(records.requests) >= 4
    assert time.monotonic() - began >= (len(records.requests) - 1) / 10


def test_list_whose_pages_never_stand_still_is_refused(records: Records, url: str) -> None:
    fill(records, "offset", 20)
    records.meanwhile = lambda: put(
        records, "offset", len(records.requests) % 20, "2026-03-02 10:00:00", "moved"
    )
    with pytest.raises(SourceError, match="its pages shifted"):
        list(reader(url, LISTS["page"]).portions({}, final=True))


@pytest.mark.parametrize("api", EVERY)
@pytest.mark.parametrize("said", ["0000-00-00 00:00:00", "2026-03-01 10:00:99"])
def test_record_whose_change_time_is_none_is_broken_and_the_others_are_read(
    records: Records, url: str, api: str, said: str
) -> None:
    fill(records, api, 9)
    put(records, api, 3, said, "bad")
    portions = list(reader(url, EVERY[api]).portions({}, final=True))
    assert len({str(key) for portion in portions for key, _ in portion.rows}) == 8
    (code,) = {(one.code, one.raw) for portion in portions for one in portion.broken}
    assert code[0] == "bad_change_time" and b'"bad"' in code[1]


@pytest.mark.parametrize("changed", ["modified", None])
def test_cursor_costs_no_more_for_each_page_the_further_it_is(changed: str | None) -> None:
    read = RestRead(Api.ODATA, "x", "id", changed, timedelta(seconds=5), 100)
    reached, begin = Reached(read), datetime(2026, 3, 1, tzinfo=UTC)
    for page in range(1_000):
        at = (begin + timedelta(seconds=page)).isoformat()
        rows = [{"id": page * 100 + number, "modified": at} for number in range(100)]
        assert reached.fresh(rows) == rows
        assert reached.fresh(rows) == []
        reached.settle()
        if changed is not None:
            assert len(reached.known) <= 12_000
    known = [key for key, _, _ in reached.as_state()["known"]]
    ours = range(99_400 if changed else 95_000, 100_000)
    assert known == [str(number) for number in ours]


@pytest.mark.parametrize("count", [2, 9, 10, 11])
@pytest.mark.parametrize("by", ["page", "offset"])
@pytest.mark.parametrize("ends_with_404", [False, True])
def test_server_that_hands_out_fewer_records_than_were_asked_for_is_read_whole(
    records: Records, url: str, by: str, count: int, ends_with_404: bool
) -> None:
    records.most, records.ends_with_404 = 3, ends_with_404
    fill(records, by, count)
    reading, states = reader(url, LISTS[by]), dict[str, Any]()
    found = taken(reading.portions(states, final=True), states)
    assert names(found) == sorted(f"n{number}" for number in range(count))
    assert taken(reading.portions(states, final=True), states) == []


@pytest.mark.parametrize(
    ("read", "said"),
    [
        ("{api: soap, resource: x}", "allowed: frappe, odoo, odata, json"),
        ("{api: frappe}", "needs the key 'resource'"),
        ("{api: odata, resource: x}", "needs the key 'key'"),
        ("{api: frappe, resource: x, page: 0}", "allowed: 2 to"),
        ("{api: json, resource: x, key: id, paging: {by: cursor}}", "needs the key 'parameter'"),
        ("{api: json, resource: x, key: id, since: {parameter: a}}", "needs 'changed'"),
        ("{api: frappe, resource: x, overlap: soon}", "such as PT5M"),
    ],
)
def test_wrong_declaration_is_named(read: str, said: str) -> None:
    with pytest.raises(MappingError, match=said):
        reader("http://127.0.0.1", read)


def test_stream_without_read_is_named_before_anything_is_asked() -> None:
    made = mapping(
        "streams: {customer: {key: id}}\n"
        "events: [{emit: customer, from: customer, key: id, fields: {name: name}}]\n"
    )
    source = RestSource(name="a", kind="rest", url="http://127.0.0.1", mapping="unused")
    with pytest.raises(SourceError, match="does not say what to ask"):
        RestReader(source, made).check()
