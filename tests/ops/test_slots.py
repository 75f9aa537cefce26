"""Workers without a supervisor take different slots, and give them back."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from ops.slots import SLOTS, SlotsTaken, claimed_slot

pytestmark = pytest.mark.stack


def test_each_worker_takes_the_lowest_slot_that_is_free(database_url: str) -> None:
    with claimed_slot(database_url) as first:
        with claimed_slot(database_url) as second:
            assert (first, second) == (0, 1)
        with ExitStack() as others:
            taken = [others.enter_context(claimed_slot(database_url)) for _ in range(3)]
            assert taken == [1, 2, 3]
    with claimed_slot(database_url) as again:
        assert again == 0


def test_more_workers_than_there_are_slots_are_refused(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ops.slots.SLOTS", 1)
    assert SLOTS > 1
    with claimed_slot(database_url):
        with pytest.raises(SlotsTaken, match="1 workers run"):
            with claimed_slot(database_url):
                pass
