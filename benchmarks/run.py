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

from benchmarks import documents, http
from benchmarks.files_to_topic import files_to_topic
from benchmarks.growth import growth, large_growth
from benchmarks.large_file import large_file
from benchmarks.measured import Figure, say, show, write
from benchmarks.plant_day import making, plant_day
from benchmarks.whole_way import thin_traffic, whole_way
from hub.log import configure_logging
from hub.settings import load_settings
from ops.stack import Addresses, Stack
from schemas.catalogue import DOCUMENTS

RECORDS = 300_000
LIMIT_MINUTES = 15
LATEST = Path(__file__).with_name("latest.json")

#: Customers and months of a plant that is made, and in how many seconds.
PLANT, PLANT_LIMIT_S = (1_000, 24), 30
LARGE_PLANT = (100_000, 1)

#: A job and how many of them make the history of ``--large``.
LARGE_RECORDS, LARGE_TIMES = 250_000, 40
LATEST_LARGE = Path(__file__).with_name("latest-large.json")

CONFIG = """\
company: {name: Bench, base_currency: CNY, time_zone: Asia/Shanghai}
partitions: 4
"""


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


def standard(records: int) -> Iterator[list[Figure]]:
    """Measure what `make bench` promises.

    Each part has a hub of its own, since workers would process what the one before has published,
    but for `growth`: the history that it begins with is what `whole_way` has processed.
    """
    with fresh_hub() as config, Stack(load_settings(config)) as stack:
        yield consuming(stack.addresses, records)
    with fresh_hub() as config, Stack(load_settings(config)) as stack:
        yield whole_way(stack.addresses, config, records)
        yield thin_traffic(stack.addresses, config)
        yield growth(stack.addresses, config, records)
    with fresh_hub() as config, Stack(load_settings(config)) as stack:
        yield files_to_topic(stack.addresses, config)
        yield http.measure(stack.addresses)
    with fresh_hub() as config:
        yield [making(config.parent / "made", *PLANT, limit_s=PLANT_LIMIT_S)]
        yield plant_day(config.parent)
    with fresh_hub() as config:
        yield starts(config)


def large(records: int) -> Iterator[list[Figure]]:
    """Measure what `make bench-large` promises."""
    with fresh_hub() as config, Stack(load_settings(config)) as stack:
        yield large_growth(stack.addresses, config, records, LARGE_TIMES)
    with fresh_hub() as config, Stack(load_settings(config)) as stack:
        yield large_file(stack.addresses, config)
    with fresh_hub() as config:
        yield [making(config.parent / "made", *LARGE_PLANT)]


def main() -> int:
    """Measure everything; return 1 where a target is missed."""
    parser = argparse.ArgumentParser(prog="benchmarks.run", description=main.__doc__)
    parser.add_argument("--records", type=int, help="of each kind of load")
    parser.add_argument(
        "--large", action="store_true", help="growth to 10,000,000, and a file of 1 GB"
    )
    arguments = parser.parse_args()
    configure_logging("CRITICAL")
    began = time.perf_counter()
    if arguments.large:
        parts, written = large(arguments.records or LARGE_RECORDS), LATEST_LARGE
    else:
        parts, written = standard(arguments.records or RECORDS), LATEST
    figures = []
    for part in parts:
        figures += part
        for figure in part:
            say(f"  {figure.name}: {figure.value:,.1f} {figure.unit}")
    minutes = (time.perf_counter() - began) / 60
    figures.append(
        Figure("all measurements", minutes, "min")
        if arguments.large
        else Figure(
            "all measurements", minutes, "min", "limit", target=LIMIT_MINUTES, at_least=False
        )
    )
    show(figures)
    if arguments.records is None:
        write(figures, written)
        say(f"{written.name} written")
    else:
        say(f"{written.name} is left as it is: these are not the sizes that it is for")
    return 1 if any(figure.met is False for figure in figures) else 0


if __name__ == "__main__":
    sys.exit(main())
