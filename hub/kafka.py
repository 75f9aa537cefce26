"""Kafka clients made in one way, the topics we need, and what their logs hold."""

import warnings
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Protocol

from hub.settings import KafkaAddress, KafkaSecurity

with warnings.catch_warnings():
    # kafka-python reads its schemas by a deprecated function, which tests take for an error.
    warnings.simplefilter("ignore", DeprecationWarning)
    from kafka import KafkaConsumer, KafkaProducer, TopicPartition
    from kafka.admin import KafkaAdminClient
    from kafka.codec import has_lz4
    from kafka.errors import (
        KafkaError,
        KafkaTimeoutError,
        TopicAlreadyExistsError,
        UnknownTopicOrPartitionError,
        for_code,
    )
    from kafka.protocol.consumer import IsolationLevel, OffsetSpec

__all__ = [
    "Cluster",
    "KafkaError",
    "TopicMissing",
    "TopicSpec",
    "close_producer",
    "delete_topics",
    "ensure_topics",
    "log_ranges",
    "partitions_of",
    "topic_configuration",
    "topic_ids",
]

_KEEP_FOR_EVER = "-1"
_DAY_MS = 24 * 3600 * 1000
# A worker that was away for less than this still sees a tombstone and so erases the document.
_TOMBSTONE_MS = str(30 * _DAY_MS)
# Compaction keeps what came last, not the highest version: a worker that is behind by less than
# this still meets every record.
_COMPACT_AFTER_MS = str(_DAY_MS)


class TopicSpec(Protocol):
    """What has to be known of a topic to create it."""

    @property
    def name(self) -> str:
        """Name in the cluster."""

    @property
    def cleanup(self) -> str:
        """``delete`` (keeps everything, by our retention) or ``compact``."""


class TopicMissing(Exception):
    """Topics that should be there are not; the message names them."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """A Kafka cluster by its addresses, and how to log in there."""

    bootstrap_servers: tuple[str, ...]
    security: KafkaSecurity | None = field(default=None, repr=False)

    @classmethod
    def at(cls, address: KafkaAddress) -> "Cluster":
        """The cluster that the settings name."""
        return cls(address.bootstrap_servers, address.security)

    def client_options(self) -> dict[str, Any]:
        """Keyword arguments that each kafka-python client takes to reach this cluster."""
        options: dict[str, Any] = {
            "bootstrap_servers": list(self.bootstrap_servers),
            # Kafka's own default; kafka-python's is 30 s, long after a broker is back.
            "reconnect_backoff_max_ms": 1_000,
        }
        if self.security is None:
            return options
        options["security_protocol"] = self.security.protocol
        if self.security.ca_file is not None:
            options["ssl_cafile"] = str(self.security.ca_file)
        if self.security.mechanism is not None:
            password = self.security.password
            options["sasl_mechanism"] = self.security.mechanism
            options["sasl_plain_username"] = self.security.username
            options["sasl_plain_password"] = password.get_secret_value() if password else None
        return options

    def producer(self, **options: Any) -> KafkaProducer:
        """An idempotent producer: every record once and in order, acknowledged by all replicas."""
        return KafkaProducer(
            **{
                **self.client_options(),
                "acks": "all",
                "enable_idempotence": True,
                # kafka-python's gzip (level 9) costs more time than the bytes are worth.
                "compression_type": "lz4" if has_lz4() else None,
                "batch_size": 128 * 1024,
                "linger_ms": 5,
                "allow_auto_create_topics": False,
                "metrics_enabled": False,
                **options,
            }
        )

    @contextmanager
    def admin(self, **options: Any) -> Iterator[KafkaAdminClient]:
        """An admin client, closed afterwards."""
        client = KafkaAdminClient(**{**self.client_options(), **options})
        try:
            yield client
        finally:
            client.close()

    def consumer(self, *topics: str, **options: Any) -> KafkaConsumer:
        """A consumer of committed records that commits nothing by itself."""
        return KafkaConsumer(
            *topics,
            **{
                **self.client_options(),
                "isolation_level": "read_committed",
                "enable_auto_commit": False,
                "auto_offset_reset": "earliest",
                "allow_auto_create_topics": False,
                "metrics_enabled": False,
                **options,
            },
        )


def close_producer(producer: KafkaProducer, seconds: float = 5.0) -> None:
    """Close a producer; what the broker has not taken after this time is given up."""
    try:
        producer.close(timeout=seconds)
    except KafkaTimeoutError:
        # kafka-python raises while records are on their way, and has then closed nothing.
        producer._sender.force_close()
        producer.close(timeout=seconds)


def topic_configuration(cleanup: str, retention_days: int | None = None) -> dict[str, str]:
    """A topic's own settings: nothing is thrown away, except by compaction, or after those days."""
    kept_ms = _KEEP_FOR_EVER if retention_days is None else str(retention_days * _DAY_MS)
    kept = {"retention.ms": kept_ms, "retention.bytes": _KEEP_FOR_EVER}
    if cleanup == "compact":
        return {
            **kept,
            "cleanup.policy": "compact",
            "delete.retention.ms": _TOMBSTONE_MS,
            "min.compaction.lag.ms": _COMPACT_AFTER_MS,
        }
    return {**kept, "cleanup.policy": "delete"}


def ensure_topics(
    cluster: Cluster,
    topics: Iterable[TopicSpec],
    partitions: int,
    replication: int = 1,
    retention_days: Mapping[str, int] = MappingProxyType({}),
) -> dict[str, int]:
    """Create the topics that are missing and leave the others as they are.

    Args:
        cluster: where.
        topics: names and clean-up policies.
        partitions: of a new topic; those that exist keep theirs, since each key has its place.
        replication: copies of a new topic's records.
        retention_days: by topic for how many days a new one keeps its records; others for ever.

    Returns:
        The number of partitions of each topic, by name.
    """
    wanted = {topic.name: topic for topic in topics}
    with cluster.admin() as admin:
        present = {entry["name"] for entry in _described(admin, wanted)}
        missing = {
            name: {
                "num_partitions": partitions,
                "replication_factor": replication,
                "configs": topic_configuration(topic.cleanup, retention_days.get(name)),
            }
            for name, topic in wanted.items()
            if name not in present
        }
        if missing:
            try:
                admin.create_topics(missing)
            except TopicAlreadyExistsError:
                pass  # Another process of the hub was faster with one of them.
            admin.wait_for_topics(list(missing))
        return {entry["name"]: len(entry["partitions"]) for entry in _described(admin, wanted)}


def delete_topics(cluster: Cluster, names: Collection[str]) -> None:
    """Delete these topics with all their records; those that are not there are passed over."""
    with cluster.admin() as admin:
        present = [entry["name"] for entry in _described(admin, names)]
        if present:
            admin.delete_topics(present)


def topic_ids(
    cluster: Cluster, names: Collection[str], admin: KafkaAdminClient | None = None
) -> dict[str, str]:
    """The cluster's ids of topics: a topic that was deleted and created again has another one.

    Raises:
        TopicMissing: one of them is not there.
    """
    with _using(cluster, admin) as client:
        found = {entry["name"]: str(entry["topic_id"]) for entry in _described(client, names)}
    _refuse_missing(set(names) - set(found))
    return found


def log_ranges(
    cluster: Cluster,
    partitions: Collection[tuple[str, int]],
    admin: KafkaAdminClient | None = None,
) -> dict[tuple[str, int], tuple[int, int]]:
    """Where the log of each (topic, partition) begins and ends.

    Args:
        cluster: where.
        partitions: (topic, partition) pairs.
        admin: a client to use instead of a new one, for those who ask often.

    Returns:
        By (topic, partition): the offset of the first record that is kept, and the position of a
        ``read_committed`` consumer that has read everything.

    Raises:
        TopicMissing: a topic or partition is not there.
    """
    if not partitions:
        return {}
    keys = [TopicPartition(topic, partition) for topic, partition in partitions]
    with _using(cluster, admin) as client:
        try:
            begins = client.list_partition_offsets(dict.fromkeys(keys, OffsetSpec.EARLIEST))
            ends = client.list_partition_offsets(
                dict.fromkeys(keys, OffsetSpec.LATEST),
                isolation_level=IsolationLevel.READ_COMMITTED,
            )
        except UnknownTopicOrPartitionError as error:
            raise TopicMissing(str(error)) from error
    return {(key.topic, key.partition): (begins[key].offset, ends[key].offset) for key in keys}


def partitions_of(
    cluster: Cluster, names: Collection[str], admin: KafkaAdminClient | None = None
) -> list[tuple[str, int]]:
    """All (topic, partition) pairs of these topics, sorted.

    Raises:
        TopicMissing: one of them is not there.
    """
    with _using(cluster, admin) as client:
        described = _described(client, names)
    _refuse_missing(set(names) - {entry["name"] for entry in described})
    return sorted(
        (entry["name"], partition["partition_index"])
        for entry in described
        for partition in entry["partitions"]
    )


def _described(admin: KafkaAdminClient, names: Iterable[str]) -> list[Mapping[str, Any]]:
    """What the cluster knows of those topics among ``names`` that are there."""
    described: list[Mapping[str, Any]] = []
    for entry in admin.describe_topics(list(names)):
        if entry["error_code"] == UnknownTopicOrPartitionError.errno:
            continue
        if entry["error_code"]:
            raise for_code(entry["error_code"])(entry["name"])
        described.append(entry)
    return described


def _refuse_missing(names: Collection[str]) -> None:
    if names:
        raise TopicMissing(f"not in the cluster: {', '.join(sorted(names))}")


@contextmanager
def _using(cluster: Cluster, admin: KafkaAdminClient | None) -> Iterator[KafkaAdminClient]:
    if admin is not None:
        yield admin
        return
    with cluster.admin() as client:
        yield client
