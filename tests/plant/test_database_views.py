"""A hub that reads the plant's ERP from its database answers like one that reads its exports."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from ops.cli import app
from sinks.cursors import cursor_states
from sinks.database import connect
from tests.connectors.tables import source_url
from tests.plant.hub import PlantHub, Servers
from tests.plant.plants import Plant
from tests.plant.test_growth import shown

pytestmark = [pytest.mark.stack, pytest.mark.timeout(240)]

__all__ = ["source_url"]

CUSTOMERS, MONTHS, SEED = 60, 2, 65


def test_erp_read_from_its_database_gives_the_views_that_its_exports_give(
    servers: Servers, tmp_path: Path, source_url: str
) -> None:
    sqlite = f"sqlite:///{tmp_path / 'erp.db'}"
    plant = filled_plant(tmp_path / "plant", sqlite)
    filled_plant(tmp_path / "the same", source_url)
    # The tables have what the exports have broken. This plant's ERP has no such record, so that
    # its hubs may not differ at all; the other systems have some, which both hubs refuse.
    broken = [reject["source"] for reject in plant.truth("rejects")]
    assert broken and "erp" not in broken

    hub = PlantHub(plant, servers)
    servers.empty()
    hub.up()
    views, counts, letters = shown(hub), hub.counts(), hub.letters()
    assert all(unit.endswith(".csv") for unit in units_read(servers))

    for url in (sqlite, source_url):
        servers.empty()
        plant.configure(data=str(servers.data), sources=with_erp_from(plant, url))
        hub.up()
        assert {"organization", "sale", "t_rp_plan_Ar"} <= units_read(servers)
        assert not any(unit.endswith(".csv") for unit in units_read(servers))
        for view, answer in shown(hub).items():
            assert answer == views[view], (view, url)
        assert hub.counts() == counts
        assert len(hub.letters()) == len(letters) == len(broken)

    # What is compared comes from the ERP: its customers, orders and open items.
    of_erp = [row for row in views["customers"]["rows"] if row["name_from"].startswith("erp|")]
    assert len(of_erp) > 10
    assert sum(row["orders"] for row in of_erp) > 5
    assert any(row["product"].startswith("erp|") for row in views["demand"]["rows"])
    assert sum(row["items"] for row in views["receivables"]["rows"]) > 5


def filled_plant(folder: Path, url: str) -> Plant:
    """A plant whose ERP's tables are in a database too."""
    sizes = ["--customers", str(CUSTOMERS), "--months", str(MONTHS), "--seed", str(SEED)]
    arguments = ["plant", *sizes, "--out", str(folder), "--database", url]
    app(arguments, prog_name="headrace", standalone_mode=False)
    plant = Plant(folder)
    plant.configure()
    return plant


def with_erp_from(plant: Plant, url: str) -> list[dict[str, Any]]:
    """The sources of a plant, the ERP read from a database."""
    text = (plant.folder / "headrace.yaml").read_text(encoding="utf-8")
    sources: list[dict[str, Any]] = yaml.safe_load(text)["sources"]
    erp = {"kind": "database", "url": url, "mapping": "mappings/erp_database.yaml"}
    return [{"name": "erp", **erp} if source["name"] == "erp" else source for source in sources]


def units_read(servers: Servers) -> set[str]:
    """The files or tables of the ERP that have a cursor."""
    with connect(servers.database_url, name="plant") as connection:
        return set(cursor_states(connection, "erp")) - {""}
