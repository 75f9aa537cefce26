"""The measurement of a large file reads all of it in a process of the hub."""

from __future__ import annotations

import pytest

from benchmarks.large_file import large_file
from benchmarks.run import fresh_hub
from hub.settings import load_settings
from ops.stack import Stack
from tests.oracle.log import read_log

pytestmark = pytest.mark.stack


def test_every_invoice_of_the_file_is_published_by_a_process_of_the_hub() -> None:
    with fresh_hub() as config, Stack(load_settings(config)) as stack:
        figures = large_file(stack.addresses, config, size=300_000)
        log = read_log(list(stack.addresses.cluster.bootstrap_servers))
    assert len({record.key for record in log}) == len(log) == 300
    assert [(figure.name, figure.unit) for figure in figures] == [
        ("a file to the topic, its size", "MB"),
        ("a file to the topic, memory of the process", "MB"),
        ("a file to the topic", "events/s"),
    ]
    assert figures[0].value == pytest.approx(0.3, rel=0.2)
    assert all(figure.value > 0 for figure in figures)
