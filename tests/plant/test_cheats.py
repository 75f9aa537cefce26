"""Nothing of a plant's truth can be read off its exports by a simple trick."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import combinations

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

CUSTOMERS, MONTHS, SEED = 200, 24, 21
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
    folder = tmp_path_factory.mktemp("cheats")
    plant = make_plant(folder / "plant", customers=CUSTOMERS, months=MONTHS, seed=SEED)
    owner = {
        f"{member['source']}|{member['id']}": row["key"]
        for row in plant.truth("customers")
        for member in row["members"]
    }
    return Read(plant, read_exports(plant), owner)


@pytest.mark.parametrize("trick", TRICKS.values(), ids=list(TRICKS))
def test_a_trick_links_less_than_half_of_the_customers(trick: Trick, read: Read) -> None:
    seen = seen_in(read.documents["customer"])
    assert set(seen) >= {"erp", "crm", "calls", "service"}
    assert_weak(trick, seen, read.owner)


@pytest.mark.parametrize("trick", TRICKS.values(), ids=list(TRICKS))
def test_a_trick_links_less_than_half_of_the_new_customers(trick: Trick, read: Read) -> None:
    """Those that came later, one by one, are the ones whose order and dates could tell."""
    seen = seen_in(read.documents["customer"])
    new = {source: [one for one in ones if one.first_on > OPENED] for source, ones in seen.items()}
    links = linked(trick, new, read.owner)
    assert sum(true for _, true in links.values()) > 20
    assert sum(found for found, _ in links.values()) < HALF * sum(t for _, t in links.values())


def assert_weak(trick: Trick, seen: Mapping[str, list[Seen]], owner: Mapping[str, int]) -> None:
    links = linked(trick, seen, owner)
    for systems, (found, true) in links.items():
        assert true > 20, systems
        assert found < HALF * true, f"{found} of {true} customers of {' and '.join(systems)}"


def linked(
    trick: Trick, seen: Mapping[str, list[Seen]], owner: Mapping[str, int]
) -> dict[tuple[str, str], tuple[int, int]]:
    """Return by two systems how many true pairs of records the trick finds, and of how many."""
    links = {}
    for one, other in combinations(sorted(seen), 2):
        true = {
            (left.key, right.key)
            for left in seen[one]
            for right in seen[other]
            if left.key in owner and owner[left.key] == owner.get(right.key)
        }
        links[one, other] = (len(trick(seen[one], seen[other]) & true), len(true))
    return links


def test_the_tricks_find_everything_where_it_can_be_found(read: Read) -> None:
    seen = seen_in(read.documents["customer"])["erp"]
    for trick in ("same order", "same digits", "same dates", "order of numbers"):
        found = TRICKS[trick](seen, seen)
        assert sum(left == right for left, right in found) > 0.9 * len(seen), trick
    assert len(TRICKS["same first word"](seen, seen)) > 0.9 * len(seen)


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
