"""A dry run over several full exports shows what the hub would make of them, deletions too."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

from connectors.dry_run import DryRun, dry_run, held_against_contracts
from tests.connectors.sources import ORDER_EVENTS, mapping

CUSTOMERS = """
streams:
  customer: {from: "customers*", key: no, snapshot: full}
events:
- emit: customer
  from: customer
  key: no
  fields: {name: name}
"""
ORDERS = (
    'streams:\n  order: {from: "orders*", key: no, snapshot: full}\n'
    '  line: {from: "lines*", key: [no, item], snapshot: full}\n' + ORDER_EVENTS
)
HEAD = "no,customer,day\n"
LINES = "no,item,product,quantity,net\n"


def run(folder: Path, text: str, **files: str) -> DryRun:
    for name, content in files.items():
        (folder / f"{name}.csv").write_text(content)
    return held_against_contracts(dry_run(mapping(text), str(folder)))


def deleted(found: DryRun, document: str) -> dict[object, object]:
    return {body["id"]: body.get("deleted", False) for body in found.bodies(document)}


def test_record_that_a_later_export_lacks_is_shown_as_deleted(tmp_path: Path) -> None:
    first = "no,name\n1,Ada\n2,Ben\n3,Cy\n"
    found = run(tmp_path, CUSTOMERS, customers_20260101=first, customers_20260102=first[:-5])
    assert deleted(found, "customer") == {"1": False, "2": False, "3": True}
    assert found.rejections == []


def test_record_that_comes_back_is_not_deleted(tmp_path: Path) -> None:
    first = "no,name\n1,Ada\n2,Ben\n"
    found = run(
        tmp_path,
        CUSTOMERS,
        customers_20260101=first,
        customers_20260102="no,name\n1,Ada\n",
        customers_20260103=first,
    )
    assert deleted(found, "customer") == {"1": False, "2": False}


def test_line_that_a_later_export_lacks_leaves_its_document(tmp_path: Path) -> None:
    found = run(
        tmp_path,
        ORDERS,
        orders_20260101=HEAD + "1,K1,2026-01-02\n2,K1,2026-01-02\n",
        orders_20260102=HEAD + "1,K1,2026-01-02\n",
        lines_20260101=LINES + "1,1,P1,1,10\n1,2,P2,1,20\n2,1,P1,1,10\n",
        lines_20260102=LINES + "1,1,P1,1,10\n2,1,P1,1,10\n",
    )
    assert deleted(found, "order") == {"1": False, "2": True}
    (lines,) = [body["lines"] for body in found.bodies("order") if body["id"] == "1"]
    assert [one["number"] for one in cast("list[dict[str, Any]]", lines)] == ["1"]


def test_export_that_the_hub_would_not_believe_is_said_and_deletes_nothing(tmp_path: Path) -> None:
    first = "no,name\n1,Ada\n2,Ben\n3,Cy\n"
    found = run(
        tmp_path, CUSTOMERS, customers_20260101=first, customers_20260102="no,name\n1,Ada\n"
    )
    assert deleted(found, "customer") == {"1": False, "2": False, "3": False}
    ((code, place, reason),) = [(one.code, one.place, one.reason) for one in found.rejections]
    assert (code, place) == ("not_whole", "customers_20260102.csv")
    assert "2 of 3 rows are gone at once, more than 50%" in reason
