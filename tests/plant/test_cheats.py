"""Nothing of a plant's truth can be read off its exports by a simple trick."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import combinations
from pathlib import Path

import pytest

from tests.plant.cheats import TRICKS, Seen, Trick, seen_in
from tests.plant.exported import Exported, read_exports
from tests.plant.guesses import (
    CLUES,
    Late,
    late_invoices,
    share_guessed,
    share_of_demand_met,
    share_of_losses_dated,
)
from tests.plant.plants import Plant, make_plant

CUSTOMERS, MONTHS, SEED, ANOTHER_SEED = 200, 24, 21, 5
HALF = 0.5
#: The first month brings what the systems held on the first morning.
OPENED = date(2024, 1, 31)


@dataclass(frozen=True)
class Read:
    """A plant, and what its exports say."""

    plant: Plant
    documents: Mapping[str, list[Exported]]
    owner: Mapping[str, int]
    """By a record's key the customer that it really is."""


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> Read:
    return read_plant(tmp_path_factory.mktemp("cheats"), SEED)


@pytest.fixture(scope="module")
def another(tmp_path_factory: pytest.TempPathFactory) -> Read:
    return read_plant(tmp_path_factory.mktemp("cheats"), ANOTHER_SEED)


def read_plant(folder: Path, seed: int) -> Read:
    plant = make_plant(folder / "plant", customers=CUSTOMERS, months=MONTHS, seed=seed)
    owner = {
        f"{member['source']}|{member['id']}": row["key"]
        for row in plant.truth("customers")
        for member in row["members"]
    }
    return Read(plant, read_exports(plant), owner)


@pytest.mark.parametrize("trick", TRICKS.values(), ids=list(TRICKS))
def test_a_trick_links_less_than_half_of_the_customers(
    trick: Trick, read: Read, another: Read
) -> None:
    for plant in (read, another):
        seen = seen_in(plant.documents["customer"])
        assert set(seen) >= {"erp", "crm", "calls", "service"}
        assert_weak(trick, seen, plant.owner)


@pytest.mark.parametrize("trick", TRICKS.values(), ids=list(TRICKS))
def test_a_trick_links_less_than_half_of_the_new_customers(
    trick: Trick, read: Read, another: Read
) -> None:
    """Those that came later, one by one, are the ones whose order and dates could tell."""
    for plant in (read, another):
        seen = seen_in(plant.documents["customer"])
        new = {source: [one for one in ones if is_new(one)] for source, ones in seen.items()}
        assert_weak_in_all(linked(trick, new, plant.owner))


@pytest.mark.parametrize("trick", TRICKS.values(), ids=list(TRICKS))
def test_a_trick_links_less_than_half_of_the_new_records_with_an_older_one(
    trick: Trick, read: Read, another: Read
) -> None:
    """A system that had the customer already must not show on which day another one got it."""
    for plant in (read, another):
        seen = seen_in(plant.documents["customer"])
        links = linked(trick, seen, plant.owner, lambda one, other: is_new(one) != is_new(other))
        assert_weak_in_all(links)


def is_new(one: Seen) -> bool:
    return one.first_on > OPENED


def assert_weak_in_all(links: Mapping[tuple[str, str], tuple[int, int]]) -> None:
    found, true = (sum(counts) for counts in zip(*links.values(), strict=True))
    assert true > 20
    assert found < HALF * true, f"{found} of {true}"


def assert_weak(trick: Trick, seen: Mapping[str, list[Seen]], owner: Mapping[str, int]) -> None:
    links = linked(trick, seen, owner)
    for systems, (found, true) in links.items():
        assert true > 20, systems
        assert found < HALF * true, f"{found} of {true} customers of {' and '.join(systems)}"


def linked(
    trick: Trick,
    seen: Mapping[str, list[Seen]],
    owner: Mapping[str, int],
    counts: Callable[[Seen, Seen], bool] = lambda one, other: True,
) -> dict[tuple[str, str], tuple[int, int]]:
    """Return by two systems how many true pairs of records the trick finds, and of how many.

    `counts` says which pairs are asked for.
    """
    links = {}
    for one, other in combinations(sorted(seen), 2):
        true = {
            (left.key, right.key)
            for left in seen[one]
            for right in seen[other]
            if left.key in owner and owner[left.key] == owner.get(right.key) and counts(left, right)
        }
        links[one, other] = (len(trick(seen[one], seen[other]) & true), len(true))
    return links


def test_the_tricks_find_everything_where_it_can_be_found(read: Read) -> None:
    seen = seen_in(read.documents["customer"])["erp"]
    for trick in ("same order", "same digits", "same dates", "order of numbers"):
        found = TRICKS[trick](seen, seen)
        assert sum(left == right for left, right in found) > 0.9 * len(seen), trick
    assert len(TRICKS["same first word"](seen, seen)) > 0.9 * len(seen)
    for trick, telling in (
        ("same street", [one for one in seen if one.streets]),
        ("same street, however written", [one for one in seen if one.houses]),
        ("same postcode and house number", [one for one in seen if one.sites]),
        ("same credit limit", [one for one in seen if "limit" in one.credit]),
        ("same credit", [one for one in seen if len(one.credit) == 4]),
    ):
        assert len(telling) > 20, trick
        keys, found = {one.key for one in telling}, TRICKS[trick](seen, seen)
        right = sum(left == right for left, right in found if left in keys)
        assert right > 0.7 * len(telling), f"{trick}: {right} of {len(telling)}"


def test_records_that_were_changed_on_the_same_dates_are_found(read: Read) -> None:
    seen = [
        replace(one, changed_on=days, altered_on=days)
        for one in seen_in(read.documents["customer"])["erp"]
        for days in [frozenset(OPENED + timedelta(days=one.place * step) for step in (0, 1, 3))]
    ]
    for trick in (
        "common dates",
        "common rare dates",
        "common dates of alterations",
        "alterations within six weeks",
    ):
        found = TRICKS[trick](seen, seen)
        assert sum(left == right for left, right in found) > 0.9 * len(seen), trick


def test_a_record_that_was_changed_when_another_appeared_is_found(read: Read) -> None:
    new = [one for one in seen_in(read.documents["customer"])["calls"] if is_new(one)]
    older = [replace(one, first_on=OPENED, changed_on=one.changed_on | {OPENED}) for one in new]
    found = TRICKS["changed when the other appeared"](new, older)
    assert len(new) > 20
    assert sum(left == right for left, right in found) > 0.7 * len(new)


@pytest.mark.parametrize("clue", CLUES.values(), ids=list(CLUES))
def test_a_guess_by_one_clue_finds_less_than_half_of_the_causes(
    clue: Callable[[Late], Hashable], read: Read
) -> None:
    lates = late_invoices(read.plant.truth("late_invoices"), read.documents["invoice"])
    assert len(lates) > 300
    causes = Counter(row["cause"] for row, _ in lates)
    assert len(causes) == 6
    assert share_guessed(lates, clue) < HALF, causes


@pytest.mark.parametrize("days", [0, 14, 30, 60, 90, 120, 180, 270, 365])
def test_a_customer_is_not_lost_a_fixed_time_after_its_last_order(days: int, read: Read) -> None:
    lost = {
        f"erp|{member['id']}": date.fromisoformat(row["lost_on"])
        for row in read.plant.truth("customers")
        if row["lost_on"]
        for member in row["members"]
        if member["source"] == "erp"
    }
    assert len(lost) > 10
    found = share_of_losses_dated(lost, read.documents["order"], timedelta(days=days))
    assert found < HALF


def test_what_was_ordered_in_a_month_is_not_what_was_wanted_for_it(read: Read) -> None:
    wanted = {
        (row["id"], row["month"]): Decimal(row["quantity"]) for row in read.plant.truth("demand")
    }
    assert len(wanted) > 500
    assert share_of_demand_met(wanted, read.documents["order"]) < HALF
