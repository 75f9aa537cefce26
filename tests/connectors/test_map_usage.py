"""A dry run names what the mapping leaves over: source fields, contract fields, wrong names."""

from __future__ import annotations

from typing import Any

from connectors.dry_run import DryRun, dry_run_of, held_against_contracts
from connectors.mapping.loading import compile_mapping
from connectors.mapping.model import SourceMapping
from connectors.mapping.usage import Unset, never_set
from connectors.mapping.yaml_text import Written, compose
from connectors.portions import Origin, Portion

TEXT = """\
defaults: {currency: EUR}
streams:
  head: {from: heads, key: no}
  item: {from: items, key: [no, pos]}
events:
- emit: order
  from: head
  key: no
  fields:
    customer: {reference: customer}
    ordered_on: {date: day}
    status: {case: [{if: {equals: [kind, X]}, then: closed}], else: open}
    contract_reviewed: reviwed
    salesperson: {case: [{if: {equals: [kind, X]}, then: {reference: seller}}]}
  lines:
    join: {item: {no: no}}
    fields:
      {number: pos, product: {reference: /part/no}, quantity: qty, net_amount: net, wanted_on: by}
"""


def ran(
    head: list[dict[str, Any]], item: list[dict[str, Any]]
) -> tuple[Written, SourceMapping, DryRun]:
    written = compose(TEXT, "erp.yaml")
    mapping = compile_mapping(written, "erp")
    portions = [
        Portion(Origin(name, mapping.streams[name]), list(enumerate(rows, 1)))
        for name, rows in (("head", head), ("item", item))
    ]
    return written, mapping, held_against_contracts(dry_run_of(mapping, portions))


HEAD = {
    "no": "1",
    "customer": "C",
    "day": "2026-01-31",
    "kind": "A",
    "seller": "S",
    "memo": "hello",
}
ITEM = {
    "no": "1",
    "pos": "10",
    "part": {"no": "P", "colour": "red"},
    "qty": "2",
    "net": "5",
    "extra": "",
    "by": "",
}


def test_source_fields_that_nothing_names_are_told_with_an_example() -> None:
    written, _, run = ran([HEAD, HEAD | {"no": "2", "memo": ""}], [ITEM])
    unused = {(one.stream, one.name): one for one in run.usage.never_used(written.document())}
    assert set(unused) == {("head", "memo"), ("item", "/part/colour"), ("item", "extra")}
    assert unused["head", "memo"].filled == 1
    assert unused["head", "memo"].example == "hello"
    assert unused["item", "extra"].example is None


def test_a_field_in_a_branch_that_no_record_took_counts_as_used() -> None:
    written, _, run = ran([HEAD], [ITEM])
    assert "seller" not in {one.name for one in run.usage.never_used(written.document())}


def test_a_name_that_no_record_has_is_told() -> None:
    _, _, run = ran([HEAD], [ITEM])
    assert run.usage.never_found() == [("head", "reviwed")]


def test_contract_fields_that_stay_empty_are_told_mapped_or_not() -> None:
    _, mapping, run = ran([HEAD], [ITEM])
    unset = never_set(mapping, run.drafts)["order"]
    assert Unset("contract_reviewed", True) in unset
    assert Unset("lines.wanted_on", True) in unset
    assert Unset("opportunity", False) in unset
    names = {one.name for one in unset}
    assert not names & {"customer", "lines", "lines.product", "version", "id", "currency"}


def test_a_document_that_breaks_its_contract_is_a_rejection_and_no_event() -> None:
    _, _, run = ran([HEAD], [ITEM, ITEM | {"pos": "20", "net": "x"}])
    assert [one.code for one in run.rejections] == ["not_a_number"]
    _, _, run = ran([HEAD | {"day": ""}], [ITEM])
    assert run.drafts == []
    assert [one.code for one in run.rejections] == ["not_the_contract"]


def test_field_that_fills_a_name_counts_as_used() -> None:
    text = """\
streams: {person: {from: people, key: no}}
events:
- {emit: employee, from: person, key: no, fields: {name: {concat: [/full/first, /full/last]}}}
"""
    written = compose(text, "crm.yaml")
    mapping = compile_mapping(written, "crm")
    row = {"no": "1", "full": {"first": "Ada", "last": "Lovelace", "title": "Countess"}}
    run = dry_run_of(mapping, [Portion(Origin("people", mapping.streams["person"]), [(1, row)])])
    assert [one.name for one in run.usage.never_used(written.document())] == ["/full/title"]


def test_record_that_makes_no_document_lacks_nothing() -> None:
    text = """\
streams: {bill: {from: bills, key: no}, party: {from: parties, key: no}}
events:
- emit: shipment
  from: bill
  key: no
  when: {equals: [kind, out]}
  lookup: {buyer: {in: party, by: party, missing: hold}}
  fields: {customer: {reference: $buyer.no}, status: {const: planned}}
"""
    mapping = compile_mapping(compose(text, "erp.yaml"), "erp")
    rows = [{"no": "1", "kind": "in", "party": "9"}, {"no": "2", "kind": "out", "party": "9"}]
    portion = Portion(Origin("bills", mapping.streams["bill"]), list(enumerate(rows, 1)))
    run = dry_run_of(mapping, [portion])
    assert [(one.code, one.place) for one in run.rejections] == [("missing_part", "bills:2")]
