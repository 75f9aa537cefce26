"""The oracle reads a real log to its end, as far as it is committed."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from hub.kafka import Cluster, ensure_topics
from tests.oracle.log import read_log

pytestmark = pytest.mark.stack


@dataclass(frozen=True)
class Topic:
    name: str
    cleanup: str = "delete"


def test_everything_committed_is_read_and_nothing_aborted(
    broker: Cluster, topic_prefix: str
) -> None:
    topic = f"{topic_prefix}log"
    ensure_topics(broker, [Topic(topic)], partitions=2)
    producer = broker.producer(transactional_id=f"{topic_prefix}writer")
    producer.init_transactions()
    for text, commit in (("kept", True), ("aborted", False), ("last", True), ("end", False)):
        producer.begin_transaction()
        for partition in (0, 1):
            producer.send(
                topic,
                key=b"key",
                value=text.encode() if partition == 0 else None,
                partition=partition,
            )
        producer.flush()
        if commit:
            producer.commit_transaction()
        else:
            producer.abort_transaction()
    producer.close()

    records = read_log(list(broker.bootstrap_servers), [topic], seconds=30)

    assert [(record.partition, record.value) for record in records] == [
        (0, b"kept"),
        (0, b"last"),
        (1, None),
        (1, None),
    ]
    assert [record.offset for record in records if record.partition == 0] == [0, 4]
    assert records[0].key == b"key"


def test_a_topic_that_is_not_there_is_empty(broker: Cluster, topic_prefix: str) -> None:
    assert read_log(list(broker.bootstrap_servers), [f"{topic_prefix}missing"], seconds=30) == []
