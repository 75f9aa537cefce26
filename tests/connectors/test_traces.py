"""A traceparent is what W3C Trace Context says, and a caller's trace is gone on with."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from connectors import passes
from connectors.traces import Trace, new_trace, trace_of
from tests.connectors.sources import SampleSource, mapping

CUSTOMERS = """
streams:
  customer: {from: "customers*.csv", key: no}
events:
- emit: customer
  from: customer
  key: no
  fields: {name: name}
"""
CALLER = "0af7651916cd43dd8448eb211c80319c"


def test_each_span_of_a_trace_has_an_id_of_its_own() -> None:
    trace = new_trace()
    spans = {trace.span().decode() for _ in range(100)}
    assert len(spans) == 100
    assert all(re.fullmatch(rf"00-{trace.id}-[0-9a-f]{{16}}-01", span) for span in spans)
    assert new_trace().id != trace.id


@pytest.mark.parametrize(("given", "flags"), [("01", "01"), ("00", "00"), ("03", "01")])
def test_the_callers_trace_is_gone_on_with_in_a_span_of_ours(given: str, flags: str) -> None:
    trace = trace_of(f" 00-{CALLER}-b7ad6b7169203331-{given} ")
    assert trace == Trace(CALLER, flags)
    assert b"b7ad6b7169203331" not in trace.span()


def test_a_later_version_is_read_as_far_as_it_is_known() -> None:
    assert trace_of(f"cc-{CALLER}-b7ad6b7169203331-01-what-the-future-holds").id == CALLER


@pytest.mark.parametrize(
    "given",
    [
        None,
        "",
        "nonsense",
        f"ff-{CALLER}-b7ad6b7169203331-01",
        f"00-{'0' * 32}-b7ad6b7169203331-01",
        f"00-{CALLER}-{'0' * 16}-01",
        f"00-{CALLER.upper()}-b7ad6b7169203331-01",
        f"00-{CALLER}-b7ad6b7169203331-01-more",
        f"00-{CALLER}-b7ad6b7169203331",
        f"00-{CALLER}-b7ad6b7169203331-01\n00",
    ],
)
def test_what_is_no_traceparent_begins_a_new_trace(given: str | None) -> None:
    trace = trace_of(given)
    assert trace.id != CALLER
    assert re.fullmatch(r"[0-9a-f]{32}", trace.id)


@pytest.mark.stack
def test_a_pass_is_a_trace_and_a_batch_is_a_span(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A file of some bytes is then a batch.
    monkeypatch.setattr(passes, "_TOGETHER_BYTES", 1)
    source = SampleSource(database_url, tmp_path, mapping(CUSTOMERS))
    source.write("customers-1.csv", "no,name\n1,North\n2,South\n")
    source.write("customers-2.csv", "no,name\n3,West\n")
    source.run()
    source.write("customers-3.csv", "no,name\n4,East\n")
    source.run()
    found = {
        dict(record.headers)["ce_subject"].decode(): dict(record.headers)["traceparent"].decode()
        for record in source.log.records
    }
    traces = {number: header.split("-")[1] for number, header in found.items()}
    assert found["1"] == found["2"] != found["3"]
    assert traces["1"] == traces["3"] != traces["4"]
