"""What the truth of a plant names can be looked up: it leaves its system whole, or as a reject."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from plant.generate import generate
from plant.parameters import Parameters
from plant.systems import flaws
from tests.oracle.answers import Json
from tests.plant.exported import read_exports
from tests.plant.plants import Plant

Named = tuple[str, str, str]


@dataclass(frozen=True)
class Read:
    """A plant, and its documents as (type, source, id)."""

    plant: Plant
    exported: set[Named]

    @property
    def never(self) -> set[Named]:
        """Documents of which every record is a reject."""
        rows = self.plant.truth("rejects")
        return {(row["document"], row["source"], row["key"]) for row in rows} - self.exported


@pytest.fixture(scope="module", params=[20, 30, 40, 60, 80, 100])
def read(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Read]:
    """Sizes that somebody may choose for the demo; each has other flaws."""
    yield made(tmp_path_factory.mktemp("told"), request.param)


def made(folder: Path, customers: int) -> Read:
    plant = Plant(folder)
    generate(Parameters.of(customers, 24, seed=1), folder)
    plant.configure()
    documents = read_exports(plant)
    return Read(
        plant, {(kind, one.source, one.id) for kind in documents for one in documents[kind]}
    )


def test_stories_tell_documents_that_the_hub_can_have(read: Read) -> None:
    told = {named(one) for story in read.plant.truth("stories") for one in story["told"]}
    assert told and read.never
    assert not told & read.never
    assert told <= read.exported


def test_stories_of_each_kind_are_told(read: Read) -> None:
    kinds = Counter(story["kind"] for story in read.plant.truth("stories"))
    assert set(kinds) == {"late_payment", "sale", "lost_customer"}
    assert max(kinds.values()) <= 3


def test_stories_are_chosen_among_those_whose_documents_leave(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a plant where many more records break, and hardly any comes mended."""
    monkeypatch.setattr(flaws, "BROKEN", 0.1)
    monkeypatch.setattr(flaws, "NEVER_MENDED", 0.9)
    read = made(tmp_path, 40)
    told = {named(one) for story in read.plant.truth("stories") for one in story["told"]}
    assert told
    assert told <= read.exported


def test_evidence_is_exported_unless_it_is_a_reject(read: Read) -> None:
    rows = read.plant.truth("late_invoices")
    evidence = {named(one) for row in rows for one in row["evidence"]}
    assert {kind for kind, _, _ in evidence} >= {"invoice", "customer", "shipment", "case"}
    assert evidence <= read.exported | read.never


def named(one: Json) -> Named:
    return one["type"], one["source"], one["id"]
