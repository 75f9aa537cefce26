"""From the topics to the committed views: rate, memory and latency, beside Quix Streams."""

from __future__ import annotations

import sys
from pathlib import Path
from statistics import mean

from benchmarks import documents, end_to_end
from benchmarks.measured import Figure, say
from hub.policy import Policy
from ops.stack import Addresses
from streams.rebuild import forget_everything

#: Made by `make bench` from quix.lock: the hub runs on newer versions of pydantic than it allows.
QUIX = Path(sys.prefix) / "quix" / "bin" / "python"


def whole_way(addresses: Addresses, config: Path, records: int) -> list[Figure]:
    """Measure ``records`` invoices and payments into facts, views and outbox."""
    say(f"publishing {records:,} invoices and payments")
    _, size = documents.publish(addresses.cluster, documents.invoices_and_payments(records))
    (one, memory), (peer, peer_memory) = _beside_quix(addresses, config)
    two, _ = _anew(addresses, "end to end: two workers", end_to_end.workers_of(config, 2))
    return [
        Figure("size of an invoice or payment record", size, "bytes"),
        Figure("end to end, one worker", one, "events/s", "limit", target=15_000),
        Figure(
            "end to end, one worker beside a peer",
            one,
            "events/s",
            "Quix Streams, same SQL",
            peer,
            target=1.0,
        ),
        Figure("end to end, two workers", two, "events/s", "one worker", one, target=1.0),
        Figure(
            "memory of a worker",
            memory,
            "MB",
            "limit",
            target=300,
            at_least=False,
        ),
        Figure("memory of Quix Streams", peer_memory, "MB"),
    ]


def _beside_quix(
    addresses: Addresses, config: Path
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return rate and memory of one worker, and of Quix Streams with the same SQL.

    Raises:
        RuntimeError: they did not do the same.
    """
    commands: dict[str, end_to_end.Commands] = {
        "one worker": end_to_end.workers_of(config),
        "Quix Streams": [
            (
                *(str(QUIX), "-m", "benchmarks.quix"),
                *(addresses.cluster.bootstrap_servers[0], addresses.database_url),
            )
        ],
    }
    found: dict[str, list[tuple[float, float]]] = {who: [] for who in commands}
    outcomes = set()
    # Each is the first once: what changes on the machine meanwhile meets both alike.
    for who in (*commands, *reversed(commands)):
        found[who].append(_anew(addresses, f"end to end: {who}", commands[who]))
        outcomes.add(end_to_end.outcome(addresses))
    if len(outcomes) > 1:
        raise RuntimeError(f"the worker and Quix Streams did not do the same: {outcomes}")
    hub, quix = (
        (mean(rate for rate, _ in runs), max(memory for _, memory in runs))
        for runs in found.values()
    )
    return hub, quix


def _anew(addresses: Addresses, what: str, commands: end_to_end.Commands) -> tuple[float, float]:
    """Forget what was processed and process it by ``commands``; see `end_to_end.drain`."""
    say(what)
    forget_everything(addresses.database_url, Policy())
    return end_to_end.drain(addresses, commands)


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
