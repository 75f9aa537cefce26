"""Makes views anew: from the facts, also while the hub is up, or everything from the topics."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from sqlalchemy import select

from hub.kafka import topic_ids
from hub.policy import load_policy
from hub.settings import Settings
from ops.running import Hub, Outcome, Progress
from ops.stack import Addresses, Stack
from sinks.database import engine
from sinks.positions import GROUP, PositionError
from sinks.tables import stream_offsets
from streams.rebuild import TABLES, accept_recreated, forget_everything, rebuild

#: The names of the streams.
STREAMS = tuple(TABLES)


def rebuild_from_facts(
    settings: Settings, names: Sequence[str] | None, on_progress: Callable[[str, str, int], None]
) -> dict[str, int]:
    """Rebuild streams (all where None); returns how many documents each took."""
    with Stack.database_only(settings) as url:
        return rebuild(url, load_policy(settings.policy), names, on_progress)


def accept_topics(settings: Settings, topics: Sequence[str]) -> dict[str, int]:
    """Go on with topics that were created again, keeping what came by the old ones.

    Returns:
        By topic how many stored positions were forgotten.
    """
    with Stack.database_only(settings) as url:
        return {topic: accept_recreated(url, topic) for topic in topics}


def rebuild_from_topics(
    settings: Settings,
    hub: Hub,
    accepted: Collection[str],
    on_progress: Callable[[Progress], None],
) -> Outcome:
    """Forget facts, views and positions, and process the topics from their beginning.

    Args:
        settings: of the hub.
        hub: entered, with no process running.
        accepted: topics that were created again on purpose.
        on_progress: see ``Hub.until_idle``.

    Raises:
        PositionError: a topic was created again that is not accepted.
    """
    for topic in recreated_topics(hub.addresses):
        if topic not in accepted:
            raise PositionError(
                f"topic {topic} was deleted and created again: what came by the old one would be"
                f" lost. If that is intended, add --accept-recreated {topic}"
            )
    forget_everything(hub.addresses.database_url, load_policy(settings.policy))
    return hub.until_idle(on_progress, read_sources=False)


def recreated_topics(addresses: Addresses) -> list[str]:
    """Topics whose id is not the one that our positions belong to."""
    offsets = stream_offsets.c
    database = engine(addresses.database_url)
    with database.connect() as connection:
        query = select(offsets.topic, offsets.topic_id).distinct()
        known = connection.execute(query.where(offsets.group_name == GROUP)).all()
    database.dispose()
    present = topic_ids(addresses.cluster, {topic for topic, _ in known})
    return sorted({topic for topic, topic_id in known if present[topic] != topic_id})
