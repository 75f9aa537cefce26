"""One small trial of every fault; `make torture` runs many, and larger ones."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from tests.torture.campaign import temporary_rig
from tests.torture.faults import FAULTS
from tests.torture.rig import Rig
from tests.torture.trial import attempt

pytestmark = [
    pytest.mark.stack,
    pytest.mark.timeout(300),
    # Clients that lose their server leave sockets to the garbage collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module")
def rig() -> Iterator[Rig]:
    with temporary_rig() as rig:
        yield rig


@pytest.mark.parametrize("fault", FAULTS)
def test_nothing_is_lost_or_counted_twice_after(fault: str, rig: Rig) -> None:
    seed = random.SystemRandom().randrange(10**6)
    again = f"python -m tests.torture --brief --trials 1 --fault {fault} --seed {seed}"
    # Shown where the trial fails, also by its timeout, when the assertion is never reached.
    print(f"this trial: {again}", flush=True)
    outcome = attempt(rig, fault, FAULTS[fault], seed, brief=True)
    assert outcome.differences == [], f"seen by: {again}"
