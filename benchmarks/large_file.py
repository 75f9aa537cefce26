"""A file of 1 GB: what the process that reads it takes in memory, and how fast it is."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import psutil

from benchmarks.invoice_file import MAPPING, SOURCE, write
from benchmarks.measured import Figure, say
from hub.kafka import log_ranges, partitions_of
from ops.stack import Addresses
from schemas.catalogue import DOCUMENTS

SIZE = 1_000_000_000
LIMIT_MB = 250
_LINE = 1_000
_LOOK_S = 0.1
_WITHIN_S = 1_800.0


class NotRead(Exception):
    """The file was not read to its end: there is nothing to measure."""


def large_file(addresses: Addresses, config: Path, size: int = SIZE) -> list[Figure]:
    """Let the connectors' process of a running hub read one file.

    Args:
        addresses: of the hub; its invoice topic is filled.
        config: of the hub; the file and a configuration with it are written beside.
        size: of the file in bytes, about.

    Raises:
        NotRead: the process failed, or published something else than the file holds.
    """
    folder = config.parent
    file, records = folder / "large.csv", size // _LINE
    say(f"a file of {size / 1e9:,.1f} GB with {records:,} invoices")
    write(file, records, remark="x" * (_LINE - 160))
    (folder / "large.yaml").write_text(MAPPING)
    reading = folder / "reading.yaml"
    source = f"{{name: {SOURCE}, kind: files, path: {file}, mapping: large.yaml}}"
    reading.write_text(config.read_text() + f"sources: [{source}]\n")
    say("reading it")
    before = _published(addresses)
    began = time.perf_counter()
    memory = _read(reading)
    seconds = time.perf_counter() - began
    published = _published(addresses) - before
    if published != records:
        raise NotRead(f"{published:,} of {records:,} invoices were published")
    return [
        Figure("a file to the topic, its size", file.stat().st_size / 1e6, "MB"),
        Figure(
            "a file to the topic, memory of the process",
            memory,
            "MB",
            "limit",
            target=LIMIT_MB,
            at_least=False,
        ),
        Figure("a file to the topic", records / seconds, "events/s"),
    ]


def _read(config: Path) -> float:
    """Run the process to the end of its sources; returns its largest resident set in MB."""
    headrace = str(Path(sys.executable).with_name("headrace"))
    command = [headrace, "connectors", "--bounded", "--config", str(config)]
    largest, give_up_at = 0.0, time.perf_counter() + _WITHIN_S
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        watched = psutil.Process(process.pid)
        while process.poll() is None:
            if time.perf_counter() > give_up_at:
                process.kill()
                raise NotRead(f"it was not read within {_WITHIN_S:.0f} s")
            try:
                largest = max(largest, watched.memory_info().rss / 1e6)
            except psutil.NoSuchProcess:
                break
            time.sleep(_LOOK_S)
    if process.returncode:
        raise NotRead(f"the process ended with {process.returncode}: see its log")
    return largest


def _published(addresses: Addresses) -> int:
    partitions = partitions_of(addresses.cluster, [DOCUMENTS["invoice"].name])
    return sum(end for _, end in log_ranges(addresses.cluster, partitions).values())
