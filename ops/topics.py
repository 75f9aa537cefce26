"""Makes the hub's topics as its settings say."""

from __future__ import annotations

from hub.kafka import Cluster, ensure_topics
from hub.retention import hold_retention
from hub.settings import Settings
from schemas.catalogue import TOPICS


def make_topics(cluster: Cluster, settings: Settings) -> None:
    """Create the topics that are missing, and have all keep their records as long as is set."""
    topics = TOPICS.values()
    kept = settings.retention_days
    ensure_topics(cluster, topics, settings.partitions, settings.replication, kept)
    hold_retention(cluster, topics, kept)
