"""The Salesforce profiles on invented query replies, exports and change events in their formats."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from connectors.dry_run import DryRun, dry_run
from tests.connectors.sources import FIXTURES, SampleSource, contents, copied, profile

FIRST = "006Hs00001AbCd1IAV"


def opportunities(run: DryRun) -> dict[str, dict[str, Any]]:
    return {draft.id[12:15]: draft.body for draft in run.drafts}


@pytest.fixture(scope="module")
def replies() -> DryRun:
    return dry_run(profile("salesforce"), str(FIXTURES / "salesforce"))


@pytest.fixture(scope="module")
def changes() -> DryRun:
    return dry_run(profile("salesforce_cdc"), str(FIXTURES / "salesforce_cdc"))


def test_pages_of_a_query_become_opportunities(replies: DryRun) -> None:
    found = opportunities(replies)
    assert {
        key: (body["stage"], body.get("outcome"), body.get("closed_on"), body["deleted"])
        for key, body in found.items()
    } == {
        "Cd1": ("propose", None, None, False),
        "Cd2": ("won", "won", date(2026, 3, 31), False),
        "Cd3": ("lost", "lost", date(2026, 3, 31), False),
        "Cd4": ("identify", None, None, True),
    }
    assert found["Cd1"]["probability"] == Decimal("0.75")
    assert "amount" not in found["Cd3"]


def test_version_is_the_systems_change_and_not_the_last_users(replies: DryRun) -> None:
    first = next(draft for draft in replies.drafts if draft.id == FIRST)
    assert first.body["recorded_at"] == datetime(2026, 2, 2, 3, 10, 5, tzinfo=UTC)
    assert first.precise


def test_lines_of_the_subquery_are_the_lines(replies: DryRun) -> None:
    lines = opportunities(replies)["Cd1"]["lines"]
    assert [(line["quantity"], line["net_amount"], line.get("wanted_on")) for line in lines] == [
        (Decimal("2.0"), Decimal("200000.5"), date(2026, 6, 15)),
        (Decimal("10.0"), Decimal("50000.0"), None),
    ]


def test_unknown_stage_and_cut_subquery_are_refused(replies: DryRun) -> None:
    assert [(one.code, one.row["Id"][12:15]) for one in replies.rejections] == [
        ("unknown_value", "Cd5"),
        ("lines_incomplete", "Cd6"),
    ]


def test_export_joins_its_lines_and_leaves_out_deleted_ones() -> None:
    run = dry_run(profile("salesforce_csv"), str(FIXTURES / "salesforce_csv"))
    assert run.rejections == []
    found = opportunities(run)
    assert [line["number"][-6:-3] for line in found["Cd1"]["lines"]] == ["BB1", "BB2"]
    assert (found["Cd1"]["title"], found["Cd2"]["deleted"]) == ("Presses, line 4", True)


def test_change_events_are_laid_over_each_other(changes: DryRun) -> None:
    found = opportunities(changes)
    assert {
        key: (body["title"], body["stage"], body.get("amount"), body["deleted"])
        for key, body in found.items()
    } == {
        # The second and third update of one transaction have one time.
        "Cd1": ("Mill 2", "propose", None, False),
        "Cd2": ("Press", "qualify", Decimal("7000.0"), True),
        "Cd3": ("Crane", "identify", Decimal("9000.0"), False),
    }
    # One line was changed after it was created, the other one deleted.
    assert [(line["number"][-6:-3], line["quantity"]) for line in found["Cd1"]["lines"]] == [
        ("BB1", Decimal("3.0"))
    ]


def test_lost_changes_and_wildcards_are_told_and_change_nothing(changes: DryRun) -> None:
    assert [(one.code, one.place.rpartition(":")[2]) for one in changes.rejections] == [
        ("gap", "10"),
        ("gap", "11"),
        ("gap", "12"),
    ]
    assert opportunities(changes)["Cd1"]["probability"] == Decimal("0.1"), "006* said 20"


@pytest.mark.stack
@pytest.mark.parametrize("name", ["salesforce", "salesforce_csv", "salesforce_cdc"])
def test_what_comes_again_publishes_nothing(database_url: str, tmp_path: Path, name: str) -> None:
    source = SampleSource(database_url, copied(name, tmp_path), profile(name))
    assert source.run().published
    once = source.standing()
    assert {key for _, key in once} == {draft.id for draft in made_of(source)}
    assert source.run().published == 0
    assert source.standing() == once


def made_of(source: SampleSource) -> list[Any]:
    return dry_run(source.mapping, str(source.folder)).drafts


@pytest.mark.stack
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_change_events_in_any_order_and_portions_end_in_the_same_documents(
    database_url: str, tmp_path: Path, changes: DryRun, seed: int
) -> None:
    chance = random.Random(seed)
    source = SampleSource(database_url, tmp_path, profile("salesforce_cdc"))
    files = sorted((FIXTURES / "salesforce_cdc").iterdir())
    lines = [
        (file.name, line) for file in files for line in file.read_text().splitlines(keepends=True)
    ]
    chance.shuffle(lines)
    for file in files:
        source.write(file.name, "")
    for number, (name, line) in enumerate(lines):
        source.append(name, line)
        if number % 4 == 3:
            source.run(bounded=False)
    source.run()
    expected = {draft.id: draft.body for draft in changes.drafts}
    found = {key: body for (_, key), body in contents(source.standing()).items()}
    for key, body in expected.items():
        for name in ("title", "stage", "deleted", "customer"):
            assert found[key][name] == body[name]
        assert found[key].get("amount") == body.get("amount")
        assert [line["number"] for line in found[key]["lines"]] == [
            line["number"] for line in body["lines"]
        ]
