"""The dead letters of connectors beside the rejects that the plant's truth expects."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.oracle.answers import Json
from tests.plant.plants import Plant

_STAGE = "connector:"
MISSING_PART = "missing_part"


@dataclass(frozen=True, slots=True)
class Reject:
    """A record that no document is made of: known by its bytes, wherever it was delivered."""

    source: str
    code: str
    line: bytes

    def __str__(self) -> str:
        return f"{self.code} of {self.source}: {self.line!r}"


def expected_rejects(plant: Plant, *, complete: bool = True) -> set[Reject]:
    """Return the rejects of the truth; call it while the files are as the plant wrote them.

    Unless the exports are read as `complete`, those whose parts may still come are waited for.
    """
    rows = [row for row in plant.truth("rejects") if complete or not row["waits"]]
    return _rejects(
        plant.exports(), [(row["source"], row["code"], row["file"], row["line"]) for row in rows]
    )


def reject_differences(
    plant: Plant, letters: Iterable[Json], expected: set[Reject], *, delayed: bool = False
) -> list[str]:
    """Return what the letters of connectors lack or have too many.

    Where files were `delayed`, a document whose parts were among them has left a letter of their
    absence, although it stands in the end.
    """
    found = found_rejects(plant.exports(), letters)
    missing = [f"not among the dead letters: {one}" for one in expected - found]
    unexpected = [
        f"not expected among the dead letters: {one}"
        for one in found - expected
        if not (delayed and one.code == MISSING_PART)
    ]
    return sorted(missing) + sorted(unexpected)


def found_rejects(exports: Mapping[str, Path], letters: Iterable[Json]) -> set[Reject]:
    """Return the letters of connectors by the lines that they are about."""
    named = []
    for letter in letters:
        if letter["stage"].startswith(_STAGE):
            file, line = letter["place"].rsplit(":", 1)
            named.append((letter["stage"].removeprefix(_STAGE), letter["code"], file, int(line)))
    return _rejects(exports, named)


def _rejects(
    exports: Mapping[str, Path], named: Iterable[tuple[str, str, str, int]]
) -> set[Reject]:
    """Look up the lines of rejects that are named by source, code, file and line."""
    wanted: dict[tuple[str, str], list[tuple[int, str]]] = defaultdict(list)
    for source, code, file, line in named:
        wanted[source, file].append((line, code))
    found = set()
    for (source, file), places in wanted.items():
        with (exports[source] / file).open("rb") as lines:
            content = dict(_these(lines, {line for line, _ in places}))
        found |= {Reject(source, code, content[line]) for line, code in places}
    return found


def _these(lines: Iterable[bytes], numbers: set[int]) -> Iterator[tuple[int, bytes]]:
    for number, line in enumerate(lines, start=1):
        if number in numbers:
            yield number, line
