"""One record whose list becomes a document for each of its entries."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from connectors.dry_run import DryRun, dry_run
from connectors.mapping import MappingError
from tests.connectors.sources import SampleSource, mapping

STATEMENT = """
streams:
  entry: {from: entries*.jsonl, key: AcctSvcrRef, changed: at, version: precise}
  account: {from: accounts*.jsonl, key: iban}
events:
- emit: payment
  from: entry
  each: /NtryDtls/TxDtls
  key: [$parent.AcctSvcrRef, /Refs/EndToEndId]
  when: {equals: [$parent.Sts, BOOK]}
  fields:
    customer: {reference: /RltdPties/Dbtr/Nm}
    kind: {map: {CRDT: receipt, DBIT: refund}, of: $parent.CdtDbtInd, otherwise: reject}
    amount: {decimal: Amt}
    currency: {coalesce: [/Amt/@Ccy, {const: EUR}]}
    received_on: {date: $parent.BookgDt}
  allocations:
    each: /RmtInf/Strd
    fields:
      invoice: {reference: /CdtrRefInf/Ref}
      amount: {check: Amt, equals: $parent.Amt}
      allocated_on: {date: $parent.$parent.BookgDt}
"""


def transaction(no: str, amount: str, **more: Any) -> dict[str, Any]:
    return {
        "Refs": {"EndToEndId": no},
        "Amt": {"@Ccy": "CHF", "#text": amount},
        "RltdPties": {"Dbtr": {"Nm": f"C{no}"}},
        **more,
    }


def entry(transactions: Any, **more: Any) -> dict[str, Any]:
    return {
        "AcctSvcrRef": "A",
        "at": "2026-02-03T10:00:00Z",
        "Sts": "BOOK",
        "CdtDbtInd": "CRDT",
        "BookgDt": "2026-02-03",
        "NtryDtls": {"TxDtls": transactions},
        **more,
    }


def run_over(folder: Path, *records: dict[str, Any], text: str = STATEMENT) -> DryRun:
    lines = b"\n".join(orjson.dumps(record) for record in records)
    (folder / "entries.jsonl").write_bytes(lines + b"\n")
    return dry_run(mapping(text), str(folder))


def test_each_entry_is_a_document_that_sees_its_record(tmp_path: Path) -> None:
    run = run_over(tmp_path, entry([transaction("1", "10.50"), transaction("2", "5")]))
    assert run.rejections == []
    assert [draft.id for draft in run.drafts] == ["A|1", "A|2"]
    assert [str(draft.body["amount"]) for draft in run.drafts] == ["10.50", "5"]
    assert {draft.body["currency"] for draft in run.drafts} == {"CHF"}
    assert {str(draft.body["received_on"]) for draft in run.drafts} == {"2026-02-03"}
    assert {(draft.precise, draft.step) for draft in run.drafts} == {(True, 0)}


@pytest.mark.parametrize(
    "details",
    [
        {"TxDtls": transaction("1", "10")},
        {"TxDtls": [transaction("1", "10")]},
        [{"TxDtls": [transaction("1", "10")]}, {"TxDtls": []}],
    ],
)
def test_single_element_is_a_list_of_one(tmp_path: Path, details: Any) -> None:
    run = run_over(tmp_path, entry([], NtryDtls=details))
    assert [draft.id for draft in run.drafts] == ["A|1"]


def test_record_without_entries_makes_no_document(tmp_path: Path) -> None:
    run = run_over(tmp_path, entry(None), entry([]), entry([], NtryDtls=None))
    assert (run.drafts, run.rejections) == ([], [])


def test_list_within_an_entry_is_the_list_of_its_document(tmp_path: Path) -> None:
    paid = {"RmtInf": {"Strd": {"CdtrRefInf": {"Ref": "R1"}, "Amt": "10"}}}
    run = run_over(tmp_path, entry(transaction("1", "10", **paid)))
    ((allocation,),) = [draft.body["allocations"] for draft in run.drafts]
    assert allocation["invoice"]["id"] == "R1"
    assert str(allocation["allocated_on"]) == "2026-02-03"


def test_entry_that_is_refused_leaves_the_others_and_the_whole_record_for_a_replay(
    tmp_path: Path,
) -> None:
    record = entry([transaction("1", "ten"), transaction("2", "5")])
    run = run_over(tmp_path, record)
    assert [draft.id for draft in run.drafts] == ["A|2"]
    (refused,) = run.rejections
    assert refused.code == "not_a_number"
    assert refused.row == record


def test_sum_of_the_entries_is_held_against_their_record(tmp_path: Path) -> None:
    checked = STATEMENT.replace(
        "    received_on:",
        "    reference: {text: {check: $parent.Amt, tolerance: 0.01, reason: total,"
        " equals: {sum: Amt, over: $parent./NtryDtls/TxDtls}}}\n    received_on:",
    )
    several = [transaction("1", "10.50"), transaction("2", "5")]
    assert run_over(tmp_path, entry(several, Amt="15.50"), text=checked).rejections == []
    refused = run_over(tmp_path, entry(several, Amt="16"), text=checked).rejections
    assert [one.code for one in refused] == ["check", "check"]
    assert "total: 16 and 15.50 differ by 0.50" in refused[0].reason


def test_list_of_single_values_is_taken_apart_where_it_is_asked_for(tmp_path: Path) -> None:
    text = """
streams:
  change: {from: entries*.jsonl, key: no}
events:
- emit: opportunity
  from: change
  each: {values: /header/ids}
  key: value
  fields: {stage: $parent.stage}
"""
    record = {"no": 1, "stage": "won", "header": {"ids": ["a", "b"]}}
    run = run_over(tmp_path, record, text=text)
    assert [(draft.id, draft.body["stage"]) for draft in run.drafts] == [("a", "won"), ("b", "won")]


def test_entries_see_what_was_joined_to_their_record(database_url: str, tmp_path: Path) -> None:
    joined = STATEMENT.replace(
        "  when:", "  lookup: {account: {in: account, by: Iban, missing: hold}}\n  when:"
    ).replace("customer: {reference: /RltdPties/Dbtr/Nm}", "customer: {reference: $account.owner}")
    source = SampleSource(database_url, tmp_path, mapping(joined))
    record = entry([transaction("1", "10"), transaction("2", "5")], Iban="X")
    source.write("entries.jsonl", orjson.dumps(record).decode() + "\n")
    assert source.run(bounded=False).waiting == 1
    source.write("accounts.jsonl", '{"iban": "X", "owner": "C9"}\n')
    source.run(bounded=False)
    standing = source.standing()
    assert sorted(key for _, key in standing) == ["A|1", "A|2"]
    assert {document["customer"]["id"] for document in standing.values()} == {"C9"}
    assert source.run(bounded=False).published == 0


def test_join_of_a_list_stands_without_each() -> None:
    text = STATEMENT.replace("    each: /RmtInf/Strd\n", "    join: {account: {iban: Iban}}\n")
    with pytest.raises(MappingError, match="'each' stands without the 'join' of 'allocations'"):
        mapping(text)


STEPS = """
streams:
  message: {from: entries*.jsonl, key: id}
events:
- emit: opportunity
  from: message
  each: [/accounts, /entries]
  key: [$parent.no, {position: 1}]
  fields:
    stage: {const: won}
    title: {concat: [$parent.$parent.id, {values: /texts}, note], sep: " "}
    team: {text: {position: 0}}
"""


def test_lists_within_the_objects_of_a_list_are_reached_in_steps(tmp_path: Path) -> None:
    record = {
        "id": "M",
        "accounts": [
            {"no": "1", "entries": [{"texts": ["a", "b"], "note": "c"}, {"texts": None}]},
            {"no": "2"},
            {"no": "3", "entries": {"texts": "d"}},
        ],
    }
    run = run_over(tmp_path, record, text=STEPS)
    assert run.rejections == []
    assert [(draft.id, draft.body["title"], draft.body["team"]) for draft in run.drafts] == [
        ("1|1", "M a b c", "0"),
        ("1|2", "M", "1"),
        ("3|1", "M d", "0"),
    ]


def test_list_that_is_none_is_refused_at_its_step(tmp_path: Path) -> None:
    run = run_over(tmp_path, {"id": "M", "accounts": [{"no": "1", "entries": "x"}]}, text=STEPS)
    assert [one.code for one in run.rejections] == ["not_a_list"]


def test_position_counts_from_one_or_zero() -> None:
    with pytest.raises(MappingError, match="the first has the position 1 or 0, found 2"):
        mapping(STEPS.replace("{position: 1}", "{position: 2}"))


def test_record_has_no_position() -> None:
    text = STEPS.replace("  each: [/accounts, /entries]\n", "").replace("$parent.no", "id")
    text = text.replace("$parent.$parent.id", "id")
    with pytest.raises(MappingError, match=r"only an object of a list \('each'\) has a position"):
        mapping(text)
