"""Looks at Kafka: whether it answers, its topics, and the times of its newest records."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from kafka import TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient
from kafka.protocol.consumer import OffsetSpec

from hub.clock import utc_now
from hub.kafka import (
    Cluster,
    KafkaError,
    TopicMissing,
    log_ranges,
    partitions_of,
    topic_configuration,
)
from hub.kafka_login import LoginRefused
from hub.settings import Settings
from ops.doctor.finding import Finding, failed, ok, unknown, warning
from ops.stack import Stack
from schemas.catalogue import TOPICS

_START = "`headrace up` starts it; run `headrace doctor` beside it to have it looked at"
_AHEAD_MS = 60_000
_SHOWN = 3
_PATIENCE_MS = 5_000


def running_cluster(settings: Settings) -> Cluster | Finding:
    """The cluster if it runs, else what is to be said of it."""
    if settings.kafka == "embedded" and not settings.data.is_dir():
        return unknown("Kafka", "embedded, and does not run", _START)
    try:
        cluster = Stack.running_cluster(settings)
    except LoginRefused as error:
        return failed("Kafka", str(error), "mend kafka.security (HEADRACE_KAFKA__SECURITY__*)")
    except KafkaError as error:
        return failed("Kafka", f"does not answer: {error}", "start it, or mend kafka:")
    if cluster is None:
        return unknown("Kafka", "embedded, and does not run", _START)
    return cluster


def look_at_broker(
    cluster: Cluster, settings: Settings, clock: Callable[[], datetime] = utc_now
) -> Iterator[Finding]:
    """All about it; ``clock`` is this machine's, against which the newest record is held."""
    servers = ", ".join(cluster.bootstrap_servers)
    try:
        options = {"request_timeout_ms": _PATIENCE_MS, "bootstrap_timeout_ms": _PATIENCE_MS}
        with cluster.admin(**options) as admin:
            brokers = admin.describe_cluster()["brokers"]
            if len(brokers) < settings.replication:
                yield failed(
                    "Kafka",
                    f"{len(brokers)} broker(s) at {servers}, and replication is"
                    f" {settings.replication}",
                    "start the other brokers, or lower replication",
                )
            else:
                yield ok("Kafka", f"{len(brokers)} broker(s) at {servers}")
            yield from _topics(admin, settings)
            yield _newest(cluster, admin, clock)
    except TopicMissing as error:
        yield warning("topics", str(error), "they went while this looked at them: look again")
    except (KafkaError, OSError, TimeoutError) as error:
        yield failed(
            "Kafka",
            f"{servers} does not answer: {error or type(error).__name__}",
            "start it, and check bootstrap_servers and security in kafka:",
        )


def _topics(admin: KafkaAdminClient, settings: Settings) -> Iterator[Finding]:
    described = {
        entry["name"]: entry
        for entry in admin.describe_topics(list(TOPICS))
        if not entry["error_code"]
    }
    missing = [name for name in TOPICS if name not in described]
    if missing:
        yield warning(
            "topics",
            f"{len(missing)} of {len(TOPICS)} are not there: {_some(missing)}",
            "`headrace up` or `headrace prepare` makes them",
        )
    else:
        counts = {len(entry["partitions"]) for entry in described.values()}
        yield ok("topics", f"{len(described)}, partitions: {_some(sorted(map(str, counts)))}")
    thin = [name for name, one in described.items() if len(one["partitions"]) < settings.workers]
    if thin:
        do = "more workers than partitions wait: lower workers, or make the topics anew"
        yield warning("partitions", f"fewer than {settings.workers} workers: {_some(thin)}", do)
    lost = [
        name
        for name, entry in described.items()
        if any(part["leader_id"] < 0 for part in entry["partitions"])
    ]
    if lost:
        do = "start the brokers that hold these partitions"
        yield failed("partitions", f"without a leader: {_some(lost)}", do)
    yield _retention(admin, list(described), settings.retention_days)


def _retention(
    admin: KafkaAdminClient, names: list[str], retention_days: Mapping[str, int]
) -> Finding:
    asked = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    found: dict[str, Any] = admin.describe_configs(asked, config_filter="all") if asked else {}
    by_topic: dict[str, Any] = next(iter(found.values()), {})
    others = []
    for name in names:
        settings = by_topic.get(name, {})
        wanted = topic_configuration(TOPICS[name].cleanup, retention_days.get(name))
        for key, value in wanted.items():
            stands = settings.get(key, {}).get("value")
            if stands is not None and key.startswith(("retention", "cleanup")) and stands != value:
                others.append(f"{name} {key}={stands} (ours: {value})")
    if others:
        return warning(
            "retention",
            _some(others),
            "`headrace up` or `headrace prepare` sets retention.ms as topics: says, all else is set"
            " back with kafka-configs: a rebuild from the topics lacks what is thrown away",
        )
    return ok("retention", f"as the hub needs it in {len(names)} topics")


def _newest(cluster: Cluster, admin: KafkaAdminClient, clock: Callable[[], datetime]) -> Finding:
    """Kafka tells no time of its own; a record from the future tells of a clock that is wrong."""
    part = "clocks of publishers"
    described = admin.describe_topics(list(TOPICS))
    names = [entry["name"] for entry in described if not entry["error_code"]]
    ranges = log_ranges(cluster, partitions_of(cluster, names, admin), admin) if names else {}
    records = sum(end - begin for begin, end in ranges.values())
    keys = [TopicPartition(*place) for place, (begin, end) in ranges.items() if end > begin]
    if not keys:
        return ok(part, "the topics are empty")
    found = admin.list_partition_offsets(dict.fromkeys(keys, OffsetSpec.MAX_TIMESTAMP))
    ahead = max(one.timestamp for one in found.values()) - clock().timestamp() * 1000
    if ahead > _AHEAD_MS:
        said = f"the newest record is {ahead / 1000:,.0f} s ahead of this machine's clock"
        return warning(part, said, "set the clocks of the machines that publish by NTP")
    return ok(part, f"{records:,} records, none from the future")


def _some(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
