"""``make bench``: every figure beside its limit or peer, all from this run and this machine."""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from benchmarks import documents, end_to_end
from benchmarks.measured import Figure, show, write
from hub.log import configure_logging
from hub.policy import Policy
from hub.settings import load_settings
from ops.stack import Addresses, Stack
from schemas.catalogue import DOCUMENTS
from streams.rebuild import forget_everything

RECORDS = 300_000
LIMIT_MINUTES = 15
LATEST = Path(__file__).parent / "latest.json"
CONFIG = """\
company: {name: Bench, base_currency: CNY, time_zone: Asia/Shanghai}
partitions: 4
"""

say = Console(stderr=True, highlight=False).print


def consuming(addresses: Addresses, records: int) -> list[Figure]:
    """Measure consume and decode: the hub's runtime beside a bare loop and stock Faust."""
    say(f"publishing {records:,} orders")
    number, size = documents.publish(addresses.cluster, documents.orders(records))
    rates: dict[str, float] = {}
    for what in ("bare", "hub", "hub+codec", "stock"):
        say(f"consuming: {what}")
        finished = subprocess.run(
            [
                *(sys.executable, "-m", "benchmarks.consuming", what),
                *(addresses.cluster.bootstrap_servers[0], DOCUMENTS["order"].name, str(number)),
            ],
            check=True,
            capture_output=True,
            text=True,
            timeout=300,
        )
        rates[what] = float(finished.stdout)
    bare = ("bare aiokafka getmany + fastavro", rates["bare"])
    return [
        Figure("size of an order record", size, "bytes"),
        Figure("consume + fastavro, hub's runtime", rates["hub"], "events/s", *bare, target=0.8),
        Figure("consume + decode, hub's runtime and codec", rates["hub+codec"], "events/s", *bare),
        Figure("consume + fastavro, stock Faust", rates["stock"], "events/s", *bare),
    ]


def whole_way(addresses: Addresses, config: Path, records: int) -> list[Figure]:
    """Measure ``records`` invoices and payments into facts, views and outbox."""
    say(f"publishing {records:,} invoices and payments")
    _, size = documents.publish(addresses.cluster, documents.invoices_and_payments(records))
    say("end to end: one worker")
    one, memory = end_to_end.drain(addresses, config, 1)
    forget_everything(addresses.database_url, Policy())
    say("end to end: two workers")
    two, _ = end_to_end.drain(addresses, config, 2)
    return [
        Figure("size of an invoice or payment record", size, "bytes"),
        Figure("end to end, one worker", one, "events/s", "limit", target=15_000),
        Figure("end to end, two workers", two, "events/s", "one worker", one, target=1.0),
        Figure("memory of a worker", memory, "MB", "limit", target=300, at_least=False),
    ]


def thin_traffic(addresses: Addresses, config: Path) -> list[Figure]:
    """Measure the latency at 500 events a second."""
    say("latency at 500 events/s")
    took = end_to_end.latencies(addresses, config, per_second=500, seconds=23)
    return [
        Figure("latency p50, acknowledged to committed", end_to_end.percentile(took, 0.5), "ms"),
        Figure(
            "latency p99, acknowledged to committed",
            end_to_end.percentile(took, 0.99),
            "ms",
            "limit",
            target=250,
            at_least=False,
        ),
    ]


def starts(config: Path) -> list[Figure]:
    """Measure the warm start of the whole hub, and of the command alone."""
    headrace = str(Path(sys.executable).with_name("headrace"))

    def seconds(command: list[str]) -> float:
        began = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True, timeout=120)
        return time.perf_counter() - began

    say("starts")
    # Up, idle at once since there is nothing to read, and down again; the first time is not warm.
    up = [seconds([headrace, "up", "--until-idle", "--config", str(config)]) for _ in range(3)][1:]
    told = sorted(seconds([headrace, "--help"]) for _ in range(5))[2]
    return [
        Figure(
            "whole stack from warm, up, idle and down",
            min(up),
            "s",
            "limit",
            target=15,
            at_least=False,
        ),
        Figure("headrace --help", told, "s", "limit", target=0.7, at_least=False),
    ]


@contextmanager
def fresh_hub() -> Iterator[Path]:
    """Yield the configuration of a hub that holds nothing."""
    with tempfile.TemporaryDirectory(prefix="headrace-bench-") as folder:
        Path(folder).chmod(0o755)
        config = Path(folder) / "headrace.yaml"
        config.write_text(CONFIG)
        yield config


def main() -> int:
    """Measure everything; return 1 where a target is missed."""
    parser = argparse.ArgumentParser(prog="benchmarks.run", description=main.__doc__)
    parser.add_argument("--records", type=int, default=RECORDS, help="of each kind of load")
    records = parser.parse_args().records
    configure_logging("CRITICAL")
    began = time.perf_counter()
    # A hub of its own for each: workers would process what the measurement before has published.
    with fresh_hub() as config, Stack(load_settings(config)) as stack:
        figures = consuming(stack.addresses, records)
    with fresh_hub() as config, Stack(load_settings(config)) as stack:
        figures += whole_way(stack.addresses, config, records)
        figures += thin_traffic(stack.addresses, config)
    with fresh_hub() as config:
        figures += starts(config)
    minutes = (time.perf_counter() - began) / 60
    figures.append(
        Figure("all measurements", minutes, "min", "limit", target=LIMIT_MINUTES, at_least=False)
    )
    show(figures)
    write(figures, LATEST)
    say(f"{LATEST.name} written")
    return 1 if any(figure.met is False for figure in figures) else 0


if __name__ == "__main__":
    sys.exit(main())
