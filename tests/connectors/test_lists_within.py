"""A list that stands within a record becomes the list of its document, with no join."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from connectors.dry_run import DryRun, dry_run, dry_run_of
from connectors.mapping import MappingError, parse_mapping
from connectors.portions import Origin, Portion
from tests.connectors.sources import mapping

MAPPING = """
streams:
  opportunity: {from: opportunities.jsonl, key: id, version: precise, changed: at}
events:
- emit: opportunity
  from: opportunity
  key: id
  fields: {stage: {const: identify}}
  lines:
    each: /lines/records
    when: {not_empty: no}
    fields: {number: {text: no}, quantity: count, wanted_on: $parent.wanted}
"""


def mapped(tmp_path: Path, record: str) -> DryRun:
    (tmp_path / "opportunities.jsonl").write_text(record + "\n", encoding="utf-8")
    mapping = parse_mapping(MAPPING, "crm", zone=ZoneInfo("UTC"))
    return dry_run(mapping, str(tmp_path))


def test_each_object_within_the_record_is_a_line(tmp_path: Path) -> None:
    run = mapped(
        tmp_path,
        '{"id": "o", "at": "2026-01-02T03:04:05Z", "wanted": "2026-02-01",'
        ' "lines": {"records": [{"no": 1, "count": 2}, {"no": 2}, {"count": 9}]}}',
    )
    (draft,) = run.drafts
    assert draft.precise
    lines = draft.body["lines"]
    assert [line["number"] for line in lines] == ["1", "2"]
    assert str(lines[0]["quantity"]) == "2"
    assert {str(line["wanted_on"]) for line in lines} == {"2026-02-01"}


@pytest.mark.parametrize("lines", ["null", '{"records": null}', "{}", '{"records": []}'])
def test_a_record_without_the_list_has_no_lines(tmp_path: Path, lines: str) -> None:
    run = mapped(tmp_path, f'{{"id": "o", "at": "2026-01-02T03:04:05Z", "lines": {lines}}}')
    assert run.drafts[0].body["lines"] == []


@pytest.mark.parametrize("lines", ['{"records": "none"}', '{"records": [1]}', '{"records": 3}'])
def test_a_list_that_holds_no_objects_is_refused(tmp_path: Path, lines: str) -> None:
    run = mapped(tmp_path, f'{{"id": "o", "at": "2026-01-02T03:04:05Z", "lines": {lines}}}')
    assert [one.code for one in run.rejections] == ["not_a_list"]


def test_a_list_stands_within_or_is_joined_and_not_both() -> None:
    both = MAPPING.replace("    when:", "    join: {opportunity: {id: id}}\n    when:")
    with pytest.raises(MappingError, match=r"events\[0\].lines: 'each' stands without 'join'"):
        parse_mapping(both, "crm")


def test_a_single_object_is_a_list_of_one(tmp_path: Path) -> None:
    run = mapped(
        tmp_path,
        '{"id": "o", "at": "2026-01-02T03:04:05Z", "lines": {"records": {"no": 1, "count": 2}}}',
    )
    assert [line["number"] for line in run.drafts[0].body["lines"]] == ["1"]


def test_list_hangs_on_a_lookup_of_its_document() -> None:
    text = """
streams:
  bill: {from: bills, key: no}
  item: {from: items, key: id}
  plan: {from: plans, key: [item, due]}
events:
- emit: invoice
  from: bill
  key: no
  lookup: {open: {in: item, on: {bill: no}}}
  fields: {customer: {reference: no}, kind: {const: invoice}, invoiced_on: day, net: net,
           gross: net, currency: {const: EUR}, status: {const: posted}}
  instalments:
    join: {plan: {item: id}, from: $open}
    order_by: due
    fields: {number: part, due_on: due, amount: amount}
"""
    loaded = mapping(text)
    rows = {
        "bill": [{"no": "1", "day": "2026-01-31", "net": "5"}],
        "item": [{"id": "7", "bill": "1"}],
        "plan": [
            {"item": "7", "part": "2", "due": "2026-03-31", "amount": "3"},
            {"item": "7", "part": "1", "due": "2026-02-28", "amount": "2"},
            {"item": "8", "part": "1", "due": "2026-02-28", "amount": "9"},
        ],
    }
    run = dry_run_of(
        loaded,
        [
            Portion(Origin(name, loaded.streams[name]), list(enumerate(several, 1)))
            for name, several in rows.items()
        ],
    )
    (invoice,) = run.drafts
    assert [part["number"] for part in invoice.body["instalments"]] == [1, 2]
    with pytest.raises(MappingError, match="no lookup 'item'"):
        mapping(text.replace("from: $open", "from: $item"))
