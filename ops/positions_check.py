"""Finds stored positions that no worker can ever resume from."""

from __future__ import annotations

from hub.kafka import log_ranges, topic_ids
from ops.stack import Addresses
from sinks.database import connect
from sinks.positions import GROUP, LogState, PositionError, check_resumable


def position_problem(addresses: Addresses) -> PositionError | None:
    """The error that every worker would meet: a recreated topic, a position outside its log."""
    with connect(addresses.database_url, name="headrace-positions") as connection:
        rows = connection.execute(
            "SELECT topic, partition, topic_id, position FROM stream_offsets"
            " WHERE group_name = %s ORDER BY topic, partition",
            (GROUP,),
        ).fetchall()
    with addresses.cluster.admin() as admin:
        ids = topic_ids(addresses.cluster, {row[0] for row in rows}, admin)
        ranges = log_ranges(addresses.cluster, [(row[0], row[1]) for row in rows], admin)
    for topic, partition, topic_id, position in rows:
        log = LogState(ids[topic], *ranges[topic, partition])
        try:
            check_resumable((topic, partition), topic_id, position, log)
        except PositionError as error:
            return error
    return None
