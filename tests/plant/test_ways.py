"""Exports delivered in another way hold the same records, and a wrong dead letter is named."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Hashable
from pathlib import Path

import pytest

from tests.oracle.answers import Json
from tests.plant.plants import Plant, make_plant
from tests.plant.rejects import MISSING_PART, expected_rejects, reject_differences
from tests.plant.ways import AGAIN, bring, deliver_twice, hold_back, shuffle_lines
from tests.plant.written import records_of, units_of

Contents = dict[str, dict[Hashable, list[bytes]]]


@pytest.fixture
def plant(tmp_path: Path) -> Plant:
    return make_plant(tmp_path / "plant", customers=20, months=2, seed=4)


def contents_of(plant: Plant) -> Contents:
    """Return by file and key what its records hold, in their order."""
    found: Contents = {}
    for unit in units_of(plant):
        by_key: dict[Hashable, list[bytes]] = defaultdict(list)
        for record in records_of(unit)[1]:
            # A line that is no record is known by its number, which changes.
            key = record.content if isinstance(record.key, int) else record.key
            by_key[key].append(record.content)
        found[f"{unit.path.parent.name}/{unit.path.name}"] = by_key
    return found


def test_all_bytes_of_a_file_belong_to_its_head_or_a_record(plant: Plant) -> None:
    units = list(units_of(plant))
    assert len(units) > 30
    for unit in units:
        head, records = records_of(unit)
        assert head + b"".join(record.content for record in records) == unit.path.read_bytes()


def test_shuffled_files_have_the_same_records_in_another_order(plant: Plant) -> None:
    before = contents_of(plant)
    bytes_before = {unit.path: unit.path.read_bytes() for unit in units_of(plant)}
    number = shuffle_lines(plant, random.Random(1))
    assert contents_of(plant) == before
    assert number == sum(len(ones) for file in before.values() for ones in file.values())
    changed = [path for path, content in bytes_before.items() if path.read_bytes() != content]
    assert len(changed) > len(bytes_before) / 2


def test_every_file_is_delivered_twice(plant: Plant) -> None:
    number = deliver_twice(plant)
    files = Counter(unit.name.removeprefix(f"{AGAIN}/") for unit in units_of(plant))
    assert set(files.values()) == {2}
    assert len(files) == number


def test_what_was_held_back_is_brought(plant: Plant) -> None:
    before = contents_of(plant)
    held = hold_back(plant, random.Random(1), 0.3)
    assert 0 < len(held) < len(before)
    assert len(contents_of(plant)) == len(before) - len(held)
    bring(held)
    assert contents_of(plant) == before


def test_a_dead_letter_too_few_or_too_many_is_named(plant: Plant) -> None:
    expected = expected_rejects(plant)
    assert expected
    letters: list[Json] = [
        {"stage": f"connector:{row['source']}", "code": row["code"], "place": _place(row)}
        for row in plant.truth("rejects")
    ]
    assert reject_differences(plant, letters, expected) == []
    (lost,) = reject_differences(plant, letters[1:], expected)
    assert lost.startswith(f"not among the dead letters: {letters[0]['code']} of ")
    other = {**letters[0], "code": MISSING_PART, "place": letters[0]["place"][:-1] + "1"}
    (found,) = reject_differences(plant, [*letters, other], expected)
    assert found.startswith("not expected among the dead letters: missing_part of ")
    assert reject_differences(plant, [*letters, other], expected, delayed=True) == []


def _place(row: Json) -> str:
    return f"{row['file']}:{row['line']}"
