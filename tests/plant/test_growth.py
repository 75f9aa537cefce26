"""A hub that follows a plant which grows day by day ends where one does that got it all at once."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

import pytest

from ops.asking import ask_customers, ask_demand, ask_receivables
from ops.cli import app
from tests.cli.shop import COMMAND, environment
from tests.oracle.answers import Json
from tests.plant.hub import PlantHub, Servers
from tests.plant.plants import Plant
from tests.plant.reading import wait_until_processed

pytestmark = [pytest.mark.stack, pytest.mark.timeout(240)]

CUSTOMERS, MONTHS, SEED = 25, 3, 5
BEGIN, END = date(2024, 2, 29), date(2024, 3, 31)


def test_a_plant_that_grew_for_a_month_gives_the_views_of_one_that_came_at_once(
    servers: Servers, tmp_path: Path
) -> None:
    grown = grow(tmp_path / "grown", BEGIN)
    hub = PlantHub(grown, servers)
    grown.configure(data=str(servers.data), business_date=END)
    with running_up(grown):
        seen = []
        for number in range(1, (END - BEGIN).days + 1):
            grow(grown.folder, BEGIN + timedelta(days=number))
            grown.configure(data=str(servers.data), business_date=END)
            wait_until_processed(grown.settings, servers.database_url, servers.cluster, 60)
            seen.append(sum(one["count"] for one in hub.counts().values()))
        # It did follow: almost every day brought documents, and each was taken before the next.
        assert len(set(seen)) > 20 and seen == sorted(seen)
    views, counts = shown(hub), hub.counts()
    assert hub.compare(hub.log()).differences == []

    at_once = grow(tmp_path / "at_once", END)
    assert files_of(at_once) == files_of(grown)
    servers.empty()
    fresh = PlantHub(at_once, servers)
    at_once.configure(data=str(servers.data), business_date=END)
    fresh.up()
    assert len(views["customers"]["rows"]) > CUSTOMERS
    assert shown(fresh) == views
    assert fresh.counts() == counts


def grow(folder: Path, until: date) -> Plant:
    """Let `headrace plant` write the folder up to a day; in this process, for it is done often."""
    sizes = ["--customers", str(CUSTOMERS), "--months", str(MONTHS), "--seed", str(SEED)]
    arguments = ["plant", *sizes, "--until", until.isoformat(), "--out", str(folder)]
    app(arguments, prog_name="headrace", standalone_mode=False)
    plant = Plant(folder)
    if not plant.config.exists():
        plant.configure()
    return plant


def shown(hub: PlantHub) -> dict[str, Json]:
    """Return what `headrace show` answers for each view."""
    url, settings = hub.servers.database_url, hub.plant.settings
    return {
        "customers": ask_customers(url, settings, None),
        "demand": ask_demand(url, settings, None),
        "receivables": ask_receivables(url, settings, None),
    }


def files_of(plant: Plant) -> dict[str, bytes]:
    """Return the content of every export file by its name."""
    return {
        f"{source}/{path.relative_to(folder)}": path.read_bytes()
        for source, folder in plant.exports().items()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@contextmanager
def running_up(plant: Plant) -> Iterator[None]:
    """Run `headrace up`, which follows the exports, and stop it as Ctrl-C does."""
    log = plant.folder / "up.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*COMMAND, "up", "--config", str(plant.config)],
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            # Ctrl-C of the tests is not Ctrl-C of the hub.
            start_new_session=True,
        )
        try:
            yield
            process.send_signal(signal.SIGINT)
            assert process.wait(60) == 0, log.read_text(encoding="utf-8")
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait(60)
