"""Records of one key become one document, which is closed by a record or after a time."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors import assembly
from connectors.dry_run import dry_run
from connectors.mapping import MappingError
from connectors.mapping.values import from_micros
from hub.clock import utc_now
from schemas.codec import Document
from tests.connectors.sources import SampleSource, contents, mapping

CALLS = """
streams:
  log:
    from: queue*.csv
    key: [at, callid, queue, agent, event]
    changed: {datetime: at, unit: s}
    version: precise
events:
- emit: call
  from: log
  group:
    by: [callid, queue]
    order_by: [at, event]
    where: {not: {in: [callid, [NONE, REALTIME]]}}
    until: {in: [event, [COMPLETEAGENT, COMPLETECALLER, ABANDON, EXITWITHTIMEOUT]]}
    timeout: PT4H
  key: [callid, queue]
  when: {any: {equals: [event, ENTERQUEUE]}, over: $group}
  fields:
    caller: {first: data2, over: $group, where: {equals: [event, ENTERQUEUE]}}
    queue: queue
    agent: {last: agent, over: $group, where: {equals: [event, CONNECT]}}
    started_at: {datetime: {min: {decimal: at}, over: $group}, unit: s}
    talked_s:
      first: {integer: data2}
      over: $group
      where: {in: [event, [COMPLETEAGENT, COMPLETECALLER]]}
    abandoned: {any: {in: [event, [ABANDON, EXITWITHTIMEOUT]]}, over: $group}
"""
HEAD = "at,callid,queue,agent,event,data1,data2\n"
LINES = [
    "1769904000,c1,sales,NONE,ENTERQUEUE,,0301\n",
    "1769904009,c1,sales,Ann,CONNECT,9,\n",
    "1769904069,c1,sales,Ann,COMPLETECALLER,9,60\n",
]


@pytest.fixture
def calls(database_url: str, tmp_path: Path) -> SampleSource:
    return SampleSource(database_url, tmp_path, mapping(CALLS))


def only(source: SampleSource) -> Document:
    ((_, document),) = source.standing().items()
    return document


def test_call_is_published_once_a_record_closes_it(calls: SampleSource) -> None:
    calls.write("queue.csv", HEAD + "".join(LINES[:2]))
    report = calls.run(bounded=False)
    assert (report.published, report.waiting) == (0, 1)
    calls.append("queue.csv", LINES[2])
    report = calls.run(bounded=False)
    assert (report.published, report.waiting) == (1, 0)
    call = only(calls)
    assert call["id"] == "c1|sales"
    assert call["caller"] == "0301"
    assert call["agent"] == "Ann"
    assert call["talked_s"] == 60
    assert call["abandoned"] is False
    assert call["started_at"] == from_micros(1769904000_000000)
    assert call["version"] == 1769904069_000000, "that of its newest record"


def test_record_that_comes_later_publishes_a_new_version(calls: SampleSource) -> None:
    calls.write("queue.csv", HEAD + "".join(LINES))
    calls.run(bounded=False)
    first = only(calls)
    calls.append("queue.csv", "1769904050,c1,sales,Bob,CONNECT,50,\n")
    assert calls.run(bounded=False).published == 1
    assert only(calls)["agent"] == "Bob"
    assert only(calls)["version"] > first["version"]
    assert calls.run(bounded=False).published == 0


def test_open_call_is_published_at_the_end_of_a_bounded_read(calls: SampleSource) -> None:
    calls.write("queue.csv", HEAD + "".join(LINES[:2]))
    assert calls.run().published == 1
    assert only(calls).get("talked_s") is None
    calls.append("queue.csv", LINES[2])
    assert calls.run().published == 1
    assert only(calls)["talked_s"] == 60


def test_open_call_is_published_after_its_timeout(
    calls: SampleSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls.write("queue.csv", HEAD + LINES[0])
    assert calls.run(bounded=False).waiting == 1
    monkeypatch.setattr(assembly, "utc_now", lambda: utc_now() + timedelta(hours=3))
    assert calls.run(bounded=False).waiting == 1
    monkeypatch.setattr(assembly, "utc_now", lambda: utc_now() + timedelta(hours=5))
    report = calls.run(bounded=False)
    assert (report.published, report.waiting, report.rejected) == (1, 0, 0)


def test_records_of_no_group_and_groups_of_no_call_make_no_document(calls: SampleSource) -> None:
    lines = ["1769904000,NONE,sales,NONE,PAUSE,,\n", "1769904001,c2,sales,Ann,COMPLETEAGENT,,5\n"]
    calls.write("queue.csv", HEAD + "".join(lines))
    report = calls.run()
    assert (report.published, report.rejected, report.waiting) == (0, 0, 0)


def test_record_that_cannot_be_read_refuses_its_call_alone(calls: SampleSource) -> None:
    broken = "1769904069,c2,sales,Ann,COMPLETECALLER,9,soon\n"
    entered = LINES[0].replace("c1", "c2")
    calls.write("queue.csv", HEAD + "".join(LINES) + entered + broken)
    report = calls.run()
    assert (report.published, report.rejected) == (1, 1)
    assert only(calls)["id"] == "c1|sales"


def test_test_that_cannot_be_answered_refuses_the_document_and_not_the_pass(
    database_url: str, tmp_path: Path
) -> None:
    text = CALLS.replace("until: {in: [event,", "until: {or: [{greater: [data1, 99]}, {in: [event,")
    text = text.replace("EXITWITHTIMEOUT]]}\n    timeout", "EXITWITHTIMEOUT]]}]}\n    timeout")
    source = SampleSource(database_url, tmp_path, mapping(text))
    bad = LINES[1].replace("c1", "c2").replace(",9,", ",nine,")
    source.write("queue.csv", HEAD + "".join(LINES) + LINES[0].replace("c1", "c2") + bad)
    report = source.run(bounded=False)
    assert (report.published, report.rejected) == (1, 1)


def test_dry_run_makes_the_same_documents(calls: SampleSource) -> None:
    other = [line.replace("c1", "c2") for line in LINES]
    calls.write("queue.csv", HEAD + "".join(LINES + other[:2]))
    calls.run()
    made = {draft.id: draft.body for draft in dry_run(calls.mapping, str(calls.folder)).drafts}
    published = contents(calls.standing())
    assert sorted(made) == sorted(key for _, key in published) == ["c1|sales", "c2|sales"]
    for (_, key), document in published.items():
        assert made[key]["started_at"] == document["started_at"]
        assert made[key].get("talked_s") == document.get("talked_s")


@given(order=st.permutations(range(6)), cuts=st.lists(st.integers(1, 5), max_size=3))
@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_order_and_portions_of_arrival_do_not_matter(
    database_url: str, tmp_path_factory: pytest.TempPathFactory, order: list[int], cuts: list[int]
) -> None:
    # The examples share a database: each has calls of its own.
    one, other = f"{order}{cuts}1".replace(",", ";"), f"{order}{cuts}2".replace(",", ";")
    lines = [line.replace("c1", call) for call in (one, other) for line in LINES]
    source = SampleSource(database_url, tmp_path_factory.mktemp("calls"), mapping(CALLS))
    source.write("queue.csv", HEAD)
    begin = 0
    for end in [*sorted(set(cuts)), 6]:
        source.append("queue.csv", "".join(lines[at] for at in order[begin:end]))
        source.run(bounded=False)
        begin = end
    found = source.standing().values()
    assert {(each["id"], each["talked_s"], each["caller"]) for each in found} == {
        (f"{one}|sales", 60, "0301"),
        (f"{other}|sales", 60, "0301"),
    }


ORDERS = """
streams:
  row: {from: rows*.csv, key: [no, line], changed: at, version: date}
events:
- emit: order
  from: row
  group: {by: no, order_by: line, snapshot: true}
  key: no
  fields:
    customer: {reference: customer}
    ordered_on: {date: day}
    currency: {const: CNY}
    status: {const: open}
  lines:
    each: $group
    fields: {number: line, product: {reference: product}, quantity: qty, net_amount: qty}
"""
ROWS = "no,line,customer,day,product,qty,at\n"


def rows(*lines: str) -> str:
    return ROWS + "".join(f"{line}\n" for line in lines)


def test_rows_with_a_repeated_head_become_one_order_with_lines(
    database_url: str, tmp_path: Path
) -> None:
    source = SampleSource(database_url, tmp_path, mapping(ORDERS))
    day = "C,2026-02-01"
    source.write(
        "rows1.csv",
        rows(
            f"7,10,{day},P,1,2026-02-01", f"7,2,{day},Q,2,2026-02-01", f"8,1,{day},P,3,2026-02-01"
        ),
    )
    assert source.run(bounded=False).published == 2
    orders = {key: document for (_, key), document in source.standing().items()}
    assert [line["number"] for line in orders["7"]["lines"]] == ["2", "10"]
    source.write("rows2.csv", rows(f"7,10,{day},P,5,2026-02-02"))
    source.run(bounded=False)
    orders = {key: document for (_, key), document in source.standing().items()}
    assert [line["quantity"] for line in orders["7"]["lines"]] == [5], "line 2 was dropped"


@pytest.mark.parametrize(
    ("node", "message"),
    [
        ("{by: no}", "events[0].group: needs the key 'order_by'"),
        ("{by: no, order_by: line, timeout: soon}", "events[0].group.timeout: expected a period"),
        ("{by: no, order_by: line, snapshot: x}", "events[0].group.snapshot: allowed: true, false"),
        ("{by: no, order_by: line, till: x}", "events[0].group: unknown key 'till'"),
    ],
)
def test_group_that_means_nothing_is_an_error_at_its_place(node: str, message: str) -> None:
    text = ORDERS.replace("{by: no, order_by: line, snapshot: true}", node)
    with pytest.raises(MappingError) as error:
        mapping(text)
    assert message in str(error.value)
