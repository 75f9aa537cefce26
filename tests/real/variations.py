"""The same records delivered in other ways: every file twice, the lines of each in any order."""

from __future__ import annotations

import csv
import io
import json
import random
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import yaml

import connectors

_PROFILES = Path(connectors.__file__).parent / "profiles"

Keys = Sequence[tuple[str, Sequence[str]]]


def deliver_twice(records: Path) -> int:
    """Copy every file beside itself under another name; return how many there were."""
    files = sorted(path for path in records.rglob("*") if path.is_file())
    for path in files:
        shutil.copyfile(path, path.with_name(f"{path.stem}-again{path.suffix}"))
    return len(files)


def shuffle_lines(records: Path, profile: str, rng: random.Random) -> int:
    """Bring the lines of every file into a random order; return how many lines there were.

    Lines of one key keep their order: where contents have no date it says which is newer.
    """
    lines = 0
    for path in sorted(records.rglob("*")):
        columns = _key_columns(path, records, profile)
        if path.is_file() and columns is not None:
            text = path.read_text(encoding="utf-8")
            shuffle = _csv if path.suffix == ".csv" else _json_lines
            shuffled, number = shuffle(text, columns, rng)
            path.write_text(shuffled, encoding="utf-8")
            lines += number
    return lines


def _key_columns(path: Path, records: Path, profile: str) -> Sequence[str] | None:
    """Return the columns of a file that make its lines' keys, after the profile."""
    mapping = yaml.safe_load((_PROFILES / f"{profile}.yaml").read_text(encoding="utf-8"))
    name = path.relative_to(records)
    for stream in mapping["streams"].values():
        wanted = stream["from"]
        if name.match(wanted) or any(folder.name == wanted for folder in name.parents):
            key = stream["key"] if isinstance(stream["key"], list) else [stream["key"]]
            return [next(iter(one.values())) if isinstance(one, dict) else one for one in key]
    return None


def _json_lines(text: str, columns: Sequence[str], rng: random.Random) -> tuple[str, int]:
    lines = [line for line in text.split("\n") if line.strip()]

    def key_of(line: str) -> tuple[str, ...]:
        row = json.loads(line)
        return tuple(str(row.get(column)) for column in columns)

    return "\n".join(shuffled(lines, key_of, rng)) + "\n", len(lines)


def _csv(text: str, columns: Sequence[str], rng: random.Random) -> tuple[str, int]:
    head, *records = _csv_records(text)
    names = next(csv.reader([head]))

    def key_of(record: str) -> tuple[str, ...]:
        row = dict(zip(names, next(csv.reader(io.StringIO(record, newline=""))), strict=True))
        return tuple(row[column] for column in columns)

    return "\n".join([head, *shuffled(records, key_of, rng)]) + "\n", len(records)


def _csv_records(text: str) -> list[str]:
    """Cut a file into records; a field in quotes may go over several lines."""
    records: list[str] = []
    open_quotes = False
    for line in text.split("\n"):
        if open_quotes:
            records[-1] += "\n" + line
        elif line.strip():
            records.append(line)
        if line.count('"') % 2:
            open_quotes = not open_quotes
    return records


def shuffled(
    lines: Iterable[str], key_of: Callable[[str], tuple[str, ...]], rng: random.Random
) -> list[str]:
    """Return lines in a random order in which those of one key follow each other as before."""
    by_key: dict[tuple[str, ...], list[str]] = defaultdict(list)
    order = []
    for line in lines:
        key = key_of(line)
        by_key[key].append(line)
        order.append(key)
    rng.shuffle(order)
    return [by_key[key].pop(0) for key in order]
