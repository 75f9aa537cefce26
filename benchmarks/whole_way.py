"""From the topics to the committed views: rate, memory and latency, beside Quix Streams."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

from benchmarks import documents, end_to_end
from benchmarks.measured import Figure, say
from hub.policy import Policy
from ops.stack import Addresses
from streams.rebuild import forget_everything

#: Made by `make bench` from quix.lock: the hub runs on newer versions of pydantic than it allows.
QUIX = Path(sys.prefix) / "quix" / "bin" / "python"


@dataclass(frozen=True, slots=True)
class _Run:
    """All that the topics hold, processed once more; see `end_to_end.drain`."""

    rate: float
    memory_mb: float
    forgetting_s: float


def whole_way(addresses: Addresses, config: Path, records: int) -> list[Figure]:
    """Measure ``records`` invoices and payments into facts, views and outbox.

    The hub holds nothing before, and all of them afterwards.
    """
    say(f"publishing {records:,} invoices and payments")
    _, size = documents.publish(addresses.cluster, documents.invoices_and_payments(records))
    hub, peer = _beside_quix(addresses, config)
    two = _anew(addresses, "end to end: two workers", end_to_end.workers_of(config, 2)).rate
    first, again = hub
    # What else the machine does slows a run down, and nothing makes one faster.
    one = mean(run.rate for run in hub)
    return [
        Figure("size of an invoice or payment record", size, "bytes"),
        Figure(
            "end to end, one worker, better of two",
            max(run.rate for run in hub),
            "events/s",
            "limit",
            target=15_000,
        ),
        Figure(
            "end to end, one worker beside a peer, mean of two",
            one,
            "events/s",
            "Quix Streams, same SQL",
            mean(run.rate for run in peer),
            target=1.0,
        ),
        Figure(
            "end to end, two workers",
            two,
            "events/s",
            "one worker just before",
            again.rate,
            target=1.0,
        ),
        Figure(
            "memory of a worker",
            max(run.memory_mb for run in hub),
            "MB",
            "limit",
            target=300,
            at_least=False,
        ),
        Figure("memory of Quix Streams", max(run.memory_mb for run in peer), "MB"),
        Figure(
            f"everything anew from {records:,} events of the topics, one worker",
            records / (again.forgetting_s + records / again.rate),
            "events/s",
            "the first time",
            first.rate,
        ),
    ]


def _beside_quix(addresses: Addresses, config: Path) -> tuple[tuple[_Run, _Run], tuple[_Run, _Run]]:
    """Return the first and the last of four runs, by a worker, and those between, by Quix Streams.

    Raises:
        RuntimeError: they did not do the same.
    """
    worker = end_to_end.workers_of(config)
    quix = [
        (
            *(str(QUIX), "-m", "benchmarks.quix"),
            *(addresses.cluster.bootstrap_servers[0], addresses.database_url),
        )
    ]
    outcomes = set()

    def run(who: str, commands: end_to_end.Commands) -> _Run:
        done = _anew(addresses, f"end to end: {who}", commands)
        outcomes.add(end_to_end.outcome(addresses))
        return done

    # Each is the first once: what changes on the machine meanwhile meets both alike.
    first = run("one worker", worker)
    peer = run("Quix Streams", quix), run("Quix Streams", quix)
    hub = first, run("one worker", worker)
    if len(outcomes) > 1:
        raise RuntimeError(f"the worker and Quix Streams did not do the same: {outcomes}")
    return hub, peer


def _anew(addresses: Addresses, what: str, commands: end_to_end.Commands) -> _Run:
    """Forget what was processed and process it by ``commands``."""
    say(what)
    began = time.perf_counter()
    forget_everything(addresses.database_url, Policy())
    forgetting_s = time.perf_counter() - began
    return _Run(*end_to_end.drain(addresses, commands), forgetting_s)


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
