"""The campaign of `make plant-large`, on a small plant."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.money import use_exact_arithmetic
from tests.plant.campaign import run
from tests.stack import remove_data_folder

pytestmark = [pytest.mark.stack, pytest.mark.timeout(180)]


def test_a_campaign_measures_the_hub_and_finds_no_difference(tmp_path: Path) -> None:
    use_exact_arithmetic()
    told: list[str] = []
    try:
        measured = run(20, 3, 4, tmp_path, told.append)
    finally:
        remove_data_folder(tmp_path / "var")
    assert measured.differences == []
    assert measured.figures > 5_000
    assert measured.documents > 1_000
    assert measured.overall_rate > 0 and measured.connector_rate > 0
    assert set(measured.watch.memory) == {
        *("supervisor", "worker", "relay", "connectors", "kafka", "postgres"),
    }
    assert all(size > 5 for size in measured.watch.memory.values())
    assert told[1:-1] == measured.speed()
