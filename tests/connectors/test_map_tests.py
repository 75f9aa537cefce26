"""Mappings hold their own tests; those of the shipped profiles pass, and wrong ones are told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from connectors.drafting.csv_profiles import csv_profile, profile_name
from connectors.dry_run import dry_run
from connectors.mapping import MappingError
from connectors.mapping.contract import document_types
from connectors.mapping.loading import PROFILES, open_mapping, shipped
from connectors.mapping.testing import load_tests, run_tests
from ops.cli import app
from tests.connectors.sources import FIXTURES, profile

#: Profiles of systems, and not of our own CSV.
OF_SYSTEMS = [name for name in shipped() if not name.startswith("csv_")]

MAPPING = """\
defaults: {currency: EUR}
streams:
  paid: {key: no}
events:
- emit: payment
  from: paid
  key: no
  fields:
    customer: {reference: customer}
    kind: {map: {Z: receipt}, of: kind, otherwise: reject}
    amount: {decimal: amount}
    received_on: {date: day}
tests:
"""
ROW = "{no: '1', customer: C-1, kind: Z, amount: 10.50, day: 2026-01-31}"


def differences(folder: Path, test: str) -> list[str]:
    (folder / "m.yaml").write_text(MAPPING + test)
    (result,) = run_tests(open_mapping(str(folder / "m.yaml")))
    return list(result.differences)


@pytest.mark.parametrize("name", shipped())
def test_the_tests_in_a_shipped_profile_pass(name: str) -> None:
    results = run_tests(open_mapping(name))
    assert results, "a shipped profile has tests"
    assert [one for one in results if one.differences] == []


@pytest.mark.parametrize("name", shipped())
def test_the_command_runs_the_tests_of_a_shipped_profile(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    app(["map", name, "--test"], prog_name="headrace", standalone_mode=False)
    told = capsys.readouterr().out.splitlines()
    assert told[-1] == f"{len(told) - 1} tests, 0 failed."
    assert all(line.startswith("passed  ") for line in told[:-1]) and len(told) > 1


@pytest.mark.parametrize("name", OF_SYSTEMS)
def test_a_profile_of_a_system_has_fixtures_and_makes_there_or_in_its_tests_all_that_it_can(
    name: str,
) -> None:
    mapping = profile(name)
    of_fixtures = dry_run(mapping, str(FIXTURES / {"sap_s4_o2c": "s4"}.get(name, name))).drafts
    assert of_fixtures
    tests = load_tests(open_mapping(name), mapping)
    made = {draft.document for draft in of_fixtures}
    made |= {expected.document for test in tests for expected in test.expected}
    assert made == {event.document for event in mapping.events}


@pytest.mark.parametrize("name", sorted({*shipped()} - {"northwind", "sap_s4_o2c"}))
def test_the_first_line_of_a_profile_says_that_no_sample_of_a_site_tested_it(name: str) -> None:
    first, _, _ = (PROFILES / f"{name}.yaml").read_text(encoding="utf-8").partition("\n")
    assert first.endswith(" Not tested on a site's sample.")


@pytest.mark.parametrize("document", document_types())
def test_the_csv_profile_of_a_type_follows_its_contract(document: str) -> None:
    text = (PROFILES / f"{profile_name(document)}.yaml").read_text(encoding="utf-8")
    assert text == csv_profile(document), "run python -m connectors.drafting.csv_profiles"


def test_only_the_fields_that_a_test_names_are_compared(tmp_path: Path) -> None:
    test = f"- records: {{paid: [{ROW}]}}\n  expect: [{{emit: payment, id: '1', fields: FIELDS}}]\n"
    good = "{customer: C-1, amount: 10.5, received_on: 2026-01-31, reference: null}"
    assert differences(tmp_path, test.replace("FIELDS", good)) == []
    assert differences(tmp_path, test.replace("FIELDS", "{}")) == []
    bad = "{customer: {source: crm, id: C-1}, amount: 10.51, reference: x}"
    assert differences(tmp_path, test.replace("FIELDS", bad)) == [
        'payment 1: customer: expected {"source": "crm", "id": "C-1"},'
        ' got {"source": "test", "id": "C-1"}',
        'payment 1: amount: expected "10.51", got "10.5"',
        'payment 1: reference: expected "x", got nothing',
    ]


def test_what_was_not_expected_and_what_did_not_come_is_told(tmp_path: Path) -> None:
    test = f"- records: {{paid: [{ROW}]}}\n  expect: [{{emit: payment, id: '2'}}]\n"
    assert differences(tmp_path, test) == [
        "payment 2: expected, not made",
        "payment 1: made, not expected",
    ]


def test_rejections_are_expected_by_their_codes(tmp_path: Path) -> None:
    test = f"- records: {{paid: [{ROW.replace('kind: Z', 'kind: Q')}]}}\n  rejects: [CODE]\n"
    assert differences(tmp_path, test.replace("CODE", "unknown_value")) == []
    missing, other = differences(tmp_path, test.replace("CODE", "no_key"))
    assert missing == "rejection no_key: expected, did not happen"
    assert other.startswith("rejection unknown_value at paid:1: kind: 'Q' is none of")


def test_the_contract_is_kept_as_when_publishing(tmp_path: Path) -> None:
    test = f"- records: {{paid: [{ROW.replace('10.50', '10.505')}]}}\n  rejects: [digits]\n"
    assert differences(tmp_path, test) == []


def test_records_and_events_may_stand_in_files(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("no,customer,kind,amount,day\n7,C,Z,1.5,2026-01-31\n")
    expected = [{"emit": "payment", "id": "7", "fields": {"amount": 1.5}}]
    (tmp_path / "events.json").write_text(json.dumps(expected))
    assert differences(tmp_path, "- {given: rows.csv, expect: events.json}\n") == []


@pytest.mark.parametrize(
    ("test", "path"),
    [
        ("- {records: {paid: []}}", "tests[0]"),
        ("- {expect: []}", "tests[0]"),
        ("- {records: {piad: []}, expect: []}", "tests[0].records"),
        ("- {records: {paid: x}, expect: []}", "tests[0].records.paid"),
        ("- {records: {paid: []}, expect: [{emit: order, id: 1}]}", "tests[0].expect[0].emit"),
        (
            "- {records: {paid: []}, expect: [{emit: payment, id: 1, fields: {amuont: 1}}]}",
            "tests[0].expect[0].fields",
        ),
        ("- {records: {paid: []}, expect: none.json}", "tests[0].expect"),
    ],
)
def test_a_test_that_is_not_valid_is_told_with_its_line(
    tmp_path: Path, test: str, path: str
) -> None:
    (tmp_path / "m.yaml").write_text(MAPPING + test)
    with pytest.raises(MappingError) as error:
        run_tests(open_mapping(str(tmp_path / "m.yaml")))
    (problem,) = error.value.problems
    assert problem.path == path
    assert problem.spot is not None
    assert problem.spot.line == 14
