"""Small plants, however they are delivered: the hub answers what their event log comes to."""

from __future__ import annotations

import random
from datetime import timedelta
from pathlib import Path

import pytest

from hub.clock import business_date
from tests.plant.hub import PlantHub, Servers
from tests.plant.plants import make_plant
from tests.plant.rejects import expected_rejects, reject_differences
from tests.plant.ways import bring, deliver_twice, hold_back, shuffle_lines

pytestmark = [pytest.mark.stack, pytest.mark.timeout(180)]

#: Of the files, those that arrive only after the first run.
LATER = 0.3


@pytest.mark.parametrize("seed", [11, 12, 13])
def test_the_hub_agrees_with_the_log_of_a_plant_that_came_twice_shuffled_and_late(
    seed: int, servers: Servers, tmp_path: Path
) -> None:
    plant = make_plant(tmp_path / "plant", customers=30, months=4, seed=seed)
    expected = expected_rejects(plant)
    rng = random.Random(seed)
    deliver_twice(plant)
    shuffle_lines(plant, rng)
    held = hold_back(plant, rng, LATER)
    servers.empty()
    hub = PlantHub(plant, servers)
    hub.up()
    assert held
    bring(held)
    hub.up()

    earlier = business_date(plant.settings) - timedelta(days=rng.randrange(10, 80))
    log = hub.log()
    assert hub.compare(log, [earlier]).differences == []
    assert reject_differences(plant, hub.letters(), expected, delayed=True) == []
    assert hub.counts() == plant.totals()

    lost = rng.choice([record.key for record in log if record.topic == "finance.payment.v1"])
    assert lost is not None
    less = hub.compare([record for record in log if record.key != lost]).differences
    assert any(lost.decode() in sentence for sentence in less), "it would not see a lost event"
