"""Every fault by its name."""

from __future__ import annotations

from collections.abc import Mapping

from tests.torture.faults.plants import plant
from tests.torture.faults.processes import (
    broker_killed,
    database_away,
    database_killed,
    relay_killed,
    worker_killed,
    worker_stopped,
    worker_stopped_in_copy,
    workers_come_and_go,
    workers_side_by_side,
)
from tests.torture.faults.records import bad_records, deadly_record
from tests.torture.faults.sources import connector_killed
from tests.torture.faults.topics import compacted, cut_topic, recreated_topic, transactions
from tests.torture.trial import Fault

#: Trials of these for one of the others.
TIMES: Mapping[str, int] = {"plant": 2}

FAULTS: Mapping[str, Fault] = {
    "worker_killed": worker_killed,
    "workers_side_by_side": workers_side_by_side,
    "workers_come_and_go": workers_come_and_go,
    "worker_stopped": worker_stopped,
    "worker_stopped_in_copy": worker_stopped_in_copy,
    "relay_killed": relay_killed,
    "broker_killed": broker_killed,
    "database_killed": database_killed,
    "database_away": database_away,
    "bad_records": bad_records,
    "deadly_record": deadly_record,
    "connector_killed": connector_killed,
    "transactions": transactions,
    "compacted": compacted,
    "recreated_topic": recreated_topic,
    "cut_topic": cut_topic,
    "plant": plant,
}
