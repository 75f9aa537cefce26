"""An API read into the log: killed at any moment, nothing is lost and nothing has two contents."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.opening import open_door
from connectors.passes import make_pass
from connectors.report import SourceReport
from connectors.rest.source import RestReader
from hub.source_settings import RestSource
from tests.connectors.rest_server import Records, cuts, refuses, serving
from tests.connectors.sources import KilledError, SampleSource, mapping

pytestmark = pytest.mark.stack

READS = {
    "frappe": "{api: frappe, resource: Customer, page: 5, overlap: PT3S}",
    "odoo": "{api: odoo, resource: res.partner, page: 5, overlap: PT3S}",
    "odata": "{api: odata, resource: odata/C, key: id, changed: modified, page: 5, overlap: PT3S}",
    "tracked": "{api: odata, resource: odata/C, key: id, track_changes: true, page: 5}",
}
FIELDS = {"frappe": ("name", "modified"), "odoo": ("id", "write_date"), "odata": ("id", "modified")}


class RestSample(SampleSource):
    """A source whose records an API holds."""

    def __init__(self, database_url: str, folder: Path, url: str, api: str) -> None:
        key, changed = FIELDS["odata" if api == "tracked" else api]
        versions = "" if api == "tracked" else f", changed: {changed}, version: precise"
        text = f"""
streams: {{customer: {{read: {READS[api]}, key: {key}{versions}}}}}
events:
- {{emit: customer, from: customer, key: {key}, fields: {{name: label}}}}
"""
        super().__init__(database_url, folder, mapping(text))
        self.settings = RestSource(
            name="sample",
            kind="rest",
            url=url,
            mapping="unused",
            headers={"Authorization": "Bearer secret"},
            requests_per_second=1000,
            timeout_seconds=2,
        )

    def run(self, *, bounded: bool = True) -> SourceReport:
        with open_door(self.settings, self.mapping, self.log, self.database_url) as door:
            make_pass(door, RestReader(self.settings, self.mapping), bounded)
            return door.report


@pytest.fixture
def records() -> Records:
    return Records()


@pytest.fixture
def url(records: Records) -> Iterator[str]:
    with serving(records) as address:
        yield address


def key_of(api: str, number: int) -> object:
    return f"C-{number:03}" if api == "frappe" else number


def labels(sample: SampleSource) -> dict[str, str]:
    return {
        key: str(document["name"])
        for (_, key), document in sample.standing().items()
        if not document["deleted"]
    }


@pytest.mark.parametrize("api", READS)
def test_killed_at_any_moment_it_ends_with_what_the_system_holds(
    database_url: str, tmp_path: Path, records: Records, url: str, api: str
) -> None:
    chance = random.Random(11)
    sample = RestSample(database_url, tmp_path, url, api)
    clock = count = 0
    for _ in range(8):
        for _ in range(12):
            clock, count = clock + chance.choice([0, 0, 1]), count + 1
            number = chance.randrange(30)
            second = f"{clock // 60:02}:{clock % 60:02}"
            micros = f".{count:06}" if api in ("frappe", "odoo") else "Z"
            sign = " " if api in ("frappe", "odoo") else "T"
            clock += 1 if api in ("odoo", "odata") else 0
            moment = f"2026-03-01{sign}10:{second}{micros}"
            records.put(key_of(api, number), moment, label=f"v{chance.random()}")
        if api == "tracked":
            records.remove(chance.choice(list(records.by_key)))
        records.faults = chance.choice([[], [refuses(503)], [lambda _: False, cuts]])
        sample.log.stop_after = len(sample.log.records) + chance.choice([1, 3, 9])
        try:
            sample.run(bounded=False)
        except KilledError:
            pass
    sample.log.stop_after = None
    sample.run()
    expected = {str(key): one["label"] for key, one in records.by_key.items()}
    assert labels(sample) == expected
    published = len(sample.log.records)
    again = sample.run()
    assert (again.published, again.rejected) == (0, 0)
    assert len(sample.log.records) == published
