"""A list that stands within a record becomes the list of its document, with no join."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from connectors.dry_run import DryRun, dry_run
from connectors.mapping import MappingError, parse_mapping

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


@pytest.mark.parametrize("lines", ['{"records": "none"}', '{"records": [1]}', '{"records": {}}'])
def test_a_list_that_holds_no_objects_is_refused(tmp_path: Path, lines: str) -> None:
    run = mapped(tmp_path, f'{{"id": "o", "at": "2026-01-02T03:04:05Z", "lines": {lines}}}')
    assert [one.code for one in run.rejections] == ["not_a_list"]


def test_a_list_stands_within_or_is_joined_and_not_both() -> None:
    both = MAPPING.replace("    when:", "    join: {opportunity: {id: id}}\n    when:")
    with pytest.raises(MappingError, match=r"events\[0\].lines: 'each' stands without 'join'"):
        parse_mapping(both, "crm")
