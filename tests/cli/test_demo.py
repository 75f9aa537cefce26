"""``headrace demo`` shows the figures that the workshop's README works out by hand."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ops.commands.demo import command, look_further
from tests.cli.shop import COMMAND, environment, running_in
from tests.oracle.asking import ROOT

pytestmark = [pytest.mark.stack, pytest.mark.timeout(150)]

_ROOMS = ("schemas", "hub", "sinks", "connectors", "streams", "api", "ops", "examples")


@pytest.fixture
def checkout(data_folder: Path) -> Path:
    """This checkout under another path: the demo keeps its data in the checkout it is run from."""
    for room in _ROOMS:
        (data_folder / room).symlink_to(ROOT / room)
    return data_folder


def test_the_demo_prints_the_figures_of_the_workshop_and_ends(checkout: Path) -> None:
    demo = subprocess.run(
        [*COMMAND, "demo", "--exit", "--json"],
        cwd=checkout,
        # What is set for a real hub must not reach the demo.
        env={**environment(), "PYTHONPATH": str(checkout), "HEADRACE_DATABASE": "elsewhere"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert demo.returncode == 0, demo.stderr
    assert "Traceback" not in demo.stderr
    answers = json.loads(demo.stdout)
    assert set(answers) == {"status", "customers", "demand", "receivables"}
    _check_status(answers["status"])
    _check_receivables(answers["receivables"])
    _check_customers(answers["customers"])
    _check_demand(answers["demand"])
    assert (checkout / "var" / "demo" / "postgres").is_dir(), "the data are elsewhere"
    assert running_in(checkout) == []


def test_the_commands_that_the_demo_prints_work_as_they_are_printed(tmp_path: Path) -> None:
    export, *asks = look_further(tmp_path / "a demo", command()).splitlines()[1:]
    for line in asks:
        words = f"{export} && {line.replace('--as-of 2026-08-31', '')} --help"
        done = subprocess.run(["sh", "-c", words], cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr


def _check_status(status: dict[str, Any]) -> None:
    counted = {name: (one["count"], one["cancelled"]) for name, one in status["documents"].items()}
    assert counted == {
        "customer": (28, 0),
        "employee": (3, 0),
        "product": (6, 0),
        "opportunity": (8, 0),
        "order": (14, 1),
        "shipment": (10, 0),
        "invoice": (16, 1),
        "payment": (12, 0),
        "rate": (3, 0),
    }
    assert status["dead_letters"] == 2


def _check_receivables(receivables: dict[str, Any]) -> None:
    assert (receivables["as_of"], receivables["currency"]) == ("2026-09-30", "CNY")
    total = receivables["total"]
    assert total["outstanding"] == "2027600.01"
    assert total["not_due"] == "568910.00"
    assert [bucket["amount"] for bucket in total["buckets"]] == [
        *("1778620.00", "203400.00", "9900.00", "50850.00", "0.01")
    ]
    assert total["unallocated"] == "-584080.00"
    assert (total["items"], total["overdue_items"]) == (11, 6)
    assert len(receivables["rows"]) == 10


def _check_customers(customers: dict[str, Any]) -> None:
    assert len(customers["rows"]) == 20
    by_member = {
        f"{member['source']}|{member['id']}": row
        for row in customers["rows"]
        for member in row["members"]
    }
    huadong = by_member["crm|A-101"]
    assert huadong is by_member["erp|10001"], "one customer under two names"
    assert (huadong["tier"], huadong["revenue"]) == ("vip", "1720000.00")
    assert by_member["erp|10013"] is not by_member["erp|10014"], "nobody's tax id"
    assert (by_member["erp|10006"]["tier"], by_member["erp|10006"]["revenue"]) == (
        *("small", "354950.00"),
    )


def _check_demand(demand: dict[str, Any]) -> None:
    cells = {
        (row["product"].removeprefix("erp|"), row["month"]): (
            *(row["orders"], row["pipeline"], row["total"]),
        )
        for row in demand["rows"]
    }
    assert cells["EX-220", "2026-11"] == ("2", "1", "3"), "3 won, 2 of them ordered"
    assert cells["EX-350", "2026-12"] == ("0", "1.5", "1.5")
    assert cells["BK-90", "2026-10"] == ("2", "3", "5")
    assert len(cells) == 14
