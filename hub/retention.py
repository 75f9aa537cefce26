"""Holds topics to how long their records are kept, also where that was set another way before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient
from kafka.errors import TopicAuthorizationFailedError

from hub.kafka import Cluster, TopicSpec, topic_configuration
from hub.log import get_logger

__all__ = ["hold_retention"]

log = get_logger(__name__)

_KEY = "retention.ms"


def hold_retention(
    cluster: Cluster, topics: Iterable[TopicSpec], retention_days: Mapping[str, int]
) -> list[str]:
    """Set how long topics that are there keep their records, where it is set another way.

    Where the broker lets this user not see or set it, that is logged: the hub works with what is
    set there.

    Args:
        cluster: where.
        topics: names and clean-up policies; compacted ones are left as they are.
        retention_days: by topic for how many days; those not named keep everything.

    Returns:
        The names of the topics that were set.
    """
    wanted = {
        topic.name: topic_configuration(topic.cleanup, retention_days.get(topic.name))[_KEY]
        for topic in topics
        if topic.cleanup == "delete"
    }
    if not wanted:
        return []
    with cluster.admin() as admin:
        try:
            stands = _standing(admin, wanted)
            others = {name: value for name, value in wanted.items() if stands[name] != value}
            answers = _set(admin, others) if others else {}
        except TopicAuthorizationFailedError as error:
            log.error("retention_not_seen", error=str(error))
            return []
    for name, answer in answers.items():
        if answer == "OK":
            log.info("retention_set", topic=name, before=stands[name], retention_ms=others[name])
        else:
            log.error("retention_refused", topic=name, stands=stands[name], error=answer)
    return [name for name, answer in answers.items() if answer == "OK"]


def _standing(admin: KafkaAdminClient, names: Iterable[str]) -> Mapping[str, str]:
    asked = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    found = _of_topics(admin.describe_configs(asked, config_filter="all"))
    return {name: configuration[_KEY]["value"] for name, configuration in found.items()}


def _set(admin: KafkaAdminClient, values: Mapping[str, str]) -> Mapping[str, str]:
    """Returns by topic ``OK``, or what the broker says against it."""
    changes = [
        ConfigResource(ConfigResourceType.TOPIC, name, {_KEY: value})
        for name, value in values.items()
    ]
    return _of_topics(admin.alter_configs(changes))


def _of_topics(answers: Mapping[Any, Mapping[str, Any]]) -> Mapping[str, Any]:
    """What kafka-python says of topics, the one kind that was asked for."""
    return next(iter(answers.values()), {})
