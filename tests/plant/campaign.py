"""One large plant through the whole hub: how fast, how much memory, and whether it is right."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from hub.clock import business_date
from ops.source_runs import Journal
from tests.cli.shop import COMMAND, environment
from tests.oracle.answers import Json
from tests.plant.hub import Comparison, PlantHub, Servers, UpFailed
from tests.plant.plants import Plant, make_plant
from tests.plant.rejects import expected_rejects, reject_differences
from tests.plant.watching import Watch, watching

Tell = Callable[[str], None]
_EARLIER = timedelta(days=100)


@dataclass(slots=True)
class Measured:
    """What came of it; rates are per second, memory in MB."""

    generated_s: float = 0.0
    processed_s: float = 0.0
    compared_s: float = 0.0
    documents: int = 0
    sources: list[Json] = field(default_factory=list)
    watch: Watch = field(default_factory=Watch)
    figures: int = 0
    differences: list[str] = field(default_factory=list)

    @property
    def overall_rate(self) -> float:
        """Documents per second from the first file to the last published view."""
        return self.documents / self.processed_s

    @property
    def connector_rate(self) -> float:
        """Documents per second while sources were read, one after the other."""
        seconds: float = sum(one["seconds"] for one in self.sources)
        return self.documents / seconds

    def speed(self) -> list[str]:
        """Return as text how fast it went, and with how much memory."""
        read = sum(one["read"] for one in self.sources)
        memory = ", ".join(f"{kind} {size:.0f}" for kind, size in sorted(self.watch.memory.items()))
        per_source = "; ".join(
            f"{one['source']} {one['read']:,} records in {one['seconds']:.0f} s"
            for one in self.sources
        )
        return [
            f"processed in {self.processed_s:.1f} s: {read:,} records became {self.documents:,}"
            f" versions of documents, {self.overall_rate:,.0f} documents/s overall",
            f"connectors: {self.connector_rate:,.0f} documents/s ({per_source})",
            f"streams: {self.watch.average_rate():,.0f} events/s beside the connectors,"
            f" {self.watch.best_rate():,.0f} in their fastest ten seconds",
            f"peak memory in MB: {memory}",
        ]


def run(customers: int, months: int, seed: int, folder: Path, tell: Tell) -> Measured:
    """Generate a plant, run the hub until it is idle, and compare all that it answers.

    Args:
        customers: of the plant.
        months: that it is played.
        seed: of all chance in it.
        folder: an empty one for the plant and the hub's data.
        tell: takes what is being done, and each result as a line.

    Raises:
        UpFailed: the hub did not process everything.
    """
    measured = Measured()
    began = time.monotonic()
    plant = make_plant(folder / "plant", customers=customers, months=months, seed=seed)
    measured.generated_s = time.monotonic() - began
    tell(f"generated in {measured.generated_s:.1f} s")
    with Servers(folder / "var") as servers:
        hub = PlantHub(plant, servers)
        measured.watch, measured.processed_s = _up(plant, servers)
        measured.sources = Journal.read(servers.data)
        measured.documents = sum(one["published"] for one in measured.sources)
        for line in measured.speed():
            tell(line)
        began = time.monotonic()
        compared = _compare(hub)
        measured.compared_s = time.monotonic() - began
        measured.figures, measured.differences = compared.figures, compared.differences
        tell(
            f"compared in {measured.compared_s:.1f} s: {measured.figures:,} figures,"
            f" {len(measured.differences)} differences"
        )
    return measured


def _up(plant: Plant, servers: Servers) -> tuple[Watch, float]:
    """Run `headrace up --until-idle`, whose progress is seen, and watch it."""
    began = time.monotonic()
    process: subprocess.Popen[Any] = subprocess.Popen(
        [*COMMAND, "up", "--until-idle", "--config", str(plant.config)],
        env=environment(),
        stdin=subprocess.DEVNULL,
    )
    with watching(servers.data, servers.database_url, process.pid) as watch:
        try:
            status = process.wait()
        except BaseException:
            process.terminate()
            process.wait()
            raise
    if status:
        raise UpFailed(f"headrace up --until-idle ended with {status}")
    return watch, time.monotonic() - began


def _compare(hub: PlantHub) -> Comparison:
    plant = hub.plant
    compared = hub.compare(hub.log(), [business_date(plant.settings) - _EARLIER])
    differences = list(compared.differences)
    differences += reject_differences(plant, hub.letters(), expected_rejects(plant))
    counts, totals = hub.counts(), plant.totals()
    for kind in sorted(counts.keys() | totals.keys()):
        if counts.get(kind) != totals.get(kind):
            differences.append(f"{kind}: {counts.get(kind)}, in truth {totals.get(kind)}")
    return Comparison(differences, compared.figures)
