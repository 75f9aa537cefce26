"""Nothing of a plant's truth can be read off its exports by a simple trick."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import combinations
from pathlib import Path

import pytest

from plant.names.wording import words
from tests.plant.cheats import TRICKS, Seen, Trick, seen_in
from tests.plant.exported import Exported, read_exports
from tests.plant.guesses import (
    CLUES,
    Late,
    late_invoices,
    share_guessed,
    share_of_demand_met,
    share_of_losses_dated,
    shares_guessed,
)
from tests.plant.plants import Plant, make_plant

CUSTOMERS, MONTHS, SEED, ANOTHER_SEED = 200, 24, 21, 5
MORE_SEEDS = (2, 4)
HALF = 0.5
#: Families of machines; all others are of parts.
MACHINES = frozenset(words("products")["machines"])
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
    """Those that came later, one by one, are the ones whose order and dates could tell.

    They are few: those of both plants are counted together.
    """
    found: list[tuple[int, int]] = []
    for plant in (read, another):
        seen = seen_in(plant.documents["customer"])
        new = {source: [one for one in ones if is_new(one)] for source, ones in seen.items()}
        found += linked(trick, new, plant.owner).values()
    assert_weak_in_all(found)


@pytest.mark.parametrize("trick", TRICKS.values(), ids=list(TRICKS))
def test_a_trick_links_less_than_half_of_the_new_records_with_an_older_one(
    trick: Trick, read: Read, another: Read
) -> None:
    """A system that had the customer already must not show on which day another one got it."""
    for plant in (read, another):
        seen = seen_in(plant.documents["customer"])
        links = linked(trick, seen, plant.owner, lambda one, other: is_new(one) != is_new(other))
        assert_weak_in_all(links.values())


def is_new(one: Seen) -> bool:
    return one.first_on > OPENED


def assert_weak_in_all(links: Iterable[tuple[int, int]]) -> None:
    found, true = (sum(counts) for counts in zip(*links, strict=True))
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


@pytest.fixture(scope="module")
def late_by_seed(
    read: Read, another: Read, tmp_path_factory: pytest.TempPathFactory
) -> dict[int, list[Late]]:
    lates = {
        seed: late_invoices(one.plant.truth("late_invoices"), one.documents["invoice"])
        for seed, one in ((SEED, read), (ANOTHER_SEED, another))
    }
    for seed in MORE_SEEDS:
        plant = make_plant(
            tmp_path_factory.mktemp("clues") / "plant",
            customers=CUSTOMERS,
            months=MONTHS,
            seed=seed,
        )
        invoices = read_exports(plant, ["erp"])["invoice"]
        lates[seed] = late_invoices(plant.truth("late_invoices"), invoices)
    return lates


@pytest.mark.parametrize("seed", [SEED, ANOTHER_SEED, *MORE_SEEDS])
def test_a_guess_by_one_clue_or_two_finds_less_than_half_of_the_causes(
    seed: int, late_by_seed: dict[int, list[Late]]
) -> None:
    """`make clues` asks the same of ten plants."""
    lates = late_by_seed[seed]
    assert len(lates) > 300
    assert len({row["cause"] for row, _ in lates}) == 6
    shares = shares_guessed(lates)
    assert set(CLUES) < set(shares)
    assert {name: share for name, share in shares.items() if share >= HALF} == {}


def test_a_clue_that_tells_the_cause_would_be_found(late_by_seed: dict[int, list[Late]]) -> None:
    assert share_guessed(late_by_seed[SEED], lambda late: late[0]["cause"]) == 1


def test_no_cause_makes_more_than_a_third_of_the_late_invoices(
    late_by_seed: dict[int, list[Late]],
) -> None:
    for seed, lates in late_by_seed.items():
        (cause, count), *_ = Counter(row["cause"] for row, _ in lates).most_common()
        assert count < len(lates) / 3, f"{cause} of the plant with seed {seed}"


def test_a_customer_is_not_lost_a_fixed_time_after_its_last_order(read: Read) -> None:
    lost = {
        f"erp|{member['id']}": date.fromisoformat(row["lost_on"])
        for row in read.plant.truth("customers")
        if row["lost_on"]
        for member in row["members"]
        if member["source"] == "erp"
    }
    assert len(lost) > 10
    for days in (*range(121), 180, 270, 365):
        found = share_of_losses_dated(lost, read.documents["order"], timedelta(days=days))
        assert found < HALF, f"{days} days"


def test_what_was_ordered_in_a_month_is_not_what_was_wanted_for_it(
    read: Read, another: Read
) -> None:
    for plant in (read, another):
        families = {one.id: one.body["family"] for one in plant.documents["product"]}
        wanted: dict[bool, dict[tuple[str, str], Decimal]] = {True: {}, False: {}}
        for row in plant.plant.truth("demand"):
            is_machine = families[row["id"]] in MACHINES
            wanted[is_machine][row["id"], row["month"]] = Decimal(row["quantity"])
        assert len(wanted[False]) > 500 and len(wanted[True]) > 100
        for of_kind in wanted.values():
            assert share_of_demand_met(of_kind, plant.documents["order"]) < HALF
