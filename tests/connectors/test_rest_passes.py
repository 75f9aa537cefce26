"""An API read into the log: killed at any moment, nothing is lost and nothing has two contents."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from connectors.opening import open_door
from connectors.passes import make_pass
from connectors.replay import replay_through
from connectors.report import SourceReport
from connectors.rest.source import RestReader
from hub.source_settings import RestSource
from sinks.database import connect
from sinks.dead_letters import DeadLetter
from tests.connectors.rest_server import DEEP, Records, cuts, refuses, says
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

    def replay(self, row: Any, value: bytes) -> SourceReport:
        """Read a dead letter again, with ``value`` as its content."""
        stage, code, reason, place, _, texts, letter_id = row
        headers = [(name, text.encode("latin-1")) for name, text in texts]
        letter = DeadLetter(stage, code, reason, place=place, value=value, headers=headers)
        with open_door(self.settings, self.mapping, self.log, self.database_url) as door:
            replay_through(door, RestReader(self.settings, self.mapping), letter_id, letter)
            return door.report


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


@pytest.mark.parametrize("depth", [101, 300, 5_000])
@pytest.mark.parametrize("api", READS)
def test_record_that_cannot_be_kept_is_a_dead_letter_and_the_others_go_on(
    database_url: str, tmp_path: Path, records: Records, url: str, api: str, depth: int
) -> None:
    sample = RestSample(database_url, tmp_path, url, api)
    sign = " " if api in ("frappe", "odoo") else "T"
    zone = "" if api in ("frappe", "odoo") else "Z"
    bad = {3: "half \ud800", 5: "nul \0", 6: DEEP}
    for number in range(8):
        moment = f"2026-03-01{sign}10:00:{10 + number}{zone}"
        records.put(key_of(api, number), moment, label=bad.get(number, f"n{number}"))
    records.deep = b"[" * (depth - 1) + b"]" * (depth - 1)
    first = sample.run()
    assert (first.rejected, first.published) == (3, 5)
    assert sorted(labels(sample).values()) == ["n0", "n1", "n2", "n4", "n7"]
    with connect(database_url) as connection:
        letters = connection.execute(
            "SELECT stage, code, reason, place, value, headers, id FROM dead_letters ORDER BY code"
        ).fetchall()
    assert [letter[1] for letter in letters] == ["broken_json", "broken_json", "too_deep"]
    assert sorted(b"half" in bytes(letter[4]) for letter in letters) == [False, False, True]
    again = sample.run()
    assert (again.published, again.rejected) == (0, 0)
    put_right = next(letter for letter in letters if b"half" in bytes(letter[4]))
    mended = bytes(put_right[4]).replace(b"\\ud800", b"\\u00e4")
    for letter, value in [*((one, bytes(one[4])) for one in letters), (put_right, mended)]:
        replayed = sample.replay(letter, value)
        assert (replayed.published, replayed.rejected) == ((1, 0) if value is mended else (0, 1))
    assert labels(sample)[str(key_of(api, 3))] == "half ä"


@pytest.mark.parametrize("api", READS)
def test_record_whose_key_cannot_be_kept_is_a_dead_letter(
    database_url: str, tmp_path: Path, records: Records, url: str, api: str
) -> None:
    sample = RestSample(database_url, tmp_path, url, api)
    sign, zone = (" ", "") if api in ("frappe", "odoo") else ("T", "Z")
    records.put("C-\ud800", f"2026-03-01{sign}10:00:01{zone}", label="half")
    records.put("C-\0", f"2026-03-01{sign}10:00:02{zone}", label="nul")
    records.put("C-1", f"2026-03-01{sign}10:00:03{zone}", label="whole")
    first = sample.run()
    assert (first.rejected, first.published) == (2, 1)
    again = sample.run()
    assert (again.published, again.rejected) == (0, 0)


@pytest.mark.parametrize("api", FIELDS)
def test_record_without_a_change_time_is_a_dead_letter_once_and_can_be_replayed(
    database_url: str, tmp_path: Path, records: Records, url: str, api: str
) -> None:
    sample = RestSample(database_url, tmp_path, url, api)
    sign, zone = (" ", "") if api in ("frappe", "odoo") else ("T", "Z")
    for number in range(8):
        records.put(key_of(api, number), f"2026-03-01{sign}10:00:1{number}{zone}", label="good")
    records.put(key_of(api, 3), f"0000-00-00{sign}00:00:00{zone}", label="bad")
    first = sample.run()
    assert (first.rejected, first.published) == (1, 7)
    again = sample.run()
    assert (again.published, again.rejected) == (0, 0)
    with connect(database_url) as connection:
        (letter,) = connection.execute(
            "SELECT stage, code, reason, place, value, headers, id FROM dead_letters"
        ).fetchall()
    assert letter[1] == "bad_change_time"
    replayed = sample.replay(letter, bytes(letter[4]).replace(b"0000-00-00", b"2026-03-01"))
    assert (replayed.published, replayed.rejected) == (1, 0)
    assert labels(sample)[str(key_of(api, 3))] == "bad"


def test_each_tracked_record_without_a_key_is_a_dead_letter_and_the_others_go_on(
    database_url: str, tmp_path: Path, records: Records, url: str
) -> None:
    sample = RestSample(database_url, tmp_path, url, "tracked")
    sample.mapping = mapping(
        f"streams: {{customer: {{read: {READS['tracked']}, key: {{integer: id}}}}}}\n"
        "events: [{emit: customer, from: customer, key: id, fields: {name: label}}]\n"
    )
    told = [
        {"label": "first without"},
        {"id": None, "label": "second without"},
        {"id": "one", "label": "no number"},
        {"id": 1, "label": "with"},
        {"@removed": {"reason": "deleted"}},
    ]
    answer = json.dumps({"value": told, "@odata.deltaLink": "/odata/C?delta=0"}).encode()
    records.faults = [says(answer, "application/json")]
    report = sample.run()
    assert (report.published, report.rejected) == (1, 4)
    assert labels(sample) == {"1": "with"}
    with connect(database_url) as connection:
        letters = connection.execute(
            "SELECT stage, code, reason, place, value, headers, id FROM dead_letters"
        ).fetchall()
    for letter in letters:
        replayed = sample.replay(letter, bytes(letter[4]))
        assert (replayed.published, replayed.rejected) == (0, 1)
