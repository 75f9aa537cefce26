"""A site's own file extends a profile: it says only what differs."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.dry_run import DryRun, dry_run_of
from connectors.mapping import MappingError, SourceMapping, load_mapping
from connectors.portions import Origin, Portion

BASE = """\
profile: base/1
defaults: {empty: [""], tz: UTC, currency: EUR}
streams:
  bill: {from: bills, key: no}
events:
- emit: invoice
  from: bill
  key: no
  fields:
    customer: {reference: customer}
    kind: {map: {R: invoice, S: cancellation}, of: kind, otherwise: reject}
    invoiced_on: {date: day}
    net: {decimal: net, mark: ","}
    gross: {decimal: gross}
    status: {const: posted}
- emit: customer
  from: bill
  key: customer
  fields: {name: customer}
tests:
- {name: of the base, records: {bill: []}, expect: []}
"""
ROW = {
    "no": "1",
    "customer": "C-1",
    "kind": "R",
    "day": "2026-01-31",
    "net": "10,50",
    "gross": "12.5",
    "total": "13.5",
}


def overlay(folder: Path, text: str, base: str = BASE) -> SourceMapping:
    (folder / "base.yaml").write_text(base)
    (folder / "site.yaml").write_text(f"extends: base.yaml\n{text}")
    return load_mapping(str(folder / "site.yaml"), "erp")


def run(mapping: SourceMapping, **changes: str) -> DryRun:
    stream = mapping.streams["bill"]
    return dry_run_of(mapping, [Portion(Origin("bills", stream), [(1, ROW | changes)])])


def test_an_empty_overlay_is_its_base(tmp_path: Path) -> None:
    (invoice,) = run(overlay(tmp_path, "")).bodies("invoice")
    assert (invoice["currency"], str(invoice["net"])) == ("EUR", "10.50")


def test_keys_are_exchanged_added_and_taken_away(tmp_path: Path) -> None:
    mapping = overlay(
        tmp_path,
        "defaults: {currency: USD, tz: null}\nevents:\n"
        "- emit: invoice\n  fields: {gross: total, company: {const: A}}\n"
        "- {name: customer, emit: null}\n",
    )
    ran = run(mapping)
    (invoice,) = ran.bodies("invoice")
    assert (invoice["currency"], str(invoice["gross"])) == ("USD", "13.5")
    assert invoice["company"] == "A"
    assert [draft.document for draft in ran.drafts] == ["invoice"]
    assert mapping.profile == "base/1"


def test_one_entry_of_a_table_is_changed_and_the_others_stay(tmp_path: Path) -> None:
    table = "{map: {X: invoice, S: null}, of: kind, otherwise: reject}"
    mapping = overlay(tmp_path, f"events:\n- emit: invoice\n  fields: {{kind: {table}}}\n")
    assert run(mapping, kind="X").bodies("invoice")
    assert run(mapping, kind="R").bodies("invoice")
    (refused,) = [one for one in run(mapping, kind="S").rejections if one.document == "invoice"]
    assert refused.code == "unknown_value"


def test_an_expression_with_another_operator_is_exchanged_whole(tmp_path: Path) -> None:
    mapping = overlay(
        tmp_path, "events:\n- emit: invoice\n  fields: {net: {add: [{const: 1}, gross]}}\n"
    )
    (invoice,) = run(mapping).bodies("invoice")
    assert str(invoice["net"]) == "13.5"


def test_an_event_that_the_base_has_not_is_added(tmp_path: Path) -> None:
    mapping = overlay(
        tmp_path, "events:\n- {emit: product, from: bill, key: kind, fields: {name: kind}}\n"
    )
    assert [event.document for event in mapping.events] == ["invoice", "customer", "product"]


def test_the_version_covers_both_files(tmp_path: Path) -> None:
    before = overlay(tmp_path, "")
    changed_base = overlay(tmp_path, "", BASE.replace("tz: UTC", "tz: Asia/Tokyo"))
    changed_site = overlay(tmp_path, "profile: site/1\n")
    assert len({before.digest, changed_base.digest, changed_site.digest}) == 3
    assert changed_site.profile == "site/1"


def test_a_problem_names_the_file_that_it_comes_from(tmp_path: Path) -> None:
    with pytest.raises(MappingError) as error:
        overlay(
            tmp_path,
            "events:\n- emit: invoice\n  fields: {nett: net}\n",
            BASE.replace("{date: day}", "{dat: day}"),
        )
    files = [Path(one.spot.file).name for one in error.value.problems if one.spot is not None]
    assert files == ["base.yaml", "site.yaml"]


def test_an_overlay_may_extend_an_overlay_but_not_itself(tmp_path: Path) -> None:
    overlay(tmp_path, "defaults: {currency: USD}\n")
    (tmp_path / "plant.yaml").write_text("extends: site.yaml\ndefaults: {tz: Asia/Tokyo}\n")
    mapping = load_mapping(str(tmp_path / "plant.yaml"), "erp")
    assert mapping.zone.key == "Asia/Tokyo"
    assert run(mapping).bodies("invoice")[0]["currency"] == "USD"
    (tmp_path / "loop.yaml").write_text("extends: loop.yaml\n")
    with pytest.raises(MappingError, match="extends this file itself"):
        load_mapping(str(tmp_path / "loop.yaml"), "erp")


def test_a_base_that_is_not_there_is_named_with_the_one_that_was_meant(tmp_path: Path) -> None:
    (tmp_path / "site.yaml").write_text("extends: northwnd\n")
    with pytest.raises(MappingError, match=r"site.yaml:1:10: extends.*did you mean 'northwind'"):
        load_mapping(str(tmp_path / "site.yaml"), "erp")


def test_a_shipped_profile_is_extended_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "site.yaml").write_text("extends: sap_s4_o2c\ndefaults: {tz: Europe/Berlin}\n")
    mapping = load_mapping(str(tmp_path / "site.yaml"), "erp")
    assert mapping.zone.key == "Europe/Berlin"
    assert len(mapping.events) == len(load_mapping("sap_s4_o2c", "erp").events)
