"""The rounds: a first run, and the same after a second one, copies, shuffling and SIGKILLs."""

from __future__ import annotations

import random
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from tests.real.figures import Figure, figure
from tests.real.hub import Hub
from tests.real.variations import deliver_twice, shuffle_lines

KILLS = 4
KILLS_IN_BRIEF = 2


class Expectation(Protocol):
    """A set of records: where it is, who reads it, and which figures must come out of it."""

    @property
    def folder(self) -> str: ...
    @property
    def profile(self) -> str: ...
    @property
    def base_currency(self) -> str: ...
    @property
    def time_zone(self) -> str: ...
    @property
    def business_date(self) -> str: ...

    def read(self, hub: Hub) -> Iterator[Figure]:
        """Yield each figure as the hub shows it."""


@dataclass(frozen=True, slots=True)
class Round:
    """What one run of a set gave; ``seconds`` with the questions after it."""

    records: str
    name: str
    figures: tuple[Figure, ...]
    seconds: float

    @property
    def holds(self) -> bool:
        """Whether every figure was found as expected."""
        return all(one.holds for one in self.figures)


def rounds(
    expected: Expectation, data: Path, scratch: Path, seed: int, *, brief: bool = False
) -> Iterator[Round]:
    """Run a set of records in every way; yield what came of each.

    Args:
        data: the folder that holds the set's folder.
        scratch: an empty folder for hubs and copies of the records.
        seed: of the order of lines, and of the moments and victims of the SIGKILLs.
        brief: without the rounds whose conditions are also those of others.

    Raises:
        UpFailed: a run did not process everything.
    """
    rng = random.Random(seed)
    first_hub = _hub(expected, data, scratch / "one")
    try:
        documents: list[dict[str, Any]] = []

        def after(name: str, run: Callable[[], str], hub: Hub) -> Round:
            began = time.monotonic()
            told = run()
            figures = _figures(expected, hub, documents)
            return Round(expected.folder, name + told, tuple(figures), time.monotonic() - began)

        yield after("first run", lambda: _run(first_hub), first_hub)
        if not brief:
            yield after("second run", lambda: _run(first_hub), first_hub)

        def deliver() -> str:
            files = deliver_twice(first_hub.records)
            first_hub.up()
            return f" ({files} copies)"

        if not brief:
            yield after("every file delivered twice", deliver, first_hub)
    finally:
        first_hub.close()
    if not brief:
        other_hub = _hub(expected, data, scratch / "other")
        try:

            def shuffle() -> str:
                lines = shuffle_lines(other_hub.records, expected.profile, rng)
                other_hub.up()
                return f" ({lines:,} lines, seed {seed})"

            yield after("lines in random order", shuffle, other_hub)
        finally:
            other_hub.close()
    killed_hub = _hub(expected, data, scratch / "killed")
    try:

        def kill() -> str:
            deliver_twice(killed_hub.records)
            shuffle_lines(killed_hub.records, expected.profile, rng)
            killed = killed_hub.up_with_kills(rng, KILLS_IN_BRIEF if brief else KILLS)
            return f" ({', '.join(killed)}; files twice, lines shuffled, seed {seed})"

        yield after("SIGKILLs on the way", kill, killed_hub)
    finally:
        killed_hub.close()


def _run(hub: Hub) -> str:
    hub.up()
    return ""


def _hub(expected: Expectation, data: Path, folder: Path) -> Hub:
    records = folder / "records"
    shutil.copytree(data / expected.folder, records)
    for path in records.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return Hub(
        folder,
        records,
        mapping=expected.profile,
        base_currency=expected.base_currency,
        time_zone=expected.time_zone,
        business_date=expected.business_date,
    )


def _figures(expected: Expectation, hub: Hub, first: list[dict[str, Any]]) -> list[Figure]:
    """Return all figures; ``first`` takes the documents of the first run for the later ones."""
    with hub.database_running():
        counts = hub.ask("status")["documents"]
        documents = [document for document, one in counts.items() if one["count"]]
        hub.ask_all(
            [
                *(("show", view) for view in ("customers", "demand", "receivables")),
                *(("show", "documents", document) for document in documents),
            ]
        )
        figures = list(expected.read(hub))
        found = {document: _contents(hub, document) for document in documents}
    if not first:
        first.append(found)
        return figures
    kinds = sorted(found.keys() | first[0].keys())
    different = [
        f"{kind} {key}"
        for kind in kinds
        for key in sorted({*found.get(kind, {}), *first[0].get(kind, {})})
        if found.get(kind, {}).get(key) != first[0].get(kind, {}).get(key)
    ]
    by = "headrace show documents, each type"
    return [*figures, figure("documents that differ from the first run's", [], different, by)]


def _contents(hub: Hub, document: str) -> dict[str, Any]:
    """Return documents without their versions, which count what was seen before."""
    return {
        row["id"]: {name: value for name, value in row.items() if name != "version"}
        for row in hub.ask("show", "documents", document)["rows"]
    }
