"""The door is measured in a process of its own, and its figures say what was offered."""

from __future__ import annotations

import pytest

from benchmarks.http import measure
from benchmarks.run import fresh_hub
from hub.settings import load_settings
from ops.stack import Stack
from tests.oracle.log import read_log

pytestmark = pytest.mark.stack


def test_every_event_that_is_counted_is_in_the_log() -> None:
    with fresh_hub() as config, Stack(load_settings(config)) as stack:
        figures = measure(stack.addresses, singles=200, batched=1_000)
        log = read_log(list(stack.addresses.cluster.bootstrap_servers))
    assert [(figure.name, figure.unit) for figure in figures] == [
        ("HTTP, single events of 64 callers", "events/s"),
        ("HTTP, a single event while 1,000/s are offered, p50", "ms"),
        ("HTTP, a single event while 1,000/s are offered, p99", "ms"),
        ("HTTP, batches of 500, 3 at once", "events/s"),
    ]
    assert all(figure.value > 0 for figure in figures)
    assert [figure.target for figure in figures] == [1_000, None, 50.0, 6_000]
    assert [figure.at_least for figure in figures] == [True, True, False, True]
    # What was sent to warm up, each kind of single events, and the batches.
    assert len({record.key for record in log}) == len(log) == 500 + 2 * 200 + 1_000
