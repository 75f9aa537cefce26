"""Whenever a reader of files is killed, the documents stand as the files say, told once."""

from __future__ import annotations

import gzip
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.connectors.sources import KilledError, SampleSource, mapping

pytestmark = pytest.mark.stack

EVENTS = """
events:
- emit: customer
  from: customer
  key: no
  fields: {name: name, city: city}
"""
TIMED = "streams: {customer: {key: no, changed: at, version: precise}}"
UNDATED = "streams: {customer: {key: no}}"
FULL = "streams: {customer: {key: no, snapshot: full, most_deleted: 100%}}"
HEAD = "no,name,city,at\n"
_FIRST = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class Exports:
    """A folder to which a system writes customers; ``standing`` says what is last written."""

    folder: Path
    chance: random.Random
    standing: dict[str, str] = field(default_factory=dict)
    written: int = 0
    unfinished: str = ""

    def line(self) -> str:
        """A customer who moved, later than all others."""
        self.written += 1
        no, city = str(self.chance.randint(1, 5)), f"City {self.written}"
        self.standing[no] = city
        return f"{no},Ada,{city},{(_FIRST + timedelta(seconds=self.written)).isoformat()}\n"

    def grow(self) -> None:
        """Add lines to one file, of which the last may be half written until the next time."""
        path = self.folder / "customers.csv"
        if not path.exists():
            path.write_text(HEAD)
        text = self.unfinished + "".join(self.line() for _ in range(self.chance.randint(0, 4)))
        kept = self.chance.randint(0, 9) if len(text) > 9 and self.chance.random() < 0.5 else 0
        self.unfinished = text[len(text) - kept :]
        with path.open("a") as file:
            file.write(text[: len(text) - kept])

    def rotate(self) -> None:
        """Grow; now and then the file is renamed and another one begun."""
        path = self.folder / "customers.csv"
        if path.exists() and not self.unfinished and self.chance.random() < 0.4:
            path.rename(self.folder / f"customers-{self.written:04}.csv")
        self.grow()

    def pack(self) -> None:
        """Write a packed file of its own."""
        lines = "".join(self.line() for _ in range(self.chance.randint(1, 4)))
        path = self.folder / f"customers-{self.written:04}.csv.gz"
        path.write_bytes(gzip.compress((HEAD + lines).encode()))

    def replace(self) -> None:
        """Write all customers into the one file, without those who left."""
        for _ in range(self.chance.randint(0, 3)):
            self.line()
        if self.standing and self.chance.random() < 0.5:
            del self.standing[self.chance.choice(sorted(self.standing))]
        lines = "".join(f"{no},Ada,{city},\n" for no, city in sorted(self.standing.items()))
        new = self.folder / "new.tmp"
        new.write_text(HEAD + lines)
        new.replace(self.folder / "customers.csv")

    def finish(self) -> None:
        """Write what was left half written."""
        with (self.folder / "customers.csv").open("a") as file:
            file.write(self.unfinished)


Step = Callable[[Exports], None]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    ("streams", "step"),
    [
        (TIMED, Exports.grow),
        (TIMED, Exports.rotate),
        (TIMED, Exports.pack),
        (UNDATED, Exports.grow),
        (UNDATED, Exports.pack),
        (FULL, Exports.replace),
    ],
    ids=["growing", "rotated", "packed", "growing undated", "packed undated", "full exports"],
)
def test_killed_at_any_moment_nothing_is_lost_or_told_differently(
    database_url: str, tmp_path: Path, streams: str, step: Step, seed: int
) -> None:
    source = SampleSource(database_url, tmp_path, mapping(streams + EVENTS))
    exports = Exports(tmp_path, random.Random(seed))
    for _ in range(12):
        step(exports)
        source.log.stop_after = len(source.log.records) + exports.chance.randint(1, 4)
        if exports.chance.random() < 0.4:
            source.log.stop_after = None
        try:
            # A half line is left while the file is followed; a full export has to be whole.
            source.run(bounded=streams == FULL)
        except KilledError:
            continue
    source.log.stop_after = None
    if exports.unfinished:
        exports.finish()
    source.run()
    standing = {key[1]: document for key, document in source.standing().items()}
    alive = {key: one["city"] for key, one in standing.items() if not one["deleted"]}
    assert alive == exports.standing
    assert source.run().published == 0
