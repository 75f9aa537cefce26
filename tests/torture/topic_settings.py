"""Settings of topics and of the broker, and cuts of logs, that only tests need."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from hub.kafka import Cluster

with warnings.catch_warnings():
    # kafka-python reads its schemas by a deprecated function, which tests take for an error.
    warnings.simplefilter("ignore", DeprecationWarning)
    from kafka import TopicPartition
    from kafka.admin import ConfigResource, ConfigResourceType


def settings_of_topic(cluster: Cluster, topic: str, settings: Mapping[str, str]) -> None:
    """Change settings of a topic."""
    _change(cluster, ConfigResource(ConfigResourceType.TOPIC, topic, configs=dict(settings)))


@contextmanager
def delay_of_the_cleaner(cluster: Cluster, milliseconds: int) -> Iterator[None]:
    """Let the log cleaner look more often than every 15 s while the context lasts."""
    name = "log.cleaner.backoff.ms"
    _change(
        cluster, ConfigResource(ConfigResourceType.BROKER, "1", configs={name: str(milliseconds)})
    )
    try:
        yield
    finally:
        _change(cluster, ConfigResource(ConfigResourceType.BROKER, "1", configs={name: "15000"}))


def cut_log(cluster: Cluster, begins: Mapping[tuple[str, int], int]) -> None:
    """Delete the records before the given offset of each (topic, partition)."""
    with cluster.admin() as admin:
        admin.delete_records(
            {TopicPartition(*place): max(0, offset) for place, offset in begins.items()}
        )


def _change(cluster: Cluster, resource: ConfigResource) -> None:
    with cluster.admin() as admin:
        admin.alter_configs([resource])
