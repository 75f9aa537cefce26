"""What is measured side by side does the same: the loop by hand publishes what the hub does."""

from __future__ import annotations

from collections import defaultdict

import pytest

from benchmarks.files_to_topic import files_to_topic
from benchmarks.run import fresh_hub
from hub.settings import load_settings
from ops.stack import Stack
from tests.oracle.log import read_log

pytestmark = pytest.mark.stack


def test_the_loop_by_hand_and_the_connector_publish_the_same_messages() -> None:
    with fresh_hub() as config, Stack(load_settings(config)) as stack:
        figures = files_to_topic(stack.addresses, config, records=200)
        log = read_log(list(stack.addresses.cluster.bootstrap_servers))
    messages = defaultdict(list)
    for record in log:
        messages[record.key].append(record.value)
    assert len(messages) == 200
    assert all(len(two) == 2 and two[0] == two[1] for two in messages.values())
    assert all(figure.value > 0 for figure in figures)
