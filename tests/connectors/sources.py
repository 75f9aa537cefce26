"""Sources for tests: invented files, the log as a list, and one run over them."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from connectors.files.source import FilesReader
from connectors.mapping import SourceMapping, load_mapping, parse_mapping
from connectors.opening import open_door
from connectors.passes import make_pass
from connectors.publish import Outgoing
from connectors.report import SourceReport
from hub.source_settings import FilesSource
from schemas.catalogue import TOPICS
from schemas.codec import Decoded, Document, decode_batch
from sinks.database import connect
from sinks.dead_letters import DeadLetter

FIXTURES = Path(__file__).parent / "fixtures"

#: Orders whose lines stand in a stream of their own.
ORDER_EVENTS = """
events:
- emit: order
  from: order
  key: no
  fields:
    customer: {reference: customer}
    ordered_on: {date: day}
    currency: {const: EUR}
    status: {const: open}
  lines:
    join: {line: {no: no}, missing: hold}
    order_by: item
    fields:
      number: item
      product: {reference: product}
      quantity: {decimal: quantity}
      net_amount: {decimal: net}
"""

_LARGEST_RECORD = 1024 * 1024


class LogInMemory:
    """Takes records like a broker; ``tests/connectors/test_publishing.py`` holds it to one.

    ``stop_after`` lets it take that many records and then raise, as a process that is killed
    between the broker's acknowledgement and its transaction.
    """

    def __init__(self) -> None:
        self.records: list[Outgoing] = []
        self.stop_after: int | None = None

    def publish(self, records: Sequence[Outgoing]) -> set[int]:
        """Take records; see ``connectors.publish.Publisher``."""
        sizes = [len(one.key) + len(one.value) for one in records]
        refused = {position for position, size in enumerate(sizes) if size > _LARGEST_RECORD}
        self.records += [one for at, one in enumerate(records) if at not in refused]
        if self.stop_after is not None and len(self.records) >= self.stop_after:
            raise KilledError
        return refused


class KilledError(BaseException):
    """Stands for SIGKILL, which nothing catches."""


class SampleSource:
    """A source in a folder of its own, run as often as a test wants."""

    def __init__(self, database_url: str, folder: Path, mapping: SourceMapping) -> None:
        self.database_url = database_url
        self.folder = folder
        self.mapping = mapping
        self.log = LogInMemory()

    def run(self, *, bounded: bool = True) -> SourceReport:
        """One pass over the folder."""
        source = FilesSource(name="sample", path=str(self.folder), mapping="unused")
        with open_door(source, self.mapping, self.log, self.database_url) as door:
            make_pass(door, self.reader(), bounded)
            return door.report

    def reader(self) -> FilesReader:
        """Reads the folder."""
        return FilesReader(str(self.folder), self.mapping, "sample")

    def write(self, name: str, text: str, encoding: str = "utf-8") -> Path:
        """Write a file of the source."""
        path = self.folder / name
        path.write_bytes(text.encode(encoding))
        return path

    def append(self, name: str, text: str) -> None:
        """Add to a file of the source."""
        with (self.folder / name).open("ab") as file:
            file.write(text.encode())

    def published(self) -> list[Document]:
        """The documents of the log in order, decoded."""
        return [decoded(record) for record in self.log.records]

    def standing(self) -> dict[tuple[str, str], Document]:
        """The newest version of each document by topic and id.

        Fails where one version was published with two contents.
        """
        newest: dict[tuple[str, str], Document] = {}
        for record, document in zip(self.log.records, self.published(), strict=True):
            key = record.topic, document["id"]
            before = newest.get(key)
            if before is not None and before["version"] == document["version"]:
                assert before == document, f"{key} has one version with two contents"
            if before is None or before["version"] <= document["version"]:
                newest[key] = document
        return newest


def contents(standing: dict[tuple[str, str], Document]) -> dict[tuple[str, str], Document]:
    """Documents without their versions."""
    return {
        key: {name: value for name, value in document.items() if name != "version"}
        for key, document in standing.items()
    }


def numbered_letters(source: SampleSource) -> list[tuple[int, DeadLetter]]:
    """The dead letters of a source with their numbers, the oldest first."""
    with connect(source.database_url) as connection:
        rows = connection.execute(
            "SELECT id, stage, code, reason, document, place, value, headers FROM dead_letters"
            " ORDER BY id"
        ).fetchall()
    return [
        (
            row[0],
            DeadLetter(
                stage=row[1],
                code=row[2],
                reason=row[3],
                document=row[4],
                place=row[5],
                value=bytes(row[6]),
                headers=[(name, text.encode("latin-1")) for name, text in row[7]],
            ),
        )
        for row in rows
    ]


def refusing_mappings(source: SampleSource) -> list[tuple[str, str, str]]:
    """The code of each dead letter with the profile and the version of the mapping it names."""
    with connect(source.database_url) as connection:
        return connection.execute(
            "SELECT code, mapping, mapping_version FROM dead_letters ORDER BY id"
        ).fetchall()


def copied(fixture: str, to: Path) -> Path:
    """A copy of a fixture's folder that a test may change."""
    return Path(shutil.copytree(FIXTURES / fixture, to / fixture))


def profile(name: str) -> SourceMapping:
    """A shipped profile, for the source ``sample``."""
    return load_mapping(name, "sample")


def mapping(text: str) -> SourceMapping:
    """A mapping for the source ``sample``."""
    return parse_mapping(text, "sample")


def decoded(record: Outgoing) -> Document:
    """The document of a record."""
    (found,) = decode_batch(TOPICS[record.topic], [record.value])
    assert isinstance(found, Decoded), found
    return found.document
