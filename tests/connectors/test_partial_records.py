"""Records that hold only changed fields are laid over what is kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.dry_run import dry_run
from connectors.mapping import MappingError
from connectors.mapping.joins import KeptRow
from connectors.mapping.keeping import Kept, Outcome, keep
from tests.connectors.sources import SampleSource, mapping

CHANGES = """
streams:
  change:
    from: changes*.jsonl
    key: value
    changed: {datetime: /ChangeEventHeader/commitTimestamp, unit: ms}
    version: precise
    partial:
      each: {values: /ChangeEventHeader/recordIds}
      nulled: {values: /ChangeEventHeader/nulledFields}
events:
- emit: opportunity
  from: change
  key: value
  fields:
    title: Name
    stage: {map: {Prospecting: identify, Won: won}, of: StageName, otherwise: reject}
    amount: Amount
    deleted: {equals: [/ChangeEventHeader/changeType, DELETE]}
"""


def change(at: int, ids: list[str], kind: str = "UPDATE", **fields: Any) -> str:
    nulled = fields.pop("nulled", [])
    header = {
        "recordIds": ids,
        "changeType": kind,
        "commitTimestamp": 1769904000000 + at,
        "nulledFields": nulled,
    }
    return orjson.dumps({"ChangeEventHeader": header, **fields}).decode() + "\n"


@pytest.fixture
def crm(database_url: str, tmp_path: Path) -> SampleSource:
    return SampleSource(database_url, tmp_path, mapping(CHANGES))


def standing(source: SampleSource) -> dict[str, dict[str, Any]]:
    return {key: document for (_, key), document in source.standing().items()}


def test_changed_fields_are_laid_over_those_that_stand(crm: SampleSource) -> None:
    crm.write(
        "changes.jsonl",
        change(0, ["a"], "CREATE", Name="Mill", StageName="Prospecting", Amount="5")
        + change(1, ["a"], StageName="Won", Amount=None),
    )
    crm.run(bounded=False)
    assert standing(crm)["a"]["title"] == "Mill"
    assert standing(crm)["a"]["stage"] == "won"
    assert standing(crm)["a"]["amount"] == 5, "null means that it has not changed"
    crm.append("changes.jsonl", change(2, ["a"], nulled=["Amount"]))
    crm.run(bounded=False)
    assert standing(crm)["a"].get("amount") is None
    crm.append("changes.jsonl", change(3, ["a"], "DELETE"))
    crm.run(bounded=False)
    assert standing(crm)["a"]["deleted"] is True
    assert standing(crm)["a"]["title"] == "Mill"


def test_one_change_of_several_records_changes_each(crm: SampleSource) -> None:
    crm.write(
        "changes.jsonl",
        change(0, ["a"], Name="Mill", StageName="Prospecting")
        + change(0, ["b"], Name="Press", StageName="Prospecting")
        + change(1, ["a", "b"], StageName="Won"),
    )
    crm.run(bounded=False)
    found = {key: (each["title"], each["stage"]) for key, each in standing(crm).items()}
    assert found == {"a": ("Mill", "won"), "b": ("Press", "won")}
    run = dry_run(crm.mapping, str(crm.folder))
    assert {draft.id: (draft.body["title"], draft.body["stage"]) for draft in run.drafts} == found


def test_change_that_comes_again_publishes_nothing(crm: SampleSource) -> None:
    text = change(0, ["a"], Name="Mill", StageName="Prospecting")
    crm.write("changes1.jsonl", text)
    crm.run(bounded=False)
    crm.write("changes2.jsonl", text)
    report = crm.run(bounded=False)
    assert (report.published, report.repeated) == (0, 1)


def test_change_that_came_before_its_creation_waits_in_the_dead_letters_until_it_is_whole(
    crm: SampleSource,
) -> None:
    crm.write("changes.jsonl", change(5, ["a"], Amount="7"))
    assert crm.run(bounded=False).rejected == 1
    crm.append("changes.jsonl", change(0, ["a"], Name="Mill", StageName="Won", Amount="5"))
    assert crm.run(bounded=False).published == 1
    assert standing(crm)["a"]["amount"] == 7


CONTENT = st.dictionaries(
    st.sampled_from("abc"), st.one_of(st.none(), st.integers(0, 2), st.text(max_size=1)), max_size=3
)
RECORDS = st.lists(st.tuples(st.integers(1, 4), CONTENT), min_size=1, max_size=6)


def merged(records: list[tuple[int, dict[str, Any]]]) -> Kept:
    current: Kept | None = None
    for changed, row in records:
        _, current = keep(current, KeptRow("1", row, "", changed, partial=True), precise=True)
    assert current is not None
    return current


@given(RECORDS, st.randoms())
def test_order_and_repeats_of_partial_records_do_not_matter(
    records: list[tuple[int, dict[str, Any]]], chance: Any
) -> None:
    shuffled = [*records, *chance.sample(records, len(records) // 2)]
    chance.shuffle(shuffled)
    assert merged(shuffled).row.row == merged(records).row.row
    assert merged(shuffled).row.changed == merged(records).row.changed


@given(RECORDS)
def test_newest_content_of_each_field_stands(records: list[tuple[int, dict[str, Any]]]) -> None:
    row = merged(records).row.row
    for name in "abc":
        newest = max((at for at, fields in records if name in fields), default=None)
        if newest is None:
            assert name not in row
        else:
            assert row[name] in [
                fields[name] for at, fields in records if at == newest and name in fields
            ]


def test_newer_record_of_the_same_content_confirms_it() -> None:
    first = merged([(1, {"a": 1})])
    outcome, kept = keep(first, KeptRow("1", {"a": 1}, "", 2, partial=True), precise=True)
    assert outcome == Outcome.CONFIRMED
    assert kept.row.changed == 2


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("version: precise", "version: date", "change.partial: partial records need"),
        ("      each:", "      ids:", "change.partial: expected true, or each, nulled"),
    ],
)
def test_partial_that_means_nothing_is_an_error(old: str, new: str, message: str) -> None:
    with pytest.raises(MappingError) as error:
        mapping(CHANGES.replace(old, new))
    assert message in str(error.value)


LINES = """
streams:
  order: {from: order*.jsonl, key: id}
  line:
    from: line*.jsonl
    key: value
    changed: {datetime: /body/at, unit: ms}
    version: precise
    partial: {each: [/body, {values: /ids}], nulled: {values: /body/nulled}}
events:
- emit: opportunity
  from: order
  key: id
  fields: {stage: {const: won}}
  lines:
    join: {line: {order: id}}
    fields: {number: value, quantity: qty}
"""


def test_fields_one_level_down_are_laid_over_and_a_change_without_the_join_key_stays_joined(
    database_url: str, tmp_path: Path
) -> None:
    source = SampleSource(database_url, tmp_path, mapping(LINES))
    source.write("order.jsonl", '{"id": "o"}\n')
    source.write(
        "line.jsonl",
        '{"body": {"at": 1000, "ids": ["a", "b"], "order": "o", "qty": "1"}}\n'
        '{"body": {"at": 2000, "ids": ["a"], "order": null, "qty": "5"}}\n'
        '{"body": {"at": 3000, "ids": ["b"], "qty": null, "nulled": ["qty"]}}\n',
    )
    (draft,) = dry_run(source.mapping, str(tmp_path)).drafts
    lines = [(line["number"], line.get("quantity")) for line in draft.body["lines"]]
    assert sorted(lines) == [("a", 5), ("b", None)]
    source.run()
    lines = [(line["number"], line.get("quantity")) for line in standing(source)["o"]["lines"]]
    assert sorted(lines) == [("a", 5), ("b", None)]
