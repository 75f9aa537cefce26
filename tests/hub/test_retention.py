"""Topics keep their records for as long as is set, also where another time was set before."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from structlog.testing import capture_logs

from hub.kafka import Cluster, delete_topics, ensure_topics
from hub.retention import hold_retention
from tests.hub.test_kafka import Wanted, configuration

pytestmark = pytest.mark.stack

DAY_MS = 86_400_000


@dataclass(frozen=True)
class Topics:
    """Two topics whose records may be thrown away, and a compacted one."""

    plain: Wanted
    other: Wanted
    compacted: Wanted

    @property
    def all(self) -> tuple[Wanted, ...]:
        return (self.plain, self.other, self.compacted)

    def names(self) -> list[str]:
        return [one.name for one in self.all]


@pytest.fixture
def topics(broker: Cluster, topic_prefix: str) -> Iterator[Topics]:
    """Made with seven days for the first."""
    made = Topics(
        Wanted(f"{topic_prefix}a"),
        Wanted(f"{topic_prefix}b"),
        Wanted(f"{topic_prefix}c", "compact"),
    )
    ensure_topics(broker, made.all, 1, 1, {made.plain.name: 7})
    yield made
    delete_topics(broker, made.names())


def kept_ms(broker: Cluster, topics: Topics) -> list[int]:
    return [int(configuration(broker, name)["retention.ms"]) for name in topics.names()]


def test_topic_is_made_with_the_days_that_are_set(broker: Cluster, topics: Topics) -> None:
    assert kept_ms(broker, topics) == [7 * DAY_MS, -1, -1]


def test_topic_that_is_there_follows_the_setting(broker: Cluster, topics: Topics) -> None:
    days = {topics.plain.name: 30, topics.other.name: 90}
    assert set(hold_retention(broker, topics.all, days)) == set(days)
    assert kept_ms(broker, topics) == [30 * DAY_MS, 90 * DAY_MS, -1]
    with capture_logs() as logs:
        assert hold_retention(broker, topics.all, {topics.other.name: 90}) == [topics.plain.name]
    assert [(one["event"], one["before"]) for one in logs] == [("retention_set", f"{30 * DAY_MS}")]
    assert kept_ms(broker, topics) == [-1, 90 * DAY_MS, -1]
    # Nothing else of it has changed, and nothing is set again.
    assert configuration(broker, topics.plain.name)["retention.bytes"] == "-1"
    assert hold_retention(broker, topics.all, {topics.other.name: 90}) == []
